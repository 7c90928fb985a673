"""Solving: the deviations from the means, from which any cells can be taken out again.

The weights of all cells are the inverse of their covariance times how far their times are from
the means. With the inverse at hand, the fit without some cells follows without another
factorisation: with A the inverse, b the weights and g the cells taken out, what remains has the
weights b_r - A_rg·(A_gg)⁻¹·b_g.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.covariance import Points, Singles, Variances, covariance
from advisor.estimators.fit.fitting import Data, Means, assembled, linearised
from advisor.estimators.fitted import Fitted

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_ROWS = 1000
"""Rows of the covariance that are built at once."""
GROSS = 4.0
"""Errors, in standard deviations, beyond which a cell that is predicted from all others is taken
for a gross error: a misread unit, another network, a machine that was busy."""


@dataclass(frozen=True, kw_only=True)
class Solved:
    """A fit to all cells of some data."""

    data: Data
    means: Means
    variances: Variances
    surprise: Floats
    noise: Floats
    inverse: Floats
    """Inverse covariance of the cells."""
    weights: Floats

    def whole(self) -> Fitted:
        """Return the estimator that knows all cells."""
        return assembled(self.data, self.means, self.variances, self.weights, self.noise)

    def without(self, cells: Integers) -> Fitted:
        """Return the estimator that knows all cells but some."""
        kept = np.setdiff1d(np.arange(len(self.data)), cells)
        taken = np.linalg.solve(self.inverse[np.ix_(cells, cells)], self.weights[cells])
        weights = self.weights[kept] - self.inverse[np.ix_(kept, cells)] @ taken
        part = self.data.take(kept)
        return assembled(part, self.means, self.variances, weights, self.noise[kept])


def solve(data: Data, means: Means, variances: Variances) -> Solved:
    """Fit the deviations from the means to all cells; gross errors count for little."""
    points, surprise = linearised(data, means)
    noise = variances.noise(data.exact)
    prior = _prior(points, data, means, variances, noise)
    inverse = _inverse(prior)
    weights = inverse @ surprise
    gross = _gross(inverse, weights)
    if len(gross):
        noise, inverse = _softened(noise, inverse, weights, gross)
        weights = inverse @ surprise
    return Solved(
        data=data,
        means=means,
        variances=variances,
        surprise=surprise,
        noise=noise,
        inverse=inverse,
        weights=weights,
    )


def fit(data: Data, means: Means, variances: Variances, noise: Floats) -> Fitted:
    """Fit the deviations from the means to cells of known noise; none can be taken out again."""
    from scipy.linalg import cho_factor, cho_solve

    points, surprise = linearised(data, means)
    prior = _prior(points, data, means, variances, noise)
    factor = cho_factor(prior, lower=True, overwrite_a=True, check_finite=False)
    weights: Floats = cho_solve(factor, surprise, check_finite=False)
    return assembled(data, means, variances, weights, noise)


def _gross(inverse: Floats, weights: Floats) -> Integers:
    """Return the cells that all others together find impossible."""
    return np.flatnonzero(np.abs(weights) > GROSS * np.sqrt(np.diag(inverse)))


def _softened(
    noise: Floats, inverse: Floats, weights: Floats, gross: Integers
) -> tuple[Floats, Floats]:
    """Give gross errors their own squared deviation as noise (Woodbury's identity)."""
    error = weights[gross] / np.diag(inverse)[gross]
    added = error**2
    inner = np.diag(1 / added) + inverse[np.ix_(gross, gross)]
    half = np.linalg.solve(np.linalg.cholesky(inner), inverse[gross])
    softer = noise.copy()
    softer[gross] += added
    for start in range(0, len(noise), _ROWS):
        rows = slice(start, start + _ROWS)
        inverse[rows] -= half[:, rows].T @ half
    return softer, inverse


def _prior(points: Points, data: Data, means: Means, variances: Variances, noise: Floats) -> Floats:
    """Return the covariance of the cells, in the order that LAPACK works on in place."""
    matrices: dict[str, Singles] = variances.lane_matrices(
        data.lanes, data.lanes, means.costs.scale
    )
    prior = np.empty((len(points), len(points)), order="F")
    for start in range(0, len(points), _ROWS):
        rows = np.arange(start, min(start + _ROWS, len(points)))
        prior[rows] = covariance(points.take(rows), points, matrices, kind=np.float32)
    prior[np.diag_indices_from(prior)] += noise
    return prior


def _inverse(matrix: Floats) -> Floats:
    """Invert a positive definite matrix in its own memory."""
    from scipy.linalg import lapack

    factor, _ = lapack.dpotrf(matrix, lower=1, overwrite_a=1)
    lower, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    for start in range(0, len(lower), _ROWS):
        stop = min(start + _ROWS, len(lower))
        block = lower[start:stop, start:stop]
        block[...] = np.tril(block) + np.tril(block, -1).T
        lower[start:stop, stop:] = lower[stop:, start:stop].T
    found: Floats = lower
    return found
