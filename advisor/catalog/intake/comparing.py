"""Doubts that show only beside other rows: reprints, disagreement, implausible ratios.

Expectations come from a table of lanes by networks: the logarithm of a time is the lane's part
plus the network's, both fitted by medians (Tukey's median polish), so that one wrong figure does
not move what is expected of it.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from statistics import median

from advisor.catalog.caveats import CAVEATS, Gravity
from advisor.catalog.intake.rows import RawRow

DISAGREEMENT = math.log(1.5)
"""Log ratio within one cell above which two figures disagree."""
OUTVOTED = math.log(4.0)
"""… and above which the odd one of three or more is surely wrong."""
REFUTED = math.log(1.8)
"""Log residual of the wrong one of two figures."""
CONFIRMED = math.log(1.4)
"""Log residual of the right one of two figures."""
FAR = math.log(3.0)
"""Log residual above which a figure is doubted."""
TOO_SLOW = math.log(20.0)
"""… and above which the unit cannot have run the network: a fallback or a wrong line."""
LIGHT = "mobilenetv1_100"
HEAVY = {"resnet18", "resnet50", "vgg16", "vit_base_patch32_384", "googlenet", "resnet34"}
"""Networks of over three times the multiply-accumulates of ``LIGHT``."""
ROUNDS = 8
REPRINTS = {
    # A publication that repeats the table of another: later -> first.
    "starnet": "starnet-readme",
    "tf-slim-mobilenet": "tensorflow-models",
}


def compare(rows: list[RawRow]) -> None:
    """Add the slugs that need more than one row."""
    _mark_reprints(rows)
    _mark_vitis_reprints(rows)
    _mark_batches(rows)
    _mark_failed_runs(rows)
    _mark_cells(rows)
    _mark_siblings(rows)


def usable(row: RawRow) -> bool:
    """Tell whether a row may serve as evidence about others."""
    out = any(CAVEATS[slug].gravity is Gravity.REASON for slug in row.slugs)
    return bool(row.network and row.ms_per_image) and not out


def _mark_reprints(rows: list[RawRow]) -> None:
    first = {
        (row.source, row.network, row.raw["input_h"], row.precision, row.latency_ms)
        for row in rows
        if row.source in REPRINTS.values()
    }
    for row in rows:
        origin = REPRINTS.get(row.source)
        if (origin, row.network, row.raw["input_h"], row.precision, row.latency_ms) in first:
            row.slugs.add("reprint")


def _mark_vitis_reprints(rows: list[RawRow]) -> None:
    """Keep the first of figures that several releases of one model zoo print alike."""
    seen: set[tuple[object, ...]] = set()
    zoo = [row for row in rows if row.source == "vitis-ai-model-zoo"]
    for row in sorted(zoo, key=lambda row: row.raw["date"]):
        name = row.network or row.raw["model_raw"].removesuffix("_3.5")
        threads = "multi-thread" in row.raw["runtime_opts"]
        key = (row.device, name, row.raw["input_h"], threads, row.ips)
        if key in seen:
            row.slugs.add("reprint")
        seen.add(key)


def _mark_batches(rows: list[RawRow]) -> None:
    """Doubt batches that take no longer than a smaller batch of the same network and lane."""
    series: dict[tuple[str, ...], list[RawRow]] = defaultdict(list)
    for row in rows:
        if row.source == "paddleclas-docs" and row.raw["unit"] == "gpu":
            raw = row.raw
            key = (row.device, row.precision, raw["model_raw"], raw["input_h"], raw["runtime_opts"])
            series[key].append(row)
    for same in series.values():
        ordered = sorted(same, key=lambda row: row.batch or 0)
        for small, large in pairwise(ordered):
            if (large.latency_ms or 0) <= (small.latency_ms or 0):
                small.slugs.add("larger-batch-not-slower")
                large.slugs.add("larger-batch-not-slower")


def _mark_failed_runs(rows: list[RawRow]) -> None:
    """Leave out what a benchmark printed after its device had given up.

    A network of over three times MobileNetV1's work cannot take less than half of its time; where
    one does, so is everything in that lane that took less than half.
    """
    lanes: dict[tuple[str, ...], list[RawRow]] = defaultdict(list)
    for row in rows:
        if usable(row) and row.source == "ncnn-bench":
            lanes[row.lane].append(row)
    for same in lanes.values():
        light = [row.ms_per_image or 0 for row in same if row.network == LIGHT]
        limit = min(light, default=0.0) / 2
        if any((row.ms_per_image or 0) < limit for row in same if row.network in HEAVY):
            for row in same:
                if (row.ms_per_image or 0) < limit:
                    row.slugs.add("failed-run")


def _by_cell(rows: Iterable[RawRow]) -> dict[tuple[str, ...], list[RawRow]]:
    cells: dict[tuple[str, ...], list[RawRow]] = defaultdict(list)
    for row in rows:
        if usable(row):
            cells[row.cell].append(row)
    return cells


def _log(row: RawRow) -> float:
    return math.log(row.ms_per_image or math.nan)


def _mark_cells(rows: list[RawRow]) -> None:
    """Compare the rows of one cell: with one another, and across publications."""
    cells = _by_cell(rows)
    expected = expectations(cells)
    for cell, same in cells.items():
        values = [_log(row) for row in same]
        if len(same) < 2 or max(values) - min(values) <= DISAGREEMENT:
            continue
        if len({row.source for row in same}) > 1:
            _mark_sources(same, expected.get(cell))
        else:
            _mark_rows(same, values)


def _mark_rows(same: list[RawRow], values: list[float]) -> None:
    """Doubt the rows far from the median; of two that differ, both are doubted."""
    middle = median(values)
    odd = [abs(value - middle) > DISAGREEMENT for value in values]
    for row, value, is_odd in zip(same, values, odd, strict=True):
        if len(same) > 2 and sum(odd) == 1 and abs(value - middle) > OUTVOTED:
            row.slugs.add("outvoted")
        elif is_odd or len(same) == 2:
            row.slugs.add("row-disagrees")


def _mark_sources(same: list[RawRow], expected: float | None) -> None:
    """Doubt both publications; leave one out where only the other fits its surroundings."""
    for row in same:
        row.slugs.add("sources-disagree")
        if "older-run" in row.slugs:
            row.slugs.add("superseded")
    if expected is None:
        return
    residuals = [abs(_log(row) - expected) for row in same]
    if min(residuals) < CONFIRMED:
        for row, residual in zip(same, residuals, strict=True):
            if residual > REFUTED:
                row.slugs.add("refuted-by-siblings")


def _mark_siblings(rows: list[RawRow]) -> None:
    cells = _by_cell(rows)
    expected, sure = expectations(cells), expectations(cells, networks=8, lanes=10)
    for cell, same in cells.items():
        for row in same:
            residual = _log(row) - expected.get(cell, math.nan)
            if cell in sure and residual > TOO_SLOW:
                row.slugs.add("implausible")
            elif abs(residual) > FAR:
                row.slugs.add("far-from-siblings")


def expectations(
    cells: dict[tuple[str, ...], list[RawRow]], *, networks: int = 5, lanes: int = 5
) -> dict[tuple[str, ...], float]:
    """Return the log of the milliseconds per image expected of each cell.

    Lanes of one unit and runtime are compared with one another; those with fewer than
    ``networks``, and networks in fewer than ``lanes``, have no expectation.
    """
    groups: dict[tuple[str, ...], dict[tuple[str, ...], float]] = defaultdict(dict)
    for cell, same in cells.items():
        groups[cell[1:3]][cell] = median(map(_log, same))
    found: dict[tuple[str, ...], float] = {}
    for values in groups.values():
        found |= _polish(values, networks, lanes)
    return found


def _polish(
    values: dict[tuple[str, ...], float], least_networks: int, least_lanes: int
) -> dict[tuple[str, ...], float]:
    lanes: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
    networks: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
    for cell in values:
        lanes[cell[:-2]].append(cell)
        networks[cell[-2:]].append(cell)
    lane_part = dict.fromkeys(lanes, 0.0)
    network_part = dict.fromkeys(networks, 0.0)
    for _ in range(ROUNDS):
        for lane, mine in lanes.items():
            lane_part[lane] = median(values[c] - network_part[c[-2:]] for c in mine)
        for network, mine in networks.items():
            network_part[network] = median(values[c] - lane_part[c[:-2]] for c in mine)
    return {
        cell: lane_part[cell[:-2]] + network_part[cell[-2:]]
        for cell in values
        if len(lanes[cell[:-2]]) >= least_networks and len(networks[cell[-2:]]) >= least_lanes
    }
