"""Chance: the probability that a limit is kept, one-sided, by the interval of an estimate.

An error is taken as normal on the scale of its metric (the logarithm for costs), with a spread of
its own to either side: the interval is two-sided at its level, a limit has one side.
"""

import math
from collections.abc import Iterable, Sequence

from advisor.core.constraint import Constraint
from advisor.core.error import NORMAL
from advisor.core.estimate import Estimate
from advisor.core.quantity import Metric

TIMED = frozenset({Metric.LATENCY, Metric.THROUGHPUT, Metric.ENERGY})
"""Metrics that one error moves together: that of the time."""


def room(limit: Constraint, estimate: Estimate) -> float:
    """How many standard deviations an estimate may be off before it breaks a limit."""
    return estimate.error.room(at_most=limit.at_most, at_least=limit.at_least)


def keeping(limit: Constraint, estimate: Estimate) -> float:
    """Probability that one limit is kept."""
    return limit.probability(estimate)


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


def by_chance(places: Iterable[int], chance: Sequence[float | None]) -> list[int]:
    """Put the most probable first, in whole per cents; the unknown last; else as they stand."""

    def key(place: int) -> tuple[bool, float]:
        own = chance[place]
        return own is None, -round(own or 0.0, 2)

    return sorted(places, key=key)
