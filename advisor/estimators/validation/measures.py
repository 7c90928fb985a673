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
    lane_middle: float
    """Median over lanes of the same."""
    lane_median_error: float | None
    """Standard error of the mean over lanes; lanes of one chip go together."""
    within_10: float
    """Share of cells within ±10 %."""
    within_20: float
    kendall: float | None
    """Mean over lanes of Kendall's tau-b of predicted and measured order."""
    coverage: "Coverage | None"
    """How often the interval holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How often an interval holds, by rows and with groups alike, with standard errors."""

    rows: float
    """Share of cells inside the interval."""
    rows_error: float
    groups: float
    """Mean over groups of the share of their cells inside: every group counts the same."""
    groups_error: float
    count: int
    """Groups: chips, families or architectures, whatever was left out together."""
    half_width: float
    """Median factor between the middle of the interval and its ends."""

    @staticmethod
    def of(found: "Predicted") -> "Coverage":
        """Measure cells with intervals."""
        inside = (found.low <= found.truth) & (found.truth <= found.high)
        rows = float(inside.mean())
        _, group, size = np.unique(found.group, return_inverse=True, return_counts=True)
        shares = np.bincount(group, weights=inside) / size
        count = len(size)
        # Cells of a group go together: the error of the mean over rows is that of its groups.
        rows_error = np.sqrt(((size * (shares - rows)) ** 2).sum()) / size.sum()
        return Coverage(
            rows=rows,
            rows_error=float(rows_error),
            groups=float(shares.mean()),
            groups_error=float(shares.std(ddof=1) / np.sqrt(count)) if count > 1 else np.nan,
            count=count,
            half_width=float(np.exp(np.median(found.high - found.low) / 2)),
        )


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """Predictions of cells whose true time is known; all logs of seconds."""

    cell: Integers
    lane: Integers
    group: NDArray[np.str_]
    """What each cell counts with: its chip, family or architecture."""
    chip: NDArray[np.str_]
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
            group=self.group[mask],
            chip=self.chip[mask],
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
            group=np.concatenate([p.group for p in parts]),
            chip=np.concatenate([p.chip for p in parts]),
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
    lanes, first = np.unique(found.lane, return_index=True)
    mine = [found.lane == lane for lane in lanes]
    medians = np.array([np.median(error[one]) for one in mine])
    taus = [tau for one in mine if (tau := kendall(found.mean[one], found.truth[one])) is not None]
    return ErrorSummary(
        cells=len(error),
        lanes=len(lanes),
        median_error=float(np.median(error)),
        mean_error=float(error.mean()),
        lane_median=float(medians.mean()),
        lane_middle=float(np.median(medians)),
        lane_median_error=_clustered_error(medians, found.chip[first]),
        within_10=float((error <= 0.10).mean()),
        within_20=float((error <= 0.20).mean()),
        kendall=float(np.mean(taus)) if taus else None,
        coverage=Coverage.of(found) if np.isfinite(found.low).all() else None,
    )


def _clustered_error(values: Floats, cluster: NDArray[np.str_]) -> float | None:
    """Return the standard error of the mean of values that go together in clusters."""
    _, position = np.unique(cluster, return_inverse=True)
    away = np.bincount(position, weights=values - values.mean())
    return float(np.sqrt((away**2).sum()) / len(values)) if len(away) > 1 else None


def kendall(a: Floats, b: Floats) -> float | None:
    """Return Kendall's tau-b; None below three values or where all are tied."""
    from scipy.stats import kendalltau

    tau = float(kendalltau(a, b).statistic) if len(a) >= 3 else np.nan
    return None if np.isnan(tau) else tau
