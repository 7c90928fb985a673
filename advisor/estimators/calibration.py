"""Calibration: how wide an interval has to be, by evidence class and level.

Each class keeps the distribution of |error| / spread over cells that were left out of the fit that
ships, where spread is the model's own standard deviation. Its quantile at a level, with the
finite-sample correction of split conformal prediction (Vovk et al. 2005), is the factor of the
interval. Errors inside a group (a chip, a family, an architecture) go together, so a group counts
as the square root of its cells, and what is not yet seen is one more group.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from advisor.core.frozen_record import Record
from advisor.estimators.evidence_class import EvidenceClass
from advisor.estimators.levels import at_level

Floats = NDArray[np.float64]

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99)
"""Levels at which quantiles are kept; between them they are interpolated."""
LEAST, LEAST_GROUPS = 40, 10
"""Left-out cells, and groups of them, that a class of its own needs."""
_GAUSS = (0.674, 0.842, 1.036, 1.282, 1.440, 1.645, 1.780, 1.960, 2.170, 2.326, 2.576)
"""Two-sided quantiles of the normal distribution at LEVELS, used where nothing was left out."""


class Calibration(Record):
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
            for key in dict.fromkeys(wider(one.key)):
                pooled.setdefault(key, []).append(one)
        found = {}
        for key, parts in pooled.items():
            group = np.concatenate([one.group for one in parts])
            if len(group) >= LEAST and len(np.unique(group)) >= LEAST_GROUPS:
                found[key] = conformal(np.concatenate([one.values for one in parts]), group)
        return Calibration(quantiles=found)


class Scores(Record):
    """Left-out cells of one class."""

    key: str
    values: Floats
    """|error| / spread."""
    group: NDArray[np.str_]
    """What each cell was left out with: its chip, its family or its architecture."""

    @staticmethod
    def by_class(
        keys: NDArray[np.str_], values: Floats, group: NDArray[np.str_]
    ) -> Iterator["Scores"]:
        """Split cells by their class."""
        for key in np.unique(keys):
            mine = keys == key
            yield Scores(key=str(key), values=values[mine], group=group[mine])


def wider(name: str) -> tuple[str, ...]:
    """Return a class, ``network/lane/unit``, and the wider ones that hold it, narrowest first.

    Where others are left out only so many networks of a lane are kept, so that lanes with many have
    the factors of those with some where they have none of their own.
    """
    network, lane, unit = name.split("/")
    lanes = (lane, "some") if lane == "many" else (lane,)
    found = [
        key
        for one in lanes
        for key in (f"{network}/{one}/{unit}", f"{network}/{one}", f"any/{one}")
    ]
    return (*found, "any/any")


def weights_of(group: NDArray[np.str_]) -> Floats:
    """Return the weight of each cell: a group of n cells counts as the square root of n."""
    _, position, count = np.unique(group, return_inverse=True, return_counts=True)
    weights: Floats = 1 / np.sqrt(count.astype(np.float64))
    return weights[position]


def conformal(values: Floats, group: NDArray[np.str_] | None = None) -> tuple[float, ...]:
    """Return the conformal quantile of absolute scores at each of LEVELS.

    Without groups every score is one of its own.

    The least score below which lies the level of the weight of all scores and of one more group
    that is beyond them all.
    """
    order = np.argsort(values)
    if group is None:
        group = np.arange(len(values)).astype(np.str_)
    weight = weights_of(group)
    below = np.cumsum(weight[order])
    one_more = below[-1] / len(np.unique(group))
    wanted = np.minimum(np.array(LEVELS) * (below[-1] + one_more), below[-1])
    places = np.minimum(np.searchsorted(below, wanted - 1e-9), len(values) - 1)
    return tuple(float(q) for q in values[order][places])
