"""Sensitivity: how firmly the first candidate stands when figures, limits or weights move.

Pure functions on a Recommendation. Estimator error is explored by drawing every figure from its
interval; limits and weights are moved one at a time.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from advisor.answering.choice import error_of, room_of, shared_parts
from advisor.answering.contest import weighing_of
from advisor.core.chance import TIMED
from advisor.core.constraint import Constraint, Verdict, is_of_device
from advisor.core.document import (
    Entry,
    Figure,
    LimitStep,
    Recommendation,
    Rejection,
    Rival,
    Sensitivity,
    WeightStep,
)
from advisor.core.error import NORMAL
from advisor.core.quantity import Metric, Unit
from advisor.core.ranking import LOGARITHMIC, WITHOUT, Utility, Weighing, order, weighing

DRAWS = 1000
"""Enough for a share to be within 3 points of its true value, 19 times of 20."""
FACTORS = (0.5, 0.8, 0.9, 1.1, 1.25, 2.0)
"""Other limits to look at, as multiples of the limit asked for."""
POINTS = (-0.05, -0.02, -0.01, 0.01, 0.02, 0.05)
"""The same for fractions, as differences."""
WEIGHED = (Metric.TOP1, Metric.LATENCY, Metric.PEAK_MEMORY, Metric.WEIGHTS)
"""Metrics whose weight is moved, beside those that rank."""

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
    weighed = weighing_of(document)
    needed = list(dict.fromkeys([*(limit.metric for limit in limits), *weighed]))
    time = _time_errors(entries, draws, rng)
    values = {m: _draw([e.metrics.get(m) for e in entries], m, time, rng) for m in needed}
    kept = np.ones((draws, len(entries)), dtype=bool)
    for limit in limits:
        kept &= _keeps(values[limit.metric], limit)
    score = np.zeros((draws, len(entries)))
    for metric, (share, worth) in weighed.items():
        score += share * _worth(values[metric], worth)
    return _Draws(kept, score, len(document.ranked))


def _time_errors(entries: Sequence[Entry], draws: int, rng: np.random.Generator) -> Floats:
    """Draw the error of each candidate's time, in standard deviations, longer is positive.

    The candidates of a lane share the errors that the estimator says they share.
    """
    shared = shared_parts(entries)
    own = np.sqrt(np.maximum(1 - (shared**2).sum(axis=1), 0.0))
    together = rng.standard_normal((draws, shared.shape[1])) @ shared.T
    found: Floats = together + own * rng.standard_normal((draws, len(entries)))
    return found


def _draw(
    figures: Sequence[Figure | None], metric: Metric, time: Floats, rng: np.random.Generator
) -> Floats:
    """Draw values of a metric, one row per draw; NaN where a candidate has no figure.

    The error is normal on the scale of the metric, with a spread of its own to either side; what
    the time decides errs with it.
    """
    errors = [None if f is None else error_of(metric, f) for f in figures]
    middle, below, above = (
        np.array([np.nan if error is None else getattr(error, part) for error in errors])
        for part in ("middle", "below", "above")
    )
    noise = rng.standard_normal(time.shape) if metric not in TIMED else time
    noise = -noise if metric is Metric.THROUGHPUT else noise
    found: Floats = middle + noise * np.where(noise < 0, below, above)
    return np.exp(found) if metric in LOGARITHMIC else found


def _keeps(values: Floats, limit: Constraint) -> NDArray[np.bool_]:
    """Whether drawn values keep a limit; a missing figure keeps none."""
    if limit.at_most is not None:
        return np.asarray(values <= limit.at_most)
    return np.asarray(values >= (limit.at_least or 0.0))


def _worth(values: Floats, worth: Utility) -> Floats:
    """Utility of drawn values."""
    scaled = np.log(values) if worth.metric in LOGARITHMIC else values
    good = math.log(worth.good) if worth.metric in LOGARITHMIC else worth.good
    share = 1 + (scaled - good) * worth.slope
    share = np.minimum(share, 1.0) if worth.saturates else share
    return np.nan_to_num(share, nan=WITHOUT)


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
            others = [*limits[:index], moved, *limits[index + 1 :]]
            met = _meeting(items, others, document.request.confidence)
            first = _first(met, weighing_of(document))
            yield LimitStep(metric=limit.metric, limit=bound, first=first, met=len(met))


def other_bounds(limit: Constraint) -> list[float]:
    """Return the bounds to look at beside the one asked for."""
    bound = limit.at_most if limit.at_most is not None else limit.at_least or 0.0
    if limit.metric.unit is Unit.FRACTION:
        return [bound + step for step in POINTS if 0 <= bound + step <= 1]
    return [bound * factor for factor in FACTORS]


def _moved(limit: Constraint, bound: float) -> Constraint:
    if limit.at_most is not None:
        return Constraint(metric=limit.metric, at_most=bound)
    return Constraint(metric=limit.metric, at_least=bound)


def _meeting(
    items: Sequence[Entry | Rejection], limits: Sequence[Constraint], confidence: float
) -> list[Entry | Rejection]:
    """Return the candidates that keep all limits, the device's too, with the confidence."""
    return [
        item
        for item in items
        if all(_meets(item, limit, confidence) for limit in limits)
        and all(v is Verdict.MET for name, v in item.verdicts.items() if is_of_device(name))
    ]


def _meets(item: Entry | Rejection, limit: Constraint, confidence: float) -> bool:
    figure = item.metrics.get(limit.metric)
    if figure is None:
        return False
    return NORMAL.cdf(room_of(limit, figure)) >= confidence


def _first(items: Sequence[Entry | Rejection], weighed: Weighing) -> str:
    if not items:
        return ""
    values = [{m: figure.value for m, figure in item.metrics.items()} for item in items]
    return items[order(values, weighed)[0]].candidate


def weight_steps(document: Recommendation) -> Iterator[WeightStep]:
    """Find the weight of each metric from which another candidate comes first.

    The other objectives keep their proportions. The score is linear in the weight, so each rival
    crosses once; the nearest crossing above the present weight counts.
    """
    weighed = weighing_of(document)
    entries = document.ranked
    request = document.request
    for metric in dict.fromkeys([*weighed, *WEIGHED]):
        others = {m: share for m, (share, _) in weighed.items() if m is not metric}
        if not others:
            continue
        now, _ = weighed.get(metric, (0.0, None))
        # Together with another objective, what is beyond a limit counts no more.
        worths = weighing({**others, metric: max(now, 1e-9)}, request.limits, request.needs)
        rest = np.sum([worths[m][0] * _worths(entries, worths[m][1]) for m in others], axis=0)
        own = _worths(entries, worths[metric][1])
        at, rival = crossing(rest / sum(worths[m][0] for m in others), own, now)
        yield WeightStep(metric=metric, break_even=at, first=entries[rival].candidate)


def crossing(rest: Floats, own: Floats, now: float) -> tuple[float | None, int]:
    """Return (weight, row) of the nearest change of the first place above the weight ``now``.

    The score at weight t is (1 - t) · rest + t · own, so rows cross row 0 where the lines meet.
    """
    lead, gain = rest[0] - rest, own - own[0]
    best: tuple[float | None, int] = (None, 0)
    for row in range(1, len(rest)):
        slope = lead[row] + gain[row]
        at = float(lead[row] / slope) if slope > 0 else math.inf
        if now <= at < 1 - 1e-9 and (best[0] is None or at < best[0]):
            best = (at, row)
    return best


def _worths(entries: Sequence[Entry], worth: Utility) -> Floats:
    figures = [entry.metrics.get(worth.metric) for entry in entries]
    return np.array([worth(None if figure is None else figure.value) for figure in figures])


__all__ = ["crossing", "limit_steps", "other_bounds", "sensitivity", "weight_steps"]
