"""Leave networks out and predict them by the others."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.accuracy.features import Floats, Rows
from advisor.estimators.accuracy.model import VariantAccuracy, inverse_of, to_target

FOLDS = 5
WAYS = ("variant", "family")
"""What is left out together: the weights of one network, or all series of a family."""


def folds_of(rows: Rows, way: str) -> NDArray[np.int64]:
    """Return the fold of each row; it depends on its name alone."""
    names = rows.family if way == "family" else rows.group
    digests = [hashlib.sha256(name.encode()).digest() for name in names.tolist()]
    return np.array([digest[0] % FOLDS for digest in digests])


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutVariants:
    """Predictions of networks by what is known without them, as targets of the process."""

    target: Floats
    spread: Floats
    """Standard deviation of a new observation."""


def leave_out(model: VariantAccuracy, way: str) -> LeftOutVariants:
    """Predict each group by all others, with hyper-parameters chosen without its fold.

    Exact and without fitting again (Rasmussen & Williams 2006, section 5.4.2).
    """
    names = model.rows.family if way == "family" else model.rows.group
    folds = folds_of(model.rows, way)
    target = to_target(model.top1)
    value, spread = np.zeros(len(target)), np.zeros(len(target))
    for fold in range(FOLDS):
        inverse = inverse_of(model.folds[way][fold], model.rows)
        for name in np.unique(names[folds == fold]):
            rows = np.flatnonzero(names == name)
            others = np.setdiff1d(np.arange(len(target)), rows)
            solved = inverse @ (target - target[others].mean())
            block = np.linalg.inv(inverse[np.ix_(rows, rows)])
            value[rows] = target[rows] - block @ solved[rows]
            spread[rows] = np.sqrt(np.diag(block))
    return LeftOutVariants(target=value, spread=spread)
