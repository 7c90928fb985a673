"""Error of the predicted accuracies on networks and families that were left out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.accuracy.features import Floats
from advisor.estimators.accuracy.leaving_out import WAYS, LeftOutVariants, leave_out
from advisor.estimators.accuracy.model import LEVEL, VariantAccuracy, to_top1
from advisor.estimators.accuracy.scatter import alike, left_out_stretches

ALIKE = "families alike"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyError:
    """Error over some left-out networks; accuracies as fractions."""

    left_out: str
    """``variant`` of a known series, or ``family``."""
    of: str
    """Family that the figures are of; empty for all networks, ALIKE for families counted alike."""
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
    coverage_error: float | None = None
    """Standard error of the coverage where families count alike; else None."""


def validate(model: VariantAccuracy) -> list[AccuracyError]:
    """Return the errors of both ways to leave out, overall, families alike and by family.

    A series is known where another network of it, with other weights, stays; its intervals are
    stretched as those that ship, by what is known without the network.
    """
    return [error for way in WAYS for error in _errors(model, way)]


def _errors(model: VariantAccuracy, way: str) -> Iterator[AccuracyError]:
    found, rows = _left_out(model, way)
    family = model.rows.family[rows]
    outcome = _Outcome.of(found, model.top1[rows])
    yield outcome.error(way, "", np.ones(len(rows)))
    by_family = [
        outcome.take(family == name).error(way, name, np.ones(int((family == name).sum())))
        for name in np.unique(family).tolist()
    ]
    yield replace(
        outcome.error(way, ALIKE, alike(family)),
        coverage_error=float(np.std([e.coverage for e in by_family], ddof=1))
        / len(by_family) ** 0.5,
    )
    yield from by_family


def _left_out(model: VariantAccuracy, way: str) -> tuple[LeftOutVariants, NDArray[np.int64]]:
    """Return predictions and the rows that they are of."""
    found = leave_out(model, way)
    if way == "family":
        return found, np.arange(len(model.top1))
    rows, factors = left_out_stretches(model)
    return LeftOutVariants(target=found.target[rows], spread=factors * found.spread[rows]), rows


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """Left-out networks, each against its interval; fractions."""

    apart: Floats
    inside: NDArray[np.bool_]
    half: Floats

    @classmethod
    def of(cls, found: LeftOutVariants, truth: Floats) -> "_Outcome":
        reach = NormalDist().inv_cdf((1 + LEVEL) / 2)
        low = to_top1(found.target - reach * found.spread)
        high = to_top1(found.target + reach * found.spread)
        return cls(
            apart=np.abs(to_top1(found.target) - truth),
            inside=(low <= truth) & (truth <= high),
            half=(high - low) / 2,
        )

    def take(self, rows: NDArray[np.bool_]) -> "_Outcome":
        return _Outcome(apart=self.apart[rows], inside=self.inside[rows], half=self.half[rows])

    def error(self, way: str, of: str, weights: Floats) -> AccuracyError:
        return AccuracyError(
            left_out=way,
            of=of,
            networks=len(self.apart),
            mean=float(np.average(self.apart, weights=weights)),
            median=_quantile(self.apart, weights, 0.5),
            tenth=_quantile(self.apart, weights, 0.9),
            coverage=float(np.average(self.inside, weights=weights)),
            level=LEVEL,
            width=float(np.average(self.half, weights=weights)),
        )


def _quantile(values: Floats, weights: Floats, share: float) -> float:
    return float(np.quantile(values, share, weights=weights, method="inverted_cdf"))
