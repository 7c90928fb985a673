"""Tuning: variances under which left-out cells would have been predicted best.

For fixed unit costs the prediction of a group of cells from all others has a closed form in the
inverse covariance (Rasmussen and Williams 2006, section 5.4.2, for blocks). Its log density under
Student noise, summed over groups that are one cell, one architecture or one device, is climbed by
gradient.
"""

from collections.abc import Iterator
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
from advisor.estimators.fitted import LONG_LANE
from advisor.estimators.lane_relations import LaneSet, relations

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

STEPS = 16
CELLS = 3200
"""Cells that the tuning looks at."""
LONG_CELLS = 1800
"""… where all lanes are very long."""
LARGE_SHARE = 12
"""One in so many networks of a very large lane is looked at."""
_RATE, _MOMENTUM, _DECAY, _DAMPING = 0.3, 0.6, 0.9, 3.0
_SPARSITY = 1.5
"""Pull of every variance towards zero, in log density."""
_TAIL = 4.0
"""Degrees of freedom of the Student density."""
_OF_DEVICE = 0.15
"""Weight of a cell left out with its device: such errors go together, so each counts little."""
_OF_LARGE = 0.3
"""Weight of a cell of a lane with very many networks."""
_BOUNDS = (1e-6, 10.0)

Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class _Problem:
    """Everything that stays fixed while variances move."""

    lane: Integers
    """Lane of each cell among those present."""
    surprise: Floats
    products: dict[str, Singles]
    """Level -> (cells, cells): what the lane matrices of the level are multiplied by."""
    related: dict[str, Singles]
    """Relation -> (lanes, lanes)."""
    exact: NDArray[np.bool_]
    groups: tuple[tuple[float, tuple[Integers, ...]], ...]
    """(weight, groups of cells that are left out together)."""
    weight: Floats
    """Weight of each cell."""


def tune(data: Data, means: Means, start: Variances, seed: int = 0) -> Variances:
    """Return the variances that predict left-out cells of a sample of ``data`` best."""
    problem = _problem(_sample(data, seed), means)
    values = {(lv, r): v for lv, rs in start.by_relation.items() for r, v in rs.items()}
    values |= {("noise", "exact"): start.exact, ("noise", "close"): start.close}
    pace = dict.fromkeys(values, 0.0)
    size = dict.fromkeys(values, 0.0)
    for step in range(STEPS):
        slopes = _slopes(problem, values)
        for key, slope in slopes.items():
            pull = slope - (_SPARSITY if key[0] != "noise" else 0.0)
            pace[key] = _MOMENTUM * pace[key] + (1 - _MOMENTUM) * pull
            size[key] = _DECAY * size[key] + (1 - _DECAY) * pull**2
            typical = np.sqrt(size[key] / (1 - _DECAY ** (step + 1)))
            moved = values[key] * np.exp(_RATE * pace[key] / (typical + _DAMPING))
            values[key] = float(np.clip(moved, *_BOUNDS))
    return _variances(values)


def _variances(values: dict[Key, float]) -> Variances:
    levels: dict[str, dict[str, float]] = {}
    for (level, relation), value in values.items():
        if level != "noise":
            levels.setdefault(level, {})[relation] = float(f"{value:.3g}")
    return Variances(
        by_relation=levels,
        exact=float(f"{values['noise', 'exact']:.3g}"),
        close=float(f"{values['noise', 'close']:.3g}"),
    )


def _sample(data: Data, seed: int) -> Data:
    """Draw whole devices, and some networks of very large lanes, up to CELLS cells."""
    random = np.random.default_rng(seed)
    large = data.long_lanes[data.lane]
    if large.all():
        return _families(data, random)
    common = np.isin(data.network, np.unique(data.network[~large]))
    chosen = random.permutation(len(data.table))[: len(data.table) // LARGE_SHARE]
    picked = large & (np.isin(data.network, chosen) | (common & (random.random(len(data)) < 0.3)))
    devices = np.array([one.lane.device for one in data.lanes.facts])[data.lane]
    names = random.permutation(np.unique(devices[~large]))
    for name in names:
        if picked.sum() >= CELLS:
            break
        picked |= (devices == name) & ~large
    return data.take(np.flatnonzero(picked))


def _families(data: Data, random: np.random.Generator) -> Data:
    """Draw whole families of very long lanes, so that leaving one out means what it says."""
    family = data.families_of_cells
    picked = np.zeros(len(data), bool)
    for name in random.permutation(np.unique(family)):
        if picked.sum() >= LONG_CELLS:
            break
        picked |= family == name
    return data.take(np.flatnonzero(picked))


def _problem(data: Data, means: Means) -> _Problem:
    points, surprise = linearised(data, means)
    used, lane = np.unique(data.lane, return_inverse=True)
    lanes = LaneSet(facts=tuple(data.lanes.facts[i] for i in used))
    points = replace(points, lane=lane)
    products = {SMOOTH: likeness(points.features, points.features)}
    products[FAMILY] = kinship(points, points)
    for level, parts in basis(points).items():
        products[level] = (parts @ parts.T).astype(np.float32)
    devices = np.array([one.lane.device for one in lanes.facts])[lane]
    large = np.bincount(data.lane)[data.lane] > LONG_LANE // 4
    groups: tuple[tuple[float, tuple[Integers, ...]], ...] = (
        (1.0, tuple(np.arange(len(data))[:, None])),
        (1.0, _grouped(data.architecture_of_cells)),
        (_OF_DEVICE, _grouped(np.unique(devices, return_inverse=True)[1])),
    )
    if means.is_of_long:
        groups = (*groups, (1.0, _grouped(data.family_numbers[data.network])))
    return _Problem(
        lane=lane,
        surprise=surprise,
        products=products,
        related=relations(lanes, lanes, means.costs.scale),
        exact=data.exact,
        groups=groups,
        weight=np.where(large, _OF_LARGE, 1.0),
    )


def _grouped(keys: Integers) -> tuple[Integers, ...]:
    order = np.argsort(keys, kind="stable")
    return tuple(np.split(order, np.flatnonzero(np.diff(keys[order])) + 1))


def _slopes(problem: _Problem, values: dict[Key, float]) -> dict[Key, float]:
    """Return the slope of the summed log density by the log of each variance."""
    inverse = _inverse(_covariance(problem, values))
    solved = inverse @ problem.surprise
    slope = _by_covariance(problem, inverse, solved)
    first = np.unique(problem.lane, return_index=True)[1]
    found: dict[Key, float] = {}
    for level in LEVELS:
        weighted = slope * problem.products[level]
        by_lane = np.add.reduceat(np.add.reduceat(weighted, first, axis=0), first, axis=1)
        for (lv, relation), value in values.items():
            if lv == level:
                found[lv, relation] = value * float((by_lane * problem.related[relation]).sum())
    diagonal = np.diag(slope)
    found["noise", "exact"] = values["noise", "exact"] * float(diagonal.sum())
    found["noise", "close"] = values["noise", "close"] * float(diagonal[~problem.exact].sum())
    return found


def _covariance(problem: _Problem, values: dict[Key, float]) -> Floats:
    total = np.zeros((len(problem.lane), len(problem.lane)), np.float32)
    at = np.ix_(problem.lane, problem.lane)
    for level in LEVELS:
        terms = [
            np.float32(value) * problem.related[relation]
            for (lv, relation), value in values.items()
            if lv == level
        ]
        if terms:
            total += problem.products[level] * sum(terms[1:], terms[0])[at]
    found: Floats = total.astype(np.float64)
    noise = values["noise", "exact"] + values["noise", "close"] * ~problem.exact
    found[np.diag_indices_from(found)] += noise
    return found


def _inverse(matrix: Floats) -> Floats:
    from scipy.linalg import lapack

    factor, _ = lapack.dpotrf(matrix, lower=1, overwrite_a=1)
    lower, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    lower = np.tril(lower)
    full: Floats = lower + np.tril(lower, -1).T
    return full


def _by_covariance(problem: _Problem, inverse: Floats, solved: Floats) -> Singles:
    """Return the slope of the log density by each entry of the covariance: (cells, cells).

    With A the inverse, b = A·surprise, and for a group g: C = A_gg⁻¹, e = C·b_g its errors and
    diag C their variances. The chain rule through A gives -A·(blocks)·A - (A·w)·bᵀ.
    """
    single = inverse.astype(np.float32)
    by_block = np.zeros_like(single)
    pull = np.zeros(len(solved))
    for weight, groups in problem.groups:
        for group, block, push in _blocks(problem.weight * weight, groups, inverse, solved):
            by_block[:, group] += single[:, group] @ block.astype(np.float32)
            pull[group] += push
    outer = np.outer(inverse @ pull, solved).astype(np.float32)
    slope: Singles = -(by_block @ single) - outer
    symmetric: Singles = ((slope + slope.T) / 2).astype(np.float32)
    return symmetric


def _blocks(
    weight: Floats, groups: tuple[Integers, ...], inverse: Floats, solved: Floats
) -> Iterator[tuple[Integers, Floats, Floats]]:
    """Yield (cells, slope by the inverse's block, slope by the solved vector) of each group."""
    if all(len(group) == 1 for group in groups):
        # All at once: a diagonal block is one group for the caller.
        spread = 1 / np.diag(inverse)
        by_error, by_variance = _student(spread * solved, spread, weight)
        push = spread * by_error
        diagonal = -(spread**2) * by_variance - push * spread * solved
        for start in range(0, len(diagonal), 256):
            rows = np.arange(start, min(start + 256, len(diagonal)))
            yield rows, np.diag(diagonal[rows]), push[rows]
        return
    for group in groups:
        inner = np.linalg.inv(inverse[np.ix_(group, group)])
        error = inner @ solved[group]
        by_error, by_variance = _student(error, np.diag(inner), weight[group])
        push = inner @ by_error
        block = -(inner * by_variance) @ inner - np.outer(push, error)
        yield group, (block + block.T) / 2, push


def _student(error: Floats, variance: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return the slopes of the Student log density by error and by variance."""
    heavy = 1 + error**2 / (_TAIL * variance)
    by_error = -(_TAIL + 1) * error / (_TAIL * variance) / heavy
    by_variance = -0.5 / variance
    by_variance = by_variance + 0.5 * (_TAIL + 1) * error**2 / (_TAIL * variance**2) / heavy
    return weight * by_error, weight * by_variance
