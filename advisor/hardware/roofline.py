"""Roofline: the least time in which a unit can run networks, whatever the software.

A pass takes at least the arithmetic of its batch at the unit's peak rate, and at least the time in
which weights that do not fit on the chip cross from memory (Williams et al. 2009,
doi:10.1145/1498765.1498785). Real kernels may beat the nominal peak by a known factor: Winograd's
convolutions need fewer multiplications than are counted, and chips clock above their base rate.
"""

import re

import numpy as np
from numpy.typing import NDArray

from advisor.core.frozen_record import Record
from advisor.core.lane import Lane
from advisor.core.workload_table import WorkloadTable
from advisor.hardware.cores import core_rates, peak
from advisor.hardware.profile import DeviceProfile, UnitKind, UnitProfile

Floats = NDArray[np.float64]

SLACK = {UnitKind.CPU: 4.0}
"""How far above its nominal peak a kind of unit has been seen, generously: Winograd in caches and
clocks above the base rate. VGG-16 reaches 2.5 on published CPUs. Others stay below 1."""
SLACK_OF_FP32_GPU = 2.0
"""GPUs run 3×3 convolutions of fp32 by Winograd, up to 1.41 times their peak."""
SLACK_OF_LINK = 2.0
"""Rates of links are those that large copies were seen to reach; weights cross 1.7 times faster."""
WEIGHT_BYTES = {"fp32": 4.0, "amp": 2.0, "fp16": 2.0, "bf16": 2.0, "int16": 2.0, "int4": 0.5}
"""Bytes of a weight as it is read, by precision; every other precision keeps it in one byte."""
CACHE = {UnitKind.CPU: 64e6, UnitKind.GPU: 128e6}
"""Bytes of weights that may stay on the chip where the profile names no memory there."""
_RATES = {
    "fp32": (("fp32", 1.0), ("fp16", 1.0)),
    "amp": (("fp16", 1.0), ("fp32", 2.0)),
    "fp16": (("fp16", 1.0), ("fp32", 2.0)),
    "bf16": (("fp16", 1.0), ("fp32", 2.0)),
    "int4": (("int8", 2.0), ("fp16", 4.0), ("fp32", 8.0)),
}
"""Peaks to take for a precision: the first that is known, times the factor."""
_INTEGER = (("int8", 1.0), ("fp16", 2.0), ("fp32", 4.0))
_SEVERAL = re.compile(r"(\d+) (?:sockets|gpus|cards|chips|accelerators)", re.IGNORECASE)
_TENSOR_CORES = 4.0
"""fp16 rate by fp32 rate from which a GPU has tensor cores, which may take fp32 as TF32 …"""
_WITHOUT_TF32 = ("Volta", "Turing")
"""… but for these generations."""


class Floor(Record):
    """Least seconds of one pass of each network of a table; 0 where nothing is known."""

    compute: Floats
    """Arithmetic by the peak rate of the profile."""
    streaming: Floats
    """Weights by the bandwidth of the profile."""
    slack: float
    """Factor by which kernels may beat the nominal peak."""
    streaming_slack: float
    """Factor by which the nominal bandwidth may be beaten."""

    @property
    def nominal(self) -> Floats:
        """Seconds by the figures of the profile."""
        seconds: Floats = np.maximum(self.compute, self.streaming)
        return seconds

    @property
    def least(self) -> Floats:
        """Seconds by what the fastest kernels reach: nothing runs faster."""
        seconds: Floats = np.maximum(
            self.compute / self.slack, self.streaming / self.streaming_slack
        )
        return seconds


def floor(profile: DeviceProfile, lane: Lane, table: WorkloadTable, *, images: int) -> Floor:
    """Return the least seconds in which a pass of ``images`` images can be done.

    In bulk lanes that is ``images`` times the arithmetic of one: their passes are so large that
    the weights do not count.
    """
    unit = profile.unit(lane.unit)
    compute = streaming = np.zeros(len(table))
    if unit is None:
        return Floor(compute=compute, streaming=streaming, slack=1.0, streaming_slack=1.0)
    rate = peak_rate(unit, lane)
    if rate is not None:
        compute = 2 * table.macs * images / (rate * _units_of(lane))
    if not lane.is_bulk:
        streaming = _streaming(profile, unit, lane, table)
    return Floor(
        compute=compute,
        streaming=streaming,
        slack=slack(unit, lane),
        streaming_slack=1.0 if unit.link_bandwidth is None else SLACK_OF_LINK,
    )


def _units_of(lane: Lane) -> int:
    """How many units a lane's figures are of together, by its variant: ``8 sockets``."""
    several = _SEVERAL.search(lane.variant)
    return int(several[1]) if several else 1


def slack(unit: UnitProfile, lane: Lane) -> float:
    """Factor by which real kernels may beat the nominal peak in a lane."""
    if unit.kind == UnitKind.GPU and lane.precision == "fp32":
        return SLACK_OF_FP32_GPU
    return SLACK.get(unit.kind, 1.0)


def peak_rate(unit: UnitProfile, lane: Lane) -> float | None:
    """FLOP/s or op/s that the lane's precision and threads can reach; None where none is known."""
    return next(
        (rate * factor for name, factor in _bounds(unit, lane.precision)
         if (rate := _rate(unit, name, lane.threads)) is not None),
        None,
    )  # fmt: skip


def _bounds(unit: UnitProfile, precision: str) -> tuple[tuple[str, float], ...]:
    """List the precisions whose peaks bound that of a precision, and by what factor."""
    full, half = unit.peak.get("fp32"), unit.peak.get("fp16")
    tensor_cores = unit.kind == UnitKind.GPU and half and full and half >= _TENSOR_CORES * full
    if precision == "fp32" and tensor_cores and not unit.name.startswith(_WITHOUT_TF32):
        return (("fp16", 0.5),)
    return _RATES.get(precision, _INTEGER)


def _rate(unit: UnitProfile, precision: str, threads: int | None) -> float | None:
    """Peak of a unit, of a CPU that of its ``threads`` fastest cores."""
    whole = peak(unit, precision)
    if whole is None or unit.kind is not UnitKind.CPU or threads is None:
        return whole.rate if whole else None
    of_cores = sum(sorted(core_rates(unit, precision), reverse=True)[:threads])
    share = min(1.0, threads / unit.cores) if unit.cores else 1.0
    return max(of_cores, whole.rate * share)


def _streaming(
    profile: DeviceProfile, unit: UnitProfile, lane: Lane, table: WorkloadTable
) -> Floats:
    """Return the seconds in which the weights that do not stay on the chip are read."""
    bandwidth = profile.bandwidth(unit.kind)
    kept = unit.on_chip_memory if unit.on_chip_memory is not None else CACHE.get(unit.kind)
    if bandwidth is None or kept is None:
        return np.zeros(len(table))
    width = WEIGHT_BYTES.get(lane.precision, 1.0)
    streamed: Floats = np.maximum(width * used_weights(table) - kept, 0.0) / bandwidth
    return streamed


def used_weights(table: WorkloadTable) -> Floats:
    """Weights that one pass reads: without the heads that only training needs."""
    read = table.sum_of("weights")
    used: Floats = np.minimum(read, table.parameters)
    return used
