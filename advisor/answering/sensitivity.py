"""Sensitivity: how firmly the first candidate stands when figures, limits or weights move.

Pure functions on a Recommendation. Estimator error is explored by drawing every figure from its
interval; limits and weights are moved one at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from advisor.core.document import (
    Entry,
    Figure,
    Limit,
    LimitStep,
    Recommendation,
    Rejection,
    Rival,
    Sensitivity,
    WeightStep,
)
from advisor.core.quantity import Metric, Unit
from advisor.core.ranking import LOGARITHMIC, order, utility

DRAWS = 1000
"""Enough for a share to be within 3 points of its true value, 19 times of 20."""
FACTORS = (0.5, 0.8, 0.9, 1.1, 1.25, 2.0)
"""Other limits to look at, as multiples of the limit asked for."""
POINTS = (-0.05, -0.02, -0.01, 0.01, 0.02, 0.05)
"""The same for fractions, as differences."""
WEIGHED = (Metric.TOP1, Metric.LATENCY, Metric.PEAK_MEMORY, Metric.WEIGHTS)
"""Metrics whose weight is moved, beside those that rank."""
_SURE = 0.99
"""Level taken for an interval that states none below 1."""

Floats = NDArray[np.float64]


def sensitivity(document: Recommendation, *, draws: int = DRAWS) -> Sensitivity | None:
    """Compute how firmly the first candidate stands; None where nothing was recommended."""
    if not document.ranked:
        return None
    drawn = _drawn_winners(document, draws)
    return Sensitivity(
        draws=draws,
        seed=document.request.seed,
        first_stays=drawn.share(0),
        first_keeps=float(drawn.kept[:, 0].mean()),
        uncertain_wins=float((drawn.winners >= len(document.ranked)).mean()),
        rivals=tuple(drawn.rivals(document)),
        limits=tuple(limit_steps(document)),
        weights=tuple(weight_steps(document)),
    )


class _Draws:
    """Outcome of the draws: who kept the limits and who was best in each."""

    def __init__(self, kept: NDArray[np.bool_], score: Floats, ranked: int) -> None:
        self.kept = kept
        masked = np.where(kept, score, -np.inf)
        self.best = masked[:, :ranked].argmax(axis=1)
        self.nobody = ~kept[:, :ranked].any(axis=1)
        self.winners = np.where(kept.any(axis=1), masked.argmax(axis=1), 0)

    def share(self, index: int) -> float:
        """Share of the draws in which a ranked candidate is the best of the ranked ones."""
        return float(((self.best == index) & ~self.nobody).mean())

    def rivals(self, document: Recommendation, count: int = 5) -> Iterator[Rival]:
        """The candidates that win most of the remaining draws."""
        shares = np.bincount(self.best[~self.nobody], minlength=len(document.ranked))
        for index in np.argsort(-shares, kind="stable"):
            if index == 0 or not shares[index]:
                continue
            item = document.ranked[int(index)]
            yield Rival(
                candidate=item.candidate,
                precision=item.precision,
                share=float(shares[index] / len(self.best)),
            )
            count -= 1
            if not count:
                return


def _drawn_winners(document: Recommendation, draws: int) -> _Draws:
    """Draw all figures at once and see who keeps the limits and who is best."""
    entries = [*document.ranked, *document.uncertain]
    rng = np.random.default_rng(document.request.seed)
    limits = document.request.limits
    weights = _normalised(document.request.weights)
    needed = list(dict.fromkeys([*(limit.metric for limit in limits), *weights]))
    values = {m: _draw([e.metrics.get(m) for e in entries], m, draws, rng) for m in needed}
    kept = np.ones((draws, len(entries)), dtype=bool)
    for limit in limits:
        kept &= _keeps(values[limit.metric], limit)
    score = np.zeros((draws, len(entries)))
    for metric, weight in weights.items():
        score += weight * _scaled(values[metric], metric, document.ranked)
    return _Draws(kept, score, len(document.ranked))


def _draw(
    figures: Sequence[Figure | None], metric: Metric, draws: int, rng: np.random.Generator
) -> Floats:
    """Draw values of a metric, one row per draw; NaN where a candidate has no figure.

    The error is normal on the scale of the metric, with a spread of its own to either side.
    """
    logarithmic = metric in LOGARITHMIC
    middle, below, above = (
        np.array([_spread(figure, side, logarithmic) for figure in figures]) for side in range(3)
    )
    noise = rng.standard_normal((draws, len(figures)))
    found: Floats = middle + noise * np.where(noise < 0, below, above)
    return np.exp(found) if logarithmic else found


def _spread(figure: Figure | None, side: int, logarithmic: bool) -> float:
    """Middle (0), and standard deviation below (1) and above (2) it."""
    if figure is None:
        return float("nan")
    ends = [max(end, 1e-30) for end in (figure.value, figure.low, figure.high)]
    middle, low, high = np.log(ends) if logarithmic else ends
    level = min(figure.level, _SURE)
    reach = NormalDist().inv_cdf((1 + level) / 2)
    return float((middle, (middle - low) / reach, (high - middle) / reach)[side])


def _keeps(values: Floats, limit: Limit) -> NDArray[np.bool_]:
    """Whether drawn values keep a limit; a missing figure keeps none."""
    if limit.at_most is not None:
        return np.asarray(values <= limit.at_most)
    return np.asarray(values >= (limit.at_least or 0.0))


def _scaled(values: Floats, metric: Metric, ranked: Sequence[Entry]) -> Floats:
    """Utility of drawn values, on the scale of the ranked candidates' own figures."""
    scaled = np.log(values) if metric in LOGARITHMIC else values
    known = [e.metrics[metric].value for e in ranked if metric in e.metrics] or [1.0]
    ends = np.log([min(known), max(known)]) if metric in LOGARITHMIC else (min(known), max(known))
    width = float(ends[1] - ends[0]) or 1.0
    share = (scaled - ends[0]) / width
    return np.nan_to_num(share if metric.higher_is_better else 1 - share, nan=0.0)


def limit_steps(document: Recommendation) -> Iterator[LimitStep]:
    """Move each limit by itself and see who comes first."""
    items: list[Entry | Rejection] = [
        *document.ranked,
        *document.uncertain,
        *document.rejected,
    ]
    limits = document.request.limits
    for index, limit in enumerate(limits):
        for bound in other_bounds(limit):
            moved = _moved(limit, bound)
            met = _meeting(items, [*limits[:index], moved, *limits[index + 1 :]])
            first = _first(met, document.request.weights)
            yield LimitStep(metric=limit.metric, limit=bound, first=first, met=len(met))


def other_bounds(limit: Limit) -> list[float]:
    """Return the bounds to look at beside the one asked for."""
    bound = limit.at_most if limit.at_most is not None else limit.at_least or 0.0
    if limit.metric.unit is Unit.FRACTION:
        return [bound + step for step in POINTS if 0 <= bound + step <= 1]
    return [bound * factor for factor in FACTORS]


def _moved(limit: Limit, bound: float) -> Limit:
    if limit.at_most is not None:
        return Limit(metric=limit.metric, at_most=bound)
    return Limit(metric=limit.metric, at_least=bound)


def _meeting(
    items: Sequence[Entry | Rejection], limits: Sequence[Limit]
) -> list[Entry | Rejection]:
    """Return the candidates whose whole intervals are within all limits."""
    return [item for item in items if all(_meets(item, limit) for limit in limits)]


def _meets(item: Entry | Rejection, limit: Limit) -> bool:
    figure = item.metrics.get(limit.metric)
    if figure is None:
        return False
    if limit.at_most is not None:
        return figure.high <= limit.at_most
    return figure.low >= (limit.at_least or 0.0)


def _first(items: Sequence[Entry | Rejection], weights: Mapping[Metric, float]) -> str:
    if not items:
        return ""
    values = [{m: figure.value for m, figure in item.metrics.items()} for item in items]
    return items[order(values, weights)[0]].candidate


def weight_steps(document: Recommendation) -> Iterator[WeightStep]:
    """Find the weight of each metric from which another candidate comes first.

    The score is linear in the weight, so each rival has one crossing and the nearest counts.
    """
    weights = _normalised(document.request.weights)
    entries = document.ranked
    base = np.sum([w * _utilities(entries, m) for m, w in weights.items()], axis=0)
    for metric in dict.fromkeys([*weights, *WEIGHED]):
        pure = _utilities(entries, metric)
        if set(weights) != {metric}:
            yield _crossing(metric, entries, base, pure)


def _crossing(metric: Metric, entries: Sequence[Entry], base: Floats, pure: Floats) -> WeightStep:
    """Return where the score of a rival first overtakes that of the first candidate."""
    lead, gain = base[0] - base, pure - pure[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        at = np.where(gain > 0, lead / (lead + gain), np.inf)
    rival = int(np.argmin(at))
    if not np.isfinite(at[rival]):
        return WeightStep(metric=metric, break_even=None, first=entries[0].candidate)
    found = float(max(at[rival], 0.0))
    return WeightStep(metric=metric, break_even=found, first=entries[rival].candidate)


def _utilities(entries: Sequence[Entry], metric: Metric) -> Floats:
    known = [i for i, entry in enumerate(entries) if metric in entry.metrics]
    found = np.zeros(len(entries))
    if known:
        found[known] = utility([entries[i].metrics[metric].value for i in known], metric)
    return found


def _normalised(weights: Mapping[Metric, float]) -> dict[Metric, float]:
    total = sum(weights.values()) or 1.0
    return {metric: weight / total for metric, weight in weights.items()}


__all__ = ["limit_steps", "other_bounds", "sensitivity", "weight_steps"]
