"""Spreads: whether the calibration was made with the spreads that ship.

Intervals are factors of the model's own spread, found where groups were left out. They hold only
if the shipped fit, with the same group taken out of it, has that spread: here it is asked again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.fit.fitting import Data
from advisor.estimators.fit.leave_out import (
    LeftOut,
    Split,
    folds_of,
    groups_of,
    predict_cells,
)
from advisor.estimators.fit.runs import CELLS as PART
from advisor.estimators.fit.runs import RunResult, is_crossed, is_of_long, split_name
from advisor.estimators.fitted import ALL, LONG, Fitted
from advisor.estimators.latency import LatencyModel

Integers = NDArray[np.int64]

CELLS = 60
"""Cells of a class that are asked again at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadRow:
    """Spreads of one class of evidence."""

    run: str
    key: str
    cells: int
    calibrated: float
    """Median spread of the log seconds with which the class was calibrated."""
    shipped: float
    """… and of the same cells by the shipped fit without their group."""

    @property
    def ratio(self) -> float:
        """Shipped over calibrated."""
        return self.shipped / self.calibrated


def spread_rows(
    data: Data, fits: Mapping[str, Fitted], found: Mapping[str, RunResult]
) -> Iterator[SpreadRow]:
    """Ask the shipped fits for the spreads of left-out cells, class by class."""
    for name, one in found.items():
        if is_crossed(name) or ("shots" in name and ", 0 shots" not in name):
            continue
        fitted = fits[LONG if is_of_long(name) else ALL]
        how = DealtFolds(
            split=Split(split_name(name).partition(", ")[0]),
            folds=one.folds,
            long=is_of_long(name),
        )
        left = one.left
        for key in np.unique(left.key):
            yield from _row(data, fitted, left.take(left.key == key), how, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class DealtFolds:
    """How a run left out."""

    split: Split
    folds: int
    long: bool = False
    """Whether it was from the fit to very long lanes."""

    def folds_of(self, data: Data) -> Integers:
        """Return the fold in which every cell of the data was left out, -1 in none."""
        part = data.take(data.of_long_lanes() if self.long else data.for_all_lanes(PART))
        group = groups_of(part, self.split)
        names, first = np.unique(group, return_index=True)
        fold = dict(
            zip(names.tolist(), folds_of(part, self.split, self.folds)[first].tolist(), strict=True)
        )
        wanted = groups_of(data, self.split).tolist()
        return np.array([fold.get(name, -1) for name in wanted], np.int64)


def _row(
    data: Data, fitted: Fitted, left: LeftOut, how: DealtFolds, run: str
) -> Iterator[SpreadRow]:
    """Ask for some cells of one class again, without the fold of the first of them."""
    fold = how.folds_of(data)
    dealt = fold[left.cell]
    if not (dealt >= 0).any():
        return
    number = np.bincount(dealt[dealt >= 0]).argmax()
    mine = np.flatnonzero(fold[left.cell] == number)[:CELLS]
    known = left.take(np.isin(np.arange(len(left.cell)), mine))
    model = LatencyModel(fitted=without(fitted, data, fold == number))
    again = predict_cells(model, data, known.cell)
    yield SpreadRow(
        run=run,
        key=str(left.key[0]),
        cells=len(mine),
        calibrated=float(np.median(known.spread)),
        shipped=float(np.median(again.spread)),
    )


def without(fitted: Fitted, data: Data, out: NDArray[np.bool_]) -> Fitted:
    """Return the fit without some cells; its spreads are right, its values are not."""
    pairs = set(zip(data.lane[out].tolist(), data.network[out].tolist(), strict=True))
    cells = zip(fitted.cell_lane.tolist(), fitted.cell_network.tolist(), strict=True)
    kept = np.array([cell not in pairs for cell in cells])
    left = np.bincount(fitted.cell_lane[kept], minlength=len(fitted.lanes)) > 0
    odd = np.where(left, fitted.lanes.odd, 0.0)
    return replace(
        fitted,
        lanes=fitted.lanes.with_odd(odd),
        cell_lane=fitted.cell_lane[kept],
        cell_network=fitted.cell_network[kept],
        cell_publication=fitted.cell_publication[kept],
        cell_weight=fitted.cell_weight[kept],
        cell_noise=fitted.cell_noise[kept],
    )
