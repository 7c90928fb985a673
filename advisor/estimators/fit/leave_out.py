"""Leave-out: predict cells by an estimator that was fitted without them.

The splits differ in what goes with a cell: only the cell (``pair``), the network on every lane
of the device (``device_pair``), the architecture in every lane, its family, all lanes of the
device, or the lane alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.covariance import Variances
from advisor.estimators.evidence_class import class_key
from advisor.estimators.fit.fitting import Data, Means, fit, means_of
from advisor.estimators.fit.starting_variances import STARTING, STARTING_LONG
from advisor.estimators.fit.tuning import tune
from advisor.estimators.latency import LatencyModel, Timing

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Split(StrEnum):
    """What is left out together."""

    PAIR = "pair"
    """The cell alone: the network stays known in every other lane."""
    DEVICE_PAIR = "device-pair"
    """The network in all lanes of the device."""
    ARCHITECTURE = "architecture"
    """The network, its twins and all its resolutions, in every lane."""
    FAMILY = "family"
    """All networks of the family, in every lane."""
    LANE = "lane"
    """The lane; the device's other lanes stay known."""
    DEVICE = "device"
    """All lanes of the device."""


def groups_of(data: Data, split: Split) -> Integers:
    """Return the number of the group that each cell is left out with."""
    devices = np.array([one.lane.device for one in data.lanes.facts])[data.lane]
    architecture = data.architecture_of_cells
    match split:
        case Split.PAIR:
            keys = np.char.add(_text(data.lane), np.char.add("/", _text(architecture)))
        case Split.DEVICE_PAIR:
            keys = np.char.add(np.char.add(devices, "/"), _text(architecture))
        case Split.ARCHITECTURE:
            keys = _text(architecture)
        case Split.FAMILY:
            keys = data.families_of_cells
        case Split.LANE:
            keys = _text(data.lane)
        case Split.DEVICE:
            keys = devices
    return np.unique(keys, return_inverse=True)[1].astype(np.int64)


def _text(values: Integers) -> NDArray[np.str_]:
    return values.astype(np.str_)


def folds_of(data: Data, split: Split, count: int, seed: int = 0) -> Integers:
    """Deal the groups into folds of about equal size: the fold of each cell.

    Large groups are dealt first, in turn, so that no fold holds most of a small lane.
    """
    group = groups_of(data, split)
    sizes = np.bincount(group)
    shuffled = np.random.default_rng(seed).permutation(len(sizes))
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    fold = np.empty(len(sizes), np.int64)
    fold[order] = np.arange(len(sizes)) % count
    dealt: Integers = fold[group]
    return dealt


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Cells that were predicted by an estimator that did not know them."""

    cell: Integers
    """Index into the data."""
    mean: Floats
    """Log seconds."""
    spread: Floats
    """Standard deviation of the log seconds, before calibration."""
    key: NDArray[np.str_]
    """Evidence class of each, whatever the unit."""
    fold: Integers
    """Fold in which each was left out."""

    def classes(self, data: Data) -> NDArray[np.str_]:
        """Return the class of each under which it is calibrated."""
        facts = [data.lanes.facts[lane] for lane in data.lane[self.cell]]
        return np.array(
            [
                class_key(name, one.lane.unit, peaked=not np.isnan(one.peak))
                for name, one in zip(self.key.tolist(), facts, strict=True)
            ]
        )

    @staticmethod
    def joined(parts: Sequence["LeftOut"]) -> "LeftOut":
        """Put several together."""
        return LeftOut(
            cell=np.concatenate([p.cell for p in parts]),
            mean=np.concatenate([p.mean for p in parts]),
            spread=np.concatenate([p.spread for p in parts]),
            key=np.concatenate([p.key for p in parts]),
            fold=np.concatenate([p.fold for p in parts]),
        )


Fitter = Callable[[Data, Variances], LatencyModel]
Tuner = Callable[[Data], Variances]


def fitted_on(data: Data, variances: Variances) -> LatencyModel:
    """Fit the estimator to some data."""
    return LatencyModel(fitted=fit(data, means_of(data), variances))


def tuned_on(data: Data) -> Variances:
    """Tune the variances on some data."""
    means = means_of(data)
    return tune(data, means, starting(means))


def starting(means: Means) -> Variances:
    """Return the variances from which the tuning sets out."""
    return STARTING_LONG if means.is_of_long else STARTING


@dataclass(frozen=True, kw_only=True)
class Leaving:
    """How folds are fitted: the steps are replaceable for tests."""

    fit: Fitter = fitted_on
    tune: Tuner = tuned_on

    def models(self, data: Data, fold: Integers) -> Iterator[tuple[int, LatencyModel]]:
        """Yield each fold's number and an estimator that knows nothing of it.

        Variances are tuned twice, on even and on odd folds, and used for the others, so that the
        tuning has not seen a fold's cells either.
        """
        variances: dict[int, Variances] = {}
        for number in np.unique(fold).tolist():
            parity = number % 2
            if parity not in variances:
                variances[parity] = self.tune(data.take(np.flatnonzero(fold % 2 != parity)))
            yield number, self.fit(data.take(np.flatnonzero(fold != number)), variances[parity])


def leave_out(
    data: Data, fold: Integers, wanted: NDArray[np.bool_], leaving: Leaving | None = None
) -> LeftOut:
    """Predict the wanted cells of each fold by an estimator fitted to the other folds."""
    parts = []
    for number, model in (leaving or Leaving()).models(data, fold):
        asked = np.flatnonzero((fold == number) & wanted)
        if len(asked):
            parts.append(predict_cells(model, data, asked, number))
    return LeftOut.joined(parts)


def leave_out_devices(
    data: Data,
    fold: Integers,
    wanted: NDArray[np.bool_],
    shots: Sequence["Shots"],
    leaving: Leaving | None = None,
) -> dict[int, LeftOut]:
    """Predict lanes of unseen devices from a few timings of the lane, by number of timings."""
    parts: dict[int, list[LeftOut]] = {}
    for number, model in (leaving or Leaving()).models(data, fold):
        for one in draws(data, np.flatnonzero((fold == number) & wanted), shots):
            told = _told(model, data, one.known)
            parts.setdefault(one.count, []).append(predict_cells(told, data, one.asked, number))
    return {count: LeftOut.joined(found) for count, found in parts.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shots:
    """How lanes of unseen devices are probed."""

    count: int
    """Networks of the lane that are given as the user's own timings."""
    repeats: int = 1
    """Random draws of them."""


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One lane with the timings that are told and those that are asked."""

    count: int
    known: Integers
    asked: Integers


def draws(data: Data, cells: Integers, shots: Sequence[Shots], seed: int = 0) -> Iterator[Draw]:
    """Draw timings at random, lane by lane; nothing where a lane has too few networks."""
    for lane in np.unique(data.lane[cells]):
        mine = cells[data.lane[cells] == lane]
        random = np.random.default_rng([seed, int(lane)])
        for one in shots:
            for _ in range(one.repeats if len(mine) >= one.count + SPARE else 0):
                order = random.permutation(len(mine))
                known, asked = (np.sort(mine[o]) for o in np.split(order, [one.count]))
                yield Draw(count=one.count, known=known, asked=asked)


SPARE = 5
"""Networks that have to be left to ask for."""


def _told(model: LatencyModel, data: Data, known: Integers) -> LatencyModel:
    """Return the model that was told the timings of some cells."""
    table = data.table.rows(data.network[known].tolist())
    facts = {data.lanes.facts[i].lane: data.lanes.facts[i] for i in np.unique(data.lane[known])}
    timings = [
        Timing(
            lane=data.lanes.facts[data.lane[cell]].lane,
            network=table.networks[row],
            resolution=int(table.resolutions[row]),
            seconds=float(np.exp(data.log_seconds[cell])),
        )
        for row, cell in enumerate(known)
    ]
    return model.with_facts(facts).with_measurements(timings, table) if timings else model


def predict_cells(model: LatencyModel, data: Data, asked: Integers, fold: int = 0) -> LeftOut:
    """Predict some cells lane by lane, as a user would be answered."""
    parts = []
    for lane in np.unique(data.lane[asked]):
        cells = asked[data.lane[asked] == lane]
        table = data.table.rows(data.network[cells].tolist())
        mean, variance = model.log_seconds(data.lanes.facts[lane].lane, table)
        evidence = model.evidence(data.lanes.facts[lane].lane, table)
        keys = np.array([one.name for one in evidence])
        number = np.full(len(cells), fold, np.int64)
        parts.append(
            LeftOut(cell=cells, mean=mean, spread=np.sqrt(variance), key=keys, fold=number)
        )
    return LeftOut.joined(parts)
