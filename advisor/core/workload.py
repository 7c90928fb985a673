"""Workload: what one forward pass of a network asks of a device, independent of any device.

Counts are for batch 1. A MAC is one multiply-accumulate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cached_property

from advisor.core.frozen_record import Record


class OperatorClass(StrEnum):
    """Kinds of operator that cost differently per MAC or per byte."""

    STEM = "stem"
    """Convolution that reads the image."""
    DENSE = "dense"
    """k×k convolution over all channels."""
    POINTWISE = "pointwise"
    """1×1 convolution."""
    DEPTHWISE = "depthwise"
    """Convolution of each channel by itself."""
    GROUPED = "grouped"
    """Convolution in groups of more than one channel."""
    FULLY_CONNECTED = "fully_connected"
    """Product of activations with a weight matrix: classifier heads, transformer projections."""
    MATMUL = "matmul"
    """Product of two activations outside fused attention."""
    ATTENTION = "attention"
    """Operators inside scaled dot-product attention."""
    NORMALISATION = "normalisation"
    POOLING = "pooling"
    ACTIVATION = "activation"
    ELEMENTWISE = "elementwise"
    MOVEMENT = "movement"
    """Copies without arithmetic: concatenation, padding, rolling, resampling."""


class Fusion(IntEnum):
    """Whether an operator can be done in the pass of the one before it."""

    NONE = 0
    FOLDED = 1
    """Normalisation or activation whose input is read by nobody else."""
    RESIDUAL = 2
    """Addition to the output of a convolution or projection that is read by nobody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """``count`` operator calls of one shape."""

    operator: OperatorClass
    kind: str
    """Name of the operation, such as ``convolution``, ``silu``, ``native_layer_norm``."""
    in_channels: int = 0
    out_channels: int = 0
    groups: int = 1
    kernel_h: int = 1
    kernel_w: int = 1
    stride: int = 1
    in_h: int = 1
    in_w: int = 1
    out_h: int = 1
    out_w: int = 1
    macs: int = 0
    """Multiply-accumulates of one call."""
    weights: int = 0
    """Weight elements read by one call."""
    reads: int = 0
    """Activation elements read by one call."""
    writes: int = 0
    """Activation elements written by one call."""
    fusion: Fusion = Fusion.NONE
    count: int = 1


class Workload(Record):
    """Everything counted of one network at one resolution."""

    network: str
    """``Candidate.network``: architecture and axes."""
    resolution: int
    """Side of the square input in pixels."""
    parameters: int
    """Learned parameters, without running statistics."""
    buffers: int
    """Elements kept beside the parameters (running statistics), which folding removes."""
    peak_activations: int
    """Most activation elements alive at once, with folded operators done in place."""
    layers: tuple[Layer, ...]
    one_byte: int = 0
    """Parameters that are stored as bytes whatever the precision of the lane."""
    uncounted: tuple[str, ...] = ()
    """Operations seen that have no counting rule."""
    caveats: tuple[str, ...] = ()
    """What a reader has to know about the counts, such as a disagreement between counters."""

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates of one forward pass at batch 1."""
        return sum(layer.macs * layer.count for layer in self.layers)

    @cached_property
    def activations(self) -> int:
        """Output elements of convolutions and fully connected layers."""
        return sum(layer.writes * layer.count for layer in self.layers if layer.weights)

    @cached_property
    def launches(self) -> int:
        """Operators that remain after folding."""
        return sum(layer.count for layer in self.layers if layer.fusion is Fusion.NONE)

    def bytes_moved(self, bytes_per_element: float) -> float:
        """Bytes read and written by the operators that remain after folding."""
        moved = sum(
            (layer.reads + layer.writes + layer.weights) * layer.count
            for layer in self.layers
            if layer.fusion is Fusion.NONE
        )
        return moved * bytes_per_element

    def by_operator(self) -> Iterator[tuple[OperatorClass, int, int, int]]:
        """Yield (class, calls, MACs, elements moved) for each operator class that occurs."""
        for operator in OperatorClass:
            mine = [layer for layer in self.layers if layer.operator is operator]
            if mine:
                yield (
                    operator,
                    sum(layer.count for layer in mine),
                    sum(layer.macs * layer.count for layer in mine),
                    sum((la.reads + la.writes + la.weights) * la.count for la in mine),
                )
