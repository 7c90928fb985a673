"""Decisions: what recommending by the interval costs, against an oracle who knows all latencies."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.validation.measures import Predicted

Floats = NDArray[np.float64]

QUANTILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Quantiles of a lane's true latencies at which the limit is set."""
LEVEL = 0.95
"""Confidence at which a limit counts as met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Outcome over all lanes and limits; shares are fractions."""

    requests: int
    """Pairs of lane and limit."""
    recommended: int
    """Networks whose whole interval was within the limit."""
    broken: float
    """Share of the recommended ones that break the limit."""
    broken_first: float
    """Share of requests whose most accurate recommended network breaks the limit."""
    turned_away: float
    """Share of the truly feasible networks that were not recommended."""
    top1_lost: float
    """Median over requests of the oracle's top-1 minus that of the first recommended one."""
    top1_lost_mean: float
    unanswered: float
    """Share of requests with a feasible network but none recommended."""


def decide(found: Predicted, top1: Mapping[int, float]) -> Decisions | None:
    """Set limits on each lane and judge what would be recommended.

    ``top1`` is the accuracy of a cell's network, a fraction; cells without one count only for
    broken limits and those turned away.
    """
    tally = _Tally()
    for lane in np.unique(found.lane):
        mine = found.take(found.lane == lane)
        accuracy = np.array([top1.get(int(cell), np.nan) for cell in mine.cell])
        for limit in np.quantile(mine.truth, QUANTILES):
            tally.add(mine.truth <= limit, mine.high <= limit, accuracy)
    return tally.result()


class _Tally:
    """Counts over requests."""

    def __init__(self) -> None:
        self.recommended = self.broken = self.feasible = self.missed = 0
        self.requests = self.answered = self.unanswered = self.broken_first = 0
        self.lost: list[float] = []

    def add(self, feasible: NDArray[np.bool_], met: NDArray[np.bool_], accuracy: Floats) -> None:
        """Count one request."""
        self.requests += 1
        self.recommended += int(met.sum())
        self.broken += int((met & ~feasible).sum())
        self.feasible += int(feasible.sum())
        self.missed += int((feasible & ~met).sum())
        known = ~np.isnan(accuracy)
        best = accuracy[feasible & known]
        chosen = np.flatnonzero(met & known)
        if not len(chosen):
            self.unanswered += bool(len(best))
            return
        first = chosen[accuracy[chosen].argmax()]
        self.answered += 1
        self.broken_first += not feasible[first]
        if len(best):
            self.lost.append(float(best.max() - accuracy[first]))

    def result(self) -> Decisions | None:
        """Turn the counts into shares."""
        if not self.requests or not self.recommended:
            return None
        return Decisions(
            requests=self.requests,
            recommended=self.recommended,
            broken=self.broken / self.recommended,
            broken_first=self.broken_first / max(self.answered, 1),
            turned_away=self.missed / max(self.feasible, 1),
            top1_lost=float(np.median(self.lost)) if self.lost else float("nan"),
            top1_lost_mean=float(np.mean(self.lost)) if self.lost else float("nan"),
            unanswered=self.unanswered / self.requests,
        )
