"""Running: what the estimator and the simple ones say of cells that were left out."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.baselines import line_in_macs, roofline, scaled
from advisor.estimators.calibration import Calibration, Scores
from advisor.estimators.fit.fitting import Data
from advisor.estimators.fit.leave_out import LeftOut, Split, draws, groups_of
from advisor.estimators.fit.runs import (
    CELLS,
    SHOTS,
    RunResult,
    group_of_class,
    is_of_long,
    split_name,
)
from advisor.estimators.validation.measures import Predicted

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ESTIMATOR, LINE, ROOFLINE = "estimator", "line in log MACs", "roofline"
LEVEL = 0.9
"""Level of the intervals whose coverage is measured."""
CALIBRATING = 10
"""Parts of the groups whose intervals are calibrated without them."""
PARTS = 4
"""Parts of a lane that the simple estimators predict from the others."""


def calibrated(data: Data, left: LeftOut, level: float = LEVEL) -> Predicted:
    """Give groups that had no part in the tuning intervals calibrated on other such groups.

    They are dealt into parts; each part's factors come from the groups of all other parts.
    """
    _, number = np.unique(group_of_class(data, left), return_inverse=True)
    parts = []
    for part in range(CALIBRATING):
        here = number % CALIBRATING == part
        if here.any():
            parts.append(_bounded(data, left.take(here), left.take(~here), level))
    return Predicted.joined(parts)


def _bounded(data: Data, asked: LeftOut, others: LeftOut, level: float) -> Predicted:
    """Give cells intervals that are calibrated on others."""
    scores = np.abs(data.log_seconds[others.cell] - others.mean) / others.spread
    groups = group_of_class(data, others)
    calibration = Calibration.of(Scores.by_class(others.classes(data), scores, groups))
    classes = asked.classes(data)
    factor = {key: calibration.quantile_of(key, level) for key in set(classes.tolist())}
    return _predicted(data, asked, np.array([factor[key] for key in classes]) * asked.spread)


def _predicted(data: Data, left: LeftOut, reach: Floats) -> Predicted:
    return Predicted(
        cell=left.cell,
        lane=data.lane[left.cell],
        group=group_of_class(data, left),
        chip=data.chips[left.cell],
        truth=data.log_seconds[left.cell],
        mean=left.mean,
        low=left.mean - reach,
        high=left.mean + reach,
    )


def bounded(
    data: Data, found: Mapping[str, RunResult], level: float = LEVEL
) -> dict[str, Predicted]:
    """Return the estimator's predictions with intervals, by split.

    Groups of the half that tuned what ships are those of the crossed run. Both halves calibrate one
    another, as all groups calibrate what ships; a split's very long lanes are calibrated apart.
    """
    judged: dict[tuple[str, bool], list[LeftOut]] = {}
    for name, one in found.items():
        left = one.left.take(~one.own)
        if len(left.cell):
            judged.setdefault((split_name(name), is_of_long(name)), []).append(left)
    parts: dict[str, list[Predicted]] = {}
    for (split, _), pieces in judged.items():
        parts.setdefault(split, []).append(calibrated(data, LeftOut.joined(pieces), level))
    return {name: Predicted.joined(pieces) for name, pieces in parts.items()}


def predictions(data: Data, found: Mapping[str, RunResult]) -> dict[str, dict[str, Predicted]]:
    """Return all predictions by split and estimator."""
    by_name = {}
    for name, own in bounded(data, found).items():
        by_name[name] = {ESTIMATOR: own}
        for estimator, pieces in _simple(data, name, own).items():
            by_name[name][estimator] = Predicted.joined(pieces)
    return by_name


def _simple(data: Data, name: str, own: Predicted) -> dict[str, list[Predicted]]:
    """Return what the simple estimators say of the same cells, by estimator."""
    split, _, shots = name.partition(", ")
    found: dict[str, list[Predicted]] = {}
    if split == Split.CHIP:
        asked = _asked_of_chips(data, own, shots)
    else:
        asked = _asked_of_lanes(data, own, Split(split))
    for known, cells in asked:
        for estimator, mean in _simple_means(data, known, cells):
            left = LeftOut(cell=cells, mean=mean, spread=np.full(len(cells), np.nan), key=_NO_KEYS)
            found.setdefault(estimator, []).append(_without_interval(data, left))
    return found


_NO_KEYS = np.zeros(0, np.str_)


def _without_interval(data: Data, left: LeftOut) -> Predicted:
    return Predicted(
        cell=left.cell,
        lane=data.lane[left.cell],
        group=data.chips[left.cell],
        chip=data.chips[left.cell],
        truth=data.log_seconds[left.cell],
        mean=left.mean,
        low=left.spread,
        high=left.spread,
    )


def _asked_of_lanes(
    data: Data, own: Predicted, split: Split
) -> Iterator[tuple[Integers, Integers]]:
    """Yield (known, asked) cells of each lane: some of its groups from the others."""
    groups = groups_of(data, split)
    for lane in np.unique(own.lane):
        mine = np.flatnonzero(data.lane == lane)
        _, number = np.unique(groups[mine], return_inverse=True)
        asked = np.isin(mine, own.cell[own.lane == lane])
        for part in range(PARTS if split is not Split.LANE else 1):
            here = number % PARTS == part if split is not Split.LANE else np.ones(len(mine), bool)
            if (asked & here).any():
                yield mine[~here], mine[asked & here]


def _asked_of_chips(data: Data, own: Predicted, shots: str) -> Iterator[tuple[Integers, Integers]]:
    """Yield (told, asked) cells of each lane, as they were drawn."""
    cells = data.for_all_lanes(CELLS)
    part = data.take(cells)
    wanted = np.flatnonzero(part.latency & np.isin(part.lane, np.unique(own.lane)))
    chosen = [one for one in SHOTS if one.name == shots]
    for one in draws(part, wanted, chosen):
        yield cells[one.known], cells[one.asked]


def _simple_means(data: Data, known: Integers, asked: Integers) -> Iterator[tuple[str, Floats]]:
    """Yield (estimator, log seconds) of cells of one lane from the known cells of that lane."""
    seconds = np.exp(data.log_seconds[known])
    macs = data.table.macs[data.network]
    if len(known):
        yield LINE, np.log(line_in_macs(macs[known], seconds).predict(macs[asked]))
    shape = _roofline(data, asked)
    if shape is not None:
        reference = _roofline(data, known) if len(known) else None
        factor = 1.0 if reference is None else scaled(reference, seconds)
        yield ROOFLINE, np.log(factor * shape)


def _roofline(data: Data, cells: Integers) -> Floats | None:
    facts = data.lanes.facts[data.lane[cells[0]]]
    return roofline(facts, data.table.rows(data.network[cells].tolist()))
