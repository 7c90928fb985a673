"""Estimate: a value with its interval and where it comes from; Gap: why there is none."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from advisor.core.candidate import Candidate
from advisor.core.error import Error
from advisor.core.quantity import Metric
from advisor.core.workload import Workload
from advisor.errors import AdvisorError


class Origin(StrEnum):
    """How a value came to be, strongest first."""

    MEASURED = "measured"
    """Timed by the user, on the device."""
    PUBLISHED = "published"
    """Reported by others for exactly this lane."""
    PREDICTED = "predicted"
    """Inferred from measurements of other networks, lanes or devices."""
    ANALYTIC = "analytic"
    """Computed from the network and the device profile alone."""

    @property
    def rank(self) -> int:
        """0 for the strongest origin."""
        return _RANKS[self]


_RANKS = {origin: rank for rank, origin in enumerate(Origin)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Range that holds the value of a new measurement with probability ``level``."""

    low: float
    high: float
    level: float
    """Nominal coverage, a fraction; 0.9 for a 90 % prediction interval."""

    def __post_init__(self) -> None:
        if not (self.low <= self.high and 0 < self.level <= 1):
            raise AdvisorError(f"interval needs low <= high and a level within 0 to 1, got {self}")

    @staticmethod
    def exact(value: float) -> "Interval":
        """Return the interval of a quantity that is counted, not estimated."""
        return Interval(low=value, high=value, level=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a value comes from."""

    origin: Origin
    source: str
    """Publication and row, or the name and version of the method."""
    date: str = ""
    """Year and month of the evidence, where known."""
    caveats: tuple[str, ...] = ()
    """What a reader has to know before relying on the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Value of one metric, with interval and provenance."""

    metric: Metric
    value: float
    """SI unit of the metric."""
    interval: Interval
    provenance: Provenance
    shared: tuple[float, ...] = ()
    """How far the error follows each of the errors that the estimates of a lane share: independent
    parts of variance 1, signed. Empty where it errs by itself."""

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise AdvisorError(f"an estimate has to be finite, got {self.metric} {self.value}")

    @property
    def error(self) -> Error:
        """Where the true value may lie."""
        interval = self.interval
        return Error.of(self.metric, self.value, interval.low, interval.high, interval.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A metric that could not be estimated, and why."""

    metric: Metric
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Everything known of one candidate on one lane."""

    candidate: Candidate
    precision: str
    """Numeric precision of the lane: fp32, fp16, int8 …"""
    workload: Workload | None
    estimates: Mapping[Metric, Estimate]
    alternatives: Mapping[Metric, tuple[Estimate, ...]] = field(default_factory=dict)
    """Weaker estimates of the same metrics, strongest first."""
    gaps: Mapping[Metric, Gap] = field(default_factory=dict)
    refused: str = ""
    """Why the lane cannot run the candidate at all; empty where nothing is known against it."""

    @property
    def is_timed(self) -> bool:
        """Whether anything is known of how fast the candidate runs."""
        return Metric.LATENCY in self.estimates or Metric.THROUGHPUT in self.estimates

    def get(self, metric: Metric) -> Estimate | Gap:
        """Return the estimate of a metric, or the gap that stands for it."""
        found = self.estimates.get(metric) or self.gaps.get(metric)
        return found or Gap(metric=metric, reason=f"{metric.label} was not asked for")


def strongest(estimates: list[Estimate]) -> tuple[Estimate, tuple[Estimate, ...]]:
    """Pick the estimate of the strongest origin; the first among equals. Returns (best, others)."""
    if len(estimates) == 1:
        return estimates[0], ()
    best, *others = sorted(estimates, key=lambda e: e.provenance.origin.rank)
    return best, tuple(others)
