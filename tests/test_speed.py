"""Bounds on what answers cost, as ratios within one run: wide enough for a noisy machine.

``benchmarks/speed.py`` measures them well; here only what would be a fault of its own is caught.
"""

import pytest

from benchmarks import speed

pytestmark = pytest.mark.slow
IMPORTS_OF_AN_ANSWER = 9.0
"""Most times the imports that a cold recommendation may take; it takes four to six."""
QUADRATIC = 1.5
"""Exponent that no work in proportion to its size comes near."""


def case(name: str) -> speed.Case:
    return next(one for one in speed.CASES if name in one.name)


def test_a_cold_recommendation_keeps_its_multiple_of_the_imports() -> None:
    (cost,) = speed.measured(case("cold"), (1,), 3, [])
    assert cost.ratio < IMPORTS_OF_AN_ANSWER


def test_help_takes_less_than_the_imports() -> None:
    (cost,) = speed.measured(case("--help"), (1,), 3, [])
    assert cost.ratio < 1.0


def test_an_import_of_repetitions_takes_linear_time() -> None:
    costs = speed.measured(case("`import`"), (1_000, 8_000, 24_000), 1, [])
    grown = speed.exponent(costs, lambda one: one.seconds)
    assert grown is None or grown < QUADRATIC


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_the_exponent_leaves_what_does_not_grow_out(power: float) -> None:
    costs = [
        speed.Cost(size=size, seconds=5.0 + (size - 10) ** power, ratio=1, megabytes=1, written=0)
        for size in (10, 110, 1_010)
    ]
    assert speed.exponent(costs, lambda one: one.seconds) == pytest.approx(power)


def test_why_is_said_only_where_a_bound_is_missed() -> None:
    """0.6 s beside imports of 0.3 s may be 0.75 s; beside imports of 0.1 s they may be 0.45 s."""
    costs = [
        speed.Cost(size=1, seconds=0.6, ratio=ratio, megabytes=1, written=0) for ratio in (2, 6)
    ]
    held, missed = (speed.page({speed.COLD: [cost]}, [0.1] * 3) for cost in costs)
    assert "A cold `recommend`" not in held
    assert "A cold `recommend`" in missed
