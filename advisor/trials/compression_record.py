"""What a compression writes down: each file before and after, in size, time and accuracy."""

from typing import Literal

from advisor.core.document import Figure
from advisor.core.filed import Document
from advisor.trials.record import DataRecord, Environment, ImageAccuracy, TrialRequest, Weights

SCHEMA_VERSION = 1


class CompressionRequest(Document):
    """Everything that decides a compression."""

    model: str
    prune: float = 0.0
    """Share of the channels of every layer that go."""
    quantise: bool = False
    """Whether to quantise to int8."""
    quantiser: str = "onnxruntime"
    """onnxruntime or nncf."""
    aware: bool = False
    """Whether the network that counts is also taught with the rounding of int8 in the loop."""
    distil_from: str = ""
    """Network that teaches the compressed one; empty for none."""
    epochs: float = 3.0
    """Passes after the pruning."""
    training: TrialRequest
    """Images, and how the network and its teacher are taught before."""
    search: int = 0
    """Plans to try: shares by group of layers, and precisions; 0 searches nothing."""
    max_latency: float | None = None
    """Limit on the latency that the search keeps, in seconds."""
    device: str = ""
    """Device whose latency is estimated; empty for none."""
    runtime: str | None = None


class PairedChange(Document):
    """Accuracy minus that of the first file, on the same images; fractions."""

    value: float
    low: float
    high: float
    level: float

    @property
    def _range(self) -> tuple[float, float]:
        return -1.0, 1.0


class TimedHere(Document):
    """Latency of a batch of one in ONNX Runtime on this machine; seconds."""

    median: float
    low: float
    high: float
    """95 % interval of the median."""
    speed_up: float
    """Median of the first file by this one's, in the same rounds."""


class CompressedFile(Document):
    """One ONNX file."""

    name: str
    """What was done: as trained, pruned, int8 …"""
    file: str
    """Relative to the folder."""
    sha256: str
    precision: str
    parameters: int
    macs: float
    """Of one image."""
    bytes: int
    """Size of the file."""
    accuracy: ImageAccuracy
    change: PairedChange | None
    """None for the first."""
    measured: TimedHere | None
    estimated: Figure | None
    """Latency in the lane of the device that was asked for."""
    gap: str = ""
    """Why it is not estimated."""


class TriedPlan(Document):
    """One trial of the search for what to prune."""

    shares: tuple[float, ...]
    """Of the channels of each group of layers that went, from the input to the classes."""
    precision: str
    accuracy: float
    """On the validation images, after a third of the passes."""
    latency: float
    """Seconds: upper end of the device's estimate, or measured here where no device was named."""
    chosen: bool = False


class CompressionRecord(Document):
    """The whole result of ``advisor compress``."""

    schema_version: int = SCHEMA_VERSION
    kind: Literal["compression"] = "compression"
    advisor_version: str
    created: str
    command: str
    request: CompressionRequest
    code: str
    data: DataRecord
    environment: Environment
    folder: str
    resolution: int
    lane: str
    """Of the estimates; empty where no device was named."""
    weights: Weights
    files: tuple[CompressedFile, ...]
    """The network as trained first."""
    tried: tuple[TriedPlan, ...] = ()
    """What the search for ratios tried, in order; empty where nothing was searched."""
    warnings: tuple[str, ...] = ()
