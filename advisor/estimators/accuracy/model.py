"""Accuracy of a variant, predicted from published series by a Gaussian process.

Only numpy is needed to predict. The target is the logarithm of the error, in twentieths, so that
a recipe's gain shrinks where less error is left.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from advisor.core.workload_table import WorkloadTable
from advisor.errors import unknown_name
from advisor.estimators.accuracy.features import SIZES, Floats, Rows, flags, sizes
from advisor.estimators.accuracy.kernel import NAMES, covariance, noise
from advisor.estimators.accuracy.series import Series

LEVEL = 0.9
_SCALE = 20.0
_JITTER = 1e-6
_EQUAL = 1e-5
"""Difference of logarithms below which counts are the same."""
_CLOSE = 0.02
"""Difference of logarithms within which a size is not beyond the published ones."""
_UNKNOWN = math.log(1.5)
"""How far beyond the published sizes, as a logarithm, a family tells no more than others do."""
_UNSEEN = 1.3
"""Spread of the target in a family that nobody published, found by leaving families out."""
_STEPS = (0.06, 0.15, 0.35)
_RAYS = ((2.0, 0.0, 1.0, 0.0, 2.0), (2.0, 2.0, 0.0, 0.0, 1.0), (1.0, 1.0, 0.0, 1.0, 1.0))
"""What a smaller resolution, width and depth take from each of SIZES, as logarithms."""


def to_target(top1: Floats) -> Floats:
    """Turn fractions into the scale on which the process is Gaussian."""
    target: Floats = -_SCALE * np.log1p(-top1)
    return target


def to_top1(target: Floats) -> Floats:
    """Turn targets back into fractions."""
    top1: Floats = -np.expm1(-target / _SCALE)
    return top1


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyPrediction:
    """Top-1 of each network as fractions."""

    value: Floats
    low: Floats
    high: Floats
    level: float
    beyond: tuple[tuple[str, ...], ...]
    """In which of SIZES each network is outside of what is published of its family."""


@dataclass(frozen=True, kw_only=True)
class VariantAccuracy:
    """The fitted process: published networks and hyper-parameters."""

    rows: Rows
    top1: Floats
    """Fractions."""
    source: NDArray[np.str_]
    values: Floats
    """Hyper-parameters in the order of ``kernel.NAMES``."""
    folds: Mapping[str, Floats]
    """For each way to leave out, the hyper-parameters of each fold, chosen without it."""
    stretch: Mapping[str, float]
    """Factor on the spread of a family's networks, as ``scatter`` finds it."""
    _series: dict[tuple[str, str], Series] = field(default_factory=dict)

    @cached_property
    def mean(self) -> float:
        """Mean target, about which the process varies."""
        return float(to_target(self.top1).mean())

    @cached_property
    def inverse(self) -> Floats:
        """Inverse of the covariance of the published networks."""
        return inverse_of(self.values, self.rows)

    @cached_property
    def _weights(self) -> Floats:
        weights: Floats = self.inverse @ (to_target(self.top1) - self.mean)
        return weights

    @cached_property
    def recipes(self) -> dict[str, list[str]]:
        """Recipes of each family, the one with the most published networks first."""
        found: dict[str, dict[str, int]] = {}
        pairs = zip(self.rows.family.tolist(), self.rows.recipe.tolist(), strict=True)
        for family, recipe in pairs:
            counts = found.setdefault(family, {})
            counts[recipe] = counts.get(recipe, 0) + 1
        return {f: sorted(c, key=lambda r: (-c[r], r)) for f, c in sorted(found.items())}

    @cached_property
    def _flags(self) -> dict[str, Floats]:
        return dict(zip(self.rows.family.tolist(), self.rows.flags, strict=True))

    def check(self, recipe: str) -> str:
        """Return the recipe; raises UsageError with the nearest where no series has it."""
        known = set(self.rows.recipe.tolist())
        if recipe not in known:
            raise unknown_name("recipe", recipe, known, "advisor search --recipes")
        return recipe

    def series(self, family: str, recipe: str, flags: Floats) -> Series:
        """Return a family under a recipe; ``flags`` stand for a family that nobody published."""
        kind = self._flags.get(family, flags)
        if family not in self._flags:
            return Series(self.values, self.rows, family, recipe, kind)
        if (family, recipe) not in self._series:
            made = Series(self.values, self.rows, family, recipe, kind)
            self._series[family, recipe] = made
        return self._series[family, recipe]

    def predict(
        self, table: WorkloadTable, families: Sequence[str], recipe: str, *, level: float = LEVEL
    ) -> AccuracyPrediction:
        """Predict the top-1 of networks trained with a recipe.

        ``families`` name the series' families, one for each row of the table. Inside a family a
        larger resolution, width or depth is never predicted worse than a smaller one on the way.
        """
        sized, kinds = sizes(table), flags(table)
        value, spread = np.zeros(len(families)), np.zeros(len(families))
        beyond: list[tuple[str, ...]] = [()] * len(families)
        for family in sorted(set(families)):
            rows = np.flatnonzero(np.array(families) == family)
            series = self.series(family, recipe, kinds[rows[0]])
            value[rows], spread[rows] = self._of_series(series, sized[rows])
            spread[rows] *= self._stretch(family, recipe)
            for row in rows.tolist():
                outside = self._outside(family, sized[row])
                beyond[row] = tuple(n for n, by in zip(SIZES, outside, strict=True) if by)
                known = min(1.0, float(outside.sum()) / _UNKNOWN)
                spread[row] = math.hypot(spread[row], _UNSEEN * known)
        reach = NormalDist().inv_cdf((1 + level) / 2)
        return AccuracyPrediction(
            value=to_top1(value),
            low=np.clip(to_top1(value - reach * spread), 0.0, 1.0),
            high=np.clip(to_top1(value + reach * spread), 0.0, 1.0),
            level=level,
            beyond=tuple(beyond),
        )

    def _stretch(self, family: str, recipe: str) -> float:
        """Return the factor on a series' spread; a recipe new to the family never narrows it."""
        factor = self.stretch.get(family, 1.0)
        return factor if recipe in self.recipes.get(family, []) else max(factor, 1.0)

    def _of_series(self, series: Series, sized: Floats) -> tuple[Floats, Floats]:
        """Return the target of networks and its spread.

        The value is the best of the network's own and of smaller ones on the way to it.
        """
        smaller = [sized - step * np.array(ray) for ray in _RAYS for step in _STEPS]
        cross = series.covariance(np.concatenate([sized, *smaller]))
        values = (cross @ self._weights + self.mean).reshape(len(smaller) + 1, -1)
        own = cross[: len(sized)]
        known = ((own @ self.inverse) * own).sum(axis=1)
        left = series.variance(sized) - known + noise(self.values)
        return np.max(values, axis=0), np.sqrt(np.maximum(left, 1e-4))

    def _outside(self, family: str, sized: Floats) -> Floats:
        """Return how far a network is beyond the published ones of its family, by SIZES."""
        if family not in self._ranges:
            return np.zeros(len(SIZES))
        low, high = self._ranges[family]
        outside = np.maximum(low - sized, sized - high)
        return np.where(outside > _CLOSE, outside, 0.0)

    @cached_property
    def _ranges(self) -> dict[str, tuple[Floats, Floats]]:
        found = {}
        for family in self.recipes:
            own = self.rows.sizes[self.rows.family == family]
            found[family] = (own.min(axis=0), own.max(axis=0))
        return found

    def published(self, table: WorkloadTable, families: Sequence[str], recipe: str) -> list[int]:
        """Return the published row of each network, told by its sizes; -1 where there is none."""
        places = []
        of_recipe = self.rows.recipe == recipe
        known = {f: np.flatnonzero(of_recipe & (self.rows.family == f)) for f in set(families)}
        for own, family in zip(sizes(table), families, strict=True):
            near = np.abs(self.rows.sizes[known[family]] - own) < _EQUAL
            same = known[family][near.all(axis=1)]
            places.append(int(same[0]) if len(same) else -1)
        return places


def inverse_of(values: Floats, rows: Rows) -> Floats:
    """Return the inverse covariance of some networks, noise included."""
    matrix = covariance(values, rows, rows)
    matrix[np.diag_indices(len(matrix))] += noise(values) + _JITTER
    return np.asarray(np.linalg.inv(matrix), np.float64)


def as_mapping(values: Floats) -> dict[str, float]:
    """Return hyper-parameters by name, to six digits."""
    return {name: float(f"{value:.6g}") for name, value in zip(NAMES, values, strict=True)}


def as_values(mapping: Mapping[str, float]) -> Floats:
    """Return hyper-parameters in the order of NAMES."""
    if set(mapping) != set(NAMES) or not all(math.isfinite(v) for v in mapping.values()):
        raise ValueError("the hyper-parameters are not those of this version")
    return np.array([mapping[name] for name in NAMES])
