"""Own timings: how far each of a few timings is believed.

A timing may be wrong by any factor: a misread unit, a busy machine, another network. Its error is
taken to be Student's with three degrees of freedom, which is a normal one whose variance differs by
timing; expectation and maximisation finds the variances (Lange, Little and Taylor 1989). It sets
out from the offset that most timings of a lane agree on, because a single gross error would drag
the others along.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

OWN_SCALE = 0.03
"""Scale of the log of a time that was measured with a careful harness."""
FREEDOM = 3.0
"""Degrees of freedom of its error."""
DOUBTED = 0.05
"""Belief below which a timing is named as not believed."""
_ROUNDS, _STILL = 50, 1e-3
_FAR = 3.0
"""Deviations from the lane's offset, in robust standard deviations, that are gross at the start."""
_MAD = 1.4826
_SMALL = 64
"""Side of a matrix that is inverted as a whole."""


def robust_noise(prior: Floats, surprise: Floats, lane: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return the variance of the noise of each timing, and how far each is believed.

    ``prior`` is the covariance of what the timings would be without noise, ``surprise`` how far
    the logs of the timings are from what was expected, ``lane`` a number for the lane of each.
    """
    noise = _starting_noise(surprise, lane)
    for _ in range(_ROUNDS):
        # With A = prior + N, what remains is prior - prior A⁻¹ prior = N - N A⁻¹ N.
        whiten = inverse_of_lower(np.linalg.cholesky(prior + np.diag(noise)))
        away = noise * (whiten.T @ (whiten @ surprise))
        remaining = np.maximum(noise - noise**2 * (whiten**2).sum(axis=0), 0)
        square = away**2 + remaining
        belief = (FREEDOM + 1) / (FREEDOM + square / OWN_SCALE**2)
        new = OWN_SCALE**2 / belief
        if np.abs(np.log(new / noise)).max() < _STILL:
            break
        noise = new
    return noise, np.minimum(OWN_SCALE**2 / noise, 1.0)


def inverse_of_lower(matrix: NDArray[np.floating[Any]]) -> Floats:
    """Return the inverse of a lower triangular matrix, by halves: a third of a general one's work.

    [[A, 0], [B, C]]⁻¹ = [[A⁻¹, 0], [-C⁻¹ B A⁻¹, C⁻¹]].
    """
    if len(matrix) <= _SMALL:
        small: Floats = np.tril(np.linalg.inv(matrix))
        return small
    half = len(matrix) // 2
    found = np.zeros_like(matrix)
    found[:half, :half] = first = inverse_of_lower(matrix[:half, :half])
    found[half:, half:] = last = inverse_of_lower(matrix[half:, half:])
    found[half:, :half] = -last @ (matrix[half:, :half] @ first)
    return found


def _starting_noise(surprise: Floats, lane: NDArray[np.int64]) -> Floats:
    noise = np.full(len(surprise), OWN_SCALE**2)
    for number in set(lane.tolist()):
        mine = np.flatnonzero(lane == number)
        if len(mine) < 3:
            continue
        away = surprise[mine] - np.median(surprise[mine])
        usual = max(_MAD * float(np.median(np.abs(away))), OWN_SCALE)
        gross = np.abs(away) > _FAR * usual
        noise[mine[gross]] = away[gross] ** 2
    return noise
