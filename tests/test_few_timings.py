"""A few timings of the user's own: what they teach, and which of them is not believed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.estimators.own_timings import DOUBTED, OWN_SCALE, inverse_of_lower, robust_noise

LANE = np.zeros(8, np.int64)
PRIOR = 0.5 * np.ones((8, 8)) + 0.01 * np.eye(8)
"""The lane's offset is unknown by a factor of two; each network deviates from it by 10 %."""


def offset(surprise: np.ndarray, noise: np.ndarray) -> float:
    """Return what the timings say of a network that deviates as they do."""
    return float(np.full(8, 0.5) @ np.linalg.solve(PRIOR + np.diag(noise), surprise))


def test_timings_that_agree_are_all_believed() -> None:
    noise, believed = robust_noise(PRIOR, np.full(8, 0.7), LANE)
    assert (believed > DOUBTED).all()
    assert offset(np.full(8, 0.7), noise) == pytest.approx(0.7, abs=0.01)


@given(st.sampled_from(range(8)), st.sampled_from([0.2, 5.0, 100.0]))
@settings(max_examples=20, deadline=None)
def test_one_timing_wrong_by_any_factor_moves_nothing(place: int, factor: float) -> None:
    surprise = np.full(8, 0.7) + 0.02 * np.arange(8)
    before = offset(surprise, robust_noise(PRIOR, surprise, LANE)[0])
    surprise[place] += np.log(factor)
    noise, believed = robust_noise(PRIOR, surprise, LANE)
    assert believed.argmin() == place
    assert believed[place] < DOUBTED
    assert offset(surprise, noise) == pytest.approx(before, abs=0.03)


def test_a_lane_that_is_unlike_all_others_is_believed_when_its_timings_agree() -> None:
    """Ten times slower than anything led to expect, but all eight say so."""
    _, believed = robust_noise(PRIOR, np.full(8, np.log(10)), LANE)
    assert (believed > DOUBTED).all()


def test_a_single_timing_has_no_other_to_refute_it() -> None:
    noise, _ = robust_noise(np.array([[0.5]]), np.array([0.1]), np.zeros(1, np.int64))
    assert noise[0] < 4 * OWN_SCALE**2


@pytest.mark.parametrize("side", [1, 2, 64, 65, 200])
def test_a_lower_triangle_is_inverted_by_halves(side: int) -> None:
    rough = np.random.default_rng(side).standard_normal((side, side))
    lower = np.linalg.cholesky(rough @ rough.T + side * np.eye(side))
    found = inverse_of_lower(lower)
    assert found @ lower == pytest.approx(np.eye(side), abs=1e-10)
    assert (np.triu(found, 1) == 0).all()
