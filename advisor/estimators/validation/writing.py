"""Writing: a report as JSON, as a table for the terminal and as a page of the docs."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from advisor.estimators.validation.energies import EnergyRow
from advisor.estimators.validation.external import External
from advisor.estimators.validation.measures import ErrorSummary
from advisor.estimators.validation.report import (
    CPUS,
    EARLIER,
    EIGHT,
    FEW,
    FIFTEEN,
    GPUS,
    LAST,
    LONG_TABLES,
    MIDDLE,
    NPUS,
    OWN,
    ErrorRow,
    Report,
    when,
)
from advisor.estimators.validation.running import ESTIMATOR, LINE, ROOFLINE

NANO = "lane jetson-nano gpu tensorrt fp16 batch 1"
MAIN_GROUPS = (EIGHT, CPUS, GPUS, NPUS, FIFTEEN, MIDDLE, FEW, LONG_TABLES, NANO, OWN)
"""Groups of the short table; the JSON holds all, each runtime and lane too."""
_HEAD = (
    "split",
    "group",
    "cells",
    "median",
    "mean",
    "by lane: mean",
    "median",
    "±10 %",
    "tau",
    "coverage: rows",
    "groups",
    "half width",
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


_PROFILE, _TEN = "chip, 0 shots", "chip, 10 shots"
TARGETS = (
    Target("profile only, mean over lanes", _PROFILE, EIGHT, "lane_median", 0.36, 0.42),
    Target("profile only, median over lanes", _PROFILE, EIGHT, "lane_middle", 0.26, 0.31),
    Target("ten timings, NPU", _TEN, NPUS, "lane_median", 0.10, 0.125),
    Target("ten timings, GPU", _TEN, GPUS, "lane_median", 0.15, 0.185),
    Target("ten timings, CPU", _TEN, CPUS, "lane_median", 0.085, 0.105),
    Target("ten timings, one ×5, NPU", f"{_TEN}, one x5", NPUS, "lane_median", 0.11, 0.145),
    Target("ten timings, one ×5, GPU", f"{_TEN}, one x5", GPUS, "lane_median", 0.16, 0.205),
    Target("ten timings, one ×5, CPU", f"{_TEN}, one x5", CPUS, "lane_median", 0.095, 0.125),
    Target("unseen family", "family", LONG_TABLES, "median_error", 0.06, 0.07),
    Target("unseen architecture", "architecture", FIFTEEN, "median_error", 0.10, 0.12),
    Target("unseen architecture", "architecture", MIDDLE, "median_error", 0.13, 0.15),
    Target("unseen pair", "pair", EIGHT, "median_error", 0.065, 0.075),
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


def table_of(report: Report) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Return heads and rows of the main groups."""
    return _HEAD, list(_lines(report))


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
        _with_error(one.lane_median, one.lane_median_error),
        _percent(one.lane_middle),
        _percent(one.within_10),
        "" if one.kendall is None else f"{one.kendall:.2f}",
        *_coverage(one),
        *("–" if other is None else _percent(other.median_error) for other in simple),
    )


def external_table(found: External) -> str:
    """Write the outcome of an external check, one line a lane."""
    lines = [
        f"{lane.device} {lane.name}: {one.cells} figures, median {_percent(one.median_error)}, "
        f"{_coverage(one)[0] or 'no'} inside the interval"
        for lane, one in found.by_lane
    ]
    if found.overall is not None:
        one = found.overall
        lines.append(
            f"all: {one.cells} figures, median {_percent(one.median_error)}, mean "
            f"{_percent(one.mean_error)}, {_coverage(one)[0] or 'no'} inside the interval"
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
        "`by lane` is the mean, and the median, over lanes of each lane's median, ± its standard "
        "error; coverage is of the 90 % interval, by rows and with groups alike (chips, families "
        "or architectures, whatever was left out together), ± their standard errors. Variances "
        "are tuned on the other half of the chips and families, intervals calibrated on other "
        "groups of both; `line` and "
        "`roofline` are the median errors of a line in log MACs and of the plain roofline, each "
        "scaled to the lane's other cells.",
        "",
        "## Against the aims",
        "",
        *_markdown(_AIMS, _targets(report)),
        "",
        *_published(report),
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
        *_energy(report.energy),
        *_spreads(report),
        f"{report.cells} cells of {report.lanes} lanes; catalog `{report.inputs[:12]}`.",
    ]
    return "\n".join(parts) + "\n"


_AIMS = ("what was left out", "lanes", "aim", "at least", "reached", EARLIER, LAST,
         "coverage: rows", "groups", "half width")  # fmt: skip


def _published(report: Report) -> list[str]:
    found = report.published
    if found is None:
        return []
    return [
        f"A second, independent publication of a published cell lies inside the 90 % interval "
        f"that the other publications lead to in {_percent(found.rows)} of {found.pairs} pairs; "
        f"with the {found.groups} groups of publications alike in "
        f"{_with_error(found.by_group, found.error)}."
    ]


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
                _reached(report, target, target.group, "not run"),
                *(_reached(report, target, when(target.group, one)) for one in (EARLIER, LAST)),
                *_coverage(found),
            )
        )
    return lines


def _reached(report: Report, target: Target, group: str, missing: str = "–") -> str:
    found = report.find(target.split, group)
    return missing if found is None else _percent(getattr(found, target.field))


def _coverage(found: ErrorSummary | None) -> tuple[str, str, str]:
    """Return coverage by rows, by groups, and the half width."""
    if found is None or found.coverage is None:
        return "", "", ""
    one = found.coverage
    return (
        _with_error(one.rows, one.rows_error),
        _with_error(one.groups, one.groups_error),
        f"×{one.half_width:.2f}",
    )


def _with_error(share: float, error: float | None) -> str:
    if error is None or math.isnan(error):
        return _percent(share)
    return f"{100 * share:.1f} ± {100 * error:.1f} %"


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


ENERGY_HEAD = ("left out", "board", "cells", "groups", "median", "coverage", "half width")


def energy_lines(rows: Sequence[EnergyRow]) -> list[tuple[str, ...]]:
    """Write the error of the energy, a line for each board."""
    return [
        (
            row.left_out,
            row.board,
            str(row.cells),
            str(row.groups),
            _percent(row.median_error),
            _percent(row.coverage),
            f"×{row.half_width:.2f}",
        )
        for row in rows
    ]


def energy_to_json(rows: Sequence[EnergyRow]) -> str:
    """Write the error of the energy, one row a line."""
    lines = ",\n".join(f" {json.dumps(_plain(asdict(row)))}" for row in rows)
    return f"[\n{lines}\n]\n"


def energy_to_markdown(rows: Sequence[EnergyRow]) -> str:
    """Write the error of the energy as the page of the docs has it."""
    return "\n".join(_markdown(ENERGY_HEAD, energy_lines(rows))) + "\n"


def _energy(rows: Sequence[EnergyRow]) -> list[str]:
    """Write the section on the energy; nothing where no board was measured."""
    if not rows:
        return []
    return [
        "## Energy of an image",
        "",
        "Power measured at the wall times the time of a pass, by network and by board left out; "
        "coverage is of the 90 % interval that the other groups lead to. A board whose power was "
        "never measured is answered from its profile and from other boards.",
        "",
        *_markdown(ENERGY_HEAD, energy_lines(rows)),
        "",
    ]


def _spreads(report: Report) -> list[str]:
    """Write how the spreads of the calibration compare with those that ship."""
    if not report.spreads:
        return []
    lines = [
        (row.run, row.key, str(row.cells), f"{row.calibrated:.3f}", f"{row.shipped:.3f}",
         f"{row.ratio:.2f}")
        for row in report.spreads
    ]  # fmt: skip
    head = ("left out", "class", "cells", "calibrated", "shipped", "ratio")
    return [
        "## Spreads that were calibrated and spreads that ship",
        "",
        "Median standard deviation of the log, of the same cells, with the group left out.",
        "",
        *_markdown(head, lines),
        "",
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
