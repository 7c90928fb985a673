"""Chance: the probability that a limit is kept, one-sided, by the interval of an estimate.

An error is taken as normal on the scale of its metric (the logarithm for costs), with a spread of
its own to either side: the interval is two-sided at its level, a limit has one side.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

from advisor.core.constraint import Constraint
from advisor.core.estimate import Estimate
from advisor.core.quantity import Metric
from advisor.core.ranking import LOGARITHMIC

TIMED = frozenset({Metric.LATENCY, Metric.THROUGHPUT, Metric.ENERGY})
"""Metrics that one error moves together: that of the time."""
SURE = 0.99
"""Level taken for an interval that states none below 1."""
NORMAL = NormalDist()


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
        logarithmic = metric in LOGARITHMIC
        middle, bottom, top = (
            (math.log(max(end, 1e-30)) if logarithmic else end) for end in (value, low, high)
        )
        reach = NORMAL.inv_cdf((1 + min(level, SURE)) / 2)
        return Error(
            middle=middle,
            below=(middle - bottom) / reach,
            above=(top - middle) / reach,
            logarithmic=logarithmic,
        )

    def standing(self, bound: float) -> float:
        """How many standard deviations a bound lies above the estimate; infinite where exact."""
        at = math.log(max(bound, 1e-30)) if self.logarithmic else bound
        distance = at - self.middle
        deviation = self.above if distance >= 0 else self.below
        if deviation > 0:
            return distance / deviation
        return math.inf if distance >= 0 else -math.inf


def room(limit: Constraint, estimate: Estimate) -> float:
    """How many standard deviations an estimate may be off before it breaks a limit."""
    interval = estimate.interval
    error = Error.of(limit.metric, estimate.value, interval.low, interval.high, interval.level)
    if limit.at_most is not None:
        return error.standing(limit.at_most)
    # From the other side; an exact value at its bound keeps it there, too.
    standing = error.standing(limit.bound)
    return math.inf if estimate.value == limit.bound and standing == math.inf else -standing


def keeping(limit: Constraint, estimate: Estimate) -> float:
    """Probability that one limit is kept."""
    return NORMAL.cdf(room(limit, estimate))


def keeping_all(rooms: Iterable[tuple[Metric, float]]) -> float:
    """Probability that all limits are kept, by the room to each.

    Latency, throughput and energy err together, so the tightest of them decides; the others err
    each by itself.
    """
    timed, others = math.inf, 1.0
    for metric, deviations in rooms:
        if metric in TIMED:
            timed = min(timed, deviations)
        else:
            others *= NORMAL.cdf(deviations)
    return NORMAL.cdf(timed) * others
