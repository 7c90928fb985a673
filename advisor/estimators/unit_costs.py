"""Unit costs: what each kind of work costs in a lane, shared across lanes by shrinkage.

The logarithm of the seconds per unit of work is a sum over the groups a lane belongs to (all
lanes, its unit, runtime, device, …), each with a part for all columns, one per kind of work and
one per column. Groups with little evidence keep near zero and so inherit from the wider ones.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from advisor.core.frozen_record import Record
from advisor.estimators.columns import COLUMNS, EXTRA, KIND_OF, KINDS, WorkKind
from advisor.estimators.lane_relations import LaneScale, LaneSet

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]

SPREADS: dict[str, tuple[float, float, float]] = {
    "all": (5.0, 1.0, 1.0),
    "unit": (3.0, 0.7, 0.7),
    "runtime": (0.5, 0.3, 0.3),
    "runtime_precision": (0.5, 0.3, 0.3),
    "design": (0.5, 0.3, 0.1),
    "device": (1.5, 0.35, 0.15),
    "device_precision": (0.3, 0.2, 0.05),
    "runtime_variant": (0.4, 0.15, 0.05),
    "lane": (0.3, 0.12, 0.06),
}
"""Prior standard deviation of a group's parts: common, per kind of work, per column."""
ALONE = (5.0, 1.5, 2.2)
"""… of a lane that tells its own costs."""
COMMON = ("all", "unit")
"""Groups whose parts are the mean of the prior that ``covariance`` spreads around."""
_PARTS = 1 + len(KINDS) + len(COLUMNS)
_PER_MAC = np.log(4e-9)
"""Log of seconds times FLOP/s for one MAC before anything is fitted: half the peak."""
_START = {
    WorkKind.COMPUTE: 0.0,
    WorkKind.MEMORY: 1.6,
    WorkKind.WEIGHTS: 1.6,
    WorkKind.LAUNCHES: 11.5,
}
_SHIFT = {
    "normalisation_folded": -3.0,
    "activation_cheap": -3.0,
    "activation_costly": -1.0,
    "calls_folded": -4.0,
    "calls_other": -1.0,
    "calls_tiny": -1.0,
}
_EXTRA = -1.5
_ACCELERATOR_LAUNCH, _DEPTHWISE = 3.0, 1.2
_BY_IMAGE = (WorkKind.COMPUTE, WorkKind.MEMORY)
"""Kinds of work that every image of a batch asks for; weights and launches come once a pass."""


def starting_costs(lanes: LaneSet, scale: LaneScale) -> Floats:
    """Return log seconds per unit of work and pass from the peaks alone: (lanes, columns).

    A pass computes and moves the batch's images, and reads weights and starts operators once; in
    bulk lanes the seconds are those of one image of it.
    """
    costs = np.array([_START[c.kind] + _SHIFT.get(c.name, 0.0) for c in COLUMNS])
    costs += [_EXTRA * (c.name in EXTRA) for c in COLUMNS]
    costs += [_DEPTHWISE * c.name.startswith("depthwise") for c in COLUMNS]
    launches = np.array([c.kind is WorkKind.LAUNCHES for c in COLUMNS])
    by_image = np.array([c.kind in _BY_IMAGE for c in COLUMNS])
    accelerated = np.array([one.lane.unit != "cpu" for one in lanes.facts])
    images = np.log(np.array([one.images for one in lanes.facts], np.float64))
    bulk = np.array([one.lane.is_bulk for one in lanes.facts])
    # Peaks enter in GFLOP/s, because the launch costs above are relative to that size. Operators
    # start no faster where a peak is higher or threads are more; on a CPU a faster core helps.
    speed = scale.filled(lanes, "peak") - np.log(1e9)
    core = scale.filled(lanes, "core") - scale.of_unit(lanes, "core")
    usual = scale.of_unit(lanes, "peak") - np.log(1e9)
    start_speed = np.where(accelerated, usual, usual + core)
    start: Floats = costs + np.outer(_ACCELERATOR_LAUNCH * accelerated, launches) + _PER_MAC
    start -= np.where(launches, start_speed[:, None], speed[:, None])
    return start + np.outer(images, by_image) - np.where(bulk, images, 0)[:, None]


class UnitCosts(Record):
    """Fitted parts of every group."""

    parts: Mapping[tuple[str, str], Floats]
    """(relation, group) -> common part, one per kind, one per column."""
    scale: LaneScale

    def of(self, lanes: LaneSet, only: tuple[str, ...] = tuple(SPREADS)) -> Floats:
        """Return log seconds per unit of work: (lanes, columns); unknown groups add nothing."""
        costs = starting_costs(lanes, self.scale)
        for relation in only:
            keys = lanes.keys[relation].tolist()
            rows = [self.parts.get((relation, key)) for key in keys]
            for position, row in enumerate(rows):
                if row is not None:
                    costs[position] += spread_out(row)
        return costs


def spread_out(parts: Floats) -> Floats:
    """Turn a group's parts into one number per column: (…, parts) -> (…, columns)."""
    kinds = parts[..., 1 : 1 + len(KINDS)] @ KIND_OF.T
    columns: Floats = parts[..., :1] + kinds + parts[..., 1 + len(KINDS) :]
    return columns


def shares(costs: Floats, log_work: Floats) -> tuple[Floats, Floats]:
    """Return each column's share of the time and the log of the seconds: (n, columns), (n,)."""
    terms = costs + log_work
    largest = terms.max(axis=1, keepdims=True)
    weights = np.exp(terms - largest)
    total = weights.sum(axis=1, keepdims=True)
    return weights / total, (largest + np.log(total))[:, 0]


class PriceLayout(Record):
    """Where each group's parts lie in one long vector of parameters."""

    groups: tuple[tuple[str, tuple[str, ...]], ...]
    """(relation, names of its groups)."""
    member: Mapping[str, NDArray[np.int64]]
    """Relation -> group of each lane."""

    @staticmethod
    def of(lanes: LaneSet) -> "PriceLayout":
        """Lay out the groups of some lanes."""
        groups, member = [], {}
        for relation in SPREADS:
            names, positions = np.unique(lanes.keys[relation], return_inverse=True)
            groups.append((relation, tuple(names.tolist())))
            member[relation] = positions
        return PriceLayout(groups=tuple(groups), member=member)

    @property
    def size(self) -> int:
        """Length of the vector."""
        return sum(len(names) for _, names in self.groups) * _PARTS

    def blocks(self, vector: Floats) -> dict[str, Floats]:
        """Cut the vector: relation -> (groups, parts), still in units of the prior's spread."""
        found, start = {}, 0
        for relation, names in self.groups:
            stop = start + len(names) * _PARTS
            found[relation] = vector[start:stop].reshape(len(names), _PARTS)
            start = stop
        return found

    @cached_property
    def spreading(self) -> "csr_array":
        """What every parameter adds to every cost: (lanes x columns, parameters), sparse."""
        from scipy.sparse import csr_array, hstack, kron

        parts = spread_out(np.eye(_PARTS)).T
        blocks = []
        for relation, names in self.groups:
            belongs = self.member[relation][:, None] == np.arange(len(names))
            blocks.append(kron(belongs.astype(np.float64), parts * _widths(relation)))
        return csr_array(hstack(blocks))

    def costs(self, vector: Floats, start: Floats) -> Floats:
        """Return log seconds per unit of work of each lane."""
        costs: Floats = start + (self.spreading @ vector).reshape(start.shape)
        return costs

    def gradient(self, by_lane: Floats) -> Floats:
        """Pull a gradient by (lane, column) back to the vector."""
        pulled: Floats = self._gathering @ by_lane.ravel()
        return pulled

    @cached_property
    def _gathering(self) -> "csr_array":
        from scipy.sparse import csr_array

        return csr_array(self.spreading.T)


def _widths(relation: str) -> Floats:
    common, kind, column = SPREADS[relation]
    return np.array([common] + [kind] * len(KINDS) + [column] * len(COLUMNS))


STAGES = ((0.6, 80), (0.25, 100), (0.12, 300))
"""(scale of the noise, iterations): outliers count for less from stage to stage."""
NEAR_STAGES = ((0.12, 80),)
"""… where costs of nearly the same cells are known."""
_TAIL = 4.0
"""Degrees of freedom of the Student noise."""


def fit_unit_costs(
    lanes: LaneSet,
    scale: LaneScale,
    lane: NDArray[np.int64],
    log_work: Floats,
    log_seconds: Floats,
    *,
    near: UnitCosts | None = None,
) -> UnitCosts:
    """Fit the unit costs to cells by the largest posterior density under Student noise.

    ``lane`` is the lane of each cell, ``log_work`` (cells, columns) its amounts of work. ``near``
    are costs fitted to about the same cells, from which a few steps lead to these.
    """
    from scipy.optimize import minimize

    order = np.argsort(lane, kind="stable")
    problem = _Problem(
        layout=PriceLayout.of(lanes),
        start=starting_costs(lanes, scale),
        lane=lane[order],
        log_work=log_work[order],
        target=log_seconds[order],
    )
    vector = np.zeros(problem.layout.size)
    if near is not None:
        vector = _vector_of(near, problem.layout, set(lane.tolist()))
    for noise, iterations in STAGES if near is None else NEAR_STAGES:
        options = {"maxiter": iterations, "maxcor": 15}
        found = minimize(
            problem.loss, vector, args=(noise,), jac=True, method="L-BFGS-B", options=options
        )
        vector = found.x
    return UnitCosts(parts=_named(problem.layout, vector), scale=scale)


def _vector_of(near: UnitCosts, layout: PriceLayout, lanes: set[int]) -> Floats:
    """Return the parameters of fitted costs; nothing of groups of which no lane is left."""
    pieces = []
    for relation, names in layout.groups:
        left = set(layout.member[relation][sorted(lanes)].tolist())
        for position, name in enumerate(names):
            part = near.parts.get((relation, name)) if position in left else None
            pieces.append(np.zeros(_PARTS) if part is None else part / _widths(relation))
    return np.concatenate(pieces)


def _named(layout: PriceLayout, vector: Floats) -> dict[tuple[str, str], Floats]:
    blocks = layout.blocks(vector)
    return {
        (relation, name): blocks[relation][position] * _widths(relation)
        for relation, names in layout.groups
        for position, name in enumerate(names)
    }


class _Problem(Record):
    """Cells sorted by lane, and the loss over the vector of parameters."""

    layout: PriceLayout
    start: Floats
    lane: NDArray[np.int64]
    log_work: Floats
    target: Floats

    @cached_property
    def _lanes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Lanes with any cell, and the first cell of each."""
        present, first = np.unique(self.lane, return_index=True)
        return present, first

    def loss(self, vector: Floats, noise: float) -> tuple[float, Floats]:
        """Return the negative log posterior and its gradient."""
        costs = self.layout.costs(vector, self.start)
        share, predicted = shares(costs[self.lane], self.log_work)
        error = (predicted - self.target) / noise
        heavy = 1 + error**2 / _TAIL
        value = 0.5 * (_TAIL + 1) * np.log(heavy).sum() + 0.5 * vector @ vector
        slope = (_TAIL + 1) * error / _TAIL / heavy / noise
        present, first = self._lanes
        by_lane = np.zeros_like(self.start)
        by_lane[present] = np.add.reduceat(share * slope[:, None], first, axis=0)
        return float(value), self.layout.gradient(by_lane) + vector


def fit_each_lane(
    lanes: LaneSet,
    scale: LaneScale,
    lane: NDArray[np.int64],
    log_work: Floats,
    log_seconds: Floats,
) -> UnitCosts:
    """Fit the unit costs of each lane to its own cells alone; for lanes with many networks."""
    start = starting_costs(lanes, scale)
    found = {}
    for position in sorted(set(lane.tolist())):
        mine = lane == position
        problem = _Lane(start=start[position], log_work=log_work[mine], target=log_seconds[mine])
        added = problem.fitted() - start[position]
        found["lane", str(lanes.keys["lane"][position])] = np.concatenate(
            [np.zeros(1 + len(KINDS)), added]
        )
    return UnitCosts(parts=found, scale=scale)


_STEPS = 60
"""Evaluations of one stage at most."""


class _Lane(Record):
    """Cells of one lane, and the loss over its costs."""

    start: Floats
    log_work: Floats
    target: Floats

    def fitted(self) -> Floats:
        """Fit by trust regions, stage by stage; only the cells' errors have heavy tails."""
        from scipy.optimize import least_squares

        common, kind, column = ALONE
        spread = common**2 + kind**2 * KIND_OF @ KIND_OF.T + column**2 * np.eye(len(COLUMNS))
        pull = np.linalg.inv(np.linalg.cholesky(spread)).astype(np.float64)
        costs = self.start
        for noise, _ in STAGES:
            found = least_squares(
                self._residuals,
                costs,
                jac=self._slopes,
                args=(noise, pull),
                loss=self._heavy,
                max_nfev=_STEPS,
            )
            costs = found.x
        return costs

    def _residuals(self, costs: Floats, noise: float, pull: Floats) -> Floats:
        _, predicted = shares(np.repeat(costs[None], len(self.target), axis=0), self.log_work)
        return np.concatenate([(predicted - self.target) / noise, pull @ (costs - self.start)])

    def _slopes(self, costs: Floats, noise: float, pull: Floats) -> Floats:
        share, _ = shares(np.repeat(costs[None], len(self.target), axis=0), self.log_work)
        return np.concatenate([share / noise, pull])

    def _heavy(self, squares: Floats) -> Floats:
        """Return Student's loss of the cells' squared errors, and its first two derivatives."""
        found = np.stack([squares, np.ones_like(squares), np.zeros_like(squares)])
        cells = slice(0, len(self.target))
        grown = 1 + squares[cells] / _TAIL
        found[0, cells] = (_TAIL + 1) * np.log(grown)
        found[1, cells] = (_TAIL + 1) / _TAIL / grown
        found[2, cells] = -(_TAIL + 1) / _TAIL**2 / grown**2
        return found
