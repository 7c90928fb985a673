"""Rewrite quantised and fused ONNX operators as the plain ones that they compute.

``QLinearConv``, ``FusedConv`` and their like become ``Conv`` on the same tensors, quantising and
dequantising fall away, so that shapes are inferred and work is counted as of any other network.
Only for counting: the result computes nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

_PLAIN: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "QLinearConv": ("Conv", (0, 3, 8)),
    "ConvInteger": ("Conv", (0, 1)),
    "FusedConv": ("Conv", (0, 1, 2)),
    "NhwcFusedConv": ("Conv", (0, 1, 2)),
    "QLinearMatMul": ("MatMul", (0, 3)),
    "MatMulInteger": ("MatMul", (0, 1)),
    "DynamicQuantizeMatMul": ("MatMul", (0, 1)),
    "MatMulIntegerToFloat": ("MatMul", (0, 1)),
    "FusedMatMul": ("MatMul", (0, 1)),
    "FusedGemm": ("Gemm", (0, 1, 2)),
    "QGemm": ("Gemm", (0, 3, 6)),
    "QLinearAdd": ("Add", (0, 3)),
    "QLinearMul": ("Mul", (0, 3)),
    "QLinearSigmoid": ("Sigmoid", (0,)),
    "QLinearLeakyRelu": ("LeakyRelu", (0,)),
    "QLinearSoftmax": ("Softmax", (0,)),
    "QLinearGlobalAveragePool": ("GlobalAveragePool", (0,)),
    "QLinearAveragePool": ("AveragePool", (0,)),
    "QLinearReduceMean": ("ReduceMean", (0,)),
    "BiasGelu": ("Add", (0, 1)),
    "FastGelu": ("Relu", (0,)),
    "QuickGelu": ("Relu", (0,)),
}
"""Plain operator, and which inputs of the fused one are its tensors."""
_PACKED = frozenset(("MatMulNBits", "MatMulBnb4"))
"""Products whose weights are packed; their attributes K and N say how many they are."""
_BIAS = 5
"""Which input of a packed product is its bias."""
_TINY = 64
"""Elements of a matrix whose values are written; the arithmetic on sizes may read so few."""
_PASSED = frozenset(("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"))
"""Operators whose output is their first input at another precision."""
_KEPT = frozenset(
    ("auto_pad", "dilations", "group", "kernel_shape", "pads", "strides", "ceil_mode", "axis",
     "axes", "keepdims", "transA", "transB", "count_include_pad")
)  # fmt: skip
"""Attributes that decide shapes."""


def with_plain_weights(model: Any) -> Any:
    """Return the model with its local functions written out and its constants among the weights."""
    from onnx import inliner

    if model.functions:
        model = inliner.inline_local_functions(model)
    nodes = []
    for node in model.graph.node:
        value = next((a.t for a in node.attribute if a.name == "value"), None)
        if node.op_type == "Constant" and value is not None and value.dims:
            value.name = node.output[0]
            model.graph.initializer.append(value)
        else:
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def unpack(graph: Any) -> Counter[int]:
    """Write products with packed weights as plain ones; return parameters by their bits.

    ``MatMulNBits`` and ``MatMulBnb4`` of ONNX Runtime keep a matrix of K × N parameters in blocks
    of a few bits, beside their scales; the plain matrix takes its place, without values.
    """
    packed: Counter[int] = Counter()
    plain: dict[str, Any] = {}
    nodes: list[Any] = []
    for node in graph.node:
        if node.op_type not in _PACKED:
            nodes.append(node)
            continue
        sizes = {one.name: one.i for one in node.attribute}
        rows, columns = sizes.get("K", 0), sizes.get("N", 0)
        name = node.input[1]
        if name not in plain:
            packed[sizes.get("bits", 4)] += rows * columns
            plain[name] = _without_values(f"{name} (unpacked)", rows, columns)
        nodes += _product(node, plain[name].name)
    del graph.node[:]
    graph.node.extend(nodes)
    kept = [one for one in graph.initializer if one.name not in plain]
    del graph.initializer[:]
    graph.initializer.extend([*kept, *plain.values()])
    return packed


def _product(node: Any, matrix: str) -> list[Any]:
    """The plain product, and the bias that the packed one adds where it has one."""
    from onnx import helper

    bias = node.input[_BIAS] if len(node.input) > _BIAS else ""
    if not bias:
        return [helper.make_node("MatMul", [node.input[0], matrix], node.output[:1])]
    between = f"{node.output[0]} (product)"
    return [
        helper.make_node("MatMul", [node.input[0], matrix], [between]),
        helper.make_node("Add", [between, bias], node.output[:1]),
    ]


def _without_values(name: str, rows: int, columns: int) -> Any:
    """A matrix of bytes of which only the size is known, unless it is tiny."""
    from onnx import TensorProto

    values = bytes(rows * columns) if 0 < rows * columns <= _TINY else b""
    return TensorProto(name=name, data_type=TensorProto.INT8, dims=(rows, columns), raw_data=values)


def make_plain(graph: Any) -> None:
    """Rewrite the nodes of a graph in place."""
    source: dict[str, str] = {}
    nodes = []
    for node in graph.node:
        node.input[:] = [source.get(name, name) for name in node.input]
        if node.op_type in _PASSED and node.input:
            source[node.output[0]] = node.input[0]
            continue
        _rewrite(node)
        nodes.append(node)
    kept = {name for node in nodes for name in node.output}
    outputs = [item for item in graph.output if item.name in kept]
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    del graph.output[:]
    graph.output.extend(outputs)


def _rewrite(node: Any) -> None:
    if node.op_type == "QLinearConcat":
        inputs: Iterable[str] = list(node.input[2::3])
        plain = "Concat"
    elif node.op_type in _PLAIN:
        plain, places = _PLAIN[node.op_type]
        inputs = [node.input[i] for i in places if i < len(node.input)]
    else:
        return
    node.op_type, node.domain = plain, ""
    node.input[:] = [name for name in inputs if name]
    attributes = [one for one in node.attribute if one.name in _KEPT]
    del node.attribute[:]
    node.attribute.extend(attributes)
