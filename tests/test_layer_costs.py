"""Very long lanes teach what single layers cost, for networks of families that none has seen."""

import numpy as np
import pytest

from advisor.core.lane import Lane
from advisor.core.workload import Layer, OperatorClass, Workload
from advisor.core.workload_table import WorkloadTable
from advisor.estimators.columns import COLUMNS
from advisor.estimators.covariance import Points, kinship
from advisor.estimators.fit.layer_fitting import Cells, deal, fit_layer_costs
from advisor.estimators.lane_relations import LaneFacts, LaneScale, LaneSet
from advisor.estimators.layer_costs import LayerCosts, Perceptron, layer_inputs
from advisor.estimators.unit_costs import fit_each_lane, shares, starting_costs

COSTS = np.full((1, len(COLUMNS)), np.log(1e-9))
"""One lane in which every unit of work costs a nanosecond."""


def layer(macs: int, kernel: int) -> Layer:
    return Layer(
        operator=OperatorClass.POINTWISE if kernel == 1 else OperatorClass.DENSE,
        kind="convolution",
        in_channels=64,
        out_channels=64,
        kernel_h=kernel,
        kernel_w=kernel,
        out_h=56,
        out_w=56,
        macs=macs,
        reads=10,
        writes=10,
    )


def table(*networks: tuple[Layer, ...]) -> WorkloadTable:
    return WorkloadTable.of(
        Workload(
            network=f"net{number}",
            resolution=224,
            parameters=10,
            buffers=0,
            peak_activations=10,
            layers=layers,
        )
        for number, layers in enumerate(networks)
    )


def constant(part: float, inputs: int) -> Perceptron:
    """A correction that multiplies every layer's cost by the same factor."""
    return Perceptron(
        shift=np.zeros((1, len(COLUMNS)), np.float32),
        weights=(np.zeros((inputs, 1), np.float32), np.zeros((1, 1), np.float32)),
        biases=(np.zeros(1, np.float32), np.array([np.log(part)], np.float32)),
    )


def corrections(*factors: float) -> tuple[LayerCosts, WorkloadTable]:
    networks = table((layer(1000, 1),), (layer(500, 3), layer(100, 1)))
    inputs = layer_inputs(networks, np.arange(len(networks.shapes))).shape[1]
    costs = LayerCosts(
        parts=tuple(constant(factor, inputs) for factor in factors),
        whole=(constant(4.0, inputs),),
        center=np.zeros(inputs, np.float32),
        scale=np.ones(inputs, np.float32),
    )
    return costs, networks


def test_a_factor_on_every_layer_is_the_same_factor_on_the_network() -> None:
    costs, networks = corrections(2.0)
    found = costs.of(networks, ["a", "b"], COSTS, {"a": 0, "b": 0})
    assert found[:, 0] == pytest.approx([np.log(2), np.log(2)])


def test_a_known_family_is_corrected_by_the_part_that_has_not_seen_it() -> None:
    costs, networks = corrections(2.0, 8.0)
    found = costs.of(networks, ["seen", "new"], COSTS, {"seen": 1})
    assert found[:, 0] == pytest.approx([np.log(8), np.log(4)])


def test_families_are_dealt_so_that_each_part_lacks_about_as_many_cells() -> None:
    families = ["large"] * 6 + ["small"] * 2 + ["other"] * 4
    assert deal(families, 2) == {"large": 0, "other": 1, "small": 0}


def test_a_layer_that_costs_double_is_found_from_whole_networks() -> None:
    """Networks of two kinds of layer; those of kernel 3 cost twice their charge."""
    random = np.random.default_rng(0)
    sizes = random.uniform(1e8, 1e9, (40, 2)).astype(int)
    networks = table(*((layer(int(a), 1), layer(int(b), 3)) for a, b in sizes))
    seconds = (sizes @ np.array([1.0, 2.0])) * 1e-9
    cells = Cells(
        lane=np.zeros(40, np.int64),
        network=np.arange(40),
        log_seconds=np.log(seconds),
        part=np.arange(40) % 2,
    )
    costs = COSTS.copy()
    # Only what is charged by the MAC counts here.
    costs[0] = np.where(
        [c.name in ("dense_3x3", "pointwise_large") for c in COLUMNS], COSTS[0], -60
    )
    fitted = fit_layer_costs(networks, costs, [costs, costs], cells)
    assert len(fitted.parts) == 2
    charged = np.log(sizes.sum(axis=1) * 1e-9)
    predicted = charged + fitted.of(networks, ["new"] * 40, costs, {})[:, 0]
    assert np.median(np.abs(np.expm1(predicted - np.log(seconds)))) < 0.03


def test_a_lane_by_itself_tells_what_each_kind_of_work_costs_there() -> None:
    """Two kinds of work of one lane, whose costs are thousand times what one would start from."""
    facts = LaneFacts(lane=Lane(device="a", unit="gpu", runtime="pytorch", precision="fp32"))
    lanes = LaneSet(facts=(facts,))
    scale = LaneScale.of(lanes)
    random = np.random.default_rng(0)
    work = np.full((60, len(COLUMNS)), -20.0)
    work[:, :2] = random.uniform(15, 20, (60, 2))
    wanted = starting_costs(lanes, scale)[0] + np.log(1000) * (np.arange(len(COLUMNS)) < 2)
    _, seconds = shares(np.repeat(wanted[None], 60, axis=0), work)
    found = fit_each_lane(lanes, scale, np.zeros(60, np.int64), work, seconds).of(lanes)[0]
    assert found[:2] == pytest.approx(wanted[:2], abs=0.05)


def test_networks_of_different_families_share_nothing_at_the_level_of_families() -> None:
    points = Points(
        lane=np.zeros(3, np.int64),
        share=np.zeros((3, len(COLUMNS))),
        features=np.zeros((3, 5)),
        family=np.array([0, 0, -1]),
        publication=np.zeros((3, 0)),
    )
    assert kinship(points, points, kind=np.float64).tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
