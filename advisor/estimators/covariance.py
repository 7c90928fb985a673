"""Covariance: how the errors of the unit costs hang together between cells.

A cell is a network in a lane. Around the unit costs of ``unit_costs`` the log of its time is a
sum of Gaussian parts: one for the lane as a whole, one per kind of work and one per column, each
weighted by that work's share of the cell's time, and a smooth function of the network's features.
The covariance of each part over lanes is a mixture of the relations of ``lanes``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.columns import KIND_OF
from advisor.estimators.lanes import LaneScale, LaneSet, relations

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

LEVELS = ("common", "kind", "column", "feature")
"""Parts of a cell: the lane as a whole, kinds of work, columns, features of the network."""


@dataclass(frozen=True, kw_only=True)
class Variances:
    """Hyper-parameters: the variance of each level by relation, and of the noise by match."""

    by_relation: Mapping[str, Mapping[str, float]]
    """Level -> relation -> variance of the log of the time."""
    exact: float
    """Noise of a figure of exactly the named network."""
    close: float
    """Noise where the network differs a little from the named one."""

    def lane_matrices(self, a: LaneSet, b: LaneSet, scale: LaneScale) -> dict[str, Singles]:
        """Return the covariance over lanes by level: (a, b)."""
        related = relations(a, b, scale)
        found = {}
        for level in LEVELS:
            total = np.zeros((len(a), len(b)), np.float32)
            for relation, variance in self.by_relation[level].items():
                total += np.float32(variance) * related[relation]
            found[level] = total
        return found

    def noise(self, exact: NDArray[np.bool_]) -> Floats:
        """Return the variance of the noise of each cell."""
        noise: Floats = np.where(exact, self.exact, self.close)
        return noise


@dataclass(frozen=True, kw_only=True)
class Points:
    """Cells, measured or asked for, as the covariance sees them."""

    lane: NDArray[np.int64]
    """Row or column of the lane matrices."""
    share: Floats
    """(n, columns): share of the time by column."""
    features: Floats
    """(n, features) of the cell's network."""

    def __len__(self) -> int:
        return len(self.lane)

    def take(self, rows: NDArray[np.int64]) -> "Points":
        """Return some of the points."""
        return Points(lane=self.lane[rows], share=self.share[rows], features=self.features[rows])


def likeness(a: Floats, b: Floats) -> Singles:
    """Return how alike networks are: Matérn 3/2 of the distance of their features, (a, b)."""
    left, right = a.astype(np.float32), b.astype(np.float32)
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None]
    root = np.sqrt(np.maximum(3 * (squares - 2 * left @ right.T), 0))
    alike: Singles = (1 + root) * np.exp(-root)
    return alike


def covariance(
    a: Points, b: Points, matrices: Mapping[str, Singles], alike: Singles | None = None
) -> Singles:
    """Return the covariance between points: (a, b); ``alike`` where it is known already."""
    at = np.ix_(a.lane, b.lane)
    shares_a, shares_b = a.share.astype(np.float32), b.share.astype(np.float32)
    kinds = KIND_OF.astype(np.float32)
    found: Singles = matrices["common"][at].copy()
    found += ((shares_a @ kinds) @ (shares_b @ kinds).T) * matrices["kind"][at]
    found += (shares_a @ shares_b.T) * matrices["column"][at]
    alike = likeness(a.features, b.features) if alike is None else alike
    found += alike * matrices["feature"][at]
    return found


def prior_variance(points: Points, matrices: Mapping[str, Singles]) -> Floats:
    """Return the variance of each point before any cell is known; square lane matrices."""
    lane = points.lane
    kinds = ((points.share @ KIND_OF) ** 2).sum(axis=1)
    columns = (points.share**2).sum(axis=1)
    found: Floats = (
        matrices["common"][lane, lane]
        + kinds * matrices["kind"][lane, lane]
        + columns * matrices["column"][lane, lane]
        + matrices["feature"][lane, lane]
    ).astype(np.float64)
    return found
