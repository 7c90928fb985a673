"""Count the workload of an ONNX file from its graph and inferred shapes; nothing is executed."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from advisor.core.workload import Layer, OperatorClass, Workload
from advisor.errors import NetworkError
from advisor.networks.trace import Call, Trace

INSTALL = "pip install 'vision-advisor[onnx]'"

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


def describe_onnx(path: Path, *, resolution: int | None = None) -> Workload:
    """Count the network in an ONNX file at batch 1.

    ``resolution`` fills in a dynamic input size; where the file fixes one it is not needed.
    Raises NetworkError where the file is missing or unreadable, or a size stays unknown.
    """
    try:
        import onnx
    except ImportError:
        raise NetworkError(f"reading {path} needs the onnx package: {INSTALL}") from None
    try:
        model = onnx.load(str(path), load_external_data=False)
        side = _fix_input(model, path, resolution)
        graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except NetworkError:
        raise
    except Exception as error:
        raise NetworkError(f"cannot read {path} as an ONNX network: {error}") from error
    return _Graph(graph, path).workload(side)


def _fix_input(model: Any, path: Path, resolution: int | None) -> int:
    """Set the batch to 1 and unknown sides to ``resolution``; returns the side of the input."""
    constants = {tensor.name for tensor in model.graph.initializer}
    images = [item for item in model.graph.input if item.name not in constants]
    if len(images) != 1 or len(images[0].type.tensor_type.shape.dim) != 4:
        raise NetworkError(f"{path}: one image input of four dimensions is needed")
    batch, first, *rest = images[0].type.tensor_type.shape.dim
    dynamic = batch.dim_value != 1
    batch.dim_value = 1
    sides = [first, *rest[:1]] if rest and rest[-1].dim_value in (1, 3) else rest
    for side in sides:
        if not side.dim_value:
            if resolution is None:
                raise NetworkError(f"{path}: the input size is dynamic; write {path}@RESOLUTION")
            side.dim_value, dynamic = resolution, True
    if dynamic:  # sizes noted in the file are of another input
        del model.graph.value_info[:]
    return int(sides[0].dim_value)


class _Graph:
    """Walks the nodes in order and records the costly ones."""

    def __init__(self, graph: Any, path: Path) -> None:
        self.graph = graph
        self.path = path
        self.constants: dict[str, Shape] = {t.name: tuple(t.dims) for t in graph.initializer}
        self.shapes = self.constants | {
            item.name: tuple(d.dim_value for d in item.type.tensor_type.shape.dim)
            for item in [*graph.input, *graph.value_info, *graph.output]
        }
        self.image = next(i.name for i in graph.input if i.name not in self.constants)
        self.buffer: dict[str, int] = {self.image: 0}
        self.writer: dict[int, int] = {}
        self.trace = Trace(sizes={0: math.prod(self.shapes[self.image])})

    def workload(self, side: int) -> Workload:
        """Count every node."""
        for node in self.graph.node:
            self._visit(node)
        statistics = sum(
            math.prod(self.constants.get(name, (0,)))
            for node in self.graph.node
            if node.op_type == "BatchNormalization"
            for name in node.input[3:5]
        )
        learned = {n for node in self.graph.node for n in node.input if n in self.constants}
        elements = sum(math.prod(self.constants[name]) for name in learned)
        return Workload(
            network=str(self.path),
            resolution=side,
            parameters=elements - statistics,
            buffers=statistics,
            peak_activations=self.trace.peak(),
            layers=self.trace.layers(),
            uncounted=self.trace.unknown(),
        )

    def _visit(self, node: Any) -> None:
        activations = [name for name in node.input if name in self.buffer]
        if not activations:
            for name in node.output:  # arithmetic on constants alone is done once
                self.constants.setdefault(name, self.shapes.get(name, ()))
            return
        if node.op_type in _FREE:
            for name in node.output:
                self.buffer[name] = self.buffer[activations[0]]
            return
        shape = self.shapes.get(node.output[0])
        if not shape or not all(shape):
            raise NetworkError(
                f"{self.path}: the size of {node.output[0]!r} cannot be inferred; "
                "export it with a fixed input size"
            )
        self._record(node, activations, shape)

    def _record(self, node: Any, activations: list[str], shape: Shape) -> None:
        layer = self._layer(node, activations, shape)
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
        if source == self.image:
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


def _plane(shape: Shape) -> tuple[int, int, int]:
    """Channels, height and width; tokens count as height."""
    if len(shape) == 4:
        return shape[1], shape[2], shape[3]
    if len(shape) == 3:
        return shape[2], shape[1], 1
    return (shape[-1], math.prod(shape[:-1]), 1) if shape else (1, 1, 1)
