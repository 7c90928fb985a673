"""Constraint: a limit on a metric; Verdict: whether an estimate keeps it, given its interval."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from advisor.core.estimate import Estimate, Gap
from advisor.core.quantity import Metric, Unit, human
from advisor.errors import ConstraintError


class Verdict(StrEnum):
    """Whether a limit is kept, best first."""

    MET = "met"
    """The whole interval is within the limit."""
    UNCERTAIN = "uncertain"
    """The interval straddles the limit."""
    UNKNOWN = "unknown"
    """There is no estimate."""
    VIOLATED = "violated"
    """The whole interval is beyond the limit."""

    @property
    def rank(self) -> int:
        """0 for the best."""
        return list(Verdict).index(self)


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

    def verdict(self, estimate: Estimate | Gap) -> Verdict:
        """Judge an estimate by its whole interval."""
        if isinstance(estimate, Gap):
            return Verdict.UNKNOWN
        low, high = estimate.interval.low, estimate.interval.high
        if self.at_most is not None:
            inside, outside = high <= self.at_most, low > self.at_most
        else:
            inside, outside = low >= self.bound, high < self.bound
        return Verdict.MET if inside else Verdict.VIOLATED if outside else Verdict.UNCERTAIN

    def room_text(self, margin: float) -> str:
        """Write a margin for people: in points where the metric is a share, else in per cent."""
        if self.metric.unit is Unit.FRACTION:
            return f"{100 * abs(margin) * self.bound:.1f} points"
        return f"{100 * abs(round(margin, 3)):.3g} %"

    def margin(self, estimate: Estimate) -> float:
        """Room left at the unfavourable end of the interval, as a share of the limit.

        Negative where the limit may be broken.
        """
        if self.at_most is not None:
            room = self.bound - estimate.interval.high
        else:
            room = estimate.interval.low - self.bound
        return room / self.bound if self.bound else room

    def excess(self, estimate: Estimate) -> float:
        """How far the value itself lies beyond the limit, as a share of the limit; 0 if within."""
        over = (
            estimate.value - self.bound if self.at_most is not None else self.bound - estimate.value
        )
        return max(0.0, over / self.bound if self.bound else over)
