"""Batch ladder: latencies that never fall with the images of a pass.

A lane is one batch, and two lanes are two independent answers that may cross. Latencies at any
batch are therefore read off a ladder: the powers of two and the batches that were published, each
no lower than the one before, and straight lines on logarithmic scales between them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from advisor.core.lane import Lane
from advisor.core.workload_table import WorkloadTable

if TYPE_CHECKING:
    from advisor.estimators.latency import LatencyModel, Prediction

AS_FEWER = "as long as fewer images took: less was predicted of so many"
AS_MORE = "as long as more images took: more was predicted of so few"
NOTED = 1.01
"""Factor by which a latency has to be moved for the caveat."""
Timed = Mapping[tuple[str, int], list[tuple[int, float]]]
"""Batches and seconds of a pass that were published, by network and input."""


def rungs(batch: int, known: Iterable[int]) -> list[int]:
    """Return the batches that decide the latency at ``batch``, ascending, up to the first beyond.

    ``known`` are batches of the lane's other figures; they are rungs whatever is asked.
    """
    powers = [2**n for n in range(batch.bit_length() + 1)]
    every = sorted({*powers, *(one for one in known if one > 0)})
    last = next(place for place, rung in enumerate(every) if rung >= batch)
    return every[: last + 1]


def predicted(
    model: "LatencyModel",
    lane: Lane,
    table: WorkloadTable,
    known: Iterable[int],
    *,
    level: float,
    shared: bool = False,
) -> "Prediction":
    """Predict every network of ``table`` at the lane's batch."""
    if lane.batch <= 1:
        return model.predict(lane, table, level=level, shared=shared)
    ladder = rungs(lane.batch, known)
    found = [
        model.predict(
            replace(lane, batch=rung), table, level=level, shared=shared and rung == ladder[-1]
        )
        for rung in ladder
    ]
    ends = {
        name: np.maximum.accumulate([getattr(one, name) for one in found], axis=0)
        for name in ("low", "value", "high")
    }
    if ladder[-1] == lane.batch:
        return replace(found[-1], **{name: rows[-1] for name, rows in ends.items()})
    below, above = ladder[-2:]
    share = np.log(lane.batch / below) / np.log(above / below)
    between = {
        name: np.exp((1 - share) * np.log(rows[-2]) + share * np.log(rows[-1]))
        for name, rows in ends.items()
    }
    return replace(found[-1], **between)


def between_published(
    found: "Prediction", lane: Lane, table: WorkloadTable, timed: Timed
) -> "Prediction":
    """Move predictions between what fewer and what more images of the same network took.

    Where published times themselves fall with the images, those of fewer images decide.
    """
    low, value, high = found.low.copy(), found.value.copy(), found.high.copy()
    caveats = list(found.caveats)
    for row, key in enumerate(zip(table.networks, table.resolutions.tolist(), strict=True)):
        others = timed.get(key, ())
        least = max((seconds for batch, seconds in others if batch < lane.batch), default=0.0)
        most = min((seconds for batch, seconds in others if batch > lane.batch), default=np.inf)
        alone = float(value[row])
        value[row] = max(min(alone, most), least)
        low[row], high[row] = min(low[row], value[row]), max(high[row], value[row])
        if value[row] > NOTED * alone:
            caveats[row] = (AS_FEWER, *caveats[row])
        elif NOTED * value[row] < alone:
            caveats[row] = (AS_MORE, *caveats[row])
    return replace(found, low=low, value=value, high=high, caveats=tuple(caveats))
