"""Fitting: from the catalog's cells to the parameters of the latency estimator.

Needs SciPy, which comes with scikit-learn; predictions do not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.catalog.measurements import Cell, cells, read_all
from advisor.core.lane import Lane
from advisor.core.workload_table import WorkloadTable, read
from advisor.errors import ProfileError, UsageError
from advisor.estimators.calibration import Calibration
from advisor.estimators.columns import LEAST, amounts, features
from advisor.estimators.covariance import Points, Variances, basis, covariance
from advisor.estimators.fit.layer_fitting import Cells, deal, fit_layer_costs
from advisor.estimators.fitted import LONG_LANE, VERSION, Fitted, hash_of_inputs
from advisor.estimators.kinship import architectures_of, family_of, numbered
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


@dataclass(frozen=True, kw_only=True)
class Data:
    """The catalog's cells and everything that is known of their networks and lanes."""

    table: WorkloadTable
    architecture: Integers
    families: tuple[str, ...]
    log_work: Floats
    features: Floats
    lanes: LaneSet
    lane: Integers
    """Lane of each cell, ascending."""
    network: Integers
    """Row of ``table`` of each cell."""
    log_seconds: Floats
    """Log of the seconds of one pass; of one image in bulk lanes."""
    exact: NDArray[np.bool_]
    latency: NDArray[np.bool_]
    """False where only the throughput of a pipeline was published."""
    date: str
    inputs: str

    def __len__(self) -> int:
        return len(self.lane)

    @property
    def long_lanes(self) -> NDArray[np.bool_]:
        """Which lanes are very long."""
        long: NDArray[np.bool_] = np.bincount(self.lane, minlength=len(self.lanes)) > LONG_LANE
        return long

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
        """Name every cell: device, lane, network and resolution."""
        networks, sides = self.table.networks, self.table.resolutions.tolist()
        lanes = [f"{one.lane.device}/{one.lane.name}" for one in self.lanes.facts]
        pairs = zip(self.lane.tolist(), self.network.tolist(), strict=True)
        return [f"{lanes[lane]}/{networks[row]}@{sides[row]}" for lane, row in pairs]

    def take(self, cells_: Integers) -> "Data":
        """Return the data with some of the cells, in ascending order."""
        rows = np.sort(cells_)
        return replace(
            self,
            lane=self.lane[rows],
            network=self.network[rows],
            log_seconds=self.log_seconds[rows],
            exact=self.exact[rows],
            latency=self.latency[rows],
        )


def read_data(root: Path, profiles: ProfileLibrary) -> Data:
    """Read the catalog's workloads, cells and the facts of their lanes."""
    table = read(root)
    found = cells([row for rows in read_all(root).values() for row in rows])
    usable = {key: cell for key, cell in found.items() if key[1:] in table.index}
    return data_of(table, usable, _facts(usable, profiles), hash_of_inputs(root))


def _facts(
    found: Mapping[tuple[Lane, str, int], Cell], profiles: ProfileLibrary
) -> dict[Lane, LaneFacts]:
    known: dict[str, DeviceProfile | None] = {}
    for lane, _, _ in found:
        if lane.device not in known:
            known[lane.device] = _profile(profiles, lane.device)
    return {lane: facts_of(lane, known[lane.device]) for lane, _, _ in found}


def _profile(profiles: ProfileLibrary, device: str) -> DeviceProfile | None:
    try:
        return profiles.load(device)
    except (ProfileError, UsageError):
        return None


def data_of(
    table: WorkloadTable,
    found: Mapping[tuple[Lane, str, int], Cell],
    facts: Mapping[Lane, LaneFacts],
    inputs: str = "",
) -> Data:
    """Turn cells into arrays."""
    lanes = sorted(facts, key=lambda lane: (lane.device, lane.name))
    position = {lane: index for index, lane in enumerate(lanes)}
    keys = sorted(found, key=lambda key: (position[key[0]], table.index[key[1:]]))
    chosen = [found[key] for key in keys]
    work = amounts(table)
    resolutions, parameters = (x.astype(np.float64) for x in (table.resolutions, table.parameters))
    return Data(
        table=table,
        architecture=architectures_of(table),
        families=tuple(family_of(name) for name in table.networks),
        log_work=np.log(np.maximum(work, LEAST)),
        features=features(work, resolutions, parameters),
        lanes=LaneSet(facts=tuple(facts[lane] for lane in lanes)),
        lane=np.array([position[key[0]] for key in keys], np.int64),
        network=np.array([table.index[key[1:]] for key in keys], np.int64),
        log_seconds=np.log([seconds_of(cell) for cell in chosen]),
        exact=np.array([cell.match == "exact" for cell in chosen], bool),
        latency=np.array([cell.latency is not None or cell.lane.is_bulk for cell in chosen], bool),
        date=max((cell.newest for cell in chosen), default=""),
        inputs=inputs,
    )


def seconds_of(cell: Cell) -> float:
    """Return seconds of one pass, of one image in bulk lanes."""
    if cell.latency is not None:
        return cell.latency
    return cell.seconds_per_image * max(cell.lane.batch, 1)


def unit_costs_of(data: Data, *, alone: bool = False) -> UnitCosts:
    """Fit the unit costs to all cells of ``data``, or of each lane to its own ``alone``."""
    fitter = fit_each_lane if alone else fit_unit_costs
    work = data.log_work[data.network]
    return fitter(data.lanes, LaneScale.of(data.lanes), data.lane, work, data.log_seconds)


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


EAGER = frozenset({"pytorch", "pytorch-channels-last"})
"""Runtimes that run one layer after the other, so that layers have a cost of their own; compilers
fuse across layers."""


def means_of(data: Data) -> Means:
    """Fit the unit costs to all cells of ``data``, and layer by layer where it is long lanes."""
    long = data.long_lanes
    if not long[data.lane].all():
        return Means(costs=unit_costs_of(data))
    means = Means(costs=unit_costs_of(data, alone=True), is_of_long=True)
    eager = np.array([one.lane.runtime in EAGER for one in data.lanes.facts])
    lanes = np.flatnonzero(long & eager)
    return _by_layer(data, means, lanes) if len(lanes) else means


def _by_layer(data: Data, means: Means, lanes: Integers) -> Means:
    """Add what the layers of some lanes tell."""
    part = data.take(np.flatnonzero(np.isin(data.lane, lanes)))
    lane_costs = means.costs.of(data.lanes)[lanes]
    families = part.families_of_cells.tolist()
    part_of_family = deal(families)
    used, network = np.unique(part.network, return_inverse=True)
    timed = Cells(
        lane=np.searchsorted(lanes, part.lane),
        network=network,
        log_seconds=part.log_seconds,
        part=np.array([part_of_family[one] for one in families]),
    )
    costs = fit_layer_costs(data.table.rows(used.tolist()), lane_costs, timed)
    corrections = Corrections(
        costs=costs,
        lanes=tuple(lanes.tolist()),
        known=costs.of(data.table, data.families, lane_costs, part_of_family),
        part_of_family=part_of_family,
    )
    return replace(means, corrections=corrections)


def fit(data: Data, means: Means, variances: Variances) -> Fitted:
    """Fit the deviations from the means to all cells of ``data``; not yet calibrated."""
    costs = means.costs
    scale = costs.scale
    lane_costs = costs.of(data.lanes)
    points, surprise = linearised(data, means)
    matrices = variances.lane_matrices(data.lanes, data.lanes, scale)
    noise = variances.noise(data.exact)
    weights = _weights(points, matrices, noise, surprise)
    return Fitted(
        version=f"{VERSION}-{data.inputs[:8]}",
        date=data.date,
        inputs=data.inputs,
        lanes=data.lanes,
        scale=scale,
        costs=costs,
        variances=variances,
        calibration=Calibration(quantiles={}),
        networks=tuple(zip(data.table.networks, data.table.resolutions.tolist(), strict=True)),
        families=data.families,
        architecture=data.architecture,
        parameters=data.table.parameters,
        log_work=data.log_work,
        features=data.features,
        cell_lane=data.lane,
        cell_network=data.network,
        cell_weight=weights,
        cell_noise=noise,
        lane_costs=lane_costs,
        lane_weights=_by_lane(points, weights, len(data.lanes)),
        is_of_long=means.is_of_long,
        corrections=means.corrections,
    )


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
    )
    return points, data.log_seconds - expected


def _weights(
    points: Points,
    matrices: Mapping[str, NDArray[np.float32]],
    noise: Floats,
    surprise: Floats,
) -> Floats:
    from scipy.linalg import cho_factor, cho_solve

    prior = covariance(points, points, matrices).astype(np.float64)
    prior[np.diag_indices_from(prior)] += noise
    factor = cho_factor(prior, lower=True, overwrite_a=True, check_finite=False)
    weights: Floats = cho_solve(factor, surprise, check_finite=False)
    return weights


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
