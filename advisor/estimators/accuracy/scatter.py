"""Scatter: how far published variants lie from their predictions, in units of the spread expected.

Intervals are stretched by it, so that they hold what they say. A family's own scatter is drawn
towards that of all as by ten networks; what all families have in common is the quantile of their
left-out errors, each family counted once, whatever the number of networks published of it.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.accuracy.features import Floats
from advisor.estimators.accuracy.leaving_out import FOLDS, LeftOutVariants, folds_of, leave_out
from advisor.estimators.accuracy.model import LEVEL, VariantAccuracy, to_target

WEIGHT = 10
"""Networks as which the scatter of all families counts beside a family's own."""


def stretches(model: VariantAccuracy) -> dict[str, float]:
    """Return the factor on the spread of each family of which several networks are published."""
    found = _Scatter.of(model)
    common = found.common(np.ones(len(found.family), dtype=bool))
    own = {name: found.own(found.family == name) for name in np.unique(found.family).tolist()}
    return {name: round(common * factor, 4) for name, factor in own.items()}


def left_out_stretches(model: VariantAccuracy) -> tuple[NDArray[np.int64], Floats]:
    """Return which rows have others in their series, and the factor that each has without itself.

    A family's own scatter comes from its other networks, the common one from the families of
    other folds.
    """
    found = _Scatter.of(model)
    folds = folds_of(model.rows, "family")[found.rows]
    factors = np.ones(len(found.rows))
    for fold in range(FOLDS):
        factors[folds == fold] = found.common(folds != fold)
    return found.rows, factors * found.without_itself


def known_series(model: VariantAccuracy) -> NDArray[np.bool_]:
    """Tell which networks have others in their series."""
    series, group = model.rows.series, model.rows.group
    counts = {name: len(np.unique(group[series == name])) for name in np.unique(series)}
    return np.array([counts[name] > 1 for name in series])


def alike(family: NDArray[np.str_]) -> Floats:
    """Return weights by which each family counts once."""
    _, places, counts = np.unique(family, return_inverse=True, return_counts=True)
    weights: Floats = 1.0 / counts[places]
    return weights


@dataclass(frozen=True, kw_only=True)
class _Scatter:
    rows: NDArray[np.int64]
    """Of the model."""
    family: NDArray[np.str_]
    group: NDArray[np.str_]
    errors: Floats
    """In units of the spread expected, without sign."""

    @classmethod
    def of(cls, model: VariantAccuracy) -> "_Scatter":
        left: LeftOutVariants = leave_out(model, "variant")
        rows = np.flatnonzero(known_series(model))
        apart = np.abs(to_target(model.top1) - left.target) / left.spread
        names, groups = model.rows.family[rows], model.rows.group[rows]
        return cls(rows=rows, family=names, group=groups, errors=apart[rows])

    def own(self, chosen: NDArray[np.bool_]) -> float:
        squares = self.errors[chosen] ** 2
        return float(np.sqrt((squares.sum() + WEIGHT) / (len(squares) + WEIGHT)))

    @property
    def without_itself(self) -> Floats:
        """The own scatter of each network's family, without the network's weights."""
        factors = np.ones(len(self.rows))
        for group in np.unique(self.group):
            same = self.group == group
            kin = (self.family == self.family[same][0]) & ~same
            factors[same] = self.own(kin)
        return factors

    def common(self, chosen: NDArray[np.bool_]) -> float:
        """Factor on all intervals by which those of the chosen rows hold LEVEL of them."""
        reach = NormalDist().inv_cdf((1 + LEVEL) / 2)
        needed = (self.errors / self.without_itself / reach)[chosen]
        weights = alike(self.family[chosen])
        order = np.argsort(needed)
        reached = np.cumsum(weights[order]) / weights.sum()
        return float(needed[order][np.searchsorted(reached, LEVEL)])
