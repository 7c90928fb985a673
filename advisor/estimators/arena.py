"""Arena: RAM and flash of networks that are planned statically, as on microcontrollers.

Weights lie in flash. Activations share one arena that the converter plans before anything runs:
its size is the most activation bytes alive at once, and what the kernels need beside them.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.catalog.measurements import read_all
from advisor.core.estimate import Estimate, Interval, Origin, Provenance
from advisor.core.lane import Lane
from advisor.core.quantity import Metric
from advisor.core.workload_table import WorkloadTable
from advisor.estimators.calibration import LEVELS, conformal
from advisor.estimators.levels import at_level
from advisor.estimators.memory import ARENA, Peaks, RuntimeMemory

Floats = NDArray[np.float64]

TOTAL_RAM = "memory-is-total-ram"
"""Caveat of published figures that are the RAM of an arena."""
CODE = 100e3
"""Bytes of flash that the runtime's kernels take beside the weights …"""
MOST_CODE = 500e3
"""… and the most of it."""
_BYTES = {"fp32": 4.0, "fp16": 2.0, "int16": 2.0}
_METHOD = "arena/1"


def arena_bytes(lane: Lane, table: WorkloadTable) -> Floats:
    """Return the most bytes of activations alive at once in a pass of the lane's batch."""
    width = _BYTES.get(lane.precision, 1.0)
    alive: Floats = width * max(lane.batch, 1) * table.peak_activations.astype(np.float64)
    return alive


def ram(model: RuntimeMemory, lane: Lane, table: WorkloadTable, *, level: float) -> list[Estimate]:
    """Return the RAM that each network of ``table`` needs in ``lane``."""
    alive = arena_bytes(lane, table)
    factor = float(np.exp(at_level(level, LEVELS, model.quantiles)))
    values = model.predict(alive)
    provenance = Provenance(
        origin=Origin.PREDICTED,
        source=f"{_METHOD}: activations alive at once, by {model.rows} published arenas",
    )
    return [
        Estimate(
            metric=Metric.PEAK_MEMORY,
            value=value,
            interval=Interval(low=low, high=value * factor, level=level),
            provenance=provenance,
        )
        for value, low in zip(
            values.tolist(), np.minimum(values, np.maximum(values / factor, alive / 2)).tolist(),
            strict=True,
        )
    ]  # fmt: skip


def flash(weight_bytes: float, *, level: float) -> Estimate:
    """Return the flash that a network's weights and the code that runs them take."""
    return Estimate(
        metric=Metric.FLASH,
        value=weight_bytes + CODE,
        interval=Interval(low=weight_bytes, high=weight_bytes + MOST_CODE, level=level),
        provenance=Provenance(
            origin=Origin.ANALYTIC, source=f"{_METHOD}: weights, and kernels of a usual size"
        ),
    )


def read_arenas(root: Path, table: WorkloadTable, architecture: Iterable[int]) -> Peaks:
    """Read the published arenas of networks whose workload is known.

    ``architecture`` numbers the rows of ``table``, so that one network's sizes are left out
    together.
    """
    numbers = list(architecture)
    rows = [
        (row, table.index[row.network, row.resolution or 0])
        for device in read_all(root).values()
        for row in device
        if row.usable and row.memory and TOTAL_RAM in row.caveats and row.match == "exact"
        if (row.network, row.resolution) in table.index
    ]
    needed = [float(arena_bytes(row.lane, table.rows([place]))[0]) for row, place in rows]
    return Peaks(
        key=np.full(len(rows), ARENA),
        needed=np.array(needed),
        seen=np.array([row.memory for row, _ in rows], np.float64),
        architecture=np.array([numbers[place] for _, place in rows], np.int64),
    )


def fit_arena(arenas: Peaks) -> RuntimeMemory:
    """Fit the factor from activations alive at once to RAM; no overhead, as there is no system."""
    ratios = np.log(arenas.seen / arenas.needed)
    errors = [
        np.abs(ratios[held] - np.median(ratios[~held]))
        for left in np.unique(arenas.architecture)
        if not (held := arenas.architecture == left).all()
    ]
    return RuntimeMemory(
        overhead=0.0,
        factor=float(np.exp(np.median(ratios))),
        quantiles=conformal(np.concatenate(errors)),
        rows=len(ratios),
    )
