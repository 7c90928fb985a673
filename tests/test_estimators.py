"""The latency estimator on hand-computable devices, and the files that ship with it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from advisor.core.estimate import Origin
from advisor.core.lane import BULK, Lane
from advisor.core.workload import Fusion, Layer, OperatorClass, Workload
from advisor.core.workload_table import WorkloadTable, read
from advisor.errors import CatalogError
from advisor.estimators.baselines import line_in_macs, roofline, scaled
from advisor.estimators.calibration import LEVELS, Calibration, Scores, conformal
from advisor.estimators.columns import COLUMNS, EXTRA, amounts
from advisor.estimators.covariance import LEVELS as PARTS
from advisor.estimators.covariance import Points, covariance, likeness
from advisor.estimators.evidence_class import EvidenceClass, LaneKnown, NetworkKnown
from advisor.estimators.fitted import ALL, LONG, hash_of_inputs, read_fitted
from advisor.estimators.kinship import architectures_of, family_of
from advisor.estimators.lane_relations import LaneFacts
from advisor.estimators.latency import LatencyModel, Timing
from advisor.estimators.memory import MemoryModel, Peaks, fit_memory
from advisor.estimators.unit_costs import shares
from advisor.hardware.library import catalog_directory, profile_library

NANO = Lane(device="jetson-nano", unit="gpu", runtime="tensorrt", precision="fp16")
LONG_TABLE = Lane(
    device="geforce-rtx-3090", unit="gpu", runtime="pytorch", precision="amp", batch=BULK
)
NEW_DEVICE = Lane(device="no-such-board", unit="cpu", runtime="ncnn", precision="fp32", threads=4)


@pytest.fixture(scope="module")
def root() -> Path:
    return catalog_directory()


@pytest.fixture(scope="module")
def table(root: Path) -> WorkloadTable:
    return read(root)


@pytest.fixture(scope="module")
def model(root: Path) -> LatencyModel:
    return LatencyModel.load(root, profile_library())


def pointwise(macs: int = 1000, fusion: Fusion = Fusion.NONE) -> Layer:
    return Layer(
        operator=OperatorClass.POINTWISE,
        kind="convolution",
        in_channels=64,
        out_channels=64,
        out_h=56,
        out_w=56,
        macs=macs,
        weights=10,
        reads=20,
        writes=30,
        fusion=fusion,
    )


def network(*layers: Layer, name: str = "tiny", resolution: int = 224) -> Workload:
    return Workload(
        network=name,
        resolution=resolution,
        parameters=10,
        buffers=0,
        peak_activations=50,
        layers=layers,
    )


def test_a_pointwise_layer_counts_in_compute_memory_weights_and_calls() -> None:
    work = amounts(WorkloadTable.of([network(pointwise())]))[0]
    found = {c.name: amount for c, amount in zip(COLUMNS, work, strict=True) if amount}
    assert found["pointwise_large"] == 1000
    assert found["moved_pointwise"] == 50
    assert found["weights_convolution"] == 10
    assert found["calls_matrix"] == 1


def test_no_mac_of_the_catalog_is_counted_twice_and_few_only_by_their_weights(
    table: WorkloadTable,
) -> None:
    work = amounts(table)
    plain = [c.kind == "compute" and c.name not in EXTRA for c in COLUMNS]
    ratio = work[:, plain].sum(axis=1) / table.macs
    assert ratio.max() < 1.000001
    assert np.quantile(ratio, 0.05) > 0.97


def test_roofline_takes_the_slower_of_arithmetic_and_memory() -> None:
    table = WorkloadTable.of([network(pointwise(macs=1000))])
    lane = Lane(device="round", unit="cpu", runtime="x", precision="fp32")
    bound_by_compute = LaneFacts(lane=lane, peak=100.0, bandwidth=1e9)
    bound_by_memory = LaneFacts(lane=lane, peak=1e9, bandwidth=10.0)
    assert roofline(bound_by_compute, table) == pytest.approx([20.0])  # 2000 FLOP at 100 FLOP/s
    assert roofline(bound_by_memory, table) == pytest.approx([24.0])  # 60 × 4 bytes at 10 B/s


def test_roofline_without_a_peak_is_not_a_number_made_up() -> None:
    lane = Lane(device="round", unit="cpu", runtime="x", precision="fp32")
    facts = LaneFacts(lane=lane, bandwidth=10.0)
    assert roofline(facts, WorkloadTable.of([network(pointwise())])) is None


def test_line_in_macs_recovers_an_exact_power_law() -> None:
    macs = np.array([1e6, 1e7, 1e8])
    line = line_in_macs(macs, 3e-9 * macs)
    assert line.slope == pytest.approx(1.0)
    assert line.predict(np.array([1e9])) == pytest.approx([3.0])


def test_scaling_is_the_median_ratio() -> None:
    assert scaled(np.array([1.0, 1.0, 1.0]), np.array([2.0, 3.0, 40.0])) == 3.0


def test_shares_add_up_to_one_and_their_sum_is_the_time() -> None:
    share, log_seconds = shares(np.log([[2.0, 3.0]]), np.log([[5.0, 10.0]]))
    assert np.exp(log_seconds) == pytest.approx([40.0])
    assert share[0] == pytest.approx([0.25, 0.75])


def test_a_network_is_most_like_itself() -> None:
    places = np.array([[0.0, 0.0], [1.0, 0.0]])
    alike = likeness(places, places, kind=np.float64)
    assert alike[0, 0] == pytest.approx(1.0)
    assert alike[0, 1] < 0.5


@pytest.mark.parametrize("lane", [NANO, LONG_TABLE], ids=lambda lane: lane.device)
def test_an_answer_does_not_depend_on_who_else_is_asked_about(
    lane: Lane, model: LatencyModel, table: WorkloadTable
) -> None:
    rows = list(range(0, len(table.networks), 97))
    together = model.predict(lane, table).value[rows]
    for few in (rows[:1], rows[:5], rows):
        alone = model.predict(lane, table.rows(few)).value
        assert alone == pytest.approx(together[: len(few)], rel=1e-11)


def test_conformal_quantile_is_not_below_the_share_it_promises() -> None:
    scores = np.arange(1.0, 101.0)
    quantiles = dict(zip(LEVELS, conformal(scores, scores.astype(np.str_)), strict=True))
    assert (scores <= quantiles[0.9]).mean() >= 0.9


def test_a_large_group_counts_as_the_root_of_its_cells() -> None:
    """A thousand easy cells of one chip do not hide that the others are hard."""
    values = np.concatenate([np.full(1000, 0.1), np.full(100, 3.0)])
    group = np.concatenate([np.zeros(1000, np.int64), np.arange(1, 101)]).astype(np.str_)
    calibration = Calibration.of([Scores(key="elsewhere/many/cpu", values=values, group=group)])
    assert calibration.quantile_of("elsewhere/many/cpu", 0.5) == 3.0


def test_what_is_not_seen_yet_is_one_more_group_not_one_more_cell() -> None:
    """Ten groups of hundred cells promise no more than ten cells would."""
    values = np.repeat(np.arange(1.0, 11.0), 100)
    group = values.astype(np.str_)
    assert conformal(values, group)[LEVELS.index(0.9)] == 10.0


def test_small_evidence_classes_borrow_from_their_lane_class() -> None:
    few = Scores(key="family/many/cpu", values=np.ones(3), group=np.array(["a"] * 3))
    names = np.arange(500).astype(np.str_)
    many = Scores(key="elsewhere/many/cpu", values=np.full(500, 2.0), group=names)
    calibration = Calibration.of([few, many])
    rare = EvidenceClass(network=NetworkKnown.FAMILY, lane=LaneKnown.MANY, unit="cpu")
    assert calibration.quantile(rare, 0.9) == 2.0


def test_twins_under_another_name_and_other_resolutions_are_one_architecture() -> None:
    twins = [
        network(pointwise(), name="efficientnet_b0"),
        network(pointwise(), name="tf_efficientnet_b0"),
        network(pointwise(4000), name="efficientnet_b0", resolution=448),
        network(pointwise(9000), name="resnet18"),
    ]
    assert architectures_of(WorkloadTable.of(twins)).tolist() == [0, 0, 0, 3]


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("deit_tiny_patch16_224", "vit"),
        ("tf_efficientnetv2_b0", "efficientnet"),
        ("seresnext50_32x4d", "resnet"),
        ("mobilenetv1_100:width=0.5", "mobilenet"),
    ],
)
def test_relatives_are_one_family(name: str, family: str) -> None:
    assert family_of(name) == family


def test_memory_recovers_overhead_and_factor() -> None:
    needed = np.geomspace(1e6, 1e9, 40)
    peaks = Peaks(
        key=np.array(["x/cpu"] * 40),
        needed=needed,
        seen=2 * needed,
        architecture=np.arange(40),
    )
    found = fit_memory(peaks).runtimes["x/cpu"].predict(np.array([1e8]))
    assert found == pytest.approx([2e8], rel=0.05)


@pytest.mark.parametrize("name", [ALL, LONG])
def test_shipped_parameters_are_of_this_catalog(root: Path, name: str) -> None:
    stale = "the catalog changed: run advisor catalog fit"
    assert read_fitted(root, name).inputs == hash_of_inputs(root), stale


def test_very_long_lanes_are_answered_by_a_fit_of_their_own(
    root: Path, model: LatencyModel, table: WorkloadTable
) -> None:
    """Without it the same lane gets another answer, from the fit to all lanes."""
    known = table.rows([table.index["resnet18", 224]])
    alone = LatencyModel(fitted=model.fitted, profiles=model.profiles)
    assert model.predict(LONG_TABLE, known).value != alone.predict(LONG_TABLE, known).value
    assert model.predict(NANO, known).value == alone.predict(NANO, known).value
    assert LONG_TABLE in read_fitted(root, LONG).lanes.index


def test_timings_of_another_device_do_not_move_a_very_long_lane(
    model: LatencyModel, table: WorkloadTable
) -> None:
    known = table.rows([table.index["resnet18", 224]])
    timing = Timing(lane=NEW_DEVICE, network="resnet18", resolution=224, seconds=9.0)
    taught = model.with_measurements([timing], known)
    assert taught.predict(LONG_TABLE, known).value == model.predict(LONG_TABLE, known).value


def test_an_unknown_network_of_a_very_long_lane_is_priced_by_its_layers(
    model: LatencyModel, table: WorkloadTable
) -> None:
    """A copy under a name of no family costs about what the network does."""
    known = table.rows([table.index["resnet50", 224]])
    copy = WorkloadTable.of([replace(known.workload(0), network="somebodys_own")])
    ratio = model.predict(LONG_TABLE, copy).value / model.predict(LONG_TABLE, known).value
    assert 0.8 < ratio[0] < 1.25


def test_missing_parameters_name_the_command_that_writes_them(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="advisor catalog fit"):
        read_fitted(tmp_path)
    with pytest.raises(CatalogError, match="advisor catalog fit"):
        MemoryModel.load(tmp_path)


def test_prediction_lies_inside_its_interval_and_wider_levels_are_wider(
    model: LatencyModel, table: WorkloadTable
) -> None:
    narrow, wide = (model.predict(NANO, table, level=level) for level in (0.8, 0.95))
    assert (narrow.low < narrow.value).all()
    assert (narrow.value < narrow.high).all()
    assert (wide.low < narrow.low).all()
    assert (wide.high > narrow.high).all()


def test_known_board_answers_resnet18_near_its_published_time(
    model: LatencyModel, table: WorkloadTable
) -> None:
    row = table.index["resnet18", 224]
    value = model.predict(NANO, table.rows([row])).value[0]
    assert 0.008 < value < 0.016  # published: 11 to 12 ms


def test_nothing_measured_on_the_device_is_analytic_and_says_so(
    model: LatencyModel, table: WorkloadTable
) -> None:
    found = model.predict(NEW_DEVICE, table.rows([0, 1]))
    assert set(found.origins) == {Origin.ANALYTIC}
    assert any("nothing measured on this device" in line for line in found.caveats[0])


def test_unit_of_a_kind_nobody_measured_is_a_gap_with_its_reason(
    model: LatencyModel, table: WorkloadTable
) -> None:
    lane = Lane(device="x", unit="quantum", runtime="y", precision="fp32")
    assert "quantum" in model.predict(lane, table.rows([0])).reasons[0]


def test_a_variant_outside_the_catalog_is_predicted_like_its_own_layers(
    model: LatencyModel, table: WorkloadTable
) -> None:
    row = table.index["mobilenetv2_100", 224]
    known = table.rows([row])
    workload = known.workload(0)
    renamed = replace(workload, network="mobilenetv2_own")
    found = model.predict(NANO, WorkloadTable.of([renamed])).value
    assert found == pytest.approx(model.predict(NANO, known).value, rel=1e-3)


def test_own_timings_of_an_unknown_board_narrow_and_move_the_answer(
    model: LatencyModel, table: WorkloadTable
) -> None:
    names = ("resnet18", "resnet50", "mobilenetv2_100", "efficientnet_b0", "vgg16")
    measured = table.rows([table.index[name, 224] for name in names])
    asked = table.rows([table.index["mobilenetv3_large_100", 224]])
    before = model.predict(NEW_DEVICE, asked)
    true = model.predict(NEW_DEVICE, measured).value * 3
    rows = [
        Timing(lane=NEW_DEVICE, network=n, resolution=224, seconds=float(s))
        for n, s in zip(names, true, strict=True)
    ]
    after = model.with_measurements(rows, measured).predict(NEW_DEVICE, asked)
    assert after.value[0] == pytest.approx(3 * before.value[0], rel=0.35)
    assert after.high[0] / after.low[0] < before.high[0] / before.low[0]


FEW = ("resnet18", "resnet50", "mobilenetv2_100", "efficientnet_b0", "vgg16", "densenet121")


def timed(lane: Lane, seconds: float) -> list[Timing]:
    return [Timing(lane=lane, network=name, resolution=224, seconds=seconds) for name in FEW]


def test_an_answer_takes_the_timings_of_its_lane_before_those_of_others(
    model: LatencyModel, table: WorkloadTable
) -> None:
    """With room for six, the six of the lane answer as if there were no others."""
    measured = table.rows([table.index[name, 224] for name in FEW])
    asked = table.rows([table.index["mobilenetv3_large_100", 224]])
    mine, others = timed(NEW_DEVICE, 0.2), timed(replace(NEW_DEVICE, threads=1), 0.5)
    both = model.with_measurements([*others, *mine], measured.rows([*range(6), *range(6)]))
    alone = model.with_measurements(mine, measured).predict(NEW_DEVICE, asked)
    few = replace(both, most_own=6).predict(NEW_DEVICE, asked)
    assert few.value == pytest.approx(alone.value, rel=1e-9)
    assert both.predict(NEW_DEVICE, asked).value != pytest.approx(alone.value, rel=1e-3)


def test_each_timing_of_a_lane_is_doubted_among_as_many_as_an_answer_takes(
    model: LatencyModel, table: WorkloadTable
) -> None:
    measured = table.rows([table.index[name, 224] for name in FEW])
    expected = model.predict(NANO, measured).value
    seconds = dict(zip(FEW, expected, strict=True)) | {"vgg16": 1000.0}
    own = [replace(one, seconds=float(seconds[one.network])) for one in timed(NANO, 1.0)]
    taught = replace(model.with_measurements(own, measured), most_own=3)
    assert [one.network for one in taught.doubted(NANO)] == ["vgg16"]


def test_networks_to_measure_next_are_different_ones(
    model: LatencyModel, table: WorkloadTable
) -> None:
    part = table.rows(list(range(0, len(table), 20)))
    picks = model.next_measurements(NEW_DEVICE, part, 5)
    assert len(set(picks)) == 5


def test_with_a_limit_the_networks_near_it_are_measured_first(
    model: LatencyModel, table: WorkloadTable
) -> None:
    names = ("mobilenetv3_small_050", "resnet18", "vit_large_patch16_224")
    part = table.rows([table.index[name, 224] for name in names])
    limit = float(model.predict(NEW_DEVICE, part).value[1])
    assert model.next_measurements(NEW_DEVICE, part, 1, limit=limit) == [1]


def test_breakdown_adds_up_to_the_prediction(model: LatencyModel, table: WorkloadTable) -> None:
    part = table.rows([table.index["resnet50", 224]])
    parts = model.breakdown(NANO, part)
    total = sum(float(seconds[0]) for seconds in parts.values())
    assert total == pytest.approx(model.predict(NANO, part).value[0])


def test_peak_memory_on_a_processor_is_never_less_than_the_weights(root: Path) -> None:
    table = read(root).rows([0, 100, 200])
    lane = Lane(device="jetson-nano", unit="cpu", runtime="ncnn", precision="fp32", threads=4)
    for estimate, parameters in zip(
        MemoryModel.load(root).predict(lane, table), table.parameters, strict=True
    ):
        assert estimate.interval.low >= 4 * parameters


def test_points_of_one_lane_are_related_as_among_others() -> None:
    draw = np.random.default_rng(1)
    count = 12
    points = Points(
        lane=draw.integers(0, 3, count),
        share=draw.dirichlet(np.ones(len(COLUMNS)), count),
        features=draw.normal(size=(count, 9)),
        family=draw.integers(-1, 2, count),
        publication=draw.random((count, 2)),
    )
    matrices = {level: draw.random((3, 3)).astype(np.float32) for level in PARTS}
    together = covariance(points, points, matrices, kind=np.float64)
    for lane in range(3):
        mine = np.flatnonzero(points.lane == lane)
        alone = covariance(points, points.take(mine), matrices, kind=np.float64)
        assert alone == pytest.approx(together[:, mine], rel=1e-12)


@pytest.mark.parametrize("lane", [LaneKnown.PROFILE, LaneKnown.DEVICE])
def test_one_timing_of_yours_is_no_longer_nothing_measured(lane: LaneKnown) -> None:
    known = EvidenceClass(network=NetworkKnown.ELSEWHERE, lane=lane, unit="cpu", own=1)
    told = " ".join((known.label, *known.caveats))
    assert "nothing measured" not in told
    assert "only 1 network measured in this lane, by you" in told
    assert known.origin is Origin.PREDICTED
    assert known.key == f"elsewhere/{lane.name.lower()}/cpu"  # calibrated as before


def test_timings_of_yours_in_another_lane_are_told_as_such() -> None:
    known = EvidenceClass(
        network=NetworkKnown.ELSEWHERE, lane=LaneKnown.PROFILE, unit="cpu", own_beside=2
    )
    told = " ".join((known.label, *known.caveats))
    assert "nothing measured on this device" not in told
    assert "from what you measured in its other lanes" in told
    assert known.origin is Origin.PREDICTED
