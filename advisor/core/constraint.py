"""Constraint: a limit on a metric; Verdict: whether an estimate keeps it, and how surely."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from advisor.core.error import NORMAL
from advisor.core.estimate import Estimate, Gap
from advisor.core.quantity import Metric, Unit, human
from advisor.errors import ConstraintError


class Verdict(StrEnum):
    """Whether a limit is kept, best first."""

    MET = "met"
    """The limit is kept with at least the probability asked for."""
    UNCERTAIN = "uncertain"
    """Neither that it is kept nor that it is broken is as probable as was asked for."""
    UNKNOWN = "unknown"
    """There is no estimate."""
    VIOLATED = "violated"
    """The limit is broken with at least the probability asked for."""

    @property
    def rank(self) -> int:
        """0 for the best."""
        return _RANKS[self]


_ROUNDING = 1e-9
_RANKS = {verdict: rank for rank, verdict in enumerate(Verdict)}


RUNS = "runs"
"""Name of the verdict on whether a lane runs a candidate at all."""
OF_DEVICE = "device_"
"""Begins the names of verdicts on limits that the device itself sets."""


def is_of_device(name: str) -> bool:
    """Whether a verdict is on the device itself, not on a limit that was asked for."""
    return name == RUNS or name.startswith(OF_DEVICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """An upper or a lower bound, in the SI unit of the metric; files hold it as it is."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    metric: Metric
    at_most: float | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        if (self.at_most is None) == (self.at_least is None):
            raise ConstraintError(f"limit on {self.metric}: give exactly one of at_most, at_least")
        if not math.isfinite(self.bound):
            raise ConstraintError(
                f"limit on {self.metric}: {self.bound} is no limit; give a number"
            )

    @property
    def bound(self) -> float:
        """The limit itself, in SI."""
        bound = self.at_most if self.at_most is not None else self.at_least
        assert bound is not None
        return bound

    @property
    def text(self) -> str:
        """The limit for people: ``latency ≤ 10.0 ms``."""
        sign = "≤" if self.at_most is not None else "≥"
        return f"{self.metric.label} {sign} {human(self.bound, self.metric.unit)}"

    def holds(self, low: float, high: float) -> tuple[bool, bool]:
        """Tell whether a whole interval keeps the limit, and whether all of it breaks it."""
        beyond = _ROUNDING * abs(self.bound)
        if self.at_most is not None:
            return high < self.bound - beyond, low > self.bound + beyond
        return low > self.bound + beyond, high < self.bound - beyond

    def probability(self, estimate: Estimate) -> float:
        """Return the probability with which an estimate keeps the limit."""
        return NORMAL.cdf(estimate.error.room(at_most=self.at_most, at_least=self.at_least))

    def verdict(self, estimate: Estimate | Gap, confidence: float) -> Verdict:
        """Judge an estimate by the probability, ``confidence`` or more, of keeping the limit."""
        if isinstance(estimate, Gap):
            return Verdict.UNKNOWN
        kept = self.probability(estimate)
        if kept >= confidence:
            return Verdict.MET
        return Verdict.VIOLATED if 1.0 - kept >= confidence else Verdict.UNCERTAIN

    def room_text(self, margin: float) -> str:
        """Write a margin for people: in points where the metric is a share, else in per cent."""
        if self.metric.unit is Unit.FRACTION:
            return f"{100 * abs(margin) * self.bound:.1f} points"
        return f"{100 * abs(round(margin, 3)):.3g} %"

    def sure(self, estimate: Estimate, confidence: float) -> float:
        """Return the tightest limit that the estimate keeps with probability ``confidence``."""
        kept = confidence if self.at_most is not None else 1.0 - confidence
        return estimate.error.quantile(kept)

    def margin(self, estimate: Estimate, confidence: float | None = None) -> float:
        """Room left at the tightest limit that is surely kept, as a share of the limit.

        Negative where the limit may be broken. ``confidence`` is the interval's level if None.
        """
        sure = self.sure(estimate, confidence or estimate.interval.level)
        room = self.bound - sure if self.at_most is not None else sure - self.bound
        return room / self.bound if self.bound else room

    def excess(self, estimate: Estimate) -> float:
        """How far the value itself lies beyond the limit, as a share of the limit; 0 if within."""
        over = (
            estimate.value - self.bound if self.at_most is not None else self.bound - estimate.value
        )
        return max(0.0, over / self.bound if self.bound else over)
