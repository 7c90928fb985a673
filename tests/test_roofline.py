"""Nothing runs faster than its arithmetic at the peak rate and its weights over the bandwidth."""

import pytest

from advisor.core.lane import BULK, Lane
from advisor.core.workload import Layer, OperatorClass, Workload
from advisor.core.workload_table import WorkloadTable
from advisor.hardware.library import load_profile
from advisor.hardware.origin import Confidence, Sourced
from advisor.hardware.profile import (
    DeviceProfile,
    MemoryProfile,
    PeakRates,
    UnitKind,
    UnitProfile,
)
from advisor.hardware.roofline import floor, peak_rate

SOURCED = Sourced(source="made up", confidence=Confidence.HIGH)


def network(macs: int, weights: int, *, parameters: int | None = None) -> WorkloadTable:
    layer = Layer(operator=OperatorClass.DENSE, kind="convolution", macs=macs, weights=weights)
    return WorkloadTable.of(
        [
            Workload(
                network="net",
                resolution=8,
                parameters=weights if parameters is None else parameters,
                buffers=0,
                peak_activations=1,
                layers=(layer,),
            )
        ]
    )


def board(kind: UnitKind = UnitKind.NPU, **unit: object) -> DeviceProfile:
    """One TFLOP/s of fp32, two of fp16, four of int8; 10 GB/s."""
    rates = (("fp32", 1e12), ("fp16", 2e12), ("int8", 4e12))
    facts = {"peak": PeakRates(rates=rates), "on_chip_memory": 0.0, **unit}
    return DeviceProfile(
        id="board",
        name="Board",
        units=(UnitProfile(kind=kind, name="unit", compute=SOURCED, software=SOURCED, **facts),),  # type: ignore[arg-type]
        memory=MemoryProfile(bandwidth=10e9, origin=SOURCED),
        default_lane=lane(kind),
    )


def lane(kind: str = "npu", precision: str = "fp32", **settings: object) -> Lane:
    return Lane(device="board", unit=kind, runtime="any", precision=precision, **settings)  # type: ignore[arg-type]


def test_arithmetic_takes_two_operations_a_multiply_add_at_the_peak() -> None:
    found = floor(board(), lane(), network(macs=5 * 10**9, weights=1), images=4)
    assert found.nominal[0] == pytest.approx(4 * 10e9 / 1e12)
    assert found.least[0] == found.nominal[0]


def test_weights_beyond_the_chips_memory_are_read_once_a_pass() -> None:
    found = floor(
        board(on_chip_memory=1e6), lane(precision="int8"), network(1, 11 * 10**6), images=8
    )
    assert found.least[0] == pytest.approx(10e6 / 10e9)


def test_heads_that_only_training_needs_are_not_read() -> None:
    found = floor(
        board(), lane(precision="int8"), network(1, 10**6, parameters=9 * 10**6), images=1
    )
    assert found.least[0] == pytest.approx(1e6 / 10e9)


def test_large_batches_hide_the_weights() -> None:
    found = floor(board(), lane(batch=BULK), network(macs=10**9, weights=10**9), images=1)
    assert found.least[0] == pytest.approx(2e9 / 1e12)


def test_processors_may_beat_their_nominal_peak() -> None:
    found = floor(board(UnitKind.CPU), lane("cpu"), network(macs=10**9, weights=1), images=1)
    assert found.least[0] == pytest.approx(found.nominal[0] / 4)


def test_one_thread_of_four_cores_has_a_quarter_of_the_peak() -> None:
    (unit,) = board(UnitKind.CPU, cores=4).units
    assert peak_rate(unit, lane("cpu", threads=1)) == pytest.approx(0.25e12)
    assert peak_rate(unit, lane("cpu", threads=8)) == pytest.approx(1e12)
    assert peak_rate(unit, lane("cpu")) == pytest.approx(1e12)


def test_a_precision_without_a_rate_is_bounded_by_a_wider_one() -> None:
    (unit,) = board(peak=PeakRates(rates=(("fp32", 1e12),))).units
    assert peak_rate(unit, lane(precision="fp16")) == pytest.approx(2e12)
    assert peak_rate(unit, lane(precision="int8")) == pytest.approx(4e12)


def test_a_unit_without_any_rate_has_no_floor_of_arithmetic() -> None:
    found = floor(board(peak=PeakRates()), lane(), network(10**12, 1), images=1)
    assert found.least[0] < 1e-6


def test_edge_tpu_streams_what_exceeds_its_memory_over_usb() -> None:
    profile = load_profile("coral-usb-accelerator")
    edge = Lane(device=profile.id, unit="tpu", runtime="edgetpu", precision="int8")
    fits, exceeds = network(1, 7_900_000), network(1, 18_000_000)
    assert floor(profile, edge, fits, images=1).streaming[0] == 0.0
    assert floor(profile, edge, exceeds, images=1).streaming[0] == pytest.approx(10e6 / 0.5e9)


def test_resnet50_needs_half_a_second_for_32_images_on_a_jetson_nano() -> None:
    """8.2 GFLOPs × 32 at 472 GFLOP/s."""
    profile = load_profile("jetson-nano")
    asked = Lane(device=profile.id, unit="gpu", runtime="tensorrt", precision="fp16", batch=32)
    (seconds,) = floor(profile, asked, network(4_089_184_256, 25_557_032), images=32).least
    assert seconds == pytest.approx(0.555, rel=0.01)


def test_eight_sockets_have_eight_times_the_peak() -> None:
    one = floor(board(UnitKind.CPU), lane("cpu"), network(10**9, 1), images=1)
    asked = lane("cpu", variant="8 sockets")
    eight = floor(board(UnitKind.CPU), asked, network(10**9, 1), images=1)
    assert eight.compute[0] == pytest.approx(one.compute[0] / 8)
