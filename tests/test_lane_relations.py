"""What makes lanes alike: the die, the design and its family, and facts filled from kin."""

from dataclasses import replace

import numpy as np
import pytest

from advisor.core.lane import BULK, Lane
from advisor.core.workload_table import WorkloadTable
from advisor.estimators.kinship import strict_family_of, twins_of
from advisor.estimators.lane_relations import (
    ODD,
    LaneFacts,
    LaneScale,
    LaneSet,
    facts_of,
    lane_document,
    lanes_from,
    relations,
)
from advisor.hardware.cores import core_rates, thread_efficiency
from advisor.hardware.library import profile_library
from tests.test_estimators import network, pointwise

NPU = Lane(device="a", unit="npu", runtime="qnn", precision="int8")


def lane(
    device: str,
    design: str,
    *,
    peak: float = np.nan,
    year: float = np.nan,
    threads: float = np.nan,
    odd: float = 0.0,
) -> LaneFacts:
    return LaneFacts(
        lane=replace(NPU, device=device),
        design=design,
        family="Hexagon",
        peak=peak,
        year=year,
        threads=threads,
        odd=odd,
    )


def test_a_peak_that_nobody_knows_is_that_of_its_design_then_of_its_family() -> None:
    known = (lane("a", "v73", peak=8.0), lane("b", "v73", peak=2.0), lane("c", "v75", peak=64.0))
    scale = LaneScale.of(LaneSet(facts=known))
    asked = LaneSet(facts=(lane("d", "v73"), lane("e", "v79")))
    found = np.exp(scale.filled(asked, "peak"))
    assert found == pytest.approx([4.0, (8 * 2 * 64) ** (1 / 3)], rel=1e-3)


def test_a_device_counts_once_whatever_its_lanes() -> None:
    many = tuple(replace(lane("a", "v73", peak=4.0), lane=replace(NPU, runtime=r)) for r in "xyz")
    scale = LaneScale.of(LaneSet(facts=(*many, lane("b", "v73", peak=16.0))))
    assert np.exp(scale.typical["peak"]["design:npu/v73"]) == pytest.approx(8.0, rel=1e-3)


def test_lanes_of_one_design_are_alike_and_of_others_are_not() -> None:
    lanes = LaneSet(facts=(lane("a", "v73"), lane("b", "v73"), lane("c", "v75")))
    alike = relations(lanes, lanes, LaneScale.of(lanes), ["design", "family"])
    assert alike["design"].tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert alike["family"].min() == 1


def test_what_makes_a_lane_odd_is_shared_by_its_chip_alone() -> None:
    odd, kin = replace(lane("a", "v73"), odd=2.0, chip="x"), replace(lane("b", "v73"), chip="y")
    lanes = LaneSet(facts=(odd, kin))
    assert relations(lanes, lanes, LaneScale.of(lanes), [ODD])[ODD].tolist() == [[4, 0], [0, 0]]


def test_threads_that_are_told_count_where_nobody_states_the_cores() -> None:
    """An Altra of unknown size: 3 GHz times 16 operations, for each thread of a run."""
    profile = profile_library().load("azure-arm64-altra")
    lane = Lane(device=profile.id, unit="cpu", runtime="tflite", precision="fp32", threads=1)
    assert (facts_of(lane, profile).core, facts_of(lane, profile).threads) == (48e9, 1.0)
    assert np.isnan(facts_of(replace(lane, threads=None), profile).peak)


@pytest.mark.parametrize("names", [("unit:peak",), ("family:year", "design", ODD)])
def test_every_relation_is_a_covariance(names: tuple[str, ...]) -> None:
    """Its matrix has no negative eigenvalue, whatever the lanes."""
    random = np.random.default_rng(0)
    facts = tuple(
        lane(str(n), f"v{n % 3}", peak=random.uniform(1, 9), year=2015.0 + n, odd=random.normal())
        for n in range(12)
    )
    lanes = LaneSet(facts=facts)
    for matrix in relations(lanes, lanes, LaneScale.of(lanes), names).values():
        assert np.linalg.eigvalsh(matrix.astype(float)).min() > -1e-4


def test_a_processor_lies_between_an_even_split_and_the_sum_of_its_cores() -> None:
    profile = profile_library().load("orangepi5")
    cpu = Lane(device="orangepi5", unit="cpu", runtime="ncnn", precision="fp32")
    four, eight = (facts_of(replace(cpu, threads=n), profile) for n in (4, 8))
    assert four.design == "Cortex-A76"
    assert four.balance == 1.0
    unit = profile.unit("cpu")
    assert unit is not None
    assert unit.silicon is not None
    rates = core_rates(unit, "fp32")
    even, most = 8 * min(rates), sum(rates)
    assert eight.balance == pytest.approx(even / most)
    assert eight.balance < 0.7
    kept = thread_efficiency(unit.silicon, 8)
    assert eight.peak == pytest.approx((even * most) ** 0.5 * kept)


def test_a_lane_on_the_little_cores_is_of_their_design() -> None:
    profile = profile_library().load("mediatek-dimensity-9300")
    big = Lane(device=profile.id, unit="cpu", runtime="ncnn", precision="fp16", threads=4)
    found = [facts_of(replace(big, variant=v), profile) for v in ("", "little cores")]
    assert [one.design for one in found] == ["Cortex-X4", "Cortex-A720"]
    assert [one.family for one in found] == ["Cortex-X", "Cortex-A"]


def test_a_single_fastest_core_is_not_taken_to_run_alone() -> None:
    """Of one, three and four cores, a run that states no threads is taken to use four."""
    profile = profile_library().load("qualcomm-sm8150-ac-snapdragon-855-plus")
    lane = Lane(device=profile.id, unit="cpu", runtime="onnxruntime", precision="fp32")
    assert facts_of(lane, profile).threads == 4


def test_threads_cost_one_another() -> None:
    """Four equal cores of 1 / (1 + 0.07 * 3 + 0.005 * 4 * 3) of their speed."""
    profile = profile_library().load("orangepi5")
    cpu = Lane(device="orangepi5", unit="cpu", runtime="ncnn", precision="fp32")
    one, four = (facts_of(replace(cpu, threads=n), profile) for n in (1, 4))
    assert four.peak == pytest.approx(4 * one.peak / (1 + 0.07 * 3 + 0.005 * 4 * 3))


def test_accelerators_are_compared_by_one_peak_at_any_precision() -> None:
    profile = profile_library().load("qcs8550")
    peaks = {
        facts_of(replace(NPU, device="qcs8550", precision=name), profile).peak
        for name in ("fp16", "int8", "w8a16")
    }
    assert peaks == {48e12}


def test_a_variant_says_what_programmable_logic_is_loaded_with() -> None:
    """An Alveo U50 holds six engines of one design, or one of another whose peak is unknown."""
    profile = profile_library().load("u50")
    lane = Lane(device="u50", unit="npu", runtime="vitis-ai", precision="int8", batch=BULK)
    variants = ("", "6 kernels 270 MHz multi-thread", "multi-thread")
    usual, slower, other = (facts_of(replace(lane, variant=v), profile) for v in variants)
    assert (usual.design, usual.peak) == ("DPUCAHX8H", 7370e9)
    assert (slower.design, slower.peak) == ("DPUCAHX8H", 6636e9)
    assert other.design == "DPUCAHX8L"
    assert np.isnan(other.peak)


def test_one_pass_runs_on_one_core_of_an_accelerator_and_bulk_on_all() -> None:
    profile = profile_library().load("rk3588")
    single = Lane(device="rk3588", unit="npu", runtime="rknn", precision="int8")
    bulk = replace(single, batch=BULK)
    one, all_three = (facts_of(lane, profile).peak for lane in (single, bulk))
    assert all_three == pytest.approx(3 * one)


def test_facts_of_lanes_are_read_as_they_were_written() -> None:
    one = lane("a", "v73", peak=8e12, threads=4.0, year=2022.0, odd=-0.5)
    bulk = LaneFacts(lane=replace(NPU, batch=BULK))
    assert lanes_from([lane_document(one), lane_document(bulk)]).facts[0] == one
    assert lanes_from([lane_document(bulk)]).facts[0].images > 1


def test_networks_of_equal_size_but_other_operators_are_no_twins() -> None:
    plain = network(pointwise(), name="one")
    copy = network(pointwise(), name="tv_one")
    other = network(pointwise(), name="another")
    table = WorkloadTable.of([plain, copy, other])
    near_and_far = np.array([[0.0], [0.01], [0.5]])
    assert twins_of(table, near_and_far).tolist() == [0, 0, 2]


def test_relatives_that_are_left_out_together_are_not_one_family() -> None:
    assert strict_family_of("seresnet50") != strict_family_of("resnet50")
    assert strict_family_of("resnet50") == strict_family_of("resnet18:width=0.5")
