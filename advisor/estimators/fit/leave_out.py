"""Leave-out: predict cells by an estimator that was fitted without them.

The splits differ in what goes with a cell: only the architecture in that lane (``pair``), the
architecture in every lane, its family, the lane, or all lanes of the chip, on every device.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.fit.fitting import Data, means_of
from advisor.estimators.fit.solving import Solved, fit
from advisor.estimators.fit.tuning import oddness
from advisor.estimators.latency import LatencyModel, Timing

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]
Texts = NDArray[np.str_]


class Split(StrEnum):
    """What is left out together."""

    PAIR = "pair"
    """The architecture in the lane: it stays known in every other lane."""
    ARCHITECTURE = "architecture"
    """The network, its relatives and all its resolutions, in every lane."""
    FAMILY = "family"
    """All networks of the family, in every lane."""
    LANE = "lane"
    """The lane; the device's other lanes stay known."""
    CHIP = "chip"
    """All lanes of the chip, whatever device it is in."""


def groups_of(data: Data, split: Split) -> Texts:
    """Return the name of the group that each cell is left out with."""
    architecture = data.architecture_of_cells.astype(np.str_)
    match split:
        case Split.PAIR:
            return np.char.add(np.char.add(data.lane.astype(np.str_), "/"), architecture)
        case Split.ARCHITECTURE:
            return architecture
        case Split.FAMILY:
            return data.families_of_cells
        case Split.LANE:
            return data.lane.astype(np.str_)
        case Split.CHIP:
            return data.chips


def folds_of(data: Data, split: Split, count: int, seed: int = 0) -> Integers:
    """Deal the groups into folds of about equal size: the fold of each cell.

    Large groups are dealt first, in turn, so that no fold holds most of a small lane.
    """
    group = np.unique(groups_of(data, split), return_inverse=True)[1]
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
    key: Texts
    """Evidence class of each, whatever the unit."""

    def classes(self, data: Data) -> Texts:
        """Return the class of each under which it is calibrated."""
        units = [data.lanes.facts[lane].lane.unit for lane in data.lane[self.cell]]
        pairs = zip(self.key.tolist(), units, strict=True)
        return np.array([f"{name}/{unit}" for name, unit in pairs], np.str_)

    def take(self, mask: Mask) -> "LeftOut":
        """Return some of the cells."""
        return LeftOut(
            cell=self.cell[mask],
            mean=self.mean[mask],
            spread=self.spread[mask],
            key=self.key[mask],
        )

    @staticmethod
    def joined(parts: Sequence["LeftOut"]) -> "LeftOut":
        """Put several together."""
        return LeftOut(
            cell=np.concatenate([p.cell for p in parts]),
            mean=np.concatenate([p.mean for p in parts]),
            spread=np.concatenate([p.spread for p in parts]),
            key=np.concatenate([p.key for p in parts]),
        )


def leave_out(solved: Solved, fold: Integers, wanted: Mask) -> LeftOut:
    """Predict the wanted cells of each fold by the estimator without the fold's cells.

    The means stay: a cell moves them by a second-order effect. Those of very long lanes have not
    seen the network's family.
    """
    parts = []
    for number in np.unique(fold[wanted]).tolist():
        out = np.flatnonzero(fold == number)
        model = LatencyModel(fitted=solved.without(out))
        parts.append(predict_cells(model, solved.data, np.flatnonzero((fold == number) & wanted)))
    return LeftOut.joined(parts)


@dataclass(frozen=True, kw_only=True)
class Around:
    """What fits without some chips set out from."""

    solved: Solved
    """The fit to all cells: near its means are the others, its gross errors are known."""

    @property
    def data(self) -> Data:
        """All cells."""
        return self.solved.data

    def without(self, out: Mask) -> LatencyModel:
        """Fit means, odd lanes and weights without some cells."""
        variances, kept = self.solved.variances, np.flatnonzero(~out)
        rest = self.data.take(kept)
        means = means_of(rest, self.solved.means)
        lanes = rest.lanes.with_odd(oddness(rest, means, variances))
        part = replace(rest, lanes=lanes)
        return LatencyModel(fitted=fit(part, means, variances, self.solved.noise[kept]))


def leave_out_chips(
    around: Around, fold: Integers, wanted: Mask, shots: Sequence["Shots"]
) -> "dict[Shots, LeftOut]":
    """Predict lanes of unseen chips from a few timings of the lane, by number of timings."""
    data = around.data
    parts: dict[Shots, list[LeftOut]] = {}
    for number in np.unique(fold[wanted]).tolist():
        model = around.without(fold == number)
        for one in draws(data, np.flatnonzero((fold == number) & wanted), shots):
            told = _told(model, data, one)
            parts.setdefault(one.shots, []).append(predict_cells(told, data, one.asked))
    return {one: LeftOut.joined(found) for one, found in parts.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shots:
    """How lanes of unseen chips are probed."""

    count: int
    """Networks of the lane that are given as the user's own timings."""
    wrong: float = 1.0
    """Factor by which the first of them is wrong."""

    @property
    def name(self) -> str:
        """Spelling for tables."""
        return f"{self.count} shots" + (f", one x{self.wrong:g}" if self.wrong != 1 else "")


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One lane with the timings that are told and those that are asked."""

    shots: Shots
    known: Integers
    asked: Integers


def draws(data: Data, cells: Integers, shots: Sequence[Shots]) -> Iterator[Draw]:
    """Draw timings at random, lane by lane; nothing where a lane has too few networks.

    What is drawn depends on the lane's name and its networks alone, so that other lanes may come
    and go. The same networks are drawn with and without an error in the first of them.
    """
    for lane in np.unique(data.lane[cells]):
        mine = cells[data.lane[cells] == lane]
        known = data.lanes.facts[lane].lane
        random = np.random.default_rng(zlib.crc32(f"{known.device} {known.name}".encode()))
        orders = [random.permutation(len(mine)) for _ in range(DRAWS)]
        for one in shots:
            if len(mine) < one.count + SPARE * (one.count > 0):
                continue
            for order in orders[: DRAWS if one.count else 1]:
                told, asked = np.split(mine[order], [one.count])
                yield Draw(shots=one, known=told, asked=np.sort(asked))


DRAWS = 3
"""Times that a lane's timings are drawn: a single draw moves its error by a third."""
SPARE = 3
"""Networks that have to be left to ask for."""


def _told(model: LatencyModel, data: Data, draw: Draw) -> LatencyModel:
    """Return the model that was told the timings of some cells."""
    known = draw.known
    if not len(known):
        return model
    table = data.table.rows(data.network[known].tolist())
    facts = {data.lanes.facts[i].lane: data.lanes.facts[i] for i in np.unique(data.lane[known])}
    wrong = [draw.shots.wrong] + [1.0] * (len(known) - 1)
    timings = [
        Timing(
            lane=data.lanes.facts[data.lane[cell]].lane,
            network=table.networks[row],
            resolution=int(table.resolutions[row]),
            seconds=wrong[row] * float(np.exp(data.log_seconds[cell])),
        )
        for row, cell in enumerate(known)
    ]
    return model.with_facts(facts).with_measurements(timings, table)


def predict_cells(model: LatencyModel, data: Data, asked: Integers) -> LeftOut:
    """Predict some cells lane by lane, as a user would be answered."""
    parts = []
    for lane in np.unique(data.lane[asked]):
        cells = asked[data.lane[asked] == lane]
        table = data.table.rows(data.network[cells].tolist())
        mean, variance = model.log_seconds(data.lanes.facts[lane].lane, table)
        evidence = model.evidence(data.lanes.facts[lane].lane, table)
        keys = np.array([one.name for one in evidence], np.str_)
        parts.append(LeftOut(cell=cells, mean=mean, spread=np.sqrt(variance), key=keys))
    return LeftOut.joined(parts)
