"""Calibration: how wide an interval has to be, by evidence class and level.

Each class keeps the distribution of |error| / spread over networks that were left out, where
spread is the model's own standard deviation. Its quantile at a level, with the finite-sample
correction of split conformal prediction (Vovk et al. 2005), is the factor of the interval.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.evidence import Evidence

Floats = NDArray[np.float64]

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99)
"""Levels at which quantiles are kept; between them they are interpolated."""
LEAST = 60
"""Left-out cells that a class of its own needs."""
_GAUSS = (0.674, 0.842, 1.036, 1.282, 1.440, 1.645, 1.780, 1.960, 2.170, 2.326, 2.576)
"""Two-sided quantiles of the normal distribution at LEVELS, used where nothing was left out."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Quantiles of the normalised absolute error by class name."""

    quantiles: Mapping[str, Sequence[float]]
    """Class -> quantile at each of LEVELS; wider classes pool narrower ones."""

    def quantile(self, evidence: Evidence, level: float) -> float:
        """Return the factor of the spread for an evidence class at a level."""
        return self.quantile_of(evidence.key, level)

    def quantile_of(self, name: str, level: float) -> float:
        """Return the factor of the spread for the key of an evidence class at a level."""
        for key in wider(name):
            if key in self.quantiles:
                return float(np.interp(level, LEVELS, self.quantiles[key]))
        return float(np.interp(level, LEVELS, _GAUSS))

    @staticmethod
    def of(scores: Mapping[str, Floats]) -> "Calibration":
        """Calibrate from normalised absolute errors by class key; small classes are pooled."""
        pooled: dict[str, list[Floats]] = {}
        for name, values in scores.items():
            for key in wider(name):
                pooled.setdefault(key, []).append(values)
        joined = {key: np.concatenate(values) for key, values in pooled.items()}
        return Calibration(
            quantiles={
                key: conformal(values) for key, values in joined.items() if len(values) >= LEAST
            }
        )


def wider(name: str) -> tuple[str, ...]:
    """Return a class, ``network/lane/unit``, and the wider ones that hold it, narrowest first."""
    network, lane, unit = name.split("/")
    return (f"{network}/{lane}/{unit}", f"{network}/{lane}", f"any/{lane}", "any/any")


def conformal(values: Floats) -> tuple[float, ...]:
    """Return the conformal quantile of absolute scores at each of LEVELS."""
    count = len(values)
    ranks = [min(1.0, level * (count + 1) / count) for level in LEVELS]
    return tuple(float(q) for q in np.quantile(values, ranks, method="higher"))
