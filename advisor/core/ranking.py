"""Ranking of candidates by one metric or by several with weights, and Pareto fronts.

Pure functions. Several metrics are put on one scale first, by anchors that depend on the request
alone and never on who else is compared: taking a candidate away changes no order. Costs go by the
logarithm, because a candidate twice as fast is worth the same wherever it starts. What is better
than the limit, or than the need stated, is worth no more than just meeting it; accuracy always is.
"""

import math
from collections.abc import Mapping, Sequence

from advisor.core.constraint import Constraint
from advisor.core.frozen_record import Record
from advisor.core.quantity import Metric

LOGARITHMIC = frozenset(Metric) - {Metric.TOP1, Metric.TOP5}
"""Metrics compared by ratio instead of by difference."""
ANCHORS: Mapping[Metric, tuple[float, float]] = {
    Metric.LATENCY: (1.0, 1e-3),
    Metric.THROUGHPUT: (1.0, 1e3),
    Metric.TOP1: (0.6, 0.9),
    Metric.TOP5: (0.8, 1.0),
    Metric.PEAK_MEMORY: (1e10, 1e7),
    Metric.WEIGHTS: (1e9, 1e6),
    Metric.FLASH: (1e9, 1e6),
    Metric.ENERGY: (1.0, 1e-3),
    Metric.POWER: (1e2, 1e-1),
    Metric.CHIP_POWER: (1e2, 1e-1),
    Metric.PARAMETERS: (1e9, 1e6),
    Metric.MACS: (1e11, 1e8),
}
"""Values worth 0 and 1, where the request states no limit and no need: 30 points of top-1 are
worth as much as a factor of 1,000, so 10 points as much as a factor of 10."""
WITHOUT = -1.0
"""Utility of a value that nobody knows: below that of any that is usual."""


class Utility(Record):
    """What the values of one metric are worth: 0 at ``poor``, 1 at ``good`` and beyond."""

    metric: Metric
    poor: float
    good: float
    saturates: bool
    """Whether what is better than ``good`` is worth no more."""

    def __call__(self, value: float | None) -> float:
        """Return the worth of one value; below ``poor`` it is negative."""
        if value is None:
            return WITHOUT
        share = (self._at(value) - self._at(self.poor)) * self.slope
        return min(share, 1.0) if self.saturates else share

    @property
    def slope(self) -> float:
        """Worth of one unit of the metric, or of one unit of its logarithm."""
        return 1 / (self._at(self.good) - self._at(self.poor))

    def _at(self, value: float) -> float:
        return math.log(max(value, 1e-30)) if self.metric in LOGARITHMIC else value


def utility(
    metric: Metric, limits: Sequence[Constraint] = (), needs: Mapping[Metric, float] | None = None
) -> Utility:
    """Return what a metric is worth under the limits and needs of a request.

    A need goes before a limit. Both leave the worth of a factor as it is and move its end.
    """
    poor, good = ANCHORS[metric]
    need = (needs or {}).get(metric)
    if need is None and metric in LOGARITHMIC:
        need = next((limit.bound for limit in limits if limit.metric is metric), None)
    if not need:
        return Utility(metric=metric, poor=poor, good=good, saturates=False)
    moved = need * poor / good if metric in LOGARITHMIC else need - (good - poor)
    return Utility(metric=metric, poor=moved, good=need, saturates=True)


Weighing = Mapping[Metric, tuple[float, Utility]]
"""Share of the weight and utility of each objective."""


def weighing(
    weights: Mapping[Metric, float],
    limits: Sequence[Constraint] = (),
    needs: Mapping[Metric, float] | None = None,
) -> Weighing:
    """Return how much each objective counts and what its values are worth.

    A single objective is what is asked for: it saturates neither at its limit nor at a need.
    """
    total = sum(weights.values()) or 1.0
    held = limits if len(weights) > 1 else ()
    wanted = needs if len(weights) > 1 else None
    return {m: (weight / total, utility(m, held, wanted)) for m, weight in weights.items()}


def scores(candidates: Sequence[Mapping[Metric, float]], weighed: Weighing) -> list[float]:
    """Return the weighted mean utility of each candidate."""
    return [
        math.fsum(share * worth(values.get(metric)) for metric, (share, worth) in weighed.items())
        for values in candidates
    ]


def order(candidates: Sequence[Mapping[Metric, float]], weighed: Weighing) -> list[int]:
    """Return candidate indices, best first; ties go to the faster, then to the earlier one."""
    ranks = scores(candidates, weighed)
    latency = [values.get(Metric.LATENCY, math.inf) for values in candidates]
    return sorted(range(len(candidates)), key=lambda i: (-ranks[i], latency[i], i))


def dominates(a: Sequence[float], b: Sequence[float]) -> bool:
    """Tell whether ``a`` is nowhere worse than ``b`` and somewhere better; smaller is better."""
    return all(x <= y for x, y in zip(a, b, strict=True)) and any(
        x < y for x, y in zip(a, b, strict=True)
    )


def front(points: Sequence[Sequence[float]]) -> list[int]:
    """Return the indices of the points that no other point dominates; smaller is better.

    Equal points are all on the front.
    """
    order = sorted(range(len(points)), key=lambda i: tuple(points[i]))
    kept: list[int] = []
    for i in order:
        if not any(dominates(points[j], points[i]) for j in kept):
            kept.append(i)
    return sorted(kept)
