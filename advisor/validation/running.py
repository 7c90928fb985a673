"""Running: predictions of left-out cells by the estimator and by the simple ones."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.baselines import line_in_macs, roofline, scaled
from advisor.estimators.calibration import Calibration
from advisor.estimators.fitting import Data
from advisor.estimators.latency import LatencyModel, Timing
from advisor.estimators.leave_out import (
    Fitter,
    LeftOut,
    Split,
    folds_of,
    leave_out,
    predict_cells,
)
from advisor.validation.measures import Predicted

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ESTIMATOR, LINE, ROOFLINE = "estimator", "line in log MACs", "roofline"
LEVEL = 0.9
"""Level of the intervals whose coverage is measured."""


@dataclass(frozen=True, kw_only=True)
class SplitRun:
    """All predictions of one split."""

    by_estimator: Mapping[str, Predicted]
    left_out: LeftOut
    """What the estimator said before calibration."""
    fold: Integers
    """Fold of each left-out cell."""


def run_split(
    data: Data, split: Split, *, folds: int, wanted: NDArray[np.bool_], make: Fitter
) -> SplitRun:
    """Leave out each fold in turn and predict its wanted cells by every estimator."""
    fold = folds_of(data, split, folds)
    left = LeftOut.joined(list(leave_out(data, fold, wanted, make)))
    simple = simple_predictions(data, fold, left.cell)
    return SplitRun(
        by_estimator={ESTIMATOR: calibrated(data, left, fold[left.cell]), **simple},
        left_out=left,
        fold=fold[left.cell],
    )


def calibrated(data: Data, left: LeftOut, fold: Integers, level: float = LEVEL) -> Predicted:
    """Give each fold's cells intervals that were calibrated on the other folds alone."""
    truth = data.log_seconds[left.cell]
    score = np.abs(truth - left.mean) / left.spread
    width = np.empty(len(truth))
    for number in np.unique(fold):
        here, others = fold == number, fold != number
        calibration = Calibration.of(_by_key(left.key[others], score[others]))
        width[here] = [calibration.quantile_of(key, level) for key in left.key[here].tolist()]
    reach = width * left.spread
    return Predicted(
        cell=left.cell,
        lane=data.lane[left.cell],
        truth=truth,
        mean=left.mean,
        low=left.mean - reach,
        high=left.mean + reach,
    )


def _by_key(key: NDArray[np.str_], score: Floats) -> dict[str, Floats]:
    return {str(one): score[key == one] for one in np.unique(key)}


def simple_predictions(data: Data, fold: Integers, cells: Integers) -> dict[str, Predicted]:
    """Predict cells by the simple estimators, each from the other folds' cells of the lane."""
    found: dict[str, list[tuple[Integers, Floats]]] = {LINE: [], ROOFLINE: []}
    for lane in np.unique(data.lane[cells]):
        table_rows = np.flatnonzero(data.lane == lane)
        shape = _roofline_of(data, int(lane), table_rows)
        for number in np.unique(fold[cells[data.lane[cells] == lane]]):
            asked = cells[(data.lane[cells] == lane) & (fold[cells] == number)]
            rest = table_rows[fold[table_rows] != number]
            if len(rest):
                found[LINE].append((asked, _line(data, rest, asked)))
            if shape is not None:
                place = np.searchsorted(table_rows, asked)
                others = np.searchsorted(table_rows, rest)
                factor = scaled(shape[others], np.exp(data.log_seconds[rest]))
                found[ROOFLINE].append((asked, np.log(factor * shape[place])))
    return {name: _plain(data, parts) for name, parts in found.items() if parts}


def _line(data: Data, known: Integers, asked: Integers) -> Floats:
    macs = data.table.macs[data.network]
    line = line_in_macs(macs[known], np.exp(data.log_seconds[known]))
    return np.log(line.predict(macs[asked]))


def _roofline_of(data: Data, lane: int, cells: Integers) -> Floats | None:
    return roofline(data.lanes.facts[lane], data.table.rows(data.network[cells].tolist()))


def _plain(data: Data, parts: list[tuple[Integers, Floats]]) -> Predicted:
    cells = np.concatenate([cells for cells, _ in parts])
    mean = np.concatenate([mean for _, mean in parts])
    nothing = np.full(len(cells), np.nan)
    return Predicted(
        cell=cells,
        lane=data.lane[cells],
        truth=data.log_seconds[cells],
        mean=mean,
        low=nothing,
        high=nothing,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shots:
    """How lanes of unseen devices are probed."""

    count: int
    """Networks of the lane that are given as the user's own timings."""
    repeats: int
    """Random draws of them."""


def run_device(
    data: Data,
    *,
    folds: int,
    wanted: NDArray[np.bool_],
    make: Fitter,
    shots: tuple[Shots, ...],
    seed: int = 0,
) -> dict[int, SplitRun]:
    """Leave out each device with all its lanes, and predict each lane from a few timings of it.

    The timings are drawn at random; the device's other lanes stay unknown.
    """
    fold = folds_of(data, Split.DEVICE, folds)
    parts: dict[int, list[tuple[int, LeftOut]]] = {one.count: [] for one in shots}
    simple: dict[int, dict[str, list[tuple[Integers, Floats]]]] = {}
    for number in np.unique(fold):
        asked = np.flatnonzero((fold == number) & wanted)
        if not len(asked):
            continue
        model = make(data.take(np.flatnonzero(fold != number)))
        for lane in np.unique(data.lane[asked]):
            cells = asked[data.lane[asked] == lane]
            random = np.random.default_rng([seed, int(lane)])
            for one in shots:
                for known, rest in _draws(cells, one, random):
                    left = predict_cells(_told(model, data, known), data, rest)
                    parts[one.count].append((int(number), left))
                    _add_simple(data, int(lane), known, rest, simple.setdefault(one.count, {}))
    return {
        count: _joined(data, found, simple.get(count, {}))
        for count, found in parts.items()
        if found
    }


def _draws(
    cells: Integers, shots: Shots, random: np.random.Generator
) -> list[tuple[Integers, Integers]]:
    """Return (told, asked) cells; nothing where the lane has too few networks."""
    if len(cells) < shots.count + 5:
        return []
    if not shots.count:
        return [(cells[:0], cells)]
    orders = [random.permutation(len(cells)) for _ in range(shots.repeats)]
    return [
        (np.sort(cells[order[: shots.count]]), np.sort(cells[order[shots.count :]]))
        for order in orders
    ]


def _told(model: LatencyModel, data: Data, known: Integers) -> LatencyModel:
    if not len(known):
        return model
    table = data.table.rows(data.network[known].tolist())
    timings = [
        Timing(
            lane=data.lanes.facts[data.lane[cell]].lane,
            network=table.networks[row],
            resolution=int(table.resolutions[row]),
            seconds=float(np.exp(data.log_seconds[cell])),
        )
        for row, cell in enumerate(known)
    ]
    facts = {data.lanes.facts[i].lane: data.lanes.facts[i] for i in np.unique(data.lane[known])}
    return model.with_facts(facts).with_measurements(timings, table)


def _add_simple(
    data: Data,
    lane: int,
    known: Integers,
    asked: Integers,
    into: dict[str, list[tuple[Integers, Floats]]],
) -> None:
    if len(known):
        into.setdefault(LINE, []).append((asked, _line(data, known, asked)))
    shape = _roofline_of(data, lane, asked)
    if shape is not None:
        reference = _roofline_of(data, lane, known) if len(known) else None
        factor = 1.0 if reference is None else scaled(reference, np.exp(data.log_seconds[known]))
        into.setdefault(ROOFLINE, []).append((asked, np.log(factor * shape)))


def _joined(
    data: Data,
    found: list[tuple[int, LeftOut]],
    simple: Mapping[str, list[tuple[Integers, Floats]]],
) -> SplitRun:
    left = LeftOut.joined([part for _, part in found])
    fold = np.concatenate([np.full(len(part.cell), number) for number, part in found])
    plain = {name: _plain(data, parts) for name, parts in simple.items()}
    return SplitRun(
        by_estimator={ESTIMATOR: calibrated(data, left, fold), **plain},
        left_out=left,
        fold=fold,
    )
