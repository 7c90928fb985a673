"""Probability of keeping limits, by the intervals of estimates."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.core.chance import keeping, keeping_all
from advisor.core.constraint import Constraint
from advisor.core.error import Error
from advisor.core.estimate import Estimate, Interval, Origin, Provenance
from advisor.core.quantity import Metric

SOURCE = Provenance(origin=Origin.PREDICTED, source="test")


def estimate(metric: Metric, value: float, low: float, high: float, level: float) -> Estimate:
    interval = Interval(low=low, high=high, level=level)
    return Estimate(metric=metric, value=value, interval=interval, provenance=SOURCE)


def latency_at_most(seconds: float) -> Constraint:
    return Constraint(metric=Metric.LATENCY, at_most=seconds)


def test_the_chance_is_a_half_where_the_value_is_the_limit() -> None:
    found = keeping(latency_at_most(0.01), estimate(Metric.LATENCY, 0.01, 0.005, 0.02, 0.9))
    assert found == pytest.approx(0.5)


def test_the_upper_end_of_a_two_sided_interval_is_kept_with_its_level_and_half_the_rest() -> None:
    found = keeping(latency_at_most(0.02), estimate(Metric.LATENCY, 0.01, 0.005, 0.02, 0.9))
    assert found == pytest.approx(0.95)


def test_each_side_has_its_own_spread() -> None:
    skewed = estimate(Metric.LATENCY, 0.01, 0.009, 0.04, 0.8)
    assert keeping(latency_at_most(0.04), skewed) == pytest.approx(0.9)
    assert keeping(latency_at_most(0.009), skewed) == pytest.approx(0.1)


def test_what_is_counted_keeps_its_limit_or_does_not() -> None:
    exact = estimate(Metric.WEIGHTS, 1e7, 1e7, 1e7, 1.0)
    bounds = {1e7: 1.0, 2e7: 1.0, 9e6: 0.0}
    for bound, chance in bounds.items():
        assert keeping(Constraint(metric=Metric.WEIGHTS, at_most=bound), exact) == chance
    parameters = estimate(Metric.TOP1, 0.7, 0.7, 0.7, 1.0)
    for bound, chance in {0.7: 1.0, 0.6: 1.0, 0.8: 0.0}.items():
        assert keeping(Constraint(metric=Metric.TOP1, at_least=bound), parameters) == chance


def test_limits_on_the_time_are_kept_together_and_others_each_by_itself() -> None:
    assert keeping_all([(Metric.LATENCY, 0.0), (Metric.ENERGY, 1.0)]) == pytest.approx(0.5)
    assert keeping_all([(Metric.LATENCY, 0.0), (Metric.PEAK_MEMORY, 0.0)]) == pytest.approx(0.25)


def test_without_limits_every_limit_is_kept() -> None:
    assert keeping_all([]) == 1.0


@given(
    value=st.floats(1e-3, 1.0),
    down=st.floats(1.0, 10.0),
    up=st.floats(1.0, 10.0),
    bounds=st.tuples(st.floats(1e-4, 10.0), st.floats(1e-4, 10.0)),
)
def test_a_tighter_limit_is_never_kept_more_surely(
    value: float, down: float, up: float, bounds: tuple[float, float]
) -> None:
    error = Error.of(Metric.LATENCY, value, value / down, value * up, 0.9)
    low, high = sorted(bounds)
    assert error.standing(low) <= error.standing(high) or math.isclose(low, high)
