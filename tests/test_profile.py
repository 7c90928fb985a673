"""A device profile is read in SI, and a request leads to one of its lanes or to a refusal."""

from dataclasses import replace

import pytest

from advisor.core.lane import BULK, Lane
from advisor.core.request import LaneRequest
from advisor.errors import UsageError
from advisor.hardware.library import load_profile
from advisor.hardware.profile import (
    DeviceProfile,
    PeakRates,
    PowerKind,
    first_precision,
    resolve_lane,
)


@pytest.fixture(scope="module")
def nano() -> DeviceProfile:
    return load_profile("jetson-nano")


def test_peak_rates_are_operations_a_second(nano: DeviceProfile) -> None:
    gpu = nano.unit("gpu")
    assert gpu is not None
    assert gpu.peak.get("fp32") == pytest.approx(236e9)
    assert gpu.peak.get("fp16") == pytest.approx(472e9)


def test_a_rate_nobody_published_is_none(nano: DeviceProfile) -> None:
    gpu = nano.unit("gpu")
    assert gpu is not None
    assert gpu.peak.get("int8") is None


def test_memory_is_in_bytes(nano: DeviceProfile) -> None:
    assert nano.memory is not None
    assert nano.memory.capacity == pytest.approx(4e9)
    assert nano.memory.shared is True
    assert nano.bandwidth("gpu") == pytest.approx(25.6e9)


def test_a_power_figure_says_which_quantity_it_is(nano: DeviceProfile) -> None:
    assert nano.power is not None
    assert nano.power.kind is PowerKind.TDP
    assert [mode.power for mode in nano.power.modes] == [5, 10]


def test_prices_keep_item_quantity_and_date(nano: DeviceProfile) -> None:
    assert nano.price is not None
    assert nano.price.launch is not None
    assert nano.price.recent is not None
    assert (nano.price.launch.amount, nano.price.launch.item) == (99, "developer kit")
    assert (nano.price.recent.quantity, nano.price.recent.date) == (1000, "2026-07-06")


def test_a_link_limits_the_bandwidth_of_a_usb_accelerator() -> None:
    assert load_profile("coral-usb-accelerator").bandwidth("tpu") == pytest.approx(0.5e9)


def test_no_request_gives_the_default_lane(nano: DeviceProfile) -> None:
    choice = resolve_lane(nano, LaneRequest())
    assert choice.lane == Lane(
        device="jetson-nano", unit="gpu", runtime="tensorrt", precision="fp16"
    )
    assert choice.lane.name == "gpu tensorrt fp16 batch 1"
    assert choice.evidence is not None
    assert choice.caveats == ()


def test_a_precision_the_unit_lacks_is_refused_with_the_reason(nano: DeviceProfile) -> None:
    with pytest.raises(UsageError, match="no int8 arithmetic on the Maxwell GPU") as refusal:
        resolve_lane(nano, LaneRequest(precisions=("int8",)))
    assert "--unit cpu" in str(refusal.value)


def test_the_cpu_of_the_same_device_computes_int8(nano: DeviceProfile) -> None:
    lane = resolve_lane(nano, LaneRequest(precisions=("int8",), unit="cpu")).lane
    assert (lane.unit, lane.runtime, lane.precision) == ("cpu", "ncnn", "int8")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (LaneRequest(unit="npu"), "unknown unit 'npu' (allowed: cpu, gpu)"),
        (LaneRequest(runtime="tensort"), "unknown runtime 'tensort'; did you mean 'tensorrt'"),
        (LaneRequest(precisions=("fp61",)), "unknown precision 'fp61'; did you mean"),
        (LaneRequest(batch=-1), "batch -1 is negative"),
        (LaneRequest(threads=0), "threads 0 is out of range"),
    ],
)
def test_a_refusal_names_what_is_allowed(
    nano: DeviceProfile, request_: LaneRequest, words: str
) -> None:
    with pytest.raises(UsageError) as refusal:
        resolve_lane(nano, request_)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_lane_without_evidence_is_answered_with_a_caveat(nano: DeviceProfile) -> None:
    choice = resolve_lane(
        nano, LaneRequest(runtime="onnxruntime", precisions=("fp32",), unit="gpu")
    )
    assert choice.evidence is None
    assert choice.caveats == (
        "no published measurement of jetson-nano in lane gpu onnxruntime fp32 batch 1",
    )


def test_a_runtime_known_from_other_devices_is_allowed(nano: DeviceProfile) -> None:
    request = LaneRequest(runtime="tvm", unit="gpu")
    assert resolve_lane(nano, request, known_runtimes={"tvm"}).lane.runtime == "tvm"


def test_a_runtime_picks_the_unit_that_it_was_measured_on() -> None:
    lane = resolve_lane(load_profile("raspberry-pi-5"), LaneRequest(runtime="ncnn")).lane
    assert lane.unit == "cpu"


def test_the_batch_asked_for_is_kept(nano: DeviceProfile) -> None:
    assert resolve_lane(nano, LaneRequest(batch=8)).lane.batch == 8


def test_a_desktop_gpu_defaults_to_its_bulk_figures() -> None:
    lane = resolve_lane(load_profile("geforce-rtx-3090"), LaneRequest()).lane
    assert lane.batch == BULK
    assert lane.name.endswith("bulk batch")


@pytest.mark.parametrize(
    ("peaks", "precision"),
    [((), "fp16"), (("int8",), "int8"), (("fp16", "int8"), "fp16"), (("fp32",), "fp32")],
)
def test_an_accelerator_without_figures_is_asked_in_a_precision_whose_rate_is_stated(
    nano: DeviceProfile, peaks: tuple[str, ...], precision: str
) -> None:
    gpu = nano.unit("gpu")
    assert gpu is not None
    stated = PeakRates(rates=tuple((name, 1e12) for name in peaks))
    assert first_precision(replace(gpu, peak=stated, unsupported=())) == precision
