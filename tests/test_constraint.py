"""Limits, verdicts, margins."""

import pytest

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
    ("low", "high", "verdict"),
    [
        (0.008, 0.010, Verdict.MET),
        (0.009, 0.011, Verdict.UNCERTAIN),
        (0.011, 0.013, Verdict.VIOLATED),
    ],
)
def test_the_whole_interval_decides_an_upper_limit(
    low: float, high: float, verdict: Verdict
) -> None:
    assert TEN_MS.verdict(estimate(Metric.LATENCY, low, (low + high) / 2, high)) is verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.75, 0.80, Verdict.MET),
        (0.70, 0.80, Verdict.UNCERTAIN),
        (0.60, 0.70, Verdict.VIOLATED),
    ],
)
def test_the_whole_interval_decides_a_lower_limit(
    low: float, high: float, verdict: Verdict
) -> None:
    assert AT_LEAST_75.verdict(estimate(Metric.TOP1, low, (low + high) / 2, high)) is verdict


def test_a_gap_is_unknown_and_not_violated() -> None:
    assert TEN_MS.verdict(Gap(metric=Metric.LATENCY, reason="none")) is Verdict.UNKNOWN


def test_the_margin_is_measured_at_the_unfavourable_end() -> None:
    assert TEN_MS.margin(estimate(Metric.LATENCY, 0.006, 0.007, 0.008)) == pytest.approx(0.2)
    assert AT_LEAST_75.margin(estimate(Metric.TOP1, 0.78, 0.80, 0.82)) == pytest.approx(0.04)


def test_a_limit_has_exactly_one_bound() -> None:
    with pytest.raises(ConstraintError, match="exactly one"):
        Constraint(metric=Metric.LATENCY)
