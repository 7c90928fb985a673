"""Calibration: how wide an interval has to be, by evidence class and level.

Each class keeps the distribution of |error| / spread over networks that were left out, where
spread is the model's own standard deviation. Its quantile at a level, with the finite-sample
correction of split conformal prediction (Vovk et al. 2005), is the factor of the interval.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.evidence_class import EvidenceClass
from advisor.estimators.levels import at_level

Floats = NDArray[np.float64]

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99)
"""Levels at which quantiles are kept; between them they are interpolated."""
LEAST = 60
"""Left-out cells that a class of its own needs."""
OF_LANE = 25
"""Cells that a lane may count for in a class: errors inside a lane go together."""
_GAUSS = (0.674, 0.842, 1.036, 1.282, 1.440, 1.645, 1.780, 1.960, 2.170, 2.326, 2.576)
"""Two-sided quantiles of the normal distribution at LEVELS, used where nothing was left out."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Quantiles of the normalised absolute error by class name."""

    quantiles: Mapping[str, Sequence[float]]
    """Class -> quantile at each of LEVELS; wider classes pool narrower ones."""

    def quantile(self, evidence: EvidenceClass, level: float) -> float:
        """Return the factor of the spread for an evidence class at a level."""
        return self.quantile_of(evidence.key, level)

    def quantile_of(self, name: str, level: float) -> float:
        """Return the factor of the spread for the key of an evidence class at a level."""
        for key in wider(name):
            if key in self.quantiles:
                return at_level(level, LEVELS, self.quantiles[key])
        return at_level(level, LEVELS, _GAUSS)

    @staticmethod
    def of(scores: Iterable["Scores"]) -> "Calibration":
        """Calibrate from the left-out cells of each class; small classes are pooled."""
        pooled: dict[str, list[Scores]] = {}
        for one in scores:
            for key in wider(one.key):
                pooled.setdefault(key, []).append(one)
        return Calibration(
            quantiles={
                key: conformal(
                    np.concatenate([one.values for one in parts]),
                    weights_of(np.concatenate([one.lane for one in parts])),
                )
                for key, parts in pooled.items()
                if sum(len(one.values) for one in parts) >= LEAST
            }
        )


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Left-out cells of one class."""

    key: str
    values: Floats
    """|error| / spread."""
    lane: NDArray[np.int64]

    @staticmethod
    def by_class(
        keys: NDArray[np.str_], values: Floats, lane: NDArray[np.int64]
    ) -> Iterator["Scores"]:
        """Split cells by their class."""
        for key in np.unique(keys):
            mine = keys == key
            yield Scores(key=str(key), values=values[mine], lane=lane[mine])


def weights_of(lane: NDArray[np.int64]) -> Floats:
    """Return the weight of each cell, so that no lane counts for more than ``OF_LANE`` cells."""
    _, position, count = np.unique(lane, return_inverse=True, return_counts=True)
    weights: Floats = np.minimum(1.0, OF_LANE / count)[position]
    return weights


def wider(name: str) -> tuple[str, ...]:
    """Return a class, ``network/lane/unit``, and the wider ones that hold it, narrowest first."""
    network, lane, unit = name.split("/")
    return (f"{network}/{lane}/{unit}", f"{network}/{lane}", f"any/{lane}", "any/any")


def conformal(values: Floats, weights: Floats | None = None) -> tuple[float, ...]:
    """Return the conformal quantile of absolute scores at each of LEVELS.

    The least score below which, with its own weight, lies the level of the weight of all scores
    and of one more that is beyond them.
    """
    order = np.argsort(values)
    weight = np.ones(len(values)) if weights is None else weights[order]
    below = np.cumsum(weight)
    wanted = np.minimum(np.array(LEVELS) * (below[-1] + weight.mean()), below[-1])
    places = np.minimum(np.searchsorted(below, wanted - 1e-9), len(values) - 1)
    return tuple(float(q) for q in values[order][places])
