"""Limits, verdicts, margins."""

import math
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.core.constraint import Constraint, Verdict
from advisor.core.estimate import Estimate, Gap, Interval, Origin, Provenance
from advisor.core.quantity import Metric
from advisor.errors import ConstraintError

TEN_MS = Constraint(metric=Metric.LATENCY, at_most=0.010)
AT_LEAST_75 = Constraint(metric=Metric.TOP1, at_least=0.75)


def estimate(metric: Metric, low: float, value: float, high: float) -> Estimate:
    return Estimate(
        metric=metric,
        value=value,
        interval=Interval(low=low, high=high, level=0.9),
        provenance=Provenance(origin=Origin.PREDICTED, source="by hand"),
    )


@pytest.mark.parametrize(
    ("bound", "verdict"),
    [(0.0113, Verdict.MET), (0.0110, Verdict.UNCERTAIN), (0.0088, Verdict.VIOLATED)],
)
def test_an_upper_limit_is_met_with_the_probability_asked_for(
    bound: float, verdict: Verdict
) -> None:
    """10 ms, one standard deviation a tenth of it: nine of ten stay below 10 × 1.1^1.2816 ms."""
    spread = 1.1**1.6449
    limit = Constraint(metric=Metric.LATENCY, at_most=bound)
    found = estimate(Metric.LATENCY, 0.010 / spread, 0.010, 0.010 * spread)
    assert limit.verdict(found, 0.9) is verdict
    assert limit.probability(found) == pytest.approx(
        NormalDist().cdf(math.log(bound / 0.010) / math.log(1.1)), abs=1e-4
    )


@pytest.mark.parametrize(
    ("bound", "verdict"),
    [(0.787, Verdict.MET), (0.790, Verdict.UNCERTAIN), (0.813, Verdict.VIOLATED)],
)
def test_a_lower_limit_on_a_fraction_is_judged_by_differences(
    bound: float, verdict: Verdict
) -> None:
    """80 %, one standard deviation a point."""
    limit = Constraint(metric=Metric.TOP1, at_least=bound)
    found = estimate(Metric.TOP1, 0.8 - 0.016449, 0.8, 0.8 + 0.016449)
    assert limit.verdict(found, 0.9) is verdict


def test_a_gap_is_unknown_and_not_violated() -> None:
    assert TEN_MS.verdict(Gap(metric=Metric.LATENCY, reason="none"), 0.9) is Verdict.UNKNOWN


def test_what_is_counted_keeps_a_limit_surely_or_not_at_all() -> None:
    counted = estimate(Metric.LATENCY, 0.010, 0.010, 0.010)
    assert TEN_MS.verdict(counted, 0.999) is Verdict.MET
    assert Constraint(metric=Metric.LATENCY, at_most=0.00999).probability(counted) == 0.0
    assert Constraint(metric=Metric.LATENCY, at_least=0.010).probability(counted) == 1.0


figures = st.tuples(*[st.floats(1e-6, 1e3)] * 3).map(sorted)
confidences = st.floats(0.5, 0.999)


@given(figures, st.floats(1e-6, 1e3), confidences, st.booleans(), st.sampled_from(Metric))
def test_more_confidence_never_turns_an_open_limit_into_a_met_one(
    ends: list[float], bound: float, confidence: float, upper: bool, metric: Metric
) -> None:
    limit = Constraint(metric=metric, **{"at_most" if upper else "at_least": bound})
    found = estimate(metric, *ends)
    more = (1 + confidence) / 2
    if limit.verdict(found, more) is Verdict.MET:
        assert limit.verdict(found, confidence) is Verdict.MET


@given(figures, st.floats(1e-6, 1e3), st.floats(1.0, 3.0), confidences)
def test_a_looser_limit_never_turns_away_what_a_tighter_one_admits(
    ends: list[float], bound: float, factor: float, confidence: float
) -> None:
    found = estimate(Metric.LATENCY, *ends)
    tight = Constraint(metric=Metric.LATENCY, at_most=bound)
    loose = Constraint(metric=Metric.LATENCY, at_most=bound * factor)
    assert loose.verdict(found, confidence).rank <= tight.verdict(found, confidence).rank


@given(figures, confidences)
def test_the_sure_value_is_kept_with_just_the_probability(
    ends: list[float], confidence: float
) -> None:
    found = estimate(Metric.LATENCY, *ends)
    sure = TEN_MS.sure(found, confidence)
    limit = Constraint(metric=Metric.LATENCY, at_most=sure * (1 + 1e-9))
    assert limit.probability(found) >= confidence - 1e-6


def test_the_margin_is_measured_where_the_limit_is_surely_kept() -> None:
    found = estimate(Metric.LATENCY, 0.006, 0.007, 0.008)
    sure = 0.007 * (8 / 7) ** (1.2816 / 1.6449)
    assert TEN_MS.margin(found) == pytest.approx((0.010 - sure) / 0.010, abs=1e-4)
    assert AT_LEAST_75.margin(estimate(Metric.TOP1, 0.78, 0.80, 0.82), 0.95) == pytest.approx(
        0.03 / 0.75, abs=1e-4
    )


def test_a_limit_has_exactly_one_bound() -> None:
    with pytest.raises(ConstraintError, match="exactly one"):
        Constraint(metric=Metric.LATENCY)
