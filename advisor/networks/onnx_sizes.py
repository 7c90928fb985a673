"""Infer the sizes of tensors in an ONNX graph, also where the graph computes them.

``Resize`` to the size of another tensor, written as ``Shape``, ``Slice`` and ``Concat``, is common
in segmentation; ONNX's own inference gives up there. The arithmetic on sizes is done by ONNX's
reference implementation.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

Values = dict[str, Any]

_SIZED_BY: Mapping[str, int] = {"Resize": 3, "Reshape": 1, "Expand": 1}
"""Which input of an operator holds the size of its output."""
MOST = 16
"""Elements of a tensor that may hold sizes."""
ROUNDS = 20


def inferred(model: Any) -> Any:
    """Return the graph of a model with all sizes that can be told before it runs."""
    import onnx

    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    for _ in range(ROUNDS):
        found = dict(_computed(graph, model.opset_import))
        if not found:
            break
        for name, size in found.items():
            info = onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, size)
            model.graph.value_info.append(info)
        graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    return graph


def _computed(graph: Any, opsets: Any) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Sizes of outputs that are unknown although the tensor that decides them is known."""
    shapes = {
        item.name: tuple(d.dim_value for d in item.type.tensor_type.shape.dim)
        for item in (*graph.input, *graph.value_info, *graph.output)
        if item.type.tensor_type.HasField("shape")
    }
    values = _values(graph, shapes, {one.domain: one.version for one in opsets})
    for node in graph.node:
        place = _SIZED_BY.get(node.op_type)
        if place is None or place >= len(node.input) or node.input[place] not in values:
            continue
        known = shapes.get(node.output[0], ())
        size = tuple(int(one) for one in values[node.input[place]].ravel())
        if not (known and all(known)) and size and all(one > 0 for one in size):
            yield node.output[0], size


def _values(graph: Any, shapes: Mapping[str, tuple[int, ...]], opsets: dict[str, int]) -> Values:
    """Evaluate what is computed from constants and sizes alone, where it is small."""
    import numpy as np
    from onnx import numpy_helper
    from onnx.reference import ReferenceEvaluator

    values: Values = {
        t.name: numpy_helper.to_array(t) for t in graph.initializer if math.prod(t.dims) <= MOST
    }
    for node in graph.node:
        shape = shapes.get(node.input[0], ()) if node.input else ()
        if node.op_type == "Shape" and shape and all(shape):
            values[node.output[0]] = np.array(shape, dtype=np.int64)
        elif all(not n or n in values for n in node.input) and _stays_small(node, values):
            try:
                feeds = {name: values[name] for name in node.input if name}
                found = ReferenceEvaluator(node, opsets=opsets).run(None, feeds)
            except Exception:  # what the reference cannot compute stays unknown  # nosec B112
                continue
            values |= {
                name: value
                for name, value in zip(node.output, found, strict=False)
                if getattr(value, "size", MOST + 1) <= MOST
            }
    return values


_GROWN_BY = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1}
"""Which input of an operator says how large its output is."""
_UNBOUNDED = frozenset(
    ("EyeLike", "If", "Loop", "OneHot", "Pad", "RandomNormal", "RandomUniform", "Resize", "Scan",
     "Upsample")
)  # fmt: skip
"""Operators whose output may be large although their inputs are small; none computes sizes."""


def _stays_small(node: Any, values: Values) -> bool:
    """Whether what an operator computes can be as small as a size is."""
    if node.op_type in _UNBOUNDED:
        return False
    if node.op_type == "Range":
        begin, end, step = (float(values[name].ravel()[0]) for name in node.input)
        return step != 0 and abs(end - begin) <= MOST * abs(step)
    if node.op_type in _GROWN_BY:
        sides = values[node.input[_GROWN_BY[node.op_type]]].ravel()
        return math.prod(max(int(side), 0) for side in sides) <= MOST
    return True
