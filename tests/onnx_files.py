"""ONNX files made by hand, without exporting anything."""

import math

import onnx
from onnx import TensorProto, helper


def two_convolutions() -> onnx.ModelProto:
    """Return 1×1 convolution to 16 channels, ReLU, 1×1 convolution to 2; any batch and size."""

    def weights(name: str, *shape: int) -> onnx.TensorProto:
        return helper.make_tensor(name, TensorProto.FLOAT, shape, [0.0] * math.prod(shape))

    nodes = [
        helper.make_node("Conv", ["image", "w1", "b1"], ["a"]),
        helper.make_node("Relu", ["a"], ["r"]),
        helper.make_node("Conv", ["r", "w2", "b2"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "two",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        [
            weights("w1", 16, 3, 1, 1),
            weights("b1", 16),
            weights("w2", 2, 16, 1, 1),
            weights("b2", 2),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def floats(name: str, *shape: int) -> onnx.TensorProto:
    """Return weights of zeros."""
    return helper.make_tensor(name, TensorProto.FLOAT, shape, [0.0] * math.prod(shape))


def bytes_of(name: str, *shape: int) -> onnx.TensorProto:
    """Return quantised weights of zeros."""
    return helper.make_tensor(name, TensorProto.INT8, shape, [0] * math.prod(shape))


def network(
    nodes: list[onnx.NodeProto],
    weights: list[onnx.TensorProto],
    *,
    inputs: tuple[str, ...] = ("image",),
    size: tuple[int | str, ...] = (1, 3, 8, 8),
) -> onnx.ModelProto:
    """Return a network whose last node writes its output."""
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name in inputs],
        [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)],
        weights,
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1),
              helper.make_opsetid("mine", 1)]  # fmt: skip
    return helper.make_model(graph, opset_imports=opsets)
