"""Operating conditions: power mode and runtime version narrow an answer, or it says they cannot."""

import pytest

from advisor.answering.estimates import estimate
from advisor.answering.evidence import Evidence
from advisor.core.conditions import Conditions, is_mode, is_version, mode_in
from advisor.core.document import EstimateEntry
from advisor.core.quantity import Metric
from advisor.core.question import Stated
from advisor.core.request import EstimateRequest
from advisor.errors import UsageError
from advisor.hardware.library import load_profile

EVIDENCE = Evidence()
LANE = {"unit": "cpu", "runtime": "tflite", "precision": "fp32"}


def asked(device: str, **options: str) -> EstimateEntry:
    """Estimate MobileNetV1 on a device under stated options."""
    stated = {"candidates": ["mobilenetv1_100@224"], "device": device, **options}
    request = EstimateRequest.read(Stated(options=stated))
    return estimate(request, EVIDENCE).estimates[0]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("15W", "15 W", True),
        ("MAXN", "MAXN (60W)", True),
        ("60W", "MAXN (60W)", True),
        ("max-q", "Max-Q 7.5W", True),
        ("MaxQ", "Max-Q 7.5W", True),
        ("5W", "15W", False),
        ("15W", "15W (JetPack<=6.1)", True),
        ("", "15W", False),
    ],
)
def test_a_power_mode_is_known_by_its_name_or_its_watts(one: str, other: str, same: bool) -> None:
    assert is_mode(one, other) is same


def test_a_version_holds_for_its_releases() -> None:
    assert is_version("2.5", "2.5.0")
    assert not is_version("2.5", "2.50.0")
    assert not is_version("2.5", "")


def test_the_variant_of_a_lane_ends_with_its_power_mode() -> None:
    assert mode_in("TFLite delegate MaxQ", "maxq")
    assert mode_in("ruy nvpmodel 2", "nvpmodel 2")
    assert not mode_in("ruy", "MaxQ")


def test_conditions_hold_where_a_figure_states_all_of_them() -> None:
    both = Conditions(power_mode="MAXN", version="2.5")
    assert both.hold(power_mode="MAXN", version="2.5.1")
    assert not both.hold(power_mode="", version="2.5.1")
    assert not Conditions()


def test_a_power_mode_leads_to_the_lane_that_was_measured_in_it() -> None:
    assert asked("jetson-agx-orin", power_mode="MaxQ", **LANE).lane.endswith("master build MaxQ")


def test_a_runtime_version_keeps_the_figures_of_that_version() -> None:
    every = asked("firefly-rk3399", **LANE)
    one = asked("firefly-rk3399", runtime_version="2.4", **LANE)
    figure = one.metrics[Metric.LATENCY]
    assert not any("no figure" in caveat for caveat in figure.caveats)
    assert len(figure.source) < len(every.metrics[Metric.LATENCY].source)


def test_where_no_figure_states_the_mode_the_answer_says_so_and_keeps_its_interval() -> None:
    usual = asked("jetson-nano").metrics[Metric.LATENCY]
    figure = asked("jetson-nano", power_mode="5W").metrics[Metric.LATENCY]
    assert any("power mode 5W" in caveat for caveat in figure.caveats)
    assert (figure.low, figure.high) == (usual.low, usual.high)


def test_a_power_mode_named_for_its_watts_bounds_the_power() -> None:
    usual, five = (
        asked("jetson-nano", **mode).metrics[Metric.POWER] for mode in ({}, {"power_mode": "5W"})
    )
    assert five.value < usual.value


def test_an_unknown_power_mode_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"'3W' is none of jetson-nano \(known: 5W, 10W"):
        asked("jetson-nano", power_mode="3W")


def test_an_unknown_version_is_refused_with_those_of_the_runtime() -> None:
    with pytest.raises(UsageError, match=r"'9' is none of firefly-rk3399 tflite \(known: 1.15.0"):
        asked("firefly-rk3399", runtime_version="9", **LANE)


def test_profiles_state_the_clocks_of_a_mode() -> None:
    power = load_profile("jetson-nano").power
    assert power is not None
    assert power.modes[0].text == "5W: cpu 0.918 GHz, gpu 0.64 GHz"
