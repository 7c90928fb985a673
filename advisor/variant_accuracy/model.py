"""Accuracy of a variant, predicted from published series by a Gaussian process.

Only numpy is needed to predict. The target is the logarithm of the error, in twentieths, so that
a recipe's gain shrinks where less error is left.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from advisor.errors import unknown_name
from advisor.variant_accuracy.features import FLAGS, Floats, Rows, flags, sizes
from advisor.variant_accuracy.kernel import NAMES, covariance, noise, variance
from advisor.workload_table import WorkloadTable

LEVEL = 0.9
_SCALE = 20.0
_JITTER = 1e-6
_EQUAL = 1e-5
"""Difference of logarithms below which counts are the same."""
_STEPS = (0.05, 0.1, 0.2, 0.4)
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
    within: NDArray[np.bool_]
    """Whether published networks of the family are both smaller and larger, by MACs."""


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
    widening: Mapping[str, float]
    """Factor on the intervals of families that scatter more than the process expects."""

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

    def queries(self, table: WorkloadTable, families: Sequence[str], recipe: str) -> Rows:
        """Return what the process has to know of networks that it may never have seen."""
        own = flags(table)
        kinds = [self._flags.get(name, own[row]) for row, name in enumerate(families)]
        # what is special to one published network says nothing about its neighbours
        nobody = np.full(len(families), "")
        return Rows(
            sizes(table),
            np.array(kinds).reshape(-1, len(FLAGS)),
            np.array(families, dtype=np.str_),
            np.full(len(families), recipe),
            nobody,
            nobody,
        )

    def predict(
        self, table: WorkloadTable, families: Sequence[str], recipe: str, *, level: float = LEVEL
    ) -> AccuracyPrediction:
        """Predict the top-1 of networks trained with a recipe.

        ``families`` name the series' families, one for each row of the table. Inside a family a
        larger resolution, width or depth is never predicted worse than a smaller one on the way.
        """
        asked = self.queries(table, families, recipe)
        found = [self._of_family(asked.take(asked.family == f), f) for f in sorted(set(families))]
        order = np.concatenate([np.flatnonzero(asked.family == f) for f in sorted(set(families))])
        value, spread, within = (np.concatenate(column) for column in zip(*found, strict=True))
        back = np.argsort(order)
        reach = NormalDist().inv_cdf((1 + level) / 2)
        value, spread = value[back], spread[back]
        return AccuracyPrediction(
            value=to_top1(value),
            low=np.clip(to_top1(value - reach * spread), 0.0, 1.0),
            high=np.clip(to_top1(value + reach * spread), 0.0, 1.0),
            level=level,
            within=within[back].astype(bool),
        )

    def _of_family(self, asked: Rows, family: str) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        cross = covariance(self.values, asked, self.rows)
        value = cross @ self._weights + self.mean
        own = self.rows.sizes[self.rows.family == family, 0]
        known = np.einsum("ij,jk,ik->i", cross, self.inverse, cross, optimize=True)
        left = variance(self.values, asked) - known + noise(self.values)
        within = np.zeros(len(value), dtype=bool)
        if len(own):
            within = (asked.sizes[:, 0] >= own.min()) & (asked.sizes[:, 0] <= own.max())
        below = self._below(asked)
        spread = np.sqrt(np.maximum(left, 1e-4)) * self.widening.get(family, 1.0)
        return np.maximum(value, below), spread, within

    def _below(self, asked: Rows) -> Floats:
        """Return the best that smaller networks on the way to the asked ones are predicted."""
        smaller = [asked.sizes - step * np.array(ray) for ray in _RAYS for step in _STEPS]
        count = len(smaller)
        nobody = np.full(count * len(asked.sizes), "")
        rows = Rows(
            np.concatenate(smaller),
            np.tile(asked.flags, (count, 1)),
            np.tile(asked.family, count),
            np.tile(asked.recipe, count),
            nobody,
            nobody,
        )
        value = covariance(self.values, rows, self.rows) @ self._weights + self.mean
        return np.asarray(np.max(value.reshape(count, -1), axis=0), np.float64)

    def published(self, table: WorkloadTable, families: Sequence[str], recipe: str) -> list[int]:
        """Return the published row of each network, told by its sizes; -1 where there is none."""
        places = []
        for own, family in zip(sizes(table), families, strict=True):
            same = (self.rows.family == family) & (self.rows.recipe == recipe)
            same &= np.abs(self.rows.sizes - own).max(axis=1) < _EQUAL
            places.append(int(np.argmax(same)) if same.any() else -1)
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
