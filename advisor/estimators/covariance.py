"""Covariance: how the errors of the unit costs hang together between cells.

A cell is a network in a lane. Around the unit costs of ``unit_costs`` the log of its time is a
sum of Gaussian parts: one for the lane as a whole, one per kind of work, operator and column, each
weighted by that work's share of the cell's time, a plane in the network's sizes, and two smooth
functions of its features, one for all networks and one for those of its family.
The covariance of each part over lanes is a mixture of the relations of ``lanes``.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from advisor.core.frozen_record import Record
from advisor.estimators.columns import COLUMNS, KIND_OF
from advisor.estimators.lane_relations import ODD, LaneScale, LaneSet, relations

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Real = TypeVar("Real", np.float32, np.float64)
"""Precision of a covariance: single spares the memory of a fit."""

PUBLICATION = "publication"
"""The part that the figures of one publication have in common in a lane: its protocol."""
LINEAR = ("common", "kind", "operator", "column", "trend", PUBLICATION)
"""Parts that are linear in known weights: of the lane, of kinds of work, operators and columns,
of the logarithms of the network's sizes, and of the publication."""
SMOOTH = "feature"
"""The part that is a smooth function of the network's features."""
FAMILY = "family"
"""The same among networks of one family, so that what a family has in common is not taken for
what networks of like features have."""
LEVELS = (*LINEAR, SMOOTH, FAMILY)
REACH = 0.7
"""Distance of features over which the smooth part changes."""
FAMILY_REACH = 2.0
"""… and that of a family."""
_GROUPS = sorted({(column.operator, column.kind) for column in COLUMNS})
OPERATOR_OF = np.array([[(c.operator, c.kind) == g for g in _GROUPS] for c in COLUMNS], np.float64)
"""(columns, operators): 1 where the column is of the operator and kind of work."""
_TREND_CENTER = np.array([20.9, 16.8, 17.6, 5.1, 5.45])
_TREND_SCALE = np.array([1.2, 1.0, 1.2, 1.2, 0.8])
"""Log MACs, parameters, elements moved, calls and pixels of a middling network, and twice the
scale of the features."""


class Variances(Record):
    """Hyper-parameters: the variance of each level by relation, and of the noise by match."""

    by_relation: Mapping[str, Mapping[str, float]]
    """Level -> relation -> variance of the log of the time."""
    exact: float
    """Noise of a figure of exactly the named network."""
    close: float
    """… and how much more where the network differs a little from the named one."""

    def lane_matrices(self, a: LaneSet, b: LaneSet, scale: LaneScale) -> dict[str, Singles]:
        """Return the covariance over lanes by level: (a, b)."""
        names = sorted({name for by in self.by_relation.values() for name in by})
        related = relations(a, b, scale, [*names, ODD])
        odd = related[ODD]
        found = {}
        for level in LEVELS:
            total = np.zeros((len(a), len(b)))
            if level == "common":
                total += odd
            for relation, variance in self.by_relation.get(level, {}).items():
                total += variance * related[relation]
            found[level] = total.astype(np.float32)
        return found

    def of_lanes(self, lanes: LaneSet, scale: LaneScale, level: str) -> Floats:
        """Return the variance of each lane at one level."""
        found = lanes.odd**2 if level == "common" else np.zeros(len(lanes))
        for relation, variance in self.by_relation.get(level, {}).items():
            _, _, fact = relation.partition(":")
            found = found + variance * (scale.centred(lanes, fact) ** 2 if fact else 1.0)
        return found

    def noise(self, exact: NDArray[np.bool_]) -> Floats:
        """Return the variance of the noise of each cell."""
        noise: Floats = np.where(exact, self.exact, self.exact + self.close)
        return noise


class Points(Record):
    """Cells, measured or asked for, as the covariance sees them."""

    lane: NDArray[np.int64]
    """Row or column of the lane matrices."""
    share: Floats
    """(n, columns): share of the time by column."""
    features: Floats
    """(n, features) of the cell's network."""
    family: NDArray[np.int64]
    """Number of the network's family, -1 where it is not known to the fit."""
    publication: Floats
    """(n, publications): 1 for that of the figure, 0 throughout where it is of none."""

    def __len__(self) -> int:
        return len(self.lane)

    def take(self, rows: NDArray[np.int64]) -> "Points":
        """Return some of the points."""
        return Points(
            lane=self.lane[rows],
            share=self.share[rows],
            features=self.features[rows],
            family=self.family[rows],
            publication=self.publication[rows],
        )

    @staticmethod
    def joined(parts: "Sequence[Points]") -> "Points":
        """Put several together."""
        return Points(
            lane=np.concatenate([p.lane for p in parts]),
            share=np.concatenate([p.share for p in parts]),
            features=np.concatenate([p.features for p in parts]),
            family=np.concatenate([p.family for p in parts]),
            publication=np.concatenate([p.publication for p in parts]),
        )


def publication_weights(publication: NDArray[np.int64], count: int) -> Floats:
    """Return the weights of the publication of each figure; -1 is of none: (n, count)."""
    found: Floats = (publication[:, None] == np.arange(count)).astype(np.float64)
    return found


def basis(points: Points) -> dict[str, Floats]:
    """Return the weights of each linear level: (n, parts of the level)."""
    sizes = points.features[:, : len(_TREND_CENTER)]
    return {
        "common": np.ones((len(points), 1)),
        "kind": points.share @ KIND_OF,
        "operator": points.share @ OPERATOR_OF,
        "column": points.share,
        "trend": sizes / _TREND_SCALE - _TREND_CENTER / 2,
        PUBLICATION: points.publication,
    }


def likeness(a: Floats, b: Floats, reach: float = REACH, *, kind: type[Real]) -> NDArray[Real]:
    """Return how alike networks are: Matérn 3/2 of the distance of their features, (a, b).

    In single precision the distance of near networks has few digits, and they change with the
    number of networks that are asked about.
    """
    left, right = a.astype(kind), b.astype(kind)
    root: NDArray[Real] = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None]
    root -= 2 * left @ right.T
    root *= 3
    # In place: each array more of this size takes as long as the arithmetic.
    np.sqrt(np.maximum(root, 0, out=root), out=root)
    root /= kind(reach)
    fading = np.exp(-root)
    root += 1
    root *= fading
    return root


def kinship(a: Points, b: Points, *, kind: type[Real]) -> NDArray[Real]:
    """Return how alike networks of one family are, 0 for those of different ones: (a, b)."""
    found: NDArray[Real] = np.zeros((len(a), len(b)), kind)
    for family in set(a.family[a.family >= 0].tolist()) & set(b.family.tolist()):
        rows, columns = np.flatnonzero(a.family == family), np.flatnonzero(b.family == family)
        alike = likeness(a.features[rows], b.features[columns], FAMILY_REACH, kind=kind)
        found[np.ix_(rows, columns)] = alike
    return found


def covariance(
    a: Points, b: Points, matrices: Mapping[str, Singles], *, kind: type[Real]
) -> NDArray[Real]:
    """Return the covariance between points: (a, b)."""
    if len(set(b.lane.tolist())) == 1:
        return _with_one_lane(a, b, matrices, kind=kind)
    at = np.ix_(a.lane, b.lane)
    found: NDArray[Real] = likeness(a.features, b.features, kind=kind) * matrices[SMOOTH][at]
    found += kinship(a, b, kind=kind) * matrices[FAMILY][at]
    left, right = basis(a), basis(b)
    for level in LINEAR:
        product = left[level].astype(kind) @ right[level].astype(kind).T
        found += product * matrices[level][at]
    return found


def _with_one_lane(
    a: Points, b: Points, matrices: Mapping[str, Singles], *, kind: type[Real]
) -> NDArray[Real]:
    """Return the same for points of one lane, whose linear parts are one product: (a, b)."""
    by_point = {level: matrix[a.lane, b.lane[0]][:, None] for level, matrix in matrices.items()}
    left, right = basis(a), basis(b)
    weighted = np.concatenate([left[level] * by_point[level] for level in LINEAR], axis=1)
    parts = np.concatenate([right[level] for level in LINEAR], axis=1)
    found: NDArray[Real] = weighted.astype(kind) @ parts.astype(kind).T
    found += likeness(a.features, b.features, kind=kind) * by_point[SMOOTH]
    found += kinship(a, b, kind=kind) * by_point[FAMILY]
    return found


def prior_variance(points: Points, matrices: Mapping[str, Singles]) -> Floats:
    """Return the variance of each point before any cell is known; square lane matrices."""
    lane = points.lane
    found: Floats = matrices[SMOOTH][lane, lane].astype(np.float64)
    found += np.where(points.family >= 0, matrices[FAMILY][lane, lane], 0)
    for level, weights in basis(points).items():
        found += (weights**2).sum(axis=1) * matrices[level][lane, lane]
    return found
