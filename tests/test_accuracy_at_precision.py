"""Accuracy in integers: squeeze-excitation and swish may lose many points, and intervals say so."""

from functools import cache

import pytest

from advisor.catalog.accuracy import AccuracyChange, change_of_gated, read_changes
from advisor.catalog.accuracy_at_precision import ExpectedChange, PrecisionChanges
from advisor.catalog.family_names import is_gated
from advisor.hardware.library import catalog_directory


@cache
def published() -> list[AccuracyChange]:
    return read_changes(catalog_directory())


def at(network: str, runtime: str, unit: str) -> ExpectedChange:
    """Return the change at int8 with an interval of 90 %."""
    changes = PrecisionChanges(changes=published())
    found = changes.at(network, "int8", runtime=runtime, unit=unit, level=0.9)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("network", "gated"),
    [
        ("efficientnet_b0", True),
        ("tf_efficientnetv2_b1", True),
        ("mobilenetv3_large_100", True),
        ("tf_efficientnet_lite0", False),
        ("tf_mobilenetv3_large_minimal_100", False),
        ("mobilenetv2_100", False),
        ("resnet50", False),
    ],
)
def test_networks_made_for_integers_have_no_gates(network: str, gated: bool) -> None:
    assert is_gated(network) is gated


def test_efficientnet_on_a_coral_may_lose_what_mobilenetv3_lost_on_an_npu() -> None:
    expected = at("efficientnet_b0", "edgetpu", "tpu")
    assert expected.low <= -0.10  # MobileNetV3 lost 10 points on a Sunrise 5
    assert "squeeze-excitation" in expected.caveats[0]


def test_on_a_cpu_the_interval_stays_that_of_the_network() -> None:
    assert at("efficientnet_b0", "tflite", "cpu").low > -0.06


def test_networks_without_gates_keep_their_interval() -> None:
    assert at("resnet50", "edgetpu", "tpu") == at("resnet50", "tflite", "cpu")


def test_the_tools_of_the_runtime_outrank_what_others_lost() -> None:
    assert at("efficientnet_b0", "hailort", "npu").low > -0.05


def test_a_family_left_out_lies_within_what_the_others_lost() -> None:
    changes = published()
    kept = total = 0
    for family in ("efficientnet", "efficientnetv2", "mobilenetv3"):
        expected = change_of_gated(changes, "int8", without=family)
        assert expected is not None
        mine = [
            one.delta
            for one in changes
            if one.precision == "int8"
            and one.family == family
            and is_gated(one.network)
            and not one.method.startswith("qat")
        ]
        kept += sum(expected.low <= delta <= expected.high for delta in mine)
        total += len(mine)
    assert total >= 15
    assert kept / total >= 0.85


def test_a_family_that_differs_by_toolchain_has_the_interval_of_all_of_them() -> None:
    expected = at("repvgg_a0", "rknn", "npu")  # -2 points with Hailo's tools, -20 with others
    assert expected.low <= -0.20
    assert expected.high >= -0.03
