"""Measures of error, decisions and noise on figures that can be checked by hand."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from advisor.catalog.measurements import Measurement
from advisor.core.lane import Lane
from advisor.core.workload_table import WorkloadTable
from advisor.estimators.fit.fitting import Data, data_of
from advisor.estimators.fit.leave_out import DRAWS, Shots, Split, draws, folds_of, groups_of
from advisor.estimators.lane_relations import LaneFacts, LaneSet
from advisor.estimators.validation.decisions import decide
from advisor.estimators.validation.measures import Coverage, Predicted, accuracy_of, kendall
from advisor.estimators.validation.noise import noise_of
from advisor.estimators.validation.report import EARLIER, EIGHT, LAST, groups_of_lanes, when
from advisor.estimators.validation.writing import TARGETS
from tests.test_estimators import network, pointwise

ONE = Lane(device="a", unit="cpu", runtime="r", precision="fp32")
OTHER = Lane(device="a", unit="cpu", runtime="r", precision="fp32", threads=4)
SHIPPED = Path(__file__).parents[1] / "docs" / "validation.json"


def predicted(seconds: list[float], truth: list[float], width: float = 1.5) -> Predicted:
    mean = np.log(seconds)
    return Predicted(
        cell=np.arange(len(truth)),
        lane=np.zeros(len(truth), np.int64),
        group=np.array([str(n) for n in range(len(truth))], np.str_),
        chip=np.array(["chip"] * len(truth), np.str_),
        truth=np.log(truth),
        mean=mean,
        low=mean - np.log(width),
        high=mean + np.log(width),
    )


def test_errors_are_relative_to_the_measured_time() -> None:
    found = accuracy_of(predicted([1.1, 2.0, 4.0], [1.0, 2.0, 2.0]))
    assert found is not None
    assert found.median_error == pytest.approx(0.1)
    assert found.mean_error == pytest.approx((0.1 + 0 + 1) / 3)
    assert found.within_20 == pytest.approx(2 / 3)
    assert found.coverage is not None
    assert found.coverage.rows == pytest.approx(2 / 3)
    assert found.coverage.half_width == pytest.approx(1.5)


def test_coverage_counts_groups_alike_and_knows_how_sure_it_is() -> None:
    """Three cells of one chip inside, one of another outside: 75 % of rows, half of the chips."""
    found = predicted([1.0, 1.0, 1.0, 9.0], [1.0, 1.0, 1.0, 1.0])
    coverage = Coverage.of(replace(found, group=np.array(["a", "a", "a", "b"])))
    assert coverage.rows == pytest.approx(0.75)
    assert coverage.groups == pytest.approx(0.5)
    assert coverage.groups_error == pytest.approx(0.5)
    assert coverage.count == 2


def test_no_cells_have_no_accuracy() -> None:
    assert accuracy_of(predicted([], [])) is None


def test_kendall_counts_swapped_pairs() -> None:
    assert kendall(np.array([1.0, 2, 3]), np.array([1.0, 2, 3])) == 1.0
    assert kendall(np.array([1.0, 2, 3]), np.array([1.0, 3, 2])) == pytest.approx(1 / 3)
    assert kendall(np.array([1.0, 2]), np.array([1.0, 2])) is None
    assert kendall(np.array([1.0, 1, 1]), np.array([1.0, 2, 3])) is None


def test_tied_networks_count_half_in_kendall() -> None:
    """Five of six pairs in order, one tied in one list: tau-b = 5 / sqrt(5 x 6)."""
    found = kendall(np.array([1.0, 1, 2, 3]), np.array([1.0, 2, 3, 4]))
    assert found == pytest.approx(5 / np.sqrt(30))


def test_exact_knowledge_breaks_no_limit_and_loses_no_accuracy() -> None:
    truth = [1.0, 2.0, 3.0, 4.0]
    found = decide(predicted(truth, truth, width=1.0), dict(enumerate([0.6, 0.7, 0.8, 0.9])))
    assert found is not None
    assert (found.broken, found.turned_away, found.top1_lost) == (0.0, 0.0, 0.0)


def test_optimism_breaks_limits() -> None:
    truth = [1.0, 2.0, 3.0, 4.0]
    found = decide(predicted([0.1] * 4, truth, width=1.0), {})
    assert found is not None
    assert found.broken > 0.4


def test_caution_turns_networks_away() -> None:
    truth = [1.0, 2.0, 3.0, 4.0]
    found = decide(predicted(truth, truth, width=1.9), dict(enumerate([0.6, 0.7, 0.8, 0.9])))
    assert found is not None
    assert found.broken == 0
    assert found.turned_away > 0.3


def row(seconds: float, source: str) -> Measurement:
    return Measurement(
        lane=ONE,
        network="resnet18",
        resolution=224,
        match="exact",
        batch=1,
        latency=seconds,
        throughput=None,
        power=None,
        energy=None,
        memory=None,
        top1=None,
        date="2024-01",
        source=source,
        source_ref="ref",
        options="",
        model_raw="resnet18",
        status="kept",
        caveats=(),
    )


def test_noise_tells_repetitions_from_disagreeing_publications() -> None:
    within, between = noise_of([row(1.0, "a"), row(1.1, "a"), row(2.1, "b")])
    assert within.median == pytest.approx(0.1)
    assert between.median == pytest.approx(1.0)


@pytest.fixture(scope="module")
def data() -> Data:
    """Two lanes of one device, three networks of which two are twins."""
    table = WorkloadTable.of(
        [
            network(pointwise(), name="resnet18"),
            network(pointwise(), name="tv_resnet18"),
            network(pointwise(7000), name="vgg16"),
        ]
    )
    facts = {lane: LaneFacts(lane=lane) for lane in (ONE, OTHER)}
    data = data_of(table, {}, facts)
    cells = [(lane, row) for lane in range(2) for row in range(3)]
    return replace(
        data,
        lane=np.array([lane for lane, _ in cells]),
        network=np.array([row for _, row in cells]),
        log_seconds=np.zeros(6),
        exact=np.ones(6, bool),
        latency=np.ones(6, bool),
    )


def test_unseen_architecture_takes_its_twin_along_in_every_lane(data: Data) -> None:
    group = groups_of(data, Split.ARCHITECTURE)
    assert group[0] == group[1] == group[3] == group[4] != group[2]


def test_unseen_pair_leaves_the_network_in_other_lanes(data: Data) -> None:
    group = groups_of(data, Split.PAIR)
    assert group[0] == group[1] != group[3]


def test_a_chip_takes_all_its_lanes_on_every_device(data: Data) -> None:
    """Two lanes of one die; without facts of its silicon a device stands for its own chip."""
    same = LaneSet(facts=tuple(replace(one, chip="die") for one in data.lanes.facts))
    assert len(set(groups_of(replace(data, lanes=same), Split.CHIP))) == 1


def test_no_group_is_torn_between_folds(data: Data) -> None:
    for split in Split:
        fold, group = folds_of(data, split, 2), groups_of(data, split)
        for one in np.unique(group):
            assert len(set(fold[group == one].tolist())) == 1


def test_the_timings_that_are_told_depend_on_the_lane_alone(data: Data) -> None:
    """The same networks are drawn whatever other lanes there are, and without timings only once."""
    shots = (Shots(count=0), Shots(count=1))
    cells = np.flatnonzero(data.lane == 1).repeat(2)
    beside = list(draws(data, cells, shots))
    alone = replace(data, lanes=data.lanes.take([1]), lane=np.zeros(6, np.int64))
    assert [one.known.tolist() for one in draws(alone, cells, shots)] == [
        one.known.tolist() for one in beside
    ]
    assert len(beside) == 1 + DRAWS


def test_lanes_of_the_last_tables_are_told_apart(data: Data) -> None:
    """Eight architectures of which the last publication brought three make a lane of the last."""
    table = WorkloadTable.of([network(pointwise(90 * 2**n), name=f"n{n}") for n in range(8)])
    wide = replace(
        data_of(table, {}, {one.lane: one for one in data.lanes.facts}),
        lane=np.arange(16) // 8,
        network=np.arange(16) % 8,
        publication=np.array([0] * 8 + [0] * 5 + [1] * 3),
        publications=("early", "late mean"),
        log_seconds=np.zeros(16),
        exact=np.ones(16, bool),
        latency=np.ones(16, bool),
    )
    groups = dict(groups_of_lanes(wide, frozenset(), frozenset({"late"})))
    assert groups[when(EIGHT, EARLIER)].tolist() == [True, False]
    assert groups[when(EIGHT, LAST)].tolist() == [False, True]


@pytest.mark.skipif(not SHIPPED.is_file(), reason="no validation has been run")
def test_shipped_intervals_cover_what_they_say() -> None:
    """At most 98 %: what is not seen yet counts as one more group, and GPUs have few of them."""
    rows = json.loads(SHIPPED.read_text(encoding="utf-8"))["rows"]
    found = {(r["split"], r["group"]): r["accuracy"] for r in rows if r["estimator"] == "estimator"}
    for target in TARGETS:
        accuracy = found.get((target.split, target.group))
        if accuracy is not None and accuracy["cells"] >= 100:
            assert 0.82 <= accuracy["coverage"]["groups"] <= 0.98, target
