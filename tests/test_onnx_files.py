"""ONNX files as people export them: quantised, fused, cut by operators nobody knows, damaged."""

from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from advisor.core.workload import Workload
from advisor.core.workload_table import WorkloadTable, read, write
from advisor.errors import NetworkError
from advisor.networks import describe_spelling
from advisor.networks.onnx_file import describe_onnx
from tests.onnx_files import bytes_of, floats, network, two_convolutions

MACS = 16 * 3 * 8 * 8
"""Of a 1×1 convolution from 3 to 16 channels at 8×8."""
CONV = helper.make_node("Conv", ["image", "w"], ["a"])


def counted(
    folder: Path, model: onnx.ModelProto, suffix: str = "", **inputs: tuple[int, ...]
) -> Workload:
    path = folder / "net.onnx"
    path.write_bytes(model.SerializeToString())
    return describe_spelling(f"{path}{suffix}", inputs)


def test_an_integer_convolution_counts_as_the_plain_one(tmp_path: Path) -> None:
    scale, zero = floats("s", 1), helper.make_tensor("z", TensorProto.INT8, [1], [0])
    nodes = [
        helper.make_node("QuantizeLinear", ["image", "s", "z"], ["q"]),
        helper.make_node("QLinearConv", ["q", "s", "z", "w", "s", "z", "s", "z"], ["a"]),
        helper.make_node("DequantizeLinear", ["a", "s", "z"], ["out"]),
    ]
    workload = counted(tmp_path, network(nodes, [scale, zero, bytes_of("w", 16, 3, 1, 1)]))
    assert (workload.macs, workload.parameters, workload.one_byte) == (MACS, 48, 48)
    assert "48 parameters are stored as int8" in workload.caveats[0]


def test_quantised_weights_count_once(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("DequantizeLinear", ["w8", "s", "z"], ["w"]),
        CONV,
    ]
    zero = helper.make_tensor("z", TensorProto.INT8, [1], [0])
    workload = counted(
        tmp_path, network(nodes, [floats("s", 1), zero, bytes_of("w8", 16, 3, 1, 1)])
    )
    assert (workload.macs, workload.parameters) == (MACS, 48)


def test_a_fused_convolution_counts_as_the_plain_one(tmp_path: Path) -> None:
    fused = helper.make_node(
        "FusedConv", ["image", "w", "b"], ["a"], domain="com.microsoft", activation="Relu"
    )
    weights = [floats("w", 16, 3, 1, 1), floats("b", 16)]
    workload = counted(tmp_path, network([fused], weights))
    assert (workload.macs, workload.parameters, workload.uncounted) == (MACS, 64, ())


def test_a_network_is_counted_up_to_an_operator_that_nobody_knows(tmp_path: Path) -> None:
    nodes = [
        CONV,
        helper.make_node("Warp", ["a"], ["b"], domain="mine"),
        helper.make_node("Conv", ["b", "w2"], ["out"]),
    ]
    weights = [floats("w", 16, 3, 1, 1), floats("w2", 4, 16, 1, 1)]
    workload = counted(tmp_path, network(nodes, weights))
    assert workload.macs == MACS
    assert workload.uncounted == ("Warp ×1",)
    assert "not counted: 1 operator behind Warp ×1" in workload.caveats[0]


def test_a_detector_is_counted_up_to_the_choice_of_its_boxes(tmp_path: Path) -> None:
    nodes = [
        CONV,
        helper.make_node("Reshape", ["a", "boxes"], ["b"]),
        helper.make_node("Reshape", ["a", "classes"], ["c"]),
        helper.make_node("NonMaxSuppression", ["b", "c"], ["chosen"]),
    ]
    shapes = [helper.make_tensor(name, TensorProto.INT64, [3], size)
              for name, size in (("boxes", [1, 256, 4]), ("classes", [1, 4, 256]))]  # fmt: skip
    workload = counted(tmp_path, network(nodes, [floats("w", 16, 3, 1, 1), *shapes]))
    assert (workload.macs, workload.uncounted) == (MACS, ("NonMaxSuppression ×1",))


@pytest.mark.parametrize("bias", [(), ("b",)])
def test_packed_weights_count_as_the_matrix_that_they_hold(
    bias: tuple[str, ...], tmp_path: Path
) -> None:
    """64 × 48 weights in 4 bits lie in 48 rows of 2 blocks of 16 bytes, beside 96 scales."""
    rows, columns, block = 64, 48, 32
    packed = helper.make_tensor(
        "w",
        TensorProto.UINT8,
        (columns, rows // block, block // 2),
        bytes(rows * columns // 2),
        True,
    )
    product = helper.make_node(
        "MatMulNBits",
        ["image", "w", "scales", *(["", "", "b"] if bias else [])],
        ["out"],
        domain="com.microsoft",
        K=rows, N=columns, bits=4, block_size=block,
    )  # fmt: skip
    weights = [packed, floats("scales", columns * rows // block)]
    weights += [floats(name, columns) for name in bias]
    workload = counted(tmp_path, network([product], weights, size=(1, 3, 8, rows)))
    assert workload.parameters == rows * columns + columns * len(bias)
    assert workload.macs == 3 * 8 * rows * columns
    assert workload.one_byte == rows * columns
    assert workload.uncounted == ()
    assert "3072 parameters are stored in 4 bits" in workload.caveats[0]


def test_weights_in_constants_are_weights(tmp_path: Path) -> None:
    given = helper.make_node("Constant", [], ["w"], value=floats("", 16, 3, 1, 1))
    workload = counted(tmp_path, network([given, CONV], []))
    assert (workload.macs, workload.parameters) == (MACS, 48)


def test_functions_of_the_file_are_counted_through(tmp_path: Path) -> None:
    opsets = [helper.make_opsetid("", 17)]
    block = helper.make_function(
        "mine", "Block", ["x"], ["y"], [helper.make_node("Relu", ["x"], ["y"])], opsets
    )
    model = network([CONV, helper.make_node("Block", ["a"], ["b"], domain="mine")],
                    [floats("w", 16, 3, 1, 1)])  # fmt: skip
    model.functions.append(block)
    workload = counted(tmp_path, model)
    assert [layer.kind for layer in workload.layers] == ["convolution", "relu"]
    assert workload.uncounted == ()


def test_both_inputs_of_two_are_found(tmp_path: Path) -> None:
    nodes = [
        CONV,
        helper.make_node("Conv", ["other", "w"], ["b"]),
        helper.make_node("Concat", ["a", "b"], ["out"], axis=1),
    ]
    model = network(nodes, [floats("w", 16, 3, 1, 1)], inputs=("image", "other"))
    assert counted(tmp_path, model).macs == 2 * MACS


def test_an_input_need_not_be_square(tmp_path: Path) -> None:
    model = network([CONV], [floats("w", 16, 3, 1, 1)], size=("n", 3, "h", "w"))
    assert counted(tmp_path, model, "@8x16").macs == 2 * MACS
    assert counted(tmp_path, model, "@8").macs == MACS


def with_meta(*size: int | str) -> onnx.ModelProto:
    """A convolution of an image, and a matrix product of a vector beside it."""
    nodes = [helper.make_node("MatMul", ["meta", "m"], ["b"]), CONV]
    weights = [floats("w", 16, 3, 1, 1), floats("m", 4, 5)]
    model = network(nodes, weights, size=("n", 3, "h", "w"))
    vector = helper.make_tensor_value_info("meta", TensorProto.FLOAT, size)
    model.graph.input.append(vector)
    return model


@pytest.mark.parametrize("sizes", [(4,), (1, 4)], ids=["one sample", "a batch of one"])
def test_inputs_take_the_sizes_that_are_stated(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    workload = counted(tmp_path, with_meta("n", "m"), image=(3, 8, 16), meta=sizes)
    assert workload.macs == 2 * MACS + 4 * 5
    assert workload.network.endswith("net.onnx@8x16")


def test_an_input_of_unknown_size_is_asked_for_by_name(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="--input meta=SIZES"):
        counted(tmp_path, with_meta("n", "m"), "@8")
    assert counted(tmp_path, with_meta("n", 4), "@8").macs == MACS + 4 * 5


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"picture": (3, 8, 8)}, "no input 'picture': image nx3xhxw, meta nx4"),
        ({"image": (4, 8, 8)}, "fixed size of nx3xhxw, 4x8x8 cannot be set"),
        ({"image": (8,)}, "8 does not fit"),
    ],
)
def test_sizes_that_an_input_cannot_have_are_refused(
    tmp_path: Path, inputs: dict[str, tuple[int, ...]], said: str
) -> None:
    with pytest.raises(NetworkError, match=said):
        counted(tmp_path, with_meta("n", 4), "@8", **inputs)


def test_bytes_are_a_quarter_of_floats_on_any_lane(tmp_path: Path) -> None:
    nodes = [helper.make_node("DequantizeLinear", ["w8", "s", "z"], ["w"]), CONV]
    zero = helper.make_tensor("z", TensorProto.INT8, [1], [0])
    model = network(nodes, [floats("s", 1), zero, bytes_of("w8", 16, 3, 1, 1)])
    table = WorkloadTable.of([counted(tmp_path, model)])
    write(table, tmp_path)
    assert read(tmp_path).weight_bytes(0, 4.0) == 48


def test_a_fixed_size_is_not_answered_at_another(tmp_path: Path) -> None:
    model = network([CONV], [floats("w", 16, 3, 1, 1)])
    with pytest.raises(NetworkError, match="fixed size of 8x8, 16 cannot be set"):
        counted(tmp_path, model, "@16")


def test_a_resize_by_sizes_of_the_graph_is_counted_through(tmp_path: Path) -> None:
    start = helper.make_tensor("i0", TensorProto.INT64, [1], [0])
    middle = helper.make_tensor("i2", TensorProto.INT64, [1], [2])
    end = helper.make_tensor("i4", TensorProto.INT64, [1], [4])
    pooled = helper.make_node("MaxPool", ["a"], ["p"], kernel_shape=[2, 2], strides=[2, 2])
    nodes = [
        CONV,
        pooled,
        helper.make_node("Shape", ["image"], ["s"]),
        helper.make_node("Slice", ["s", "i2", "i4"], ["hw"]),
        helper.make_node("Shape", ["p"], ["t"]),
        helper.make_node("Slice", ["t", "i0", "i2"], ["nc"]),
        helper.make_node("Concat", ["nc", "hw"], ["sizes"], axis=0),
        helper.make_node("Resize", ["p", "", "", "sizes"], ["r"]),
        helper.make_node("Conv", ["r", "w2"], ["out"]),
    ]
    weights = [floats("w", 16, 3, 1, 1), floats("w2", 4, 16, 1, 1), start, middle, end]
    workload = counted(tmp_path, network(nodes, weights, size=("n", 3, "h", "w")), "@8")
    assert workload.macs == MACS + 4 * 16 * 8 * 8
    assert workload.parameters == 16 * 3 + 4 * 16


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "Git LFS pointer"),
        (two_convolutions().SerializeToString()[:100], "damaged|cut short"),
        (b"\x00\x01hello", "damaged|cut short"),
    ],
)
def test_a_file_that_is_no_network_says_what_it_is(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(NetworkError, match=said) as refused:
        describe_spelling(str(path))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (network([CONV], [floats("w", 16, 3, 1, 1)], size=(1, 3, -8, 8)), "negative size"),
        (network([helper.make_node("Conv", ["image", "w"], ["a"], group=0)],
                 [floats("w", 16, 3, 1, 1)]), "group=0"),
        (network([helper.make_node("Conv", ["b", "w"], ["a"]),
                  helper.make_node("Relu", ["a"], ["b"])], [floats("w", 3, 3, 1, 1)]), "cycle"),
        (network([CONV], [floats("w", 16, 3, 1, 1)], size=(1, 3, 0, 8)), "size of zero"),
        (network([CONV], [floats("w", 16, 3, 1, 1)], size=(1, 3, 10**9, 10**9)), "too large"),
        (network([CONV], [floats("w", 16, 5, 1, 1)]), "reads 5 channels, its input has 3"),
        (network([CONV], [floats("w", 16, 3, 9, 9)]), "the size of what Conv ×1 writes"),
        (network([CONV], [floats("w", 16, 3, 1, 1)], size=(1, 24)), "four dimensions is needed"),
    ],
)  # fmt: skip
def test_an_absurd_network_is_refused_with_the_cause(
    tmp_path: Path, model: onnx.ModelProto, said: str
) -> None:
    with pytest.raises(NetworkError, match=said) as refused:
        counted(tmp_path, model)
    assert "\n" not in str(refused.value)


def _saved(path: Path, nodes: list[Any], *tensors: Any) -> str:
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 64, 64])
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "net", [image], [output], list(tensors))
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    return str(path)


def test_absurd_sizes_and_missing_weights_are_one_line(tmp_path: Path) -> None:
    weights = helper.make_tensor("w", TensorProto.FLOAT, [8, 3, 3, 3], [0.1] * 216)
    wide = helper.make_node("Conv", ["x", "w"], ["y"], pads=[2**31 - 1] * 4)
    with pytest.raises(NetworkError, match="nothing runs that"):
        describe_onnx(Path(_saved(tmp_path / "wide.onnx", [wide], weights)))
    with pytest.raises(NetworkError, match="nothing writes it"):
        describe_onnx(Path(_saved(tmp_path / "bare.onnx", [wide])))


def test_a_constant_of_forty_gigabytes_is_not_made(tmp_path: Path) -> None:
    weights = helper.make_tensor("w", TensorProto.FLOAT, [8, 3, 3, 3], [0.1] * 216)
    size = helper.make_tensor("s", TensorProto.INT64, [2], [10**5, 10**5])
    nodes = [
        helper.make_node("ConstantOfShape", ["s"], ["z"]),
        helper.make_node("Conv", ["x", "w"], ["y"]),
    ]
    found = describe_onnx(Path(_saved(tmp_path / "large.onnx", nodes, weights, size)))
    assert found.macs == 62 * 62 * 8 * 3 * 9
