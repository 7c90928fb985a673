"""Tape: the operator calls of a block by arithmetic, the records that counting a built one gives.

A network of the families is a chain of blocks with one activation between them, so what a block
costs depends only on the shape of its input. That is worked out once per shape and kept; a
candidate is priced by looking its blocks up.
"""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from advisor.core.workload import Fusion, OperatorClass
from advisor.core.workload_table import NUMBERS, OPERATORS

Row = tuple[int, ...]
"""Operator code, kind code, fusion, then NUMBERS: a row of ``WorkloadTable.shapes``."""
KINDS = (
    "convolution",
    "native_batch_norm",
    "relu",
    "hardtanh",
    "silu",
    "hardswish",
    "sigmoid",
    "hardsigmoid",
    "add",
    "mul",
    "mean",
    "max_pool2d_with_indices",
    "avg_pool2d",
    "cat",
    "clone",
    "constant_pad_nd",
    "addmm",
)
"""Names of operations by code."""
ROWS: dict[Row, int] = {}
"""Every distinct layer met so far, with its number."""

_STEM, _DENSE, _POINTWISE, _DEPTHWISE, _GROUPED, _LINEAR = (
    OPERATORS.index(operator)
    for operator in (
        OperatorClass.STEM,
        OperatorClass.DENSE,
        OperatorClass.POINTWISE,
        OperatorClass.DEPTHWISE,
        OperatorClass.GROUPED,
        OperatorClass.FULLY_CONNECTED,
    )
)
_NORMALISATION, _POOLING, _ACTIVATION, _ELEMENTWISE, _MOVEMENT = (
    OPERATORS.index(operator)
    for operator in (
        OperatorClass.NORMALISATION,
        OperatorClass.POOLING,
        OperatorClass.ACTIVATION,
        OperatorClass.ELEMENTWISE,
        OperatorClass.MOVEMENT,
    )
)
_CONV_LIKE = frozenset({_STEM, _DENSE, _POINTWISE, _DEPTHWISE, _GROUPED, _LINEAR})
_FOLDABLE = _CONV_LIKE | {_NORMALISATION, _ELEMENTWISE}
_CODE = {kind: code for code, kind in enumerate(KINDS)}
_HEAD = len(("operator", "kind", "fusion"))
assert len(NUMBERS) == 14, "the rows below are written out in this order"


class Plane(NamedTuple):
    """Activation between two blocks."""

    channels: int
    side: int
    """Height and width in pixels."""
    held: int
    """Elements of the buffer that holds it, more than it has where it is a slice."""


class Block(NamedTuple):
    """What a stretch of a network costs."""

    rows: tuple[int, ...]
    """Numbers of its layers in ``ROWS``, in order."""
    parameters: int
    buffers: int
    peak: int
    """Most activation elements alive at once."""
    output: Plane


class Tensor(NamedTuple):
    """Activation inside a block."""

    channels: int
    side: int
    buffer: int

    @property
    def elements(self) -> int:
        """Elements of the tensor, which may be a part of its buffer."""
        return self.channels * self.side * self.side


@dataclass(frozen=True, slots=True)
class _Call:
    operator: int
    kind: int
    numbers: tuple[int, ...]
    inputs: tuple[int, ...]
    output: int
    producers: tuple[int, ...]


def image(side: int) -> Plane:
    """Return the input of a network: three channels."""
    return Plane(3, side, 3 * side * side)


class Tape:
    """Records calls, and folds and sums them when it ends."""

    def __init__(self, start: Plane) -> None:
        self.start = Tensor(start.channels, start.side, 0)
        self._sizes = [start.held]
        self._calls: list[_Call] = []
        self._writer: dict[int, int] = {}
        self._parameters = self._buffers = 0

    def _record(
        self,
        head: tuple[int, int],
        numbers: tuple[int, ...],
        inputs: tuple[int, ...],
        output: int,
    ) -> None:
        inputs = tuple(dict.fromkeys(inputs))
        producers = tuple(self._writer.get(buffer, -1) for buffer in inputs)
        self._writer[output] = len(self._calls)
        self._calls.append(_Call(*head, numbers, inputs, output, producers))

    def _new(self, channels: int, side: int) -> Tensor:
        self._sizes.append(channels * side * side)
        return Tensor(channels, side, len(self._sizes) - 1)

    def conv(
        self,
        x: Tensor,
        channels: int,
        kernel: int = 1,
        stride: int = 1,
        *,
        groups: int = 1,
        bias: bool = False,
        stem: bool = False,
        padded: bool = True,
    ) -> Tensor:
        """Convolve; ``padded`` keeps the plane, or its half rounded up at stride 2."""
        reach = 0 if padded else kernel - 1
        y = self._new(channels, (x.side - reach - 1) // stride + 1)
        weights = channels * (x.channels // groups) * kernel * kernel
        if groups == 1:
            operator = _STEM if stem else _POINTWISE if kernel == 1 else _DENSE
        else:
            operator = _DEPTHWISE if groups == x.channels else _GROUPED
        macs = y.side * y.side * weights
        held = weights + (channels if bias else 0)
        self._parameters += held
        numbers = (x.channels, channels, groups, kernel, kernel, stride)
        planes = (x.side, x.side, y.side, y.side, macs, held, x.elements, y.elements)
        self._record((operator, 0), numbers + planes, (x.buffer,), y.buffer)
        return y

    def norm(self, x: Tensor) -> Tensor:
        """Batch normalisation."""
        y = self._new(x.channels, x.side)
        self._parameters += 2 * x.channels
        self._buffers += 2 * x.channels + 1
        self._plain(_NORMALISATION, "native_batch_norm", (x,), y, weights=4 * x.channels)
        return y

    def act(self, x: Tensor, kind: str, *, inplace: bool = True) -> Tensor:
        """Apply an activation, over its input unless told otherwise; "" is none."""
        if not kind:
            return x
        y = x if inplace else self._new(x.channels, x.side)
        self._plain(_ACTIVATION, kind, (x,), y)
        return y

    def add(self, x: Tensor, y: Tensor, *, inplace: bool = False) -> Tensor:
        """Add two tensors, over the first where ``inplace``."""
        z = x if inplace else self._new(x.channels, x.side)
        self._plain(_ELEMENTWISE, "add", (x, y), z)
        return z

    def scale(self, x: Tensor, gate: Tensor) -> Tensor:
        """Multiply each channel by its gate."""
        y = self._new(x.channels, x.side)
        self._plain(_ELEMENTWISE, "mul", (x, gate), y)
        return y

    def mean(self, x: Tensor, *, adaptive: bool = False) -> Tensor:
        """Average each channel over the plane; ``adaptive`` as PyTorch's pooling module does it."""
        y = self._new(x.channels, 1)
        self._plain(_POOLING, "mean", (x,), y, kernel=(1, 2) if adaptive else (2, 3))
        return y

    def pool(self, x: Tensor, kind: str, kernel: int) -> Tensor:
        """Pool at stride 2, the plane rounded up."""
        y = self._new(x.channels, (x.side + 1) // 2)
        self._plain(_POOLING, kind, (x,), y, kernel=(kernel, kernel))
        return y

    def concat(self, x: Tensor, y: Tensor) -> Tensor:
        """Join two tensors along the channels."""
        z = self._new(x.channels + y.channels, x.side)
        self._plain(_MOVEMENT, "cat", (x, y), z)
        return z

    def pad(self, x: Tensor, pixels: int) -> Tensor:
        """Enlarge the plane by ``pixels`` in both directions."""
        y = self._new(x.channels, x.side + pixels)
        self._plain(_MOVEMENT, "constant_pad_nd", (x,), y)
        return y

    def shuffle(self, x: Tensor) -> Tensor:
        """Interleave the two halves of the channels, which copies all of them."""
        y = self._new(x.channels, x.side)
        tokens = x.channels * x.side
        numbers = (x.side, x.side, 1, 1, 1, 1, tokens, 1, tokens, 1, 0, 0)
        shape = (*numbers, x.elements, y.elements)
        self._record((_MOVEMENT, _CODE["clone"]), shape, (x.buffer,), y.buffer)
        return y

    def linear(self, x: Tensor, features: int) -> Tensor:
        """Classify: a product with a weight matrix, and a bias."""
        y = self._new(features, 1)
        weights = features * x.channels
        self._parameters += weights + features
        numbers = (x.channels, features, 1, 1, 1, 1, 1, 1, 1, 1, weights)
        shape = (*numbers, weights + features, x.channels, features)
        self._record((_LINEAR, _CODE["addmm"]), shape, (x.buffer,), y.buffer)
        return y

    def _plain(
        self,
        operator: int,
        kind: str,
        inputs: tuple[Tensor, ...],
        y: Tensor,
        *,
        weights: int = 0,
        kernel: tuple[int, int] = (1, 1),
    ) -> None:
        """Record a call without MACs."""
        x = max(inputs, key=lambda t: t.elements)
        stride = max(1, round(x.side / y.side)) if operator == _POOLING else 1
        reads = sum(t.elements for t in inputs)
        numbers = (x.channels, y.channels, 1, *kernel, stride, x.side, x.side, y.side, y.side)
        shape = (*numbers, 0, weights, reads, y.elements)
        buffers = tuple(t.buffer for t in inputs)
        self._record((operator, _CODE[kind]), shape, buffers, y.buffer)

    def end(self, x: Tensor) -> Block:
        """Return the block whose output is ``x``."""
        fusions = self._fusions()
        rows = tuple(
            ROWS.setdefault((call.operator, call.kind, fusion, *call.numbers), len(ROWS))
            for call, fusion in zip(self._calls, fusions, strict=True)
        )
        peak, held = self._peak(fusions, x.buffer)
        plane = Plane(x.channels, x.side, held)
        return Block(rows, self._parameters, self._buffers, peak, plane)

    def _fusions(self) -> list[int]:
        """Decide what folds into its producer, by the rules of ``networks.trace``."""
        readers = Counter(p for call in self._calls for p in set(call.producers) if p >= 0)
        fusions: list[int] = []
        for call in self._calls:
            sole = [p for p in call.producers if p >= 0 and readers[p] == 1]
            fusions.append(self._fusion(call, sole, fusions))
        return fusions

    def _fusion(self, call: _Call, sole: list[int], before: list[int]) -> int:
        kinds = {self._calls[p].operator for p in sole}
        if call.operator == _NORMALISATION:
            return int(Fusion.FOLDED if kinds & _CONV_LIKE else Fusion.NONE)
        if call.operator == _ACTIVATION:
            return int(Fusion.FOLDED if kinds & _FOLDABLE else Fusion.NONE)
        if call.kind == _CODE["add"] and len(call.producers) == 2:
            joined = any(self._calls[p].operator in _CONV_LIKE or before[p] for p in sole)
            return int(Fusion.RESIDUAL if joined else Fusion.NONE)
        return int(Fusion.NONE)

    def _peak(self, fusions: list[int], output: int) -> tuple[int, int]:
        """Return the most elements alive at once, and those of the buffer that holds the output."""
        root = self._roots(fusions)
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        for step, call in enumerate(self._calls):
            for buffer in (*call.inputs, call.output):
                first.setdefault(root[buffer], step)
                last[root[buffer]] = step
        change = [0] * (len(self._calls) + 2)
        for buffer, step in first.items():
            change[step] += self._sizes[buffer]
            change[last[buffer] + 1] -= self._sizes[buffer]
        alive = peak = 0
        for step in change:
            alive += step
            peak = max(peak, alive)
        return peak, self._sizes[root[output]]

    def _roots(self, fusions: list[int]) -> list[int]:
        """Give each buffer the one it is written over: a folded call's output is its input."""
        root = list(range(len(self._sizes)))
        for call, fusion in zip(self._calls, fusions, strict=True):
            fresh = root[call.output] == call.output and call.output not in call.inputs
            if fusion and fresh:
                root[call.output] = root[max(call.inputs, key=self._sizes.__getitem__)]
        return root
