"""Error of the predicted accuracies on networks and families that were left out."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.accuracy.leaving_out import WAYS, LeftOutVariants, leave_out
from advisor.estimators.accuracy.model import LEVEL, VariantAccuracy, to_top1


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyError:
    """Error over some left-out networks; accuracies as fractions."""

    left_out: str
    """``variant`` of a known series, or ``family``."""
    of: str
    """Family or recipe the figures are of; empty for all."""
    networks: int
    mean: float
    """Mean absolute error."""
    median: float
    tenth: float
    """Error that one network in ten exceeds."""
    coverage: float
    """Share within the interval."""
    level: float
    """Nominal share."""
    width: float
    """Mean half width of the interval."""


def validate(model: VariantAccuracy) -> list[AccuracyError]:
    """Return the errors of both ways to leave out, overall and by family.

    A series is known where another network of it, with other weights, stays.
    """
    return [error for way in WAYS for error in _errors(model, way)]


def _errors(model: VariantAccuracy, way: str) -> Iterator[AccuracyError]:
    found = leave_out(model, way)
    wanted = np.ones(len(model.top1), dtype=bool) if way == "family" else _known(model)
    yield _error(model, found, wanted, way, "")
    for name in np.unique(model.rows.family[wanted]).tolist():
        yield _error(model, found, wanted & (model.rows.family == name), way, name)


def _known(model: VariantAccuracy) -> NDArray[np.bool_]:
    """Tell which networks have others in their series."""
    series, group = model.rows.series, model.rows.group
    counts = {name: len(np.unique(group[series == name])) for name in np.unique(series)}
    return np.array([counts[name] > 1 for name in series])


def _error(
    model: VariantAccuracy, found: LeftOutVariants, rows: NDArray[np.bool_], way: str, of: str
) -> AccuracyError:
    truth = model.top1[rows]
    reach = NormalDist().inv_cdf((1 + LEVEL) / 2)
    target, spread = found.target[rows], found.spread[rows]
    low, high = to_top1(target - reach * spread), to_top1(target + reach * spread)
    apart = np.abs(to_top1(target) - truth)
    return AccuracyError(
        left_out=way,
        of=of,
        networks=int(rows.sum()),
        mean=float(apart.mean()),
        median=float(np.median(apart)),
        tenth=float(np.quantile(apart, 0.9)),
        coverage=float(((low <= truth) & (truth <= high)).mean()),
        level=LEVEL,
        width=float((high - low).mean() / 2),
    )
