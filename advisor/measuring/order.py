"""Order: which networks to measure, in which lanes, how often and how long."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from advisor.core.lane import Lane
from advisor.measuring.exports import Identity, digest_of, versions_of
from advisor.measuring.jobs import Item
from advisor.measuring.runtimes import Settings, images
from advisor.measuring.timing import TimingPlan

GROUP = 8
"""Networks that share a session, the reference apart: all are in memory at once."""
BUILDERS = ("torch", "timm")
"""Distributions that decide what a prepared network is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One network to measure."""

    spelling: str
    """Candidate, ``module:factory`` or the path of an ONNX file."""
    network: str
    """Name under which the figure is kept: without weights and resolution."""
    resolution: int
    onnx_file: str = ""
    """Path of the user's own ONNX file."""
    weights: str = ""
    """Path of a state dict; empty for random weights."""
    content: str = ""
    """Digest of a user's own network or file; empty for networks of the catalog."""


REFERENCE = Wish(spelling="mobilenetv2_100", network="mobilenetv2_100", resolution=224)
"""Timed in every session, so that a change of the machine's speed can be told from others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One runtime at one precision."""

    name: str
    """Registered name of the runtime."""
    runtime: str
    unit: str
    packages: tuple[str, ...]
    settings: Settings

    @property
    def label(self) -> str:
        """For people: ``onnxruntime int8``."""
        return f"{self.runtime} {self.settings.precision}"

    def lane(self, device: str) -> Lane:
        """The lane that figures taken this way belong to."""
        return Lane(
            device=device,
            unit=self.unit,
            runtime=self.runtime,
            precision=self.settings.precision,
            threads=self.settings.threads if self.unit == "cpu" else None,
            batch=self.settings.batch,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Everything that decides a run of measurements."""

    device: str
    wishes: tuple[Wish, ...]
    ways: tuple[Way, ...]
    sessions: int = 3
    pause: float = 20.0
    """Least seconds between the sessions of one group."""
    budget: float = 8.0
    """Seconds for one network in one session."""
    repeats: int = 1
    """Times that a disturbed session is repeated."""
    plan: TimingPlan = field(default_factory=TimingPlan)
    calibration: Path | None = None
    labelled: Path | None = None
    reference: Wish | None = REFERENCE
    memory: bool = True
    pin: bool = True

    @property
    def digest(self) -> str:
        """Names orders that measure the same, whatever their number of sessions."""
        text = json.dumps(
            [
                self.device,
                [(w.spelling, w.resolution, w.content, w.weights) for w in self.wishes],
                [(w.name, w.settings.precision, w.settings.threads, w.settings.batch)
                 for w in self.ways],
            ]
        )  # fmt: skip
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def with_reference(self, wishes: Sequence[Wish]) -> list[Wish]:
        """Put the reference in front, once."""
        if self.reference is None:
            return list(wishes)
        return [self.reference, *(w for w in wishes if w != self.reference)]

    def item(self, wish: Wish, way: Way, position: int) -> Item:
        """Name the exports of a network for one way of running it."""
        return Item(
            position=position,
            spelling=wish.spelling,
            resolution=wish.resolution,
            key=self._identity(wish, way).key,
            onnx_key=self._onnx_identity(wish, way).key,
            onnx_file=wish.onnx_file,
            weights=wish.weights,
        )

    def _identity(self, wish: Wish, way: Way) -> Identity:
        calibrated = way.settings.precision == "int8"
        labelled = f" labelled {images.digest(self.labelled, most=None)}" if self.labelled else ""
        return Identity(
            network=wish.content or wish.spelling,
            resolution=wish.resolution,
            runtime=way.name,
            precision=way.settings.precision,
            batch=way.settings.batch,
            weights=_digest(wish.weights),
            calibration=(images.digest(self.calibration) if calibrated else "") + labelled,
            versions=versions_of((*BUILDERS, *way.packages)),
        )

    def _onnx_identity(self, wish: Wish, way: Way) -> Identity:
        return Identity(
            network=wish.content or wish.spelling,
            resolution=wish.resolution,
            runtime="onnx",
            precision="fp32",
            batch=way.settings.batch,
            weights=_digest(wish.weights),
            versions=versions_of((*BUILDERS, "onnx")),
        )


def grouped(wishes: Sequence[Wish], size: int = GROUP) -> Iterable[tuple[Wish, ...]]:
    """Split networks into groups that share a session."""
    for begin in range(0, len(wishes), size):
        yield tuple(wishes[begin : begin + size])


def _digest(weights: str) -> str:
    return digest_of(Path(weights)) if weights else ""
