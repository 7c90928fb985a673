"""External check: the estimator against measurements that are no part of the catalog."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.catalog.tables import Table
from advisor.core.lane import Lane
from advisor.core.workload_table import WorkloadTable
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
    """Compare predictions with a CSV of measurements, without telling them to the estimator.

    Raises CatalogError with file, line, column and what is allowed.
    """
    by_lane: dict[Lane, list[tuple[int, float]]] = {}
    skipped = 0
    figures = Table(measurements, COLUMNS)
    for line, row in figures.records():
        side = figures.integer(line, "input_h", row["input_h"])
        place = table.index.get((row["timm_name"], side or 0))
        seconds = figures.positive(line, "latency_ms", row["latency_ms"])
        if place is None or seconds is None:
            skipped += 1
            continue
        by_lane.setdefault(_lane(figures, line, row), []).append((place, seconds / 1e3))
    parts = []
    for number, (lane, found) in enumerate(by_lane.items()):
        rows = [place for place, _ in found]
        answer = model.predict(lane, table.rows(rows), level=level)
        times = np.array([time for _, time in found])
        parts.append((lane, _predicted(answer, rows, times, number, lane.device)))
    judged = [(lane, accuracy_of(part)) for lane, part in parts]
    return External(
        overall=accuracy_of(Predicted.joined([part for _, part in parts])) if parts else None,
        by_lane=tuple((lane, figure) for lane, figure in judged if figure is not None),
        skipped=skipped,
    )


def _lane(table: Table, line: int, row: dict[str, str]) -> Lane:
    return Lane(
        device=row["device_id"],
        unit=row["unit"],
        runtime=row["runtime"],
        precision=row["precision"],
        threads=table.integer(line, "threads", row.get("threads", "")),
        batch=table.integer(line, "batch", row.get("batch", "")) or 1,
        variant=row.get("variant", ""),
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
