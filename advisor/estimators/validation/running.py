"""Running: what the estimator and the simple ones say of cells that were left out."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.baselines import line_in_macs, roofline, scaled
from advisor.estimators.calibration import Calibration, Scores
from advisor.estimators.fit.fitting import Data
from advisor.estimators.fit.leave_out import LeftOut, Split, draws, folds_of
from advisor.estimators.fit.runs import SHOTS, Run, shots_name, split_name
from advisor.estimators.validation.measures import Predicted

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Parts = dict[str, list[tuple[Integers, Floats]]]

ESTIMATOR, LINE, ROOFLINE = "estimator", "line in log MACs", "roofline"
LEVEL = 0.9
"""Level of the intervals whose coverage is measured."""


def calibrated(data: Data, left: LeftOut, level: float = LEVEL) -> Predicted:
    """Give each fold's cells intervals that were calibrated on the other folds alone."""
    truth = data.log_seconds[left.cell]
    score = np.abs(truth - left.mean) / left.spread
    width = np.empty(len(truth))
    classes = left.classes(data)
    for number in np.unique(left.fold):
        here, others = left.fold == number, left.fold != number
        lanes = data.lane[left.cell[others]]
        calibration = Calibration.of(Scores.by_class(classes[others], score[others], lanes))
        width[here] = [calibration.quantile_of(key, level) for key in classes[here].tolist()]
    reach = width * left.spread
    return Predicted(
        cell=left.cell,
        lane=data.lane[left.cell],
        truth=truth,
        mean=left.mean,
        low=left.mean - reach,
        high=left.mean + reach,
    )


def simple_predictions(data: Data, run: Run) -> dict[str, dict[str, Predicted]]:
    """Return what the simple estimators say in the same run: name -> estimator -> predictions."""
    cells = run.cells(data)
    part = data.take(cells)
    fold = folds_of(part, run.split, run.folds)
    asked = np.flatnonzero(run.wanted(data)[cells])
    if run.split is not Split.DEVICE:
        return {run.name: _joined(part, cells, _across_folds(part, fold, asked))}
    found: dict[int, Parts] = {}
    for number in np.unique(fold):
        for one in draws(part, asked[fold[asked] == number], SHOTS):
            _add(part, one.known, one.asked, found.setdefault(one.count, {}))
    return {shots_name(run, n): _joined(part, cells, parts) for n, parts in found.items()}


def _across_folds(data: Data, fold: Integers, asked: Integers) -> Parts:
    found: Parts = {}
    for lane in np.unique(data.lane[asked]):
        mine = np.flatnonzero(data.lane == lane)
        for number in np.unique(fold[asked[data.lane[asked] == lane]]):
            wanted = asked[(data.lane[asked] == lane) & (fold[asked] == number)]
            _add(data, mine[fold[mine] != number], wanted, found)
    return found


def _add(data: Data, known: Integers, asked: Integers, into: Parts) -> None:
    """Predict cells of one lane from the known cells of that lane."""
    seconds = np.exp(data.log_seconds[known])
    macs = data.table.macs[data.network]
    if len(known):
        line = line_in_macs(macs[known], seconds).predict(macs[asked])
        into.setdefault(LINE, []).append((asked, np.log(line)))
    shape = _roofline(data, asked)
    if shape is not None:
        reference = _roofline(data, known) if len(known) else None
        factor = 1.0 if reference is None else scaled(reference, seconds)
        into.setdefault(ROOFLINE, []).append((asked, np.log(factor * shape)))


def _roofline(data: Data, cells: Integers) -> Floats | None:
    facts = data.lanes.facts[data.lane[cells[0]]]
    return roofline(facts, data.table.rows(data.network[cells].tolist()))


def _joined(data: Data, cells: Integers, parts: Parts) -> dict[str, Predicted]:
    return {name: _plain(data, cells, pieces) for name, pieces in parts.items()}


def _plain(data: Data, cells: Integers, parts: list[tuple[Integers, Floats]]) -> Predicted:
    mine = np.concatenate([asked for asked, _ in parts])
    nothing = np.full(len(mine), np.nan)
    return Predicted(
        cell=cells[mine],
        lane=data.lane[mine],
        truth=data.log_seconds[mine],
        mean=np.concatenate([mean for _, mean in parts]),
        low=nothing,
        high=nothing,
    )


def bounded(data: Data, found: Mapping[str, LeftOut], level: float = LEVEL) -> dict[str, Predicted]:
    """Return the estimator's predictions with intervals, by split.

    A split's long lanes were left out in a run of their own; each run is calibrated by itself.
    """
    parts: dict[str, list[Predicted]] = {}
    for name, left in found.items():
        parts.setdefault(split_name(name), []).append(calibrated(data, left, level))
    return {name: Predicted.joined(pieces) for name, pieces in parts.items()}


def predictions(
    data: Data, found: Mapping[str, LeftOut], runs: tuple[Run, ...]
) -> dict[str, dict[str, Predicted]]:
    """Return all predictions by split and estimator."""
    parts: dict[str, dict[str, list[Predicted]]] = {}
    for run in runs:
        for name, simple in simple_predictions(data, run).items():
            if name in found:
                into = parts.setdefault(split_name(name), {})
                for estimator, predicted in simple.items():
                    into.setdefault(estimator, []).append(predicted)
    own = bounded(data, found)
    return {
        name: {ESTIMATOR: own[name]} | {one: Predicted.joined(pieces) for one, pieces in by.items()}
        for name, by in parts.items()
    }
