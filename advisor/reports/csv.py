"""CSV: one row per candidate; units are in the column names."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from advisor.core.candidate import Candidate
from advisor.core.document import (
    Entry,
    EstimateEntry,
    Estimates,
    Figure,
    LaneRecord,
    Recommendation,
    Rejection,
)
from advisor.core.filed import Document
from advisor.core.quantity import Metric
from advisor.errors import AdvisorError, UsageError
from advisor.reports import Layout

if TYPE_CHECKING:
    from advisor.procurement.review import DeviceReview, ProcurementReview
    from advisor.trials.record import TrialRecord

COLUMN: dict[Metric, tuple[str, str, float]] = {
    Metric.LATENCY: ("latency", "_ms", 1e3),
    Metric.THROUGHPUT: ("throughput", "_ips", 1.0),
    Metric.TOP1: ("top1", "_percent", 1e2),
    Metric.TOP5: ("top5", "_percent", 1e2),
    Metric.PEAK_MEMORY: ("peak_memory", "_mb", 1e-6),
    Metric.WEIGHTS: ("weights", "_mb", 1e-6),
    Metric.FLASH: ("flash", "_mb", 1e-6),
    Metric.ENERGY: ("energy", "_mj", 1e3),
    Metric.POWER: ("power", "_w", 1.0),
    Metric.CHIP_POWER: ("chip_power", "_w", 1.0),
    Metric.PARAMETERS: ("parameters", "_m", 1e-6),
    Metric.MACS: ("macs", "_g", 1e-9),
}
"""Column name, its unit suffix, and what one SI unit is in it."""
_RECOMMENDATION = (
    "rank",
    "candidate",
    "architecture",
    "tag",
    "resolution",
    "device_id",
    "lane",
    "precision",
    "verdict",
    "on_front",
    "recipe",
    "constraint",
    "reason",
)
_ESTIMATE = (
    "device_id",
    "unit",
    "runtime",
    "precision",
    "threads",
    "batch",
    "timm_name",
    "input_h",
    "latency_ms",
    "latency_low_ms",
    "latency_high_ms",
    "level",
    "origin",
    "source",
    "reason",
)


class CsvWriter:
    """Writes candidates as rows, all of them: ranked, uncertain, rejected."""

    suffix = ".csv"

    def render(self, document: Document, layout: Layout) -> str:
        """Return the rows with a header."""
        if isinstance(document, Recommendation):
            return _recommendation(document)
        if isinstance(document, Estimates):
            return _estimates(document)
        from advisor.procurement.review import ProcurementReview

        if isinstance(document, ProcurementReview):
            return _review(document)
        from advisor.trials.record import TrialRecord

        if isinstance(document, TrialRecord):
            return _trial(document)
        raise UsageError(f"csv: cannot show {type(document).__name__}")


_TRIAL = ("model", "resolution", "stage", "seed", "state", "trained_weights", "steps",
          "learning_rate", "validation", "accuracy", "accuracy_low", "accuracy_high", "level",
          "images", "balanced", "log_loss", "calibration_error", "images_per_second", "seconds",
          "reason")  # fmt: skip


def _trial(document: "TrialRecord") -> str:
    """One row per run; accuracies are fractions."""
    rows = []
    for run in document.runs:
        row = {name: value for name, value in run if name in _TRIAL and value is not None}
        row |= {"trained_weights": run.weights.trained, "stage": run.stage.value}
        row |= {"learning_rate": run.recipe.learning_rate} if run.recipe else {}
        found = run.accuracy
        if found is not None:
            row |= {"accuracy": found.value, "accuracy_low": found.low, "level": found.level}
            row |= {"accuracy_high": found.high, "images": found.images}
        rows.append(row)
    return _text(_TRIAL, rows)


def _review(document: "ProcurementReview") -> str:
    """One row per device; empty cells are unknown."""
    rows = [_device_row(device, document) for device in document.devices]
    return _text(list(rows[0]) if rows else ["device_id"], rows)


def _device_row(device: "DeviceReview", document: "ProcurementReview") -> dict[str, object]:
    scored = {row.device: row for row in document.matrix.rows}
    row = scored.get(device.device)
    best = device.best[0] if device.best else None
    amounts = {
        "top1": device.accuracy,
        "speed_ips": device.speed,
        "efficiency_per_j": device.efficiency,
        "price": device.price,
        "power_w": device.power,
        "total": device.total,
        "years_left": device.supply.years_left,
    }
    return {
        "device_id": device.device,
        "outcome": device.outcome,
        "rank": row.rank if row else "",
        "score": number(row.score) if row else "",
        "candidate": best.candidate if best else "",
        "currency": document.assumptions.currency,
        **{name: "" if a.value is None else number(a.value) for name, a in amounts.items()},
        "known_total": number(device.known_total),
        "missing": "; ".join(device.missing),
        "price_date": device.price.date,
        "price_is_stale": "yes" if device.price.stale else "no",
        "status": device.supply.status,
        "reason": device.reason,
    }


def number(value: float) -> str:
    """Write a number so that it reads back the same, without the noise of changing its unit."""
    return f"{value:.12g}"


def scaled(metric: Metric, value: float) -> str:
    """Write a figure in the unit of its column."""
    return number(value * COLUMN[metric][2])


def _recommendation(document: Recommendation) -> str:
    items: list[Entry | Rejection] = [*document.ranked, *document.uncertain, *document.rejected]
    metrics = _present(items)
    names = [*_RECOMMENDATION, *(name for metric in metrics for name in _metric_columns(metric))]
    device = document.lane.device
    rows = [_judged_row(item, device) | _metric_cells(item.metrics, metrics) for item in items]
    return _text(names, rows)


def _judged_row(item: Entry | Rejection, device: str) -> dict[str, object]:
    shared = {
        "candidate": item.candidate,
        "device_id": device,
        "lane": item.lane,
        "precision": item.precision,
    }
    if isinstance(item, Rejection):
        parsed = _parsed(item.candidate)
        return shared | {
            "architecture": parsed.architecture,
            "tag": parsed.tag,
            "resolution": parsed.resolution,
            "verdict": "violated",
            "on_front": "no",
            "constraint": item.constraint,
            "reason": item.reason,
        }
    return shared | {
        "rank": item.rank,
        "architecture": item.architecture,
        "tag": item.tag,
        "resolution": item.resolution,
        "verdict": item.verdict,
        "on_front": "yes" if item.on_front else "no",
        "recipe": item.recipe,
    }


def _estimates(document: Estimates) -> str:
    lanes = {(lane.device, lane.name): lane for lane in document.lanes}
    metrics = [metric for metric in _present(document.estimates) if metric is not Metric.LATENCY]
    names = [*_ESTIMATE, *(name for metric in metrics for name in _metric_columns(metric))]
    rows = [
        _estimate_row(item, lanes.get((item.device, item.lane)))
        | _metric_cells(item.metrics, metrics)
        for item in document.estimates
    ]
    return _text(names, rows)


def _estimate_row(item: EstimateEntry, lane: LaneRecord | None) -> dict[str, object]:
    row: dict[str, object] = {
        "device_id": item.device,
        "precision": item.precision,
        "timm_name": item.candidate.partition("@")[0],
        "input_h": item.resolution,
        "reason": item.gaps.get(Metric.LATENCY, ""),
    }
    if lane is not None:
        row |= {
            "unit": lane.unit,
            "runtime": lane.runtime,
            "threads": lane.threads,
            "batch": lane.batch,
        }
    return row | _latency_cells(item.metrics.get(Metric.LATENCY))


def _latency_cells(figure: Figure | None) -> dict[str, object]:
    if figure is None:
        return {}
    return {
        "latency_ms": scaled(Metric.LATENCY, figure.value),
        "latency_low_ms": scaled(Metric.LATENCY, figure.low),
        "latency_high_ms": scaled(Metric.LATENCY, figure.high),
        "level": number(figure.level),
        "origin": figure.origin,
        "source": figure.source,
    }


def _present(items: Sequence[Entry | Rejection | EstimateEntry]) -> list[Metric]:
    found = {metric for item in items for metric in item.metrics}
    return [metric for metric in Metric if metric in found]


def _metric_columns(metric: Metric) -> tuple[str, ...]:
    name, unit, _ = COLUMN[metric]
    ends = (f"{name}{unit}", f"{name}_low{unit}", f"{name}_high{unit}")
    return (*ends, f"{name}_level", f"{name}_origin", f"{name}_source")


def _metric_cells(figures: Mapping[Metric, Figure], metrics: Sequence[Metric]) -> dict[str, object]:
    cells: dict[str, object] = {}
    for metric in metrics:
        figure = figures.get(metric)
        if figure is not None:
            ends = [scaled(metric, end) for end in (figure.value, figure.low, figure.high)]
            values = [*ends, number(figure.level), figure.origin, figure.source]
            cells |= dict(zip(_metric_columns(metric), values, strict=True))
    return cells


def _parsed(name: str) -> Candidate:
    try:
        return Candidate.parse(name)
    except AdvisorError:
        return Candidate(architecture=name)


def _text(names: Sequence[str], rows: Sequence[Mapping[str, object]]) -> str:
    buffer = io.StringIO()
    table = csv.DictWriter(buffer, fieldnames=names, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return buffer.getvalue()
