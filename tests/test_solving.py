"""Solving: cells taken out of a fit leave what a fit without them would have been."""

from dataclasses import replace

import numpy as np
import pytest

from advisor.core.lane import Lane
from advisor.core.workload_table import WorkloadTable
from advisor.estimators.fit.fitting import Data, Means, data_of, means_of
from advisor.estimators.fit.solving import fit, solve
from advisor.estimators.fit.starting_variances import STARTING
from advisor.estimators.lane_relations import LaneFacts
from tests.test_estimators import network, pointwise

LANES = tuple(
    Lane(device=device, unit="cpu", runtime=runtime, precision="fp32")
    for device in ("a", "b", "c")
    for runtime in ("x", "y")
)


@pytest.fixture(scope="module")
def data() -> Data:
    """Six lanes of three devices, five networks each, at random times."""
    table = WorkloadTable.of(
        [network(pointwise(10**6 * (n + 1)), name=f"net{n}") for n in range(5)]
    )
    facts = {lane: LaneFacts(lane=lane, peak=1e10, chip=lane.device) for lane in LANES}
    bare = data_of(table, {}, facts)
    count = len(LANES) * 5
    return replace(
        bare,
        lane=np.repeat(np.arange(len(LANES)), 5),
        network=np.tile(np.arange(5), len(LANES)),
        publication=np.zeros(count, np.int64),
        publications=("bench",),
        log_seconds=np.random.default_rng(0).normal(-4, 0.5, count),
        exact=np.ones(count, bool),
        latency=np.ones(count, bool),
    )


@pytest.fixture(scope="module")
def means(data: Data) -> Means:
    return means_of(data)


def test_taking_cells_out_is_fitting_without_them(data: Data, means: Means) -> None:
    out = np.array([0, 7, 8, 21])
    kept = np.setdiff1d(np.arange(len(data)), out)
    solved = solve(data, means, STARTING)
    short = solved.without(out)
    anew = fit(data.take(kept), means, STARTING, solved.noise[kept])
    assert short.cell_weight == pytest.approx(anew.cell_weight, rel=1e-3, abs=1e-3)
    assert short.cell_lane.tolist() == anew.cell_lane.tolist()


def test_a_lane_taken_out_is_no_longer_odd(data: Data, means: Means) -> None:
    odd = replace(data, lanes=data.lanes.with_odd(np.full(len(LANES), 0.7)))
    rest = solve(odd, means, STARTING).without(np.flatnonzero(odd.lane == 2))
    assert rest.lanes.odd.tolist() == [0.7, 0.7, 0.0, 0.7, 0.7, 0.7]


def test_a_gross_error_counts_for_little(data: Data, means: Means) -> None:
    """One figure is a hundred times too long; what is said of its lane hardly moves."""
    wrong = data.log_seconds.copy()
    wrong[3] += np.log(100)
    noise = solve(replace(data, log_seconds=wrong), means, STARTING).noise
    assert noise.argmax() == 3
    assert noise[3] > 1


def test_thinning_takes_as_many_cells_of_every_lane(data: Data) -> None:
    lane = data.lane[data.thinned(12)]
    assert np.bincount(lane).tolist() == [2] * len(LANES)


def test_networks_that_a_runtime_ran_in_no_chosen_cell_are_added_once(data: Data) -> None:
    chosen, all_ = data.thinned(12), data.for_all_lanes(12)
    runtime = data.lanes.keys["runtime"][data.lane]
    pairs = np.array([f"{runtime[cell]} {data.network[cell]}" for cell in range(len(data))])
    added = np.setdiff1d(all_, chosen)
    assert set(chosen.tolist()) <= set(all_.tolist())
    assert len(set(pairs[added].tolist())) == len(added)
    assert set(pairs[all_].tolist()) == set(pairs.tolist())
