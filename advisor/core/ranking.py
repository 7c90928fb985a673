"""Ranking of feasible candidates by one metric or by several with weights, and Pareto fronts.

Pure functions. Several metrics are put on one scale first: costs by the logarithm, because a
candidate twice as fast is worth the same wherever it starts; then 0 for the worst and 1 for the
best candidate.
"""

import math
from collections.abc import Mapping, Sequence

from advisor.core.quantity import Metric

LOGARITHMIC = frozenset(Metric) - {Metric.TOP1, Metric.TOP5}
"""Metrics compared by ratio instead of by difference."""


def utility(values: Sequence[float], metric: Metric) -> list[float]:
    """Map values to 0 (worst) … 1 (best); all equal gives 1 for each."""
    scaled = [math.log(max(v, 1e-30)) if metric in LOGARITHMIC else v for v in values]
    low, high = min(scaled), max(scaled)
    if high == low:
        return [1.0] * len(values)
    shares = [(v - low) / (high - low) for v in scaled]
    return shares if metric.higher_is_better else [1 - share for share in shares]


def scores(
    candidates: Sequence[Mapping[Metric, float]], weights: Mapping[Metric, float]
) -> list[float]:
    """Return the weighted mean utility of each candidate; a missing value counts as the worst."""
    total = sum(weights.values())
    result = [0.0] * len(candidates)
    for metric, weight in weights.items():
        known = [i for i, values in enumerate(candidates) if metric in values]
        if not known:
            continue
        shares = utility([candidates[i][metric] for i in known], metric)
        for i, share in zip(known, shares, strict=True):
            result[i] += weight / total * share
    return result


def order(
    candidates: Sequence[Mapping[Metric, float]], weights: Mapping[Metric, float]
) -> list[int]:
    """Return candidate indices, best first; ties go to the faster, then to the earlier one."""
    ranks = scores(candidates, weights)
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
