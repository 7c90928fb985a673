"""Read the catalog's measurements: one device's rows, and the cells they add up to.

A cell is one network at one resolution in one lane. Everything is SI here: the files' units end
at this module.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

from advisor.catalog.tables import Table
from advisor.core.frozen_record import Record
from advisor.core.lane import BULK, Lane
from advisor.errors import CatalogError

__all__ = [
    "COLUMNS",
    "SEPARATOR",
    "STATISTICS",
    "TRANSFERS",
    "Cell",
    "Lane",
    "Measurement",
    "caveat_texts",
    "cells",
    "device_ids",
    "read_all",
    "read_device",
]

COLUMNS = (
    *("unit", "runtime", "precision", "threads", "batch", "variant", "network", "resolution"),
    *("match", "latency_ms", "latency_min_ms", "latency_max_ms", "throughput_ips", "power_w"),
    *("energy_mj", "memory_mb", "top1", "date", "source", "source_ref", "options", "version"),
    *("power_mode", "transfers", "statistic", "model_raw", "status", "caveats"),
)
"""Columns of ``measurements/<device>.csv``; ``top1`` in percent, ``batch`` empty if unstated."""
SEPARATOR = " "
"""Between caveat slugs in a cell."""
TRANSFERS = ("included", "excluded", "end to end", "data pipeline")
"""With or without the copies to and from the unit; with the host's pre- and post-processing;
with reading and decoding of the images."""
STATISTICS = ("mean", "median", "minimum")
_STATUSES = ("kept", "caveat", "left_out")
_MATCHES = ("exact", "close", "none")
_UNITS = ("cpu", "gpu", "npu", "tpu", "dla")
_CAVEAT_LINE = re.compile(r'([a-z0-9-]+): (".*")')


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One published figure of one network in one lane."""

    lane: Lane
    network: str
    """Name in the catalog; empty where no network of the catalog is the same."""
    resolution: int | None
    """Side of the square input in pixels; None where unstated."""
    match: str
    """``exact``, ``close`` or ``none``: how surely ``network`` is what ran."""
    batch: int | None
    """Images of one pass of this row; differs from the lane's in bulk lanes. None if unstated."""
    latency: float | None
    """Seconds of one batch; None where only throughput was published."""
    throughput: float | None
    """Images a second, where published."""
    power: float | None
    """Watts."""
    energy: float | None
    """Joules of one inference."""
    memory: float | None
    """Bytes."""
    top1: float | None
    """Fraction, as published beside the figure."""
    date: str
    """Year and month."""
    source: str
    source_ref: str
    options: str
    version: str = ""
    """Version of the runtime; empty where it is not stated, as in the three that follow."""
    power_mode: str = ""
    """Mode or cap of power that the device was set to."""
    transfers: str = ""
    """What the time holds besides the network: one of ``TRANSFERS``."""
    statistic: str = ""
    """What the latency is of the runs: one of ``STATISTICS``."""
    model_raw: str
    """The network's name in the publication."""
    status: str
    """``kept``, ``caveat`` or ``left_out``."""
    caveats: tuple[str, ...]
    """Slugs; ``caveat_texts`` explains them."""

    @property
    def usable(self) -> bool:
        """Whether it may serve as evidence: not left out, and of a known network and input."""
        return self.status != "left_out" and bool(self.network) and self.resolution is not None

    @property
    def is_latency(self) -> bool:
        """Whether the time is that of one pass, not the inverse of a pipelined throughput."""
        return self.latency is not None and not self.lane.is_bulk

    @property
    def seconds_per_image(self) -> float:
        """Seconds of one image: latency over batch, else the inverse of the throughput."""
        if self.latency is not None:
            return self.latency / (self.batch or 1)
        return 1 / self.throughput if self.throughput else math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What is published about one network at one resolution in one lane."""

    lane: Lane
    network: str
    resolution: int
    latency: float | None
    """Seconds of one batch, median in log space; None in bulk and throughput-only cells."""
    seconds_per_image: float
    """Median in log space over all rows, throughput-only ones included."""
    spread: float
    """Largest over smallest seconds per image of the rows; 1 for a single row."""
    count: int
    """Rows that were aggregated."""
    sources: tuple[str, ...]
    """Publications, sorted."""
    source_refs: tuple[str, ...]
    newest: str
    """Year and month of the newest row."""
    match: str
    """``exact`` where any row is exact, else ``close``."""
    caveats: tuple[str, ...]
    """Slugs of all rows, sorted."""
    memory: float | None = None
    """Bytes at the peak, median in log space; None where nobody published them."""
    energy: float | None = None
    """Joules of one image, power times seconds, median in log space; None as above."""


def device_ids(root: Path) -> list[str]:
    """List the devices that have measurements under the catalog's folder ``root``."""
    return sorted(path.stem for path in (root / "measurements").glob("*.csv"))


def read_all(root: Path) -> dict[str, list[Measurement]]:
    """Read the measurements of every device."""
    return {device: read_device(root, device) for device in device_ids(root)}


def read_device(root: Path, device: str) -> list[Measurement]:
    """Read one device's measurements, those left out included.

    Raises CatalogError with file, line, column, value and what is allowed.
    """
    table = Table(root / "measurements" / f"{device}.csv", COLUMNS)
    known = frozenset(caveat_texts(root))
    reading = _Reading(device=device, known=known, lanes={})
    index = [table.columns[name] for name in COLUMNS]
    found = []
    for line, cells_ in table.rows():
        values = [cells_[i] for i in index]
        found.append(_measurement(table, line, values, reading))
    return found


class _Reading(Record):
    """What the rows of one file share."""

    device: str
    known: frozenset[str]
    lanes: dict[tuple[str, ...], Lane]


def _measurement(table: Table, line: int, values: list[str], reading: "_Reading") -> Measurement:
    unit, runtime, precision, threads, batch_text, variant, network, resolution = values[:8]
    match, latency, low, _, throughput, power, energy, memory, top1 = values[8:17]
    date, source, source_ref, options, version, power_mode, transfers = values[17:24]
    statistic, model_raw, status, caveats = values[24:]
    slugs = tuple(caveats.split(SEPARATOR)) if caveats else ()
    _check(table, line, (unit, match, status, source, source_ref), slugs, reading.known)
    _check_protocol(table, line, transfers, statistic)
    batch = table.integer(line, "batch", batch_text)
    bulk = batch is None or "bulk-batch" in slugs
    key = (unit, runtime, precision, threads, str(BULK) if bulk else batch_text, variant)
    if key not in reading.lanes:
        reading.lanes[key] = _lane(table, line, reading.device, key)
    time = _scaled(
        table, line, "latency_ms", low if low and "noisy-mean" in slugs else latency, 1e-3
    )
    rate = _scaled(table, line, "throughput_ips", throughput, 1.0)
    if time is None and rate is None:
        table.refuse(line, "latency_ms", latency, "latency_ms or throughput_ips is needed")
    return Measurement(
        lane=reading.lanes[key],
        network=network,
        resolution=table.integer(line, "resolution", resolution),
        match=match,
        batch=batch,
        latency=time,
        throughput=rate,
        power=_scaled(table, line, "power_w", power, 1.0),
        energy=_scaled(table, line, "energy_mj", energy, 1e-3),
        memory=_scaled(table, line, "memory_mb", memory, 1e6),
        top1=_scaled(table, line, "top1", top1, 1e-2),
        date=date,
        source=source,
        source_ref=source_ref,
        options=options,
        version=version,
        power_mode=power_mode,
        transfers=transfers,
        statistic=statistic,
        model_raw=model_raw,
        status=status,
        caveats=slugs,
    )


def _scaled(table: Table, line: int, column: str, value: str, factor: float) -> float | None:
    if not value:
        return None
    number = table.positive(line, column, value)
    return None if number is None else number * factor


def _check(
    table: Table,
    line: int,
    codes: tuple[str, str, str, str, str],
    slugs: tuple[str, ...],
    known: frozenset[str],
) -> None:
    unit, match, status, source, source_ref = codes
    for column, value, allowed in (
        ("unit", unit, _UNITS),
        ("match", match, _MATCHES),
        ("status", status, _STATUSES),
    ):
        if value not in allowed:
            table.refuse(line, column, value, f"allowed: {', '.join(allowed)}")
    for column, value in (("source", source), ("source_ref", source_ref)):
        if not value:
            table.refuse(line, column, value, "every figure needs its source")
    for slug in slugs:
        if slug not in known:
            table.refuse(line, "caveats", slug, "every slug needs its sentence in caveats.yaml")
    if status == "left_out" and not slugs:
        table.refuse(line, "caveats", "", "a figure that is left out needs its reason")


def _check_protocol(table: Table, line: int, transfers: str, statistic: str) -> None:
    for column, value, allowed in (
        ("transfers", transfers, TRANSFERS),
        ("statistic", statistic, STATISTICS),
    ):
        if value and value not in allowed:
            table.refuse(line, column, value, f"allowed: {', '.join(allowed)}, or nothing")


def _lane(table: Table, line: int, device: str, key: tuple[str, ...]) -> Lane:
    unit, runtime, precision, threads, batch, variant = key
    return Lane(
        device=device,
        unit=unit,
        runtime=runtime,
        precision=precision,
        threads=table.integer(line, "threads", threads),
        batch=int(batch),
        variant=variant,
    )


@cache
def caveat_texts(root: Path) -> dict[str, str]:
    """Read the sentence of every caveat slug.

    The file is YAML of the plainest kind, one ``slug: "sentence"`` a line, so that reading it
    needs no YAML library.
    """
    path = root / "caveats.yaml"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise CatalogError(f"cannot read {path}: {error.strerror}") from error
    texts = {}
    for number, line in enumerate(lines, start=1):
        found = _CAVEAT_LINE.fullmatch(line)
        if found:
            texts[found[1]] = str(json.loads(found[2]))
        elif line and not line.startswith("#"):
            raise CatalogError(f'{path}, line {number}: {line!r} is not slug: "sentence"')
    return texts


def cells(measurements: Iterable[Measurement]) -> dict[tuple[Lane, str, int], Cell]:
    """Aggregate the usable measurements by lane, network and resolution.

    Where a cell has exact matches, networks that only come close to the named one are ignored.
    """
    groups: dict[tuple[Lane, str, int], list[Measurement]] = defaultdict(list)
    for one in measurements:
        if one.usable and one.resolution is not None:
            groups[one.lane, one.network, one.resolution].append(one)
    return {key: _cell(key, rows) for key, rows in groups.items()}


def _cell(key: tuple[Lane, str, int], rows: list[Measurement]) -> Cell:
    rows = [row for row in rows if row.match == "exact"] or rows
    times = [row.seconds_per_image for row in rows]
    latencies = [row.latency for row in rows if row.latency is not None and row.is_latency]
    energies = [row.power * row.seconds_per_image for row in rows if row.power and row.energy]
    memories = [row.memory for row in rows if row.memory is not None]
    return Cell(
        lane=key[0],
        network=key[1],
        resolution=key[2],
        latency=_log_median(latencies) if latencies else None,
        seconds_per_image=_log_median(times),
        spread=max(times) / min(times),
        count=len(rows),
        sources=tuple(sorted({row.source for row in rows})),
        source_refs=tuple(sorted({row.source_ref for row in rows})),
        newest=max(row.date for row in rows),
        match=rows[0].match,
        caveats=tuple(sorted({slug for row in rows for slug in row.caveats})),
        memory=_log_median(memories) if memories else None,
        energy=_log_median(energies) if energies else None,
    )


def _log_median(values: list[float]) -> float:
    return math.exp(median(map(math.log, values)))
