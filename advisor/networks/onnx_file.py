"""Count the workload of an ONNX file from its graph and inferred shapes; nothing is executed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from advisor.core.extras import require
from advisor.core.workload import Layer, OperatorClass, Workload
from advisor.errors import NetworkError
from advisor.networks import NO_INPUTS, InputSizes
from advisor.networks.onnx_inputs import fix_inputs
from advisor.networks.onnx_plain import make_plain, unpack, with_plain_weights
from advisor.networks.onnx_sizes import inferred
from advisor.networks.trace import Call, Trace

_KINDS: dict[OperatorClass, dict[str, str]] = {
    OperatorClass.NORMALISATION: {
        "BatchNormalization": "native_batch_norm",
        "LayerNormalization": "native_layer_norm",
        "InstanceNormalization": "native_group_norm",
        "GroupNormalization": "native_group_norm",
        "LpNormalization": "norm",
    },
    OperatorClass.POOLING: {
        "MaxPool": "max_pool2d_with_indices",
        "AveragePool": "avg_pool2d",
        "GlobalAveragePool": "mean",
        "GlobalMaxPool": "amax",
        "ReduceMean": "mean",
        "ReduceSum": "sum",
        "ReduceMax": "amax",
    },
    OperatorClass.ACTIVATION: {
        "Relu": "relu",
        "Clip": "hardtanh",
        "Sigmoid": "sigmoid",
        "HardSigmoid": "hardsigmoid",
        "HardSwish": "hardswish",
        "Tanh": "tanh",
        "Gelu": "gelu",
        "Elu": "elu",
        "LeakyRelu": "leaky_relu",
        "PRelu": "_prelu_kernel",
        "Softmax": "_softmax",
        "Softplus": "softplus",
        "Mish": "mish",
        "Erf": "erf",
    },
    OperatorClass.ELEMENTWISE: {
        "Add": "add",
        "Sub": "sub",
        "Mul": "mul",
        "Div": "div",
        "Pow": "pow",
        "Sqrt": "sqrt",
        "Exp": "exp",
        "Neg": "neg",
        "Abs": "abs",
        "Where": "where",
        "Min": "minimum",
        "Max": "maximum",
    },
    OperatorClass.MOVEMENT: {
        "Concat": "cat",
        "Transpose": "clone",
        "Pad": "constant_pad_nd",
        "Gather": "index",
        "Resize": "upsample_bilinear2d",
        "Upsample": "upsample_nearest2d",
        "DepthToSpace": "pixel_shuffle",
        "SpaceToDepth": "pixel_unshuffle",
        "Tile": "repeat",
    },
}
_OPERATION = {
    name: (operator, kind) for operator, kinds in _KINDS.items() for name, kind in kinds.items()
}
_FREE = frozenset(
    [
        "Identity",
        "Reshape",
        "Flatten",
        "Squeeze",
        "Unsqueeze",
        "Shape",
        "Constant",
        "ConstantOfShape",
        "Cast",
        "Slice",
        "Split",
        "Dropout",
        "Expand",
        "Range",
        "QuantizeLinear",
        "DequantizeLinear",
    ]
)
Shape = tuple[int, ...]
_INDEX_TYPES = frozenset((6, 7, 9))
"""ONNX types of sizes and indices (int32, int64, bool): no parameters, except int32 biases."""
_ONE_BYTE = frozenset((2, 3))
MOST_WORK = 10**17
"""Elements, or multiply-accumulates, of the largest operator that anybody runs."""
_POINTER = b"version https://git-lfs"
_CONTRADICTIONS = (LookupError, ValueError, TypeError, ArithmeticError)
"""What counting runs into where operators, shapes and weights of a file contradict each other."""


def describe_onnx(
    path: Path,
    *,
    resolution: int | None = None,
    width: int | None = None,
    inputs: InputSizes = NO_INPUTS,
) -> Workload:
    """Count the network in an ONNX file at batch 1.

    ``resolution`` fills in a dynamic input size (its height where ``width`` is given, too), and
    ``inputs`` the sizes of inputs by name; a size that the file fixes cannot be changed by them.
    Operators whose size cannot be known before they run are counted up to, and named in
    ``uncounted``. Raises NetworkError where the file is missing or damaged, or nothing of it can
    be counted.
    """
    require(f"reading {path}", "onnx", kind=NetworkError)
    try:
        return _described(path, resolution, width, inputs)
    except _CONTRADICTIONS as error:
        said = _first_line(error)
        raise NetworkError(f"{path}: an operator lacks what its kind needs: {said}") from error


def _described(
    path: Path, resolution: int | None, width: int | None, inputs: InputSizes
) -> Workload:
    model = with_plain_weights(_loaded(path))
    height, wide = fix_inputs(model, path, resolution, width, inputs)
    packed = unpack(model.graph)
    whole = _stored_whole(model) - packed.total()
    make_plain(model.graph)
    try:
        graph = inferred(model)
    except Exception as error:
        raise NetworkError(f"{path}: shapes cannot be inferred: {_first_line(error)}") from error
    workload = _Graph(graph, path).workload(height)
    caveats: tuple[str, ...] = ()
    if whole:
        caveats = (f"{whole} parameters are stored as int8, at one byte each",)
    caveats += tuple(
        f"{count} parameters are stored in {bits} bits and counted at one byte each"
        for bits, count in packed.items()
    )
    name = f"{path}@{height}x{wide}" if wide != height else workload.network
    return replace(
        workload,
        network=name,
        one_byte=min(whole + packed.total(), workload.parameters),
        caveats=(*workload.caveats, *caveats),
    )


def _loaded(path: Path) -> Any:
    """Read and check a file; NetworkError says what is wrong with it."""
    import onnx

    try:
        content = path.read_bytes()
    except OSError as error:
        raise NetworkError(f"cannot read {path}: {error.strerror}") from None
    if content.startswith(_POINTER):
        raise NetworkError(f"{path} is a Git LFS pointer, not the network; fetch it: git lfs pull")
    if not content:
        raise NetworkError(f"{path} is empty")
    try:
        model = onnx.load_model_from_string(content)
    except Exception:  # protobuf's, which differ by version
        raise NetworkError(f"{path} is no ONNX network, or is damaged or cut short") from None
    if not model.graph.node:
        raise NetworkError(f"{path} holds no operators; it is no ONNX network, or cut short")
    _check(model, path)
    return model


def _check(model: Any, path: Path) -> None:
    import onnx

    for node in model.graph.node:
        groups = next((a.i for a in node.attribute if a.name == "group"), 1)
        if groups < 1:
            raise NetworkError(f"{path}: {node.op_type} {node.name!r} has group={groups}")
    _check_order(model.graph, path)
    try:
        onnx.checker.check_model(model)
    except Exception as error:
        text = " ".join(str(error).split())
        if not re.search(
            r"No opset import|No Op registered|external|No schema|'shape' of 'type'", text
        ):
            raise NetworkError(f"{path} is not valid ONNX: {text[:200]}") from None


def _check_order(graph: Any, path: Path) -> None:
    """Refuse operators that read what is written behind them, or by nothing."""
    written = {name for node in graph.node for name in node.output}
    known = {"", *(t.name for t in graph.initializer), *(i.name for i in graph.input)}
    known |= {t.values.name for t in graph.sparse_initializer}
    for node in graph.node:
        for name in node.input:
            if name not in known:
                what = "its operators form a cycle or stand in a wrong order" if (
                    name in written) else "nothing writes it"  # fmt: skip
                raise NetworkError(f"{path}: {node.op_type} reads {name!r}: {what}")
        known.update(node.output)


def _stored_whole(model: Any) -> int:
    """Parameters that the file keeps in one byte."""
    return sum(
        math.prod(t.dims) for t in model.graph.initializer
        if t.data_type in _ONE_BYTE and math.prod(t.dims) > 1 and len(t.dims) > 1
    )  # fmt: skip


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


class _Graph:
    """Walks the nodes in order and records the costly ones."""

    def __init__(self, graph: Any, path: Path) -> None:
        self.graph = graph
        self.path = path
        self.constants: dict[str, Shape] = {t.name: tuple(t.dims) for t in graph.initializer}
        biases = {name for node in graph.node for name in node.input[2:3]}
        self.given = {
            t.name: math.prod(t.dims)
            for t in graph.initializer
            if t.data_type not in _INDEX_TYPES or (t.name in biases and t.data_type == 6)
        }
        self.shapes = self.constants | {
            item.name: tuple(d.dim_value for d in item.type.tensor_type.shape.dim)
            for item in [*graph.input, *graph.value_info, *graph.output]
        }
        self.images = [i.name for i in graph.input if i.name not in self.constants]
        self.buffer = {name: place for place, name in enumerate(self.images)}
        self.writer: dict[int, int] = {}
        self.lost: set[str] = set()
        """Tensors whose size is not known before the network runs."""
        self.after = 0
        """Operators behind those, which are not counted."""
        self.trace = Trace(
            sizes={place: math.prod(self.shapes[name]) for name, place in self.buffer.items()}
        )

    def workload(self, side: int) -> Workload:
        """Count every node whose size is known."""
        for node in self.graph.node:
            self._visit(node)
        if not self.trace.calls:
            raise NetworkError(
                f"{self.path}: no operator can be counted: the size of what "
                f"{', '.join(self.trace.unknown()) or 'they'} writes is known only when it runs, "
                "or cannot be"
            )
        read = {name for node in self.graph.node for name in node.input}
        statistics = sum(
            self.given.get(name, 0)
            for node in self.graph.node
            if node.op_type == "BatchNormalization"
            for name in node.input[3:5]
        )
        elements = sum(size for name, size in self.given.items() if name in read)
        caveats: tuple[str, ...] = ()
        if self.after:
            several = "operators" if self.after > 1 else "operator"
            caveats = (f"not counted: {self.after} {several} behind "
                       f"{', '.join(self.trace.unknown())}, whose sizes are known only when it "
                       "runs",)  # fmt: skip
        return Workload(
            network=str(self.path),
            resolution=side,
            parameters=elements - statistics,
            buffers=statistics,
            peak_activations=self.trace.peak(),
            layers=self.trace.layers(),
            uncounted=self.trace.unknown(),
            caveats=caveats,
        )

    def _visit(self, node: Any) -> None:
        inputs = [*node.input, *_captured(node)]
        activations = [name for name in inputs if name in self.buffer]
        if not activations and not any(name in self.lost for name in inputs):
            for name in node.output:  # arithmetic on constants alone is done once
                self.constants.setdefault(name, self.shapes.get(name, ()))
            return
        if node.op_type in ("Shape", "Size"):  # sizes are no activations
            for name in node.output:
                self.constants.setdefault(name, self.shapes.get(name, ()))
            return
        behind = any(name in self.lost for name in inputs)
        if behind and not (activations and self._known(node)):
            self.lost.update(node.output)
            self.after += 1
            return
        if node.op_type in _FREE:
            for name in node.output:
                self.buffer[name] = self.buffer[activations[0]]
            return
        if not self._known(node):
            self.trace.uncounted[node.op_type] += 1
            self.lost.update(node.output)
            return
        self._record(node, activations, self.shapes[node.output[0]])

    def _known(self, node: Any) -> bool:
        """Whether the size of what a node writes was inferred."""
        shape = self.shapes.get(node.output[0])
        return bool(shape) and all(size > 0 for size in shape or ())

    def _record(self, node: Any, activations: list[str], shape: Shape) -> None:
        layer = self._layer(node, activations, shape)
        if max(math.prod(shape), layer.macs if layer else 0) > MOST_WORK:
            raise NetworkError(f"{self.path}: {node.op_type} writes {shape}; nothing runs that")
        if layer is None:
            self.trace.uncounted[node.op_type] += 1
            layer = self._simple(OperatorClass.ELEMENTWISE, node.op_type, node, activations, shape)
        inputs = tuple(dict.fromkeys(self.buffer[name] for name in activations))
        output = len(self.trace.sizes)
        self.trace.sizes[output] = math.prod(shape)
        self.buffer[node.output[0]] = output
        producers = tuple(self.writer.get(b, -1) for b in inputs)
        self.writer[output] = len(self.trace.calls)
        self.trace.calls.append(
            Call(layer=layer, inputs=inputs, output=output, producers=producers)
        )

    def _layer(self, node: Any, activations: list[str], shape: Shape) -> Layer | None:
        if node.op_type in ("Conv", "ConvTranspose"):
            return self._convolution(node, shape)
        if node.op_type in ("Gemm", "MatMul"):
            return self._matrix(node, shape)
        if node.op_type not in _OPERATION:
            return None
        operator, kind = _OPERATION[node.op_type]
        return self._simple(operator, kind, node, activations, shape)

    def _simple(
        self, operator: OperatorClass, kind: str, node: Any, activations: list[str], shape: Shape
    ) -> Layer:
        source = max((self.shapes[n] for n in activations), key=math.prod)
        in_channels, in_h, in_w = _plane(source)
        out_channels, out_h, out_w = _plane(shape)
        return Layer(
            operator=operator,
            kind=kind,
            in_channels=in_channels,
            out_channels=out_channels,
            in_h=in_h,
            in_w=in_w,
            out_h=out_h,
            out_w=out_w,
            weights=sum(math.prod(self.constants[n]) for n in node.input if n in self.constants),
            reads=sum(math.prod(self.shapes[n]) for n in activations),
            writes=math.prod(shape),
        )

    def _convolution(self, node: Any, shape: Shape) -> Layer:
        options = {a.name: a for a in node.attribute}
        groups = int(options["group"].i) if "group" in options else 1
        strides = list(options["strides"].ints) if "strides" in options else [1]
        source, weight = self.shapes[node.input[0]], self.shapes[node.input[1]]
        kernel = weight[2:]
        transposed = node.op_type == "ConvTranspose"
        reads = weight[0] if transposed else weight[1] * groups
        if source[1] != reads:
            raise NetworkError(
                f"{self.path}: {node.op_type} {node.name or node.output[0]!r} reads {reads} "
                f"channels, its input has {source[1]}"
            )
        positions = math.prod((source if transposed else shape)[2:])
        in_channels, in_h, in_w = _plane(source)
        out_channels, out_h, out_w = _plane(shape)
        layer = Layer(
            operator=OperatorClass.DENSE,
            kind="convolution",
            in_channels=in_channels,
            out_channels=out_channels,
            groups=groups,
            kernel_h=kernel[0],
            kernel_w=kernel[-1] if len(kernel) > 1 else 1,
            stride=int(strides[0]),
            in_h=in_h,
            in_w=in_w,
            out_h=out_h,
            out_w=out_w,
            macs=positions * math.prod(weight),
            weights=math.prod(weight) + (out_channels if len(node.input) > 2 else 0),
            reads=math.prod(source),
            writes=math.prod(shape),
        )
        return replace(layer, operator=self._convolution_class(layer, node.input[0]))

    def _convolution_class(self, layer: Layer, source: str) -> OperatorClass:
        if layer.groups > 1:
            alone = layer.groups == layer.in_channels
            return OperatorClass.DEPTHWISE if alone else OperatorClass.GROUPED
        if source in self.images:
            return OperatorClass.STEM
        one = layer.kernel_h == layer.kernel_w == 1
        return OperatorClass.POINTWISE if one else OperatorClass.DENSE

    def _matrix(self, node: Any, shape: Shape) -> Layer:
        left, right = self.shapes[node.input[0]], self.shapes[node.input[1]]
        swapped = any(a.name == "transA" and a.i for a in node.attribute)
        inner = left[0] if swapped else left[-1]
        by_weight = node.input[1] in self.constants
        rows = math.prod(shape) // shape[-1]
        return Layer(
            operator=OperatorClass.FULLY_CONNECTED if by_weight else OperatorClass.MATMUL,
            kind="addmm" if by_weight else "bmm",
            in_channels=inner,
            out_channels=shape[-1],
            in_h=rows,
            out_h=rows,
            macs=math.prod(shape) * inner,
            weights=sum(math.prod(self.constants[n]) for n in node.input if n in self.constants),
            reads=math.prod(left) + (0 if by_weight else math.prod(right)),
            writes=math.prod(shape),
        )


def _captured(node: Any) -> Iterator[str]:
    """Tensors that the branches or the body of an operator read from around it."""
    for attribute in node.attribute:
        for inner in attribute.g.node:
            yield from inner.input
            yield from _captured(inner)


def _plane(shape: Shape) -> tuple[int, int, int]:
    """Channels, height and width; tokens count as height."""
    if len(shape) == 4:
        return shape[1], shape[2], shape[3]
    if len(shape) == 3:
        return shape[2], shape[1], 1
    return (shape[-1], math.prod(shape[:-1]), 1) if shape else (1, 1, 1)
