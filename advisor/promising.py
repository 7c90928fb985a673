"""Promising: which uncertain candidates are worth a measurement, the most likely ones first."""

from advisor.constraint import Constraint
from advisor.recommendation import Entry, Figure, Limit, Recommendation


def promising(document: Recommendation) -> tuple[Entry, ...]:
    """Order the uncertain candidates: those whose values keep every limit, best ranked first.

    After them the others, by how far their values are off; a candidate without a figure is last.
    """
    limits = document.request.limits
    keyed = [(_distance(entry, limits), place) for place, entry in enumerate(document.uncertain)]
    return tuple(document.uncertain[place] for _, place in sorted(keyed))


def is_likely(entry: Entry, document: Recommendation) -> bool:
    """Whether the values of a candidate keep every limit, so that it more likely does than not."""
    return _distance(entry, document.request.limits) == 0


def _distance(entry: Entry, limits: tuple[Limit, ...]) -> float:
    """Largest excess of a value over its limit, as a share; infinite where there is no value."""
    return max((_excess(entry.metrics.get(limit.metric), limit) for limit in limits), default=0.0)


def _excess(figure: Figure | None, limit: Limit) -> float:
    if figure is None:
        return float("inf")
    bound = Constraint(metric=limit.metric, at_most=limit.at_most, at_least=limit.at_least).bound
    over = figure.value - bound if limit.at_most is not None else bound - figure.value
    return max(0.0, over / bound if bound else over)
