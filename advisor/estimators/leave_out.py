"""Leave-out: predict cells by an estimator that was fitted without them.

The splits differ in what goes with a cell: only the cell (``pair``), the network on every lane
of the device (``device_pair``), the architecture in every lane, its family, all lanes of the
device, or the lane alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.covariance import Variances
from advisor.estimators.fitting import Data, fit
from advisor.estimators.latency import LatencyModel

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
    """Evidence class of each."""

    @staticmethod
    def joined(parts: list["LeftOut"]) -> "LeftOut":
        """Put several together."""
        return LeftOut(
            cell=np.concatenate([p.cell for p in parts]),
            mean=np.concatenate([p.mean for p in parts]),
            spread=np.concatenate([p.spread for p in parts]),
            key=np.concatenate([p.key for p in parts]),
        )


Fitter = Callable[[Data], LatencyModel]


def fitter(variances: Variances) -> Fitter:
    """Return the function that fits the estimator to some data."""
    return lambda data: LatencyModel(fitted=fit(data, variances))


def leave_out(
    data: Data, fold: Integers, wanted: NDArray[np.bool_], make: Fitter
) -> Iterator[LeftOut]:
    """Fit without each fold and predict its wanted cells; yields one part per fold."""
    for number in np.unique(fold):
        held = fold == number
        asked = np.flatnonzero(held & wanted)
        if len(asked):
            yield predict_cells(make(data.take(np.flatnonzero(~held))), data, asked)


def predict_cells(model: LatencyModel, data: Data, asked: Integers) -> LeftOut:
    """Predict some cells lane by lane, as a user would be answered."""
    parts = []
    for lane in np.unique(data.lane[asked]):
        cells = asked[data.lane[asked] == lane]
        table = data.table.rows(data.network[cells].tolist())
        mean, variance = model.log_seconds(data.lanes.facts[lane].lane, table)
        evidence = model.evidence(data.lanes.facts[lane].lane, table)
        keys = np.array([one.key for one in evidence])
        parts.append(LeftOut(cell=cells, mean=mean, spread=np.sqrt(variance), key=keys))
    return LeftOut.joined(parts)
