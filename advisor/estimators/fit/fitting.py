"""Fitting: from the catalog's cells to the parameters of the latency estimator.

Needs SciPy, which comes with scikit-learn; predictions do not.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.catalog.measurements import Cell, Measurement, cells, read_all
from advisor.core.lane import Lane
from advisor.core.workload_table import WorkloadTable, read
from advisor.errors import ProfileError, UsageError
from advisor.estimators.calibration import Calibration
from advisor.estimators.columns import LEAST, amounts, features
from advisor.estimators.covariance import Points, Variances, basis, publication_weights
from advisor.estimators.fit.layer_fitting import Cells, deal, fit_layer_costs
from advisor.estimators.fitted import LONG_LANE, VERSION, Fitted, hash_of_inputs
from advisor.estimators.kinship import architectures_of, family_of, numbered, twins_of
from advisor.estimators.lane_relations import LaneFacts, LaneScale, LaneSet, facts_of
from advisor.estimators.layer_costs import Corrections
from advisor.estimators.memory import Peaks, needed_bytes
from advisor.estimators.unit_costs import (
    COMMON,
    UnitCosts,
    fit_each_lane,
    fit_unit_costs,
    shares,
)
from advisor.hardware.library import ProfileLibrary
from advisor.hardware.profile import DeviceProfile

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


COMMON_NETWORK = 12
"""Lanes that hold a network from which it counts as a common one."""


@dataclass(frozen=True, kw_only=True)
class Data:
    """The catalog's cells and everything that is known of their networks and lanes."""

    table: WorkloadTable
    architecture: Integers
    """What each row is left out with: itself, its relatives and all their resolutions."""
    twin: Integers
    """First row of the same work."""
    families: tuple[str, ...]
    """Family of each row, relatives merged."""
    log_work: Floats
    features: Floats
    lanes: LaneSet
    lane: Integers
    """Lane of each cell, ascending."""
    network: Integers
    """Row of ``table`` of each cell."""
    publication: Integers
    """Publication of each cell, as a position in ``publications``."""
    publications: tuple[str, ...]
    log_seconds: Floats
    """Log of the seconds of one pass; of one image in bulk lanes."""
    exact: NDArray[np.bool_]
    latency: NDArray[np.bool_]
    """False where only the throughput of a pipeline was published."""
    long_lanes: NDArray[np.bool_]
    """Which lanes are very long."""
    date: str
    inputs: str

    def __len__(self) -> int:
        return len(self.lane)

    @property
    def family_numbers(self) -> Integers:
        """Number of each network's family."""
        return numbered(self.families)

    @property
    def families_of_cells(self) -> NDArray[np.str_]:
        """Family of each cell's network."""
        return np.array(self.families)[self.network]

    @property
    def architecture_of_cells(self) -> Integers:
        """Architecture of each cell's network."""
        return self.architecture[self.network]

    def names(self) -> list[str]:
        """Name every cell: device, lane, network, resolution and publication."""
        networks, sides = self.table.networks, self.table.resolutions.tolist()
        lanes = [f"{one.lane.device}/{one.lane.name}" for one in self.lanes.facts]
        cells_ = zip(
            self.lane.tolist(), self.network.tolist(), self.publication.tolist(), strict=True
        )
        return [
            f"{lanes[lane]}/{networks[row]}@{sides[row]}/{self.publications[source]}"
            for lane, row, source in cells_
        ]

    @property
    def chips(self) -> NDArray[np.str_]:
        """Chip of each cell's lane, with its unit."""
        return self.lanes.keys["chip"][self.lane]

    def thinned(self, total: int) -> Integers:
        """Choose about ``total`` cells for a fit to all lanes: equally many of the longer lanes.

        Networks that many lanes hold come first, so that lanes stay comparable.
        """
        held = np.bincount(self.network, minlength=len(self.table))[self.network]
        chance = np.random.default_rng(0).random(len(self.table))[self.network]
        order = np.lexsort((chance, -np.minimum(held, COMMON_NETWORK), self.lane))
        _, first = np.unique(self.lane[order], return_index=True)
        rank = np.arange(len(order)) - np.repeat(first, np.diff([*first, len(order)]))
        most = int(np.searchsorted(np.cumsum(np.bincount(rank)), total, side="right"))
        chosen: Integers = np.sort(order[rank < max(most, 1)])
        return chosen

    def for_all_lanes(self, total: int) -> Integers:
        """Choose the cells of the fit to all lanes: about ``total``, and the networks they lack.

        Of each network that a runtime ran in none of the chosen cells one is added, whatever the
        lane, so that what a runtime makes of rare networks is known. Very long lanes add nothing.
        """
        chosen = self.thinned(total)
        pairs = self._runtimes * len(self.table) + self.network
        others = np.flatnonzero(~np.isin(pairs, pairs[chosen]) & ~self.long_lanes[self.lane])
        _, first = np.unique(pairs[others], return_index=True)
        return np.sort(np.concatenate([chosen, others[first]]))

    @property
    def _runtimes(self) -> Integers:
        """Number of each cell's runtime and kind of unit."""
        names = self.lanes.keys["runtime"]
        numbers: Integers = np.unique(names, return_inverse=True)[1]
        return numbers[self.lane]

    def of_long_lanes(self) -> Integers:
        """Choose the cells of very long lanes: of each network one, from the largest table."""
        mine = np.flatnonzero(self.long_lanes[self.lane])
        table = self.lane[mine] * len(self.publications) + self.publication[mine]
        _, position, size = np.unique(table, return_inverse=True, return_counts=True)
        order = np.lexsort((-size[position], self.network[mine], self.lane[mine]))
        pairs = self.lane[mine] * len(self.table) + self.network[mine]
        _, first = np.unique(pairs[order], return_index=True)
        chosen: Integers = np.sort(mine[order[first]])
        return chosen

    def take(self, cells_: Integers) -> "Data":
        """Return the data with some of the cells, in ascending order."""
        rows = np.sort(cells_)
        return replace(
            self,
            lane=self.lane[rows],
            network=self.network[rows],
            publication=self.publication[rows],
            log_seconds=self.log_seconds[rows],
            exact=self.exact[rows],
            latency=self.latency[rows],
        )


Key = tuple[Lane, str, int, str]
"""Lane, network, resolution and publication of a cell."""


def read_data(root: Path, profiles: ProfileLibrary) -> Data:
    """Read the catalog's workloads, cells and the facts of their lanes."""
    table = read(root)
    by_source: dict[str, list[Measurement]] = defaultdict(list)
    for device in read_all(root).values():
        for row in device:
            by_source[publication_of(row)].append(row)
    usable = {
        (*key, source): cell
        for source, rows in by_source.items()
        for key, cell in cells(rows).items()
        if key[1:] in table.index
    }
    return data_of(table, usable, _facts(usable, profiles), hash_of_inputs(root))


def publication_of(row: Measurement) -> str:
    """Name what the figures of a publication share besides the lane: source and protocol."""
    return " ".join(filter(None, (row.source, row.power_mode, row.transfers, row.statistic)))


def _facts(found: Mapping[Key, Cell], profiles: ProfileLibrary) -> dict[Lane, LaneFacts]:
    known: dict[str, DeviceProfile | None] = {}
    lanes = {key[0] for key in found}
    for lane in lanes:
        if lane.device not in known:
            known[lane.device] = _profile(profiles, lane.device)
    return {lane: facts_of(lane, known[lane.device]) for lane in lanes}


def _profile(profiles: ProfileLibrary, device: str) -> DeviceProfile | None:
    try:
        return profiles.load(device)
    except (ProfileError, UsageError):
        return None


def data_of(
    table: WorkloadTable,
    found: Mapping[Key, Cell],
    facts: Mapping[Lane, LaneFacts],
    inputs: str = "",
) -> Data:
    """Turn cells into arrays."""
    lanes = sorted(facts, key=lambda lane: (lane.device, lane.name))
    position = {lane: index for index, lane in enumerate(lanes)}
    keys = sorted(found, key=lambda key: (position[key[0]], table.index[key[1:3]], key[3]))
    publications = tuple(sorted({key[3] for key in keys}))
    number = {source: place for place, source in enumerate(publications)}
    chosen = [found[key] for key in keys]
    lane = np.array([position[key[0]] for key in keys], np.int64)
    work = amounts(table)
    resolutions, parameters = (x.astype(np.float64) for x in (table.resolutions, table.parameters))
    places = features(work, resolutions, parameters)
    return Data(
        table=table,
        architecture=architectures_of(table),
        twin=twins_of(table, places),
        families=tuple(family_of(name) for name in table.networks),
        log_work=np.log(np.maximum(work, LEAST)),
        features=places,
        lanes=LaneSet(facts=tuple(facts[lane] for lane in lanes)),
        lane=lane,
        network=np.array([table.index[key[1:3]] for key in keys], np.int64),
        publication=np.array([number[key[3]] for key in keys], np.int64),
        publications=publications,
        log_seconds=np.log([seconds_of(cell) for cell in chosen]),
        exact=np.array([cell.match == "exact" for cell in chosen], bool),
        latency=np.array([cell.latency is not None or cell.lane.is_bulk for cell in chosen], bool),
        long_lanes=np.bincount(lane, minlength=len(lanes)) > LONG_LANE,
        date=max((cell.newest for cell in chosen), default=""),
        inputs=inputs,
    )


def seconds_of(cell: Cell) -> float:
    """Return seconds of one pass, of one image in bulk lanes."""
    if cell.latency is not None:
        return cell.latency
    return cell.seconds_per_image * max(cell.lane.batch, 1)


def unit_costs_of(data: Data, near: UnitCosts | None = None) -> UnitCosts:
    """Fit the unit costs to all cells of ``data``, from costs of about the same cells if given."""
    work, scale = data.log_work[data.network], LaneScale.of(data.lanes)
    return fit_unit_costs(data.lanes, scale, data.lane, work, data.log_seconds, near=near)


def lane_costs_of(data: Data) -> UnitCosts:
    """Fit the unit costs of each lane to its own cells alone."""
    work, scale = data.log_work[data.network], LaneScale.of(data.lanes)
    return fit_each_lane(data.lanes, scale, data.lane, work, data.log_seconds)


@dataclass(frozen=True, kw_only=True)
class Means:
    """What every network would take in every lane before any deviation is learned."""

    costs: UnitCosts
    is_of_long: bool = False
    """Whether all lanes are very long."""
    corrections: Corrections | None = None

    def prior(self, lanes: LaneSet) -> Floats:
        """Return the costs around which deviations are learned: (lanes, columns).

        Those of all lanes of a kind; very long lanes tell their own so well that nothing of them
        is learned again.
        """
        return self.costs.of(lanes) if self.is_of_long else self.costs.of(lanes, COMMON)


def means_of(data: Data, near: Means | None = None) -> Means:
    """Fit the unit costs to all cells of ``data``, from those of about the same cells if given."""
    return Means(costs=unit_costs_of(data, near.costs if near else None))


def means_of_long(data: Data) -> Means:
    """Fit the unit costs of each of some very long lanes, and what their layers add.

    Each part of the families gets costs that were fitted without it.
    """
    costs = lane_costs_of(data)
    families = data.families_of_cells.tolist()
    part_of_family = deal(families)
    part = np.array([part_of_family[one] for one in families])
    lanes, lane = np.unique(data.lane, return_inverse=True)
    used, network = np.unique(data.network, return_inverse=True)
    timed = Cells(lane=lane, network=network, log_seconds=data.log_seconds, part=part)
    lane_costs = costs.of(data.lanes)[lanes]
    of_parts = [
        lane_costs_of(data.take(np.flatnonzero(part != number))).of(data.lanes)[lanes]
        for number in np.unique(part)
    ]
    layers = fit_layer_costs(data.table.rows(used.tolist()), lane_costs, of_parts, timed)
    corrections = Corrections(
        costs=layers,
        lanes=tuple(lanes.tolist()),
        known=layers.of(data.table, data.families, lane_costs, part_of_family),
        part_of_family=part_of_family,
    )
    return Means(costs=costs, is_of_long=True, corrections=corrections)


def assembled(
    data: Data, means: Means, variances: Variances, weights: Floats, noise: Floats
) -> Fitted:
    """Put together the estimator that knows the cells of ``data``; not yet calibrated."""
    costs = means.costs
    points, _ = linearised(data, means)
    left = np.bincount(data.lane, minlength=len(data.lanes)) > 0
    lanes = data.lanes.with_odd(np.where(left, data.lanes.odd, 0.0))
    return Fitted(
        version=f"{VERSION}-{data.inputs[:8]}",
        date=data.date,
        inputs=data.inputs,
        lanes=lanes,
        scale=costs.scale,
        costs=costs,
        variances=variances,
        calibration=Calibration(quantiles={}),
        networks=tuple(zip(data.table.networks, data.table.resolutions.tolist(), strict=True)),
        families=data.families,
        architecture=data.architecture,
        twin=data.twin,
        measured=np.bincount(data.network, minlength=len(data.table)) > 0,
        parameters=data.table.parameters,
        log_work=data.log_work,
        features=data.features,
        cell_lane=data.lane,
        cell_network=data.network,
        cell_publication=data.publication,
        publications=data.publications,
        cell_weight=weights,
        cell_noise=noise,
        lane_costs=costs.of(data.lanes),
        lane_weights=_by_lane(points, weights, len(data.lanes)),
        lane_networks=networks_of_lanes(data),
        long_lanes=data.long_lanes,
        is_of_long=means.is_of_long,
        corrections=means.corrections,
    )


def networks_of_lanes(data: Data) -> Integers:
    """Return how many architectures are measured in each lane."""
    pairs = np.unique(np.stack([data.lane, data.architecture_of_cells]), axis=1)
    counts: Integers = np.bincount(pairs[0], minlength=len(data.lanes))
    return counts


def _by_lane(points: Points, weights: Floats, lanes: int) -> dict[str, Floats]:
    """Sum weight times basis over the cells of each lane, by level."""
    present, first = np.unique(points.lane, return_index=True)
    found = {}
    for level, parts in basis(points).items():
        found[level] = np.zeros((lanes, parts.shape[1]))
        found[level][present] = np.add.reduceat(parts * weights[:, None], first, axis=0)
    return found


def linearised(data: Data, means: Means) -> tuple[Points, Floats]:
    """Return the cells as points, and how far their times are from the prior's mean."""
    costs, common = means.costs.of(data.lanes), means.prior(data.lanes)
    share, predicted = shares(costs[data.lane], data.log_work[data.network])
    expected = predicted - (share * (costs - common)[data.lane]).sum(axis=1)
    if means.corrections is not None:
        expected += means.corrections.at(data.network, data.lane)
    points = Points(
        lane=data.lane,
        share=share,
        features=data.features[data.network],
        family=data.family_numbers[data.network],
        publication=publication_weights(data.publication, len(data.publications)),
    )
    return points, data.log_seconds - expected


def read_peaks(root: Path, data: Data) -> Peaks:
    """Read the published peaks of memory of networks whose workload is known."""
    rows = [
        row
        for device in read_all(root).values()
        for row in device
        if row.usable and row.memory and (row.network, row.resolution) in data.table.index
        if "memory-is-total-ram" not in row.caveats
    ]
    table = data.table
    where = [table.index[row.network, row.resolution or 0] for row in rows]
    needed = [
        float(needed_bytes(row.lane, table.rows([place]))[0])
        for row, place in zip(rows, where, strict=True)
    ]
    return Peaks(
        key=np.array([f"{row.lane.runtime}/{row.lane.unit}" for row in rows]),
        needed=np.array(needed),
        seen=np.array([row.memory for row in rows], np.float64),
        architecture=data.architecture[np.array(where, np.int64)],
    )
