"""Measures: how far predictions are from measured times, over any group of cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorSummary:
    """Errors of one group of cells; shares are fractions."""

    cells: int
    lanes: int
    median_error: float
    """Median over cells of |predicted / measured - 1|."""
    mean_error: float
    lane_median: float
    """Mean over lanes of each lane's median error: every lane counts the same."""
    within_10: float
    """Share of cells within ±10 %."""
    within_20: float
    kendall: float | None
    """Mean over lanes of Kendall's tau-b of predicted and measured order."""
    coverage: float | None
    """Share of cells inside the interval."""
    width: float | None
    """Median of the interval's upper end over its lower end."""


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """Predictions of cells whose true time is known; all logs of seconds."""

    cell: Integers
    lane: Integers
    truth: Floats
    mean: Floats
    low: Floats
    """NaN where the estimator gives no interval."""
    high: Floats

    def take(self, mask: NDArray[np.bool_]) -> "Predicted":
        """Return some of the cells."""
        return Predicted(
            cell=self.cell[mask],
            lane=self.lane[mask],
            truth=self.truth[mask],
            mean=self.mean[mask],
            low=self.low[mask],
            high=self.high[mask],
        )

    @staticmethod
    def joined(parts: Sequence["Predicted"]) -> "Predicted":
        """Put several together."""
        return Predicted(
            cell=np.concatenate([p.cell for p in parts]),
            lane=np.concatenate([p.lane for p in parts]),
            truth=np.concatenate([p.truth for p in parts]),
            mean=np.concatenate([p.mean for p in parts]),
            low=np.concatenate([p.low for p in parts]),
            high=np.concatenate([p.high for p in parts]),
        )

    @property
    def error(self) -> Floats:
        """|predicted / measured - 1| of each cell."""
        return np.abs(np.expm1(self.mean - self.truth))


def accuracy_of(found: Predicted) -> ErrorSummary | None:
    """Measure a group of cells; None where it is empty."""
    if not len(found.cell):
        return None
    error = found.error
    lanes = np.unique(found.lane)
    inside = (found.low <= found.truth) & (found.truth <= found.high)
    bounded = bool(np.isfinite(found.low).all())
    taus = [
        tau
        for lane in lanes
        if (tau := kendall(found.mean[found.lane == lane], found.truth[found.lane == lane]))
        is not None
    ]
    return ErrorSummary(
        cells=len(error),
        lanes=len(lanes),
        median_error=float(np.median(error)),
        mean_error=float(error.mean()),
        lane_median=float(np.mean([np.median(error[found.lane == lane]) for lane in lanes])),
        within_10=float((error <= 0.10).mean()),
        within_20=float((error <= 0.20).mean()),
        kendall=float(np.mean(taus)) if taus else None,
        coverage=float(inside.mean()) if bounded else None,
        width=float(np.exp(np.median(found.high - found.low))) if bounded else None,
    )


def kendall(a: Floats, b: Floats) -> float | None:
    """Return Kendall's tau-b; None below three values or where all are tied."""
    from scipy.stats import kendalltau

    tau = float(kendalltau(a, b).statistic) if len(a) >= 3 else np.nan
    return None if np.isnan(tau) else tau
