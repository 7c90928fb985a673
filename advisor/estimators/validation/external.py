"""External check: the estimator against measurements that are no part of the catalog."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.core.lane import Lane
from advisor.core.workload_table import WorkloadTable
from advisor.errors import MeasurementError
from advisor.estimators.latency import LatencyModel, Prediction
from advisor.estimators.validation.measures import ErrorSummary, Predicted, accuracy_of

COLUMNS = ("device_id", "unit", "runtime", "precision", "timm_name", "input_h", "latency_ms")
"""Needed columns; ``threads``, ``batch`` and ``variant`` are read where they are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """Result of one check."""

    overall: ErrorSummary | None
    by_lane: tuple[tuple[Lane, ErrorSummary], ...]
    skipped: int
    """Rows without a time or of networks whose workload is unknown."""


def against(
    measurements: Path, model: LatencyModel, table: WorkloadTable, *, level: float = 0.9
) -> External:
    """Compare predictions with a CSV of measurements, without telling them to the estimator."""
    by_lane: dict[Lane, list[tuple[int, float]]] = {}
    skipped = 0
    for row in _rows(measurements):
        place = table.index.get((row["timm_name"], int(float(row["input_h"] or 0))))
        if place is None or not row["latency_ms"]:
            skipped += 1
            continue
        by_lane.setdefault(_lane(row), []).append((place, float(row["latency_ms"]) / 1e3))
    parts = []
    for number, (lane, found) in enumerate(by_lane.items()):
        rows = [place for place, _ in found]
        answer = model.predict(lane, table.rows(rows), level=level)
        seconds = np.array([time for _, time in found])
        parts.append((lane, _predicted(answer, rows, seconds, number, lane.device)))
    figures = [(lane, accuracy_of(part)) for lane, part in parts]
    return External(
        overall=accuracy_of(Predicted.joined([part for _, part in parts])) if parts else None,
        by_lane=tuple((lane, figure) for lane, figure in figures if figure is not None),
        skipped=skipped,
    )


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
            rows = list(reader)
    except OSError as error:
        raise MeasurementError(f"cannot read {path}: {error.strerror}") from error
    if missing:
        raise MeasurementError(f"{path}: missing columns {', '.join(missing)}")
    return rows


def _lane(row: dict[str, str]) -> Lane:
    threads, batch = row.get("threads"), row.get("batch")
    return Lane(
        device=row["device_id"],
        unit=row["unit"],
        runtime=row["runtime"],
        precision=row["precision"],
        threads=int(float(threads)) if threads else None,
        batch=int(float(batch)) if batch else 1,
        variant=row.get("variant") or "",
    )


def _predicted(
    answer: Prediction, rows: list[int], seconds: NDArray[np.float64], lane: int, device: str
) -> Predicted:
    return Predicted(
        cell=np.array(rows, np.int64),
        lane=np.full(len(rows), lane, np.int64),
        group=np.full(len(rows), device),
        chip=np.full(len(rows), device),
        truth=np.log(seconds),
        mean=np.log(answer.value),
        low=np.log(answer.low),
        high=np.log(answer.high),
    )
