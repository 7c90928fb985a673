"""Error: where the true value may lie around an estimate, read off its two-sided interval.

It is taken as normal on the scale of the metric, the logarithm for costs, with a spread of its own
to either side of the value, which is the median.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

from advisor.core.quantity import Metric

SURE = 0.99
"""Level taken for an interval that states none below 1."""
NORMAL = NormalDist()
_LEAST = 1e-30


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """Where the true value may lie around an estimate: on the scale of its metric."""

    middle: float
    below: float
    """Standard deviation on the lower side; 0 for an exact value."""
    above: float
    logarithmic: bool

    @staticmethod
    def of(metric: Metric, value: float, low: float, high: float, level: float) -> "Error":
        """Read the error off a two-sided interval at ``level``."""
        logarithmic = metric.is_logarithmic
        middle = _scaled(value, logarithmic)
        if low == value == high:
            return Error(middle=middle, below=0.0, above=0.0, logarithmic=logarithmic)
        bottom, top = _scaled(low, logarithmic), _scaled(high, logarithmic)
        reach = reach_of(level if level < SURE else SURE)
        return Error(
            middle=middle,
            below=(middle - bottom) / reach if bottom < middle else 0.0,
            above=(top - middle) / reach if middle < top else 0.0,
            logarithmic=logarithmic,
        )

    @property
    def is_exact(self) -> bool:
        """Whether the value is counted, not estimated."""
        return self.below == self.above == 0

    def standing(self, bound: float) -> float:
        """How many standard deviations a bound lies above the estimate; infinite where exact."""
        distance = _scaled(bound, self.logarithmic) - self.middle
        if self.is_exact:
            return math.inf if distance >= 0 else -math.inf
        if distance == 0:
            return 0.0
        deviation = self.above if distance > 0 else self.below
        return distance / deviation if deviation else math.copysign(math.inf, distance)

    def room(self, *, at_most: float | None, at_least: float | None) -> float:
        """How many standard deviations the value may be off before it breaks a limit."""
        if at_most is not None:
            return self.standing(at_most)
        if at_least is None:
            return math.inf
        if self.is_exact:
            kept = self.middle >= _scaled(at_least, self.logarithmic)
            return math.inf if kept else -math.inf
        return -self.standing(at_least)

    def quantile(self, probability: float) -> float:
        """Return the value that is not exceeded with ``probability``, between 0 and 1."""
        if self.is_exact:
            return self._unscaled(self.middle)
        deviations = NORMAL.inv_cdf(probability)
        spread = self.above if deviations > 0 else self.below
        return self._unscaled(self.middle + deviations * spread)

    def _unscaled(self, value: float) -> float:
        return math.exp(value) if self.logarithmic else value


@lru_cache(maxsize=64)
def reach_of(level: float) -> float:
    """Return how many standard deviations a two-sided interval at ``level`` reaches."""
    return NORMAL.inv_cdf((1 + level) / 2)


def _scaled(value: float, logarithmic: bool) -> float:
    if not logarithmic:
        return value
    return math.log(value if value > _LEAST else _LEAST)
