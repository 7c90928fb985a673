"""Memory: most bytes that one pass needs, from weights, activations and the runtime's overhead.

``overhead + factor × (weights + activations alive at once)``: overhead and factor come from
published peaks of the runtime where there are enough, else from all runtimes together.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.core.estimate import Estimate, Interval, Origin, Provenance
from advisor.core.frozen_record import Record
from advisor.core.lane import Lane
from advisor.core.quantity import Metric
from advisor.core.workload_table import WorkloadTable
from advisor.errors import CatalogError
from advisor.estimators.calibration import LEVELS, conformal
from advisor.estimators.levels import at_level

Floats = NDArray[np.float64]

FILE = "estimator.memory.json"
METHOD = "memory/1"
LEAST_ROWS = 20
"""Published peaks that a runtime needs for parameters of its own."""
ANY = "any"
"""Key of the parameters for runtimes without their own: those of all runtimes on CPUs, where no
part of the network lies in another process or on another chip."""
CUDA = frozenset({"pytorch", "pytorch-channels-last", "torch-inductor", "onnxruntime", "tf-trt"})
"""Runtimes that hold a CUDA context on a GPU, as TensorRT does."""
TENSORRT = "tensorrt/gpu"
ARENA = "arena"
"""Key of the parameters of statically planned runtimes."""
_BYTES = {"fp32": 4.0, "amp": 4.0, "fp16": 2.0, "bf16": 2.0}
_OVERHEADS = np.concatenate([[0.0], np.geomspace(1e5, 2e9, 60)])
_QUANTILES = (0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9)
"""Overheads that are tried, and the quantiles of what each leaves to a factor that are."""


class RuntimeMemory(Record):
    """Parameters of one runtime on one kind of unit."""

    overhead: float
    """Bytes that do not depend on the network."""
    factor: float
    """Bytes per byte of weights and activations."""
    quantiles: tuple[float, ...]
    """Absolute error of the log of a left-out peak at each of ``calibration.LEVELS``."""
    rows: int

    def predict(self, needed: Floats) -> Floats:
        """Return the bytes from those that weights and activations need."""
        return self.overhead + self.factor * needed


class MemoryModel(Record):
    """Fitted parameters by ``runtime/unit``, and ``any`` for all others."""

    runtimes: Mapping[str, RuntimeMemory]

    @staticmethod
    def load(root: Path) -> "MemoryModel":
        """Read the fitted parameters from the catalog's folder ``root``."""
        try:
            document = json.loads((root / FILE).read_text(encoding="utf-8"))
            return MemoryModel(
                runtimes={
                    key: RuntimeMemory(**{**one, "quantiles": tuple(one["quantiles"])})
                    for key, one in document.items()
                }
            )
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise CatalogError(
                f"cannot read {root / FILE}: {error}; 'advisor catalog fit' writes it again"
            ) from error

    @property
    def arena(self) -> RuntimeMemory:
        """Parameters of statically planned runtimes, whose weights lie in flash."""
        return self.runtimes[ARENA]

    def with_arena(self, arena: RuntimeMemory) -> "MemoryModel":
        """Return the model with the parameters of statically planned runtimes."""
        return MemoryModel(runtimes={**self.runtimes, ARENA: arena})

    def write(self, root: Path) -> None:
        """Write the parameters into the folder ``root``."""
        document = {key: asdict(one) for key, one in sorted(self.runtimes.items())}
        text = json.dumps(document, indent=1)
        (root / FILE).write_text(text + "\n", encoding="utf-8")

    def predict(self, lane: Lane, table: WorkloadTable, *, level: float = 0.9) -> list[Estimate]:
        """Return the peak memory of each network of ``table`` in ``lane``."""
        key = f"{lane.runtime}/{lane.unit}"
        known = key in self.runtimes
        stand_in = TENSORRT if lane.unit == "gpu" and lane.runtime in CUDA else ANY
        model = self.runtimes.get(key) or self.runtimes.get(stand_in) or self.runtimes[ANY]
        values = model.predict(needed_bytes(lane, table))
        factor = float(np.exp(at_level(level, LEVELS, model.quantiles)))
        caveats = () if known else (f"no published peak of {lane.runtime}; as on other runtimes",)
        provenance = Provenance(
            origin=Origin.PREDICTED if known else Origin.ANALYTIC,
            source=f"{METHOD}: weights, activations and overhead from {model.rows} peaks",
            caveats=caveats,
        )
        resident = resident_bytes(lane, table)
        values = np.maximum(values, resident)
        lows = np.maximum(values / factor, resident)
        return [
            Estimate(
                metric=Metric.PEAK_MEMORY,
                value=float(value),
                interval=Interval(low=float(low), high=float(value * factor), level=level),
                provenance=provenance,
            )
            for value, low in zip(values, lows, strict=True)
        ]


def resident_bytes(lane: Lane, table: WorkloadTable) -> Floats:
    """Return the bytes that are in memory whatever the runtime does: on a CPU or GPU the weights.

    Other units may keep the weights in flash, on the chip or in a process of their own.
    """
    width = _BYTES.get(lane.precision, 1.0) if lane.unit in ("cpu", "gpu") else 0.0
    weights: Floats = width * table.parameters.astype(np.float64)
    return weights


def needed_bytes(lane: Lane, table: WorkloadTable) -> Floats:
    """Return the bytes of weights and of activations alive at once, at the lane's batch."""
    width = _BYTES.get(lane.precision, 1.0)
    images = max(lane.batch, 1)
    total: Floats = width * (table.parameters + images * table.peak_activations).astype(np.float64)
    return total


class Peaks(Record):
    """Published peaks: what was needed and what was seen, both in bytes."""

    key: NDArray[np.str_]
    """``runtime/unit`` of each."""
    needed: Floats
    seen: Floats
    architecture: NDArray[np.int64]


def fit_memory(peaks: Peaks) -> MemoryModel:
    """Fit the parameters of every runtime with enough published peaks."""
    on_cpu = np.char.endswith(peaks.key, "/cpu")
    known = on_cpu.sum() >= LEAST_ROWS
    found = {ANY: _fit(peaks, on_cpu if known else np.ones(len(peaks.key), bool))}
    for key in np.unique(peaks.key):
        mine = peaks.key == key
        if mine.sum() >= LEAST_ROWS:
            found[str(key)] = _fit(peaks, mine)
    return MemoryModel(runtimes=found)


def _fit(peaks: Peaks, mine: NDArray[np.bool_]) -> RuntimeMemory:
    needed, seen, group = peaks.needed[mine], peaks.seen[mine], peaks.architecture[mine]
    errors = []
    for left in np.unique(group):
        held = group == left
        if held.all():
            continue
        overhead, factor = _parameters(needed[~held], seen[~held])
        errors.append(np.abs(np.log((overhead + factor * needed[held]) / seen[held])))
    overhead, factor = _parameters(needed, seen)
    quantiles = conformal(np.concatenate(errors)) if errors else (1.0,) * len(LEVELS)
    return RuntimeMemory(
        overhead=overhead, factor=factor, quantiles=quantiles, rows=int(mine.sum())
    )


def _parameters(needed: Floats, seen: Floats) -> tuple[float, float]:
    """Return overhead and factor of the least mean absolute log error, by search on a grid."""
    rest = np.maximum(seen - _OVERHEADS[:, None], 0.02 * seen) / needed
    factors = np.quantile(rest, _QUANTILES, axis=1).T
    predicted = _OVERHEADS[:, None, None] + factors[:, :, None] * needed
    errors = np.abs(np.log(predicted / seen)).mean(axis=2)
    overhead, factor = np.unravel_index(errors.argmin(), errors.shape)
    return float(_OVERHEADS[overhead]), float(factors[overhead, factor])
