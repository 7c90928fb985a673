"""Static int8 for ncnn, in its own file format.

ncnn's wheel brings the kernels and not the tools that quantise (``ncnn2table``, ``ncnn2int8``).
This module writes what those write: convolutions and inner products with int8 weights, one scale
per output channel, and one scale for the input of each layer, from the largest magnitude that the
calibration images bring there. Weights of all other layers are copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from advisor.errors import MeasurementError

if TYPE_CHECKING:
    from advisor.measuring.runtimes import Images

MAGIC = "7767517"
INT8_TAG = np.uint32(0x000D4B38)
"""Marks weights that are stored as int8."""
MOST = 127.0
OUTPUTS, WEIGHTS, BIAS, GROUPS, INT8 = 0, 6, 5, 7, 8
"""Numbers of ncnn's layer parameters; inner products have their own for weights and bias."""
DENSE_BIAS, DENSE_WEIGHTS = 1, 2
WITHOUT_WEIGHTS = frozenset(
    {
        "Input",
        "Split",
        "Pooling",
        "ReLU",
        "Clip",
        "HardSwish",
        "HardSigmoid",
        "Sigmoid",
        "Swish",
        "BinaryOp",
        "UnaryOp",
        "Concat",
        "Reshape",
        "Flatten",
        "Permute",
        "Crop",
        "Slice",
        "Softmax",
        "Dropout",
        "Noop",
        "Padding",
        "Squeeze",
        "ExpandDims",
        "Reduction",
        "TanH",
        "GELU",
        "Interp",
        "ShuffleChannel",
        "Mish",
        "ELU",
        "SELU",
        "Eltwise",
        "PixelShuffle",
        "Packing",
        "Cast",
        "MatMul",
    }
)
"""Layers that read nothing from the file of weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NcnnLayer:
    """One line of a ``.param`` file."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: tuple[tuple[int, str], ...]
    """Parameters by number, as written."""

    def number(self, key: int, default: int = 0) -> int:
        """A parameter as a whole number."""
        return int(dict(self.options).get(key, default))

    def line(self) -> str:
        """Write the layer as ncnn reads it."""
        counts = f"{len(self.inputs)} {len(self.outputs)}"
        options = [f"{key}={value}" for key, value in self.options]
        words = [self.kind, self.name, counts, *self.inputs, *self.outputs, *options]
        return " ".join(words)

    def with_option(self, key: int, value: int) -> NcnnLayer:
        """The same layer with one parameter set."""
        options = {**dict(self.options), key: str(value)}
        return replace(self, options=tuple(sorted(options.items())))

    @property
    def is_quantisable(self) -> bool:
        """Whether ncnn has an int8 kernel for the layer."""
        return self.kind in ("Convolution", "ConvolutionDepthWise", "InnerProduct")


def quantise(param: Path, weights: Path, batches: Sequence[Images]) -> None:
    """Quantise a network in place; MeasurementError for a layer whose weights are not known."""
    lines = param.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0].strip() != MAGIC:
        raise MeasurementError(f"{param} is no ncnn network in text form")
    layers = [_layer(line) for line in lines[2:] if line.strip()]
    scales = _scales(param, weights, layers, batches)
    reader = _Weights(weights.read_bytes())
    blocks = [_rewritten(layer, reader, scales) for layer in layers]
    reader.check_end()
    written = [layer.with_option(INT8, 1) if layer.is_quantisable else layer
               for layer in layers]  # fmt: skip
    param.write_text("\n".join([*lines[:2], *(one.line() for one in written)]) + "\n", "utf-8")
    weights.write_bytes(b"".join(blocks))


def _layer(line: str) -> NcnnLayer:
    words = line.split()
    ins, outs = int(words[2]), int(words[3])
    names, options = words[4 : 4 + ins + outs], words[4 + ins + outs :]
    pairs = [option.partition("=") for option in options]
    return NcnnLayer(
        kind=words[0],
        name=words[1],
        inputs=tuple(names[:ins]),
        outputs=tuple(names[ins:]),
        options=tuple((int(key), value) for key, _, value in pairs),
    )


def _scales(
    param: Path, weights: Path, layers: Sequence[NcnnLayer], batches: Sequence[Images]
) -> dict[str, float]:
    """Input scale of each layer to quantise: 127 over the largest magnitude seen there."""
    import ncnn

    net = ncnn.Net()
    net.opt.lightmode = False  # keep every blob, so that all inputs can be read after one pass
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.load_param(str(param))
    net.load_model(str(weights))
    source = net.input_names()[0]
    wanted = {layer.inputs[0] for layer in layers if layer.is_quantisable}
    largest = dict.fromkeys(wanted, 1e-9)
    for batch in batches:
        extractor = net.create_extractor()
        extractor.input(source, ncnn.Mat(np.ascontiguousarray(batch[0])).clone())
        for blob in wanted:
            failed, found = extractor.extract(blob)
            if failed:
                raise MeasurementError(f"ncnn cannot compute {blob} for its calibration")
            largest[blob] = max(largest[blob], float(np.abs(np.array(found)).max()))
    return {blob: MOST / value for blob, value in largest.items()}


class _Weights:
    """Reads a ``.bin`` file block by block, in the order of the layers."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        found = self._data[self._at : self._at + count]
        if len(found) != count:
            raise MeasurementError("ncnn's file of weights ends too early")
        self._at += count
        return found

    def floats(self, count: int) -> NDArray[np.float32]:
        """The next values without a tag, such as a bias."""
        return np.frombuffer(self.take(4 * count), dtype=np.float32)

    def tagged(self, count: int) -> NDArray[np.float32]:
        """The next weights, which begin with a tag; only plain fp32 is read."""
        (tag,) = np.frombuffer(self.take(4), dtype=np.uint32)
        if tag != 0:
            raise MeasurementError("ncnn's weights are not fp32; they cannot be quantised")
        return self.floats(count)

    def check_end(self) -> None:
        """Make sure that every byte was understood."""
        if self._at != len(self._data):
            left = len(self._data) - self._at
            raise MeasurementError(f"ncnn's file of weights holds {left} bytes of unknown layers")


def _rewritten(layer: NcnnLayer, reader: _Weights, scales: dict[str, float]) -> bytes:
    """Read a layer's weights and return them as the int8 network stores them."""
    if layer.is_quantisable:
        return _quantised(layer, reader, scales[layer.inputs[0]])
    if layer.kind in WITHOUT_WEIGHTS:
        return b""
    return _copied(layer, reader)


def _quantised(layer: NcnnLayer, reader: _Weights, input_scale: float) -> bytes:
    dense = layer.kind == "InnerProduct"
    outputs = layer.number(OUTPUTS)
    count = layer.number(DENSE_WEIGHTS if dense else WEIGHTS)
    rows = layer.number(GROUPS, 1) if layer.kind == "ConvolutionDepthWise" else outputs
    weights = reader.tagged(count).reshape(rows, -1)
    has_bias = layer.number(DENSE_BIAS if dense else BIAS)
    bias = reader.floats(outputs) if has_bias else np.empty(0, dtype=np.float32)
    steps = MOST / np.maximum(np.abs(weights).max(axis=1), 1e-9)
    whole = np.clip(np.rint(weights * steps[:, None]), -MOST, MOST).astype(np.int8).tobytes()
    parts = [
        INT8_TAG.tobytes(),
        whole + bytes(-len(whole) % 4),
        bias.tobytes(),
        steps.astype(np.float32).tobytes(),
        np.float32(input_scale).tobytes(),
    ]
    return b"".join(parts)


def _copied(layer: NcnnLayer, reader: _Weights) -> bytes:
    """Copy the weights of a layer that stays in fp32; refuse one whose weights are not known."""
    if layer.kind == "MemoryData":
        sizes = [layer.number(key) for key in (0, 1, 11, 2)]
        return reader.take(4 * int(np.prod([size for size in sizes if size])))
    if layer.kind == "BatchNorm":
        return reader.take(4 * 4 * layer.number(0))
    if layer.kind == "Scale":
        return reader.take(4 * layer.number(0) * (2 if layer.number(1) else 1))
    if layer.kind == "PReLU":
        return reader.take(4 * layer.number(0))
    if layer.kind in ("LayerNorm", "GroupNorm"):
        key = 0 if layer.kind == "LayerNorm" else 1
        affine = layer.number(2 if key == 0 else 3, 1)
        return reader.take(8 * layer.number(key) if affine else 0)
    raise MeasurementError(
        f"int8 for ncnn does not know the weights of its {layer.kind} layers; "
        "quantise with ncnn's own tools and measure the board by 'advisor kit'"
    )
