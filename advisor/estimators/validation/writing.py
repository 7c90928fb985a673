"""Writing: a report as JSON, as a table for the terminal and as a page of the docs."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from advisor.estimators.validation.external import External
from advisor.estimators.validation.measures import ErrorSummary
from advisor.estimators.validation.report import (
    EIGHT,
    FEW,
    FIFTEEN,
    MIDDLE,
    OWN,
    TIMM_LANES,
    WITH_LARGE,
    WITH_PROFILE,
    ErrorRow,
    Report,
)
from advisor.estimators.validation.running import ESTIMATOR, LINE, ROOFLINE

NANO = "lane jetson-nano gpu tensorrt fp16 batch 1"
MAIN_GROUPS = (EIGHT, FIFTEEN, WITH_LARGE, WITH_PROFILE, MIDDLE, FEW, TIMM_LANES, NANO, OWN)
"""Groups of the short table; the JSON holds all, each runtime and lane too."""
_HEAD = (
    "split",
    "group",
    "cells",
    "median",
    "mean",
    "by lane",
    "±10 %",
    "±20 %",
    "tau",
    "coverage",
    "width",
    "line",
    "roofline",
)


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that the estimator is meant to reach."""

    name: str
    split: str
    group: str
    field: str
    aim: float
    least: float


_PAIR, _ARCHITECTURE = "pair", "architecture"
_FAMILY, _SHOTS, _NOTHING = "family", "device, 10 shots", "device, 0 shots"
TARGETS = (
    Target("unseen pair", _PAIR, EIGHT, "median_error", 0.08, 0.11),
    Target("unseen architecture", _ARCHITECTURE, FIFTEEN, "median_error", 0.10, 0.14),
    Target("unseen architecture", _ARCHITECTURE, MIDDLE, "median_error", 0.18, 0.26),
    Target("unseen family", _FAMILY, TIMM_LANES, "median_error", 0.05, 0.07),
    Target("unseen architecture", _ARCHITECTURE, NANO, "median_error", 0.05, 0.08),
    Target("unseen device, 10 timings", _SHOTS, WITH_LARGE, "lane_median", 0.08, 0.13),
    Target("unseen device, profile only", _NOTHING, WITH_PROFILE, "median_error", 0.35, 0.55),
)


def to_json(report: Report) -> str:
    """Write every figure, one row a line."""
    document = _plain(asdict(report))
    lists = {name: value for name, value in document.items() if isinstance(value, list)}
    head = {name: value for name, value in document.items() if name not in lists}
    parts = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    for name, rows in lists.items():
        lines = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in rows)
        parts.append(f" {json.dumps(name)}: [\n{lines}\n ]")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.5g}")
    return value


def to_table(report: Report) -> str:
    """Write the main groups in columns."""
    lines = [_HEAD, *_lines(report)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(_HEAD))]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join(text) + "\n"


def _lines(report: Report) -> Iterator[tuple[str, ...]]:
    for row in report.rows:
        if row.estimator == ESTIMATOR and row.group in MAIN_GROUPS:
            yield _line(report, row)


def _line(report: Report, row: ErrorRow) -> tuple[str, ...]:
    one = row.accuracy
    simple = [report.find(row.split, row.group, name) for name in (LINE, ROOFLINE)]
    return (
        row.split,
        row.group,
        str(one.cells),
        _percent(one.median_error),
        _percent(one.mean_error),
        _percent(one.lane_median),
        _percent(one.within_10),
        _percent(one.within_20),
        "" if one.kendall is None else f"{one.kendall:.2f}",
        "" if one.coverage is None else _percent(one.coverage),
        "" if one.width is None else f"×{one.width:.2f}",
        *("–" if other is None else _percent(other.median_error) for other in simple),
    )


def external_table(found: External) -> str:
    """Write the outcome of an external check, one line a lane."""
    lines = [
        f"{lane.device} {lane.name}: {one.cells} figures, median {_percent(one.median_error)}, "
        f"{_coverage(one) or 'no'} inside the interval"
        for lane, one in found.by_lane
    ]
    if found.overall is not None:
        one = found.overall
        lines.append(
            f"all: {one.cells} figures, median {_percent(one.median_error)}, mean "
            f"{_percent(one.mean_error)}, {_coverage(one) or 'no'} inside the interval"
        )
    return "\n".join([*lines, f"{found.skipped} rows skipped"]) + "\n"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share < 0.995 else f"{100 * share:.0f} %"


def to_markdown(report: Report, notes: str = "") -> str:
    """Write the page of the docs; ``notes`` is put before the tables."""
    parts = [
        "# How far off the estimates are",
        "",
        "Written by `advisor validate -o docs`; every figure is of networks or "
        "devices that the fit had not seen. Median and mean are of |predicted / measured − 1|; "
        "`by lane` is the mean over lanes of each lane's median; coverage and width are of the "
        "90 % interval, calibrated on other folds; `line` and `roofline` are the median errors of "
        "a line in log MACs and of the plain roofline, each scaled to the lane's other cells.",
        "",
        "## Against the aims",
        "",
        *_markdown(("split", "group", "aim", "at least", "reached", "coverage"), _targets(report)),
        "",
        notes.strip(),
        "",
        "## By split",
        "",
        *_markdown(_HEAD, list(_lines(report))),
        "",
        "## Decisions",
        "",
        *_markdown(
            ("split", "group", "broken", "turned away", "top-1 lost", "unanswered"),
            _decisions(report),
        ),
        "",
        "## Noise of the data",
        "",
        *_markdown(
            ("pairs of", "cells", "pairs", "median", "3rd quartile", "floor"), _noise(report)
        ),
        "",
        f"{report.cells} cells of {report.lanes} lanes; catalog `{report.inputs[:12]}`.",
    ]
    return "\n".join(parts) + "\n"


def _targets(report: Report) -> list[tuple[str, ...]]:
    lines: list[tuple[str, ...]] = []
    for target in TARGETS:
        found = report.find(target.split, target.group)
        lines.append(
            (
                target.name,
                target.group,
                _percent(target.aim),
                _percent(target.least),
                "not run" if found is None else _percent(getattr(found, target.field)),
                _coverage(found),
            )
        )
    return lines


def _coverage(found: ErrorSummary | None) -> str:
    return "" if found is None or found.coverage is None else _percent(found.coverage)


def _decisions(report: Report) -> list[tuple[str, ...]]:
    return [
        (
            row.split,
            row.group,
            _percent(row.decisions.broken),
            _percent(row.decisions.turned_away),
            f"{100 * row.decisions.top1_lost:.1f} points",
            _percent(row.decisions.unanswered),
        )
        for row in report.decisions
    ]


def _noise(report: Report) -> list[tuple[str, ...]]:
    return [
        (
            one.kind,
            str(one.cells),
            str(one.pairs),
            _percent(one.median),
            _percent(one.third_quartile),
            _percent(one.floor),
        )
        for one in report.noise
    ]


def _markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---"] * len(head)
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *lines)]
