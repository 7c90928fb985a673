"""What own measurements do to predictions: the error on networks left out, and the width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, median

import numpy as np

from advisor.core.lane import Lane
from advisor.core.workload_table import WorkloadTable
from advisor.estimators.latency import LatencyModel, Timing

MOST = 30
"""Networks of a lane that are left out one by one; more take minutes and tell the same."""

LEVEL = 0.9
"""Coverage of the intervals whose width is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """One network that was left out: what was measured, and what was predicted for it."""

    timing: Timing
    before: float
    """Seconds predicted without any own measurement."""
    after: float
    """Seconds predicted with the own measurements of all other networks."""
    inside: bool
    """Whether the measurement lies in the later prediction's interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneCalibration:
    """How well one lane is predicted before and after its own measurements."""

    lane: Lane
    networks: int
    before: float
    """Median relative error without own measurements."""
    after: float
    """Median relative error with them, each network predicted from the others."""
    inside: float
    """Share of measurements inside the 90 % intervals."""


def calibration(
    model: LatencyModel, timings: Sequence[Timing], table: WorkloadTable
) -> list[LaneCalibration]:
    """Leave out each network of each lane; row i of ``table`` is that of timing i.

    Lanes with fewer than three networks tell nothing and are left out.
    """
    found = []
    for lane in dict.fromkeys(timing.lane for timing in timings):
        rows = [i for i, timing in enumerate(timings) if timing.lane == lane][:MOST]
        if len(rows) >= 3:
            found.append(summary(lane, [left_out(model, timings, table, row) for row in rows]))
    return found


def left_out(
    model: LatencyModel, timings: Sequence[Timing], table: WorkloadTable, row: int
) -> Left:
    """Predict one network from all timings of other networks."""
    wanted = timings[row]
    others = [i for i, timing in enumerate(timings) if timing.network != wanted.network]
    return predicted(model, timings, table, row, others)


def predicted(
    model: LatencyModel,
    timings: Sequence[Timing],
    table: WorkloadTable,
    row: int,
    known: Sequence[int],
) -> Left:
    """Predict one network without own timings, and from the ``known`` ones."""
    wanted = timings[row]
    question = table.rows([row])
    bare = model.with_measurements((), table.rows([]))
    taught = model.with_measurements([timings[i] for i in known], table.rows(list(known)))
    answer = taught.predict(wanted.lane, question, level=LEVEL)
    return Left(
        timing=wanted,
        before=float(bare.predict(wanted.lane, question).value[0]),
        after=float(answer.value[0]),
        inside=bool(answer.low[0] <= wanted.seconds <= answer.high[0]),
    )


def summary(lane: Lane, found: Sequence[Left]) -> LaneCalibration:
    """Sum up what was left out of one lane."""
    return LaneCalibration(
        lane=lane,
        networks=len(found),
        before=median(_error(one.before, one.timing.seconds) for one in found),
        after=median(_error(one.after, one.timing.seconds) for one in found),
        inside=sum(one.inside for one in found) / len(found),
    )


def width(model: LatencyModel, lane: Lane, table: WorkloadTable) -> float:
    """Median factor from the value to the end of its interval, over the networks of ``table``."""
    found = model.predict(lane, table, level=LEVEL)
    return float(np.exp(np.median(np.log(found.high / found.low) / 2)))


def once_measured(
    model: LatencyModel, lane: Lane, table: WorkloadTable, rows: Sequence[int]
) -> LatencyModel:
    """Return the model that has timed some rows of the catalog's ``table`` as it predicts them.

    How wide its answers are hardly depends on what is found, as long as the timings agree: the
    variance of a Gaussian process rests on which networks were timed.
    """
    picked = table.rows(rows)
    seconds = model.predict(lane, picked).value.tolist()
    places = zip(picked.networks, picked.resolutions.tolist(), seconds, strict=True)
    supposed = [
        Timing(lane=lane, network=network, resolution=side, seconds=time)
        for network, side, time in places
    ]
    known = [table.index[timing.network, timing.resolution] for timing in model.own]
    return model.with_measurements([*model.own, *supposed], table.rows([*known, *rows]))


def still_open(
    model: LatencyModel,
    taught: LatencyModel,
    lane: Lane,
    table: WorkloadTable,
    *,
    limit: float,
    level: float,
) -> float:
    """Networks of ``table`` expected to straddle ``limit`` seconds once ``taught`` is known.

    What will be measured shifts each value by what its interval loses: the chance that the later
    interval holds the limit follows from both variances.
    """
    mean, variance = model.log_seconds(lane, table)
    _, later = taught.log_seconds(lane, table)
    answer = taught.predict(lane, table, level=level)
    half = np.log(answer.high / answer.low) / 2
    shift = np.sqrt(np.maximum(variance - later, 1e-9))
    away = np.log(limit) - mean
    normal = NormalDist()
    return sum(
        normal.cdf(float(high)) - normal.cdf(float(low))
        for low, high in zip((away - half) / shift, (away + half) / shift, strict=True)
    )


def _error(value: float, measured: float) -> float:
    """Relative error, alike for a factor too much and too little."""
    return math.expm1(abs(math.log(value / measured)))
