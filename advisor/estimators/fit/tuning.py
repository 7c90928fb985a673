"""Tuning: variances under which left-out cells would have been predicted best.

For fixed unit costs the prediction of a group of cells from all others has a closed form in the
inverse covariance (Rasmussen and Williams 2006, section 5.4.2, for blocks). Its log density under
Student noise, summed over groups that are one cell, one architecture, one family or one chip, plus
a log-normal prior on every variance, is climbed by gradient. The prior keeps variances that the
sample says little of where they start, so that those tuned on some chips hold on others.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.covariance import (
    FAMILY,
    LEVELS,
    SMOOTH,
    Singles,
    Variances,
    basis,
    kinship,
    likeness,
)
from advisor.estimators.fit.fitting import Data, Means, linearised
from advisor.estimators.lane_relations import ODD, relations

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

STEPS = 24
CELLS = 3200
"""Cells that the tuning looks at."""
LONG_CELLS = 1800
"""… where all lanes are very long."""
PRIOR_SPREAD = 0.5
"""Standard deviation of the log of every variance around its start."""
ODD_ROUNDS = 2
"""Rounds in which odd lanes are found."""
ODD_TAIL = 2.0
"""Degrees of freedom of a lane's error given its kin."""
_TAIL = 4.0
"""Degrees of freedom of the Student density of a cell."""
_BOUNDS = (math.log(1e-6), math.log(10.0))
_LEAST_NOISE = math.log(4e-4)
"""The least of the noise: 2 %, below which rounding of the covariance shows."""

Key = tuple[str, str]
Groups = tuple[Integers, ...]


@dataclass(frozen=True, kw_only=True)
class _Problem:
    """Everything that stays fixed while variances move."""

    lane: Integers
    """Lane of each cell among those present."""
    lanes: Integers
    """Those present, as lanes of the data."""
    surprise: Floats
    products: Mapping[str, Singles]
    """Level -> (cells, cells): what the lane matrices of the level are multiplied by."""
    related: Mapping[str, Singles]
    """Relation -> (lanes, lanes)."""
    exact: NDArray[np.bool_]
    groupings: tuple[Groups, ...]
    """Ways of leaving cells out together."""
    keys: tuple[Key, ...]
    """(level, relation) of each variance; the last two are the noise's."""
    start: Floats
    """Logarithms of the variances to set out from, around which the prior lies."""

    def loss(self, logs: Floats) -> tuple[float, Floats]:
        """Return the negative log posterior of the logs of the variances, and its slope."""
        values = np.exp(logs)
        inverse = _inverse(self._covariance(values))
        solved = inverse @ self.surprise
        value, slope = _left_out(self.groupings, inverse, solved)
        away = (logs - self.start) / PRIOR_SPREAD
        by_log = values * self._by_variance(slope)
        return value + 0.5 * float(away @ away), by_log + away / PRIOR_SPREAD

    def odd(self, values: Floats, odd: Floats) -> Floats:
        """Return how odd each lane is, for variances and what was thought of it before."""
        inverse = _inverse(self._covariance(values))
        solved = inverse @ self.surprise
        found = np.zeros_like(odd)
        for cells in self.groupings[-1]:
            inner = np.linalg.inv(inverse[np.ix_(cells, cells)])
            error, variance = inner @ solved[cells], np.diag(inner)
            for lane in set(self.lane[cells].tolist()):
                mine, place = self.lane[cells] == lane, self.lanes[lane]
                own = max(float(np.median(variance[mine])) - odd[place] ** 2, 1e-4)
                scaled = float(np.median(error[mine])) / math.sqrt(own)
                beyond = math.sqrt(max(scaled**2 - 1, 0.0) * own / (ODD_TAIL + 1))
                found[place] = math.copysign(beyond, scaled)
        return found

    def _covariance(self, values: Floats) -> Floats:
        at = np.ix_(self.lane, self.lane)
        total = np.zeros((len(self.lane), len(self.lane)), np.float32)
        for level, product in self.products.items():
            mine = [(v, r) for v, (lv, r) in zip(values, self.keys, strict=True) if lv == level]
            by_lane = sum(np.float32(value) * self.related[relation] for value, relation in mine)
            if level == "common":
                by_lane = by_lane + self.related[ODD]
            if mine:
                total += product * np.asarray(by_lane)[at]
        found: Floats = total.astype(np.float64)
        found[np.diag_indices_from(found)] += values[-2] + values[-1] * ~self.exact
        return found

    def _by_variance(self, slope: Singles) -> Floats:
        """Pull the slope by the covariance back to the variances."""
        first = np.unique(self.lane, return_index=True)[1]
        by_lane = {
            level: np.add.reduceat(np.add.reduceat(slope * product, first, axis=0), first, axis=1)
            for level, product in self.products.items()
        }
        found = [
            float((by_lane[level] * self.related[relation]).sum())
            for level, relation in self.keys[:-2]
        ]
        diagonal = np.diag(slope)
        return np.array([*found, diagonal.sum(), diagonal[~self.exact].sum()], np.float64)


def tune(data: Data, means: Means, start: Variances, seed: int = 0) -> Variances:
    """Return the variances that predict left-out cells of a sample of ``data`` best."""
    from scipy.optimize import minimize

    problem = _problem(_sample(data, seed), means, start)
    found = minimize(
        problem.loss,
        problem.start,
        jac=True,
        method="L-BFGS-B",
        bounds=[*[_BOUNDS] * (len(problem.start) - 2), (_LEAST_NOISE, _BOUNDS[1]), _BOUNDS],
        options={"maxiter": STEPS, "maxfun": STEPS + 6},
    )
    return _variances(problem.keys, np.exp(found.x))


def oddness(data: Data, means: Means, variances: Variances, seed: int = 0) -> Floats:
    """Return by how much each lane is slower than its kin lead to expect beyond what they can tell.

    A lane's error with its chip left out, where it is many standard deviations, is a fact of that
    lane and no news of its runtime or design: the scale of a Student error by lane, found by
    expectation and maximisation, as log seconds that only the chip's lanes have in common.
    """
    odd = np.zeros(len(data.lanes))
    for _ in range(ODD_ROUNDS):
        known = replace(data, lanes=data.lanes.with_odd(odd))
        problem = _problem(_sample(known, seed), means, variances)
        odd = problem.odd(np.exp(problem.start), odd)
    return odd


def _variances(keys: tuple[Key, ...], values: Floats) -> Variances:
    rounded = [float(f"{value:.3g}") for value in values]
    levels: dict[str, dict[str, float]] = {}
    for (level, relation), value in zip(keys[:-2], rounded[:-2], strict=True):
        levels.setdefault(level, {})[relation] = value
    return Variances(by_relation=levels, exact=rounded[-2], close=rounded[-1])


def _sample(data: Data, seed: int) -> Data:
    """Draw a few cells of every lane; whole families where all lanes are very long."""
    if data.long_lanes[data.lane].all():
        return _families(data, np.random.default_rng(seed))
    return data.take(_drawn(data, np.random.default_rng(seed)))


def _drawn(data: Data, random: np.random.Generator) -> Integers:
    """Draw cells at random, of every lane about as many as the root of what it holds."""
    order = random.permutation(len(data))
    order = order[np.argsort(data.lane[order], kind="stable")]
    _, first, size = np.unique(data.lane[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(first, size)
    place = (rank + 1) / np.sqrt(np.repeat(size, size))
    chosen: Integers = np.sort(order[np.argsort(place, kind="stable")[:CELLS]])
    return chosen


def _families(data: Data, random: np.random.Generator) -> Data:
    """Draw whole families of very long lanes, so that leaving one out means what it says."""
    family = data.families_of_cells
    picked = np.zeros(len(data), bool)
    for name in random.permutation(np.unique(family)):
        if picked.sum() >= LONG_CELLS:
            break
        picked |= family == name
    return data.take(np.flatnonzero(picked))


def _problem(data: Data, means: Means, start: Variances) -> _Problem:
    points, surprise = linearised(data, means)
    used, lane = np.unique(data.lane, return_inverse=True)
    lanes = data.lanes.take(used.tolist())
    points = replace(points, lane=lane)
    values = {(lv, r): v for lv, rs in start.by_relation.items() for r, v in rs.items()}
    values |= {("noise", "exact"): start.exact, ("noise", "close"): start.close}
    names = sorted({relation for level, relation in values if level != "noise"})
    levels = [level for level in LEVELS if start.by_relation.get(level)]
    products: dict[str, Singles] = {
        level: (parts @ parts.T).astype(np.float32)
        for level, parts in basis(points).items()
        if level in levels
    }
    if SMOOTH in levels:
        products[SMOOTH] = likeness(points.features, points.features, kind=np.float32)
    if FAMILY in levels:
        products[FAMILY] = kinship(points, points, kind=np.float32)
    chips = np.unique(lanes.keys["chip"], return_inverse=True)[1]
    groupings = [np.arange(len(data)), data.architecture_of_cells]
    groupings.append(data.family_numbers[data.network] if means.is_of_long else chips[lane])
    return _Problem(
        lane=lane,
        lanes=used,
        surprise=surprise,
        products=products,
        related=relations(lanes, lanes, means.costs.scale, [*names, ODD]),
        exact=data.exact,
        groupings=tuple(_grouped(keys) for keys in groupings),
        keys=tuple(values),
        start=np.log(list(values.values())),
    )


def _grouped(keys: Integers) -> Groups:
    order = np.argsort(keys, kind="stable")
    return tuple(np.split(order, np.flatnonzero(np.diff(keys[order])) + 1))


def _inverse(matrix: Floats) -> Floats:
    from scipy.linalg import lapack

    factor, _ = lapack.dpotrf(matrix, lower=1, overwrite_a=1)
    lower, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    lower = np.tril(lower)
    full: Floats = lower + np.tril(lower, -1).T
    return full


def _left_out(
    groupings: tuple[Groups, ...], inverse: Floats, solved: Floats
) -> tuple[float, Singles]:
    """Return the summed negative log density of groups left out, and its slope by the covariance.

    With A the inverse, b = A·surprise, and for a group g: C = A_gg⁻¹, e = C·b_g its errors and
    diag C their variances. The chain rule through A gives -A·(blocks)·A - (A·w)·bᵀ. Each group
    counts as the square root of its size: its errors go together.
    """
    single = inverse.astype(np.float32)
    by_block = np.zeros_like(single)
    pull = np.zeros(len(solved))
    value = 0.0
    for groups in groupings:
        for cells, loss, block, push in _blocks(groups, inverse, solved):
            value += loss
            by_block[:, cells] += single[:, cells] @ block.astype(np.float32)
            pull[cells] += push
    outer = np.outer(inverse @ pull, solved).astype(np.float32)
    slope: Singles = -(by_block @ single) - outer
    symmetric: Singles = ((slope + slope.T) / 2).astype(np.float32)
    return value, symmetric


def _blocks(
    groups: Groups, inverse: Floats, solved: Floats
) -> Iterator[tuple[Integers, float, Floats, Floats]]:
    """Yield (cells, loss, slope by the inverse's block, slope by the solved vector) by group."""
    if all(len(group) == 1 for group in groups):
        # All at once: a diagonal block is one group for the caller.
        spread = 1 / np.diag(inverse)
        loss, by_error, by_variance = _student(spread * solved, spread)
        push = spread * by_error
        diagonal = -(spread**2) * by_variance - push * spread * solved
        for start in range(0, len(diagonal), 256):
            rows = np.arange(start, min(start + 256, len(diagonal)))
            yield rows, float(loss[rows].sum()), np.diag(diagonal[rows]), push[rows]
        return
    for group in groups:
        inner = np.linalg.inv(inverse[np.ix_(group, group)])
        error = inner @ solved[group]
        weight = len(group) ** -0.5
        loss, by_error, by_variance = (weight * x for x in _student(error, np.diag(inner)))
        push = inner @ by_error
        block = -(inner * by_variance) @ inner - np.outer(push, error)
        yield group, float(loss.sum()), (block + block.T) / 2, push


def _student(error: Floats, variance: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the negative Student log density, and its slopes by error and by variance."""
    heavy = 1 + error**2 / (_TAIL * variance)
    loss = 0.5 * np.log(variance) + 0.5 * (_TAIL + 1) * np.log(heavy)
    by_error = (_TAIL + 1) * error / (_TAIL * variance) / heavy
    by_variance = 0.5 / variance - 0.5 * (_TAIL + 1) * error**2 / (_TAIL * variance**2) / heavy
    return loss, by_error, by_variance
