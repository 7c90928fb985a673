"""Quantities as people write and read them."""

import pytest

from advisor.core.quantity import Metric, Unit, human, human_interval, parse, significant
from advisor.errors import UsageError


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("10ms", Unit.SECOND, 0.01),
        ("0.01s", Unit.SECOND, 0.01),
        ("250 us", Unit.SECOND, 0.00025),
        ("512MB", Unit.BYTE, 512e6),
        ("4GiB", Unit.BYTE, 4 * 2**30),
        ("20mJ", Unit.JOULE, 0.02),
        ("5W", Unit.WATT, 5.0),
        ("30/s", Unit.PER_SECOND, 30.0),
        ("75%", Unit.FRACTION, 0.75),
        ("5M", Unit.COUNT, 5e6),
        ("99USD", Unit.USD, 99.0),
    ],
)
def test_a_quantity_is_read_as_si(text: str, unit: Unit, value: float) -> None:
    assert parse(text, unit, option="--x") == pytest.approx(value)


def test_a_missing_unit_is_refused_with_the_accepted_ones() -> None:
    with pytest.raises(UsageError, match=r"--max-latency: the unit is missing in '10'.*s, ms, us"):
        parse("10", Unit.SECOND, option="--max-latency")


def test_an_unknown_unit_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="unknown unit 'parsec'"):
        parse("3parsec", Unit.SECOND, option="--max-latency")


@pytest.mark.parametrize("text", ["-1ms", "1e999ms", "nanms", ""])
def test_what_is_no_finite_positive_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--max-latency"):
        parse(text, Unit.SECOND, option="--max-latency")


def test_a_share_over_one_hundred_percent_is_refused() -> None:
    with pytest.raises(UsageError, match="at most 100%"):
        parse("101%", Unit.FRACTION, option="--min-top1")


def test_people_read_three_significant_digits() -> None:
    assert human(0.011432, Unit.SECOND) == "11.4 ms"
    assert human(4_089_184_256, Unit.COUNT) == "4.09 G"
    assert human(0.7289, Unit.FRACTION) == "72.9 %"


def test_both_ends_of_an_interval_share_the_unit_of_the_value() -> None:
    assert human_interval(0.00095, 0.0012, Unit.SECOND, like=0.001) == "0.950–1.20 ms"


def test_rounding_up_to_the_next_power_of_ten_keeps_three_digits() -> None:
    assert significant(9.999) == "10.0"


def test_every_metric_has_a_unit_and_a_label() -> None:
    assert all(metric.unit and metric.label for metric in Metric)
