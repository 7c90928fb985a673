"""Measurements as CSV: written for others, and read back from boards and colleagues.

The columns are those of the catalog's raw tables. Unknown columns are left out with a warning,
missing optional ones are fine; the least is ``timm_name`` and ``latency_ms``.
"""

import csv
import io
import json
import math
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from advisor.core.lane import Lane
from advisor.core.request import LaneRequest
from advisor.errors import MeasurementError, UsageError
from advisor.measuring.store import (
    FigureRecord,
    MeasurementStore,
    SampleRecord,
    SessionRecord,
)

COLUMNS = (
    "source", "source_ref", "date", "device", "chip", "unit", "runtime", "runtime_opts",
    "precision", "threads", "model_raw", "timm_name", "match", "input_h", "input_w", "batch",
    "latency_ms", "latency_min_ms", "latency_max_ms", "throughput_ips", "power_w", "energy_mj",
    "memory_mb", "top1", "top5", "notes",
)  # fmt: skip
EXTRA = ("session", "samples_ms")
"""Columns that boards add: which repetition a row is of, and its raw samples."""
NEEDED = ("timm_name", "latency_ms")
FASTEST = 1e-6
"""Seconds; nothing runs a network in less."""
SLOWEST = 600.0

LaneOf = Callable[[LaneRequest], Lane]
"""Gives the lane of a row from what the row states of it; UsageError where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRow:
    """One figure of a table, in SI."""

    line: int
    network: str
    resolution: int
    lane: Lane
    latency: float
    """Seconds of one batch."""
    date: str
    session: int
    options: str
    memory: float | None
    """Bytes."""
    energy: float | None
    """Joules of one pass."""
    samples: tuple[float, ...]
    """Seconds of single passes; empty where the table holds none."""
    named: tuple[str, ...] = ()
    """Device and chip as the row names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read from a table, and what was not and why."""

    rows: tuple[ReadRow, ...]
    refused: tuple[str, ...]
    """One line for each row that was left out."""
    warnings: tuple[str, ...]


def write_table(path: Path, pairs: Iterable[tuple[SessionRecord, FigureRecord]]) -> int:
    """Write figures as a table of measurements; return their number."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [*COLUMNS, EXTRA[0]], lineterminator="\n")
    writer.writeheader()
    rows = [
        _written(session, figure)
        for session, figure in pairs
        if figure.latency is not None and session.status not in ("running", "superseded")
    ]
    writer.writerows(rows)
    try:
        path.write_text(stream.getvalue(), encoding="utf-8")
    except OSError as error:
        raise MeasurementError(f"cannot write {path}: {error.strerror}") from error
    return len(rows)


def _written(session: SessionRecord, figure: FigureRecord) -> dict[str, object]:
    assert figure.latency is not None
    return {
        "source": "own",
        "source_ref": f"own measurement {session.id[:8]}",
        "date": session.started[:10],
        "device": session.device,
        "chip": json.loads(session.environment).get("cpu", ""),
        "unit": session.unit,
        "runtime": session.runtime,
        "runtime_opts": session.packages,
        "precision": session.precision,
        "threads": "" if session.threads is None else session.threads,
        "model_raw": figure.spelling,
        "timm_name": figure.network,
        "match": "exact",
        "input_h": figure.resolution,
        "input_w": figure.resolution,
        "batch": session.batch,
        "latency_ms": f"{figure.latency * 1e3:.6g}",
        "energy_mj": "" if figure.energy is None else f"{figure.energy * 1e3:.6g}",
        "memory_mb": "" if figure.added_memory is None else f"{figure.added_memory / 1e6:.6g}",
        "notes": "; ".join(figure.doubts),
        "session": session.number,
    }


def filling(lane: Lane) -> LaneOf:
    """Give every row what it states itself and the rest of one known lane."""

    def lane_of(stated: LaneRequest) -> Lane:
        unit = stated.unit or lane.unit
        return replace(
            lane,
            unit=unit,
            runtime=stated.runtime or lane.runtime,
            precision=stated.precision or lane.precision,
            threads=(stated.threads or lane.threads) if unit == "cpu" else None,
            batch=stated.batch or lane.batch,
        )

    return lane_of


def read_table(path: Path, lane_of: LaneOf, networks: Iterable[str]) -> Reading:
    """Read and screen a table of measurements.

    ``networks`` are the names that the catalog knows. Raises MeasurementError where the file is
    no such table.
    """
    known = frozenset(networks)
    rows: list[ReadRow] = []
    refused: list[str] = []
    text = _text(path)
    reader = csv.DictReader(io.StringIO(text, newline=""))
    header = list(reader.fieldnames or ())
    lacking = [name for name in NEEDED if name not in header]
    if lacking:
        raise MeasurementError(
            f"{path} lacks the columns {', '.join(lacking)}; needed: {', '.join(NEEDED)}"
        )
    for number, cells in enumerate(reader, start=2):
        try:
            rows.append(_row(number, cells, lane_of, known))
        except (ValueError, UsageError) as error:
            refused.append(f"{path}, line {number}: {error}")
    unknown = sorted(set(header) - set(COLUMNS) - set(EXTRA))
    warnings = [f"{path}: unknown columns are left out: {', '.join(unknown)}"] if unknown else []
    screened, odd = _screened(path, rows)
    return Reading(rows=tuple(screened), refused=(*refused, *odd), warnings=tuple(warnings))


def device_of(path: Path) -> str:
    """The device that all rows of a table name; MeasurementError where they do not."""
    rows = csv.DictReader(io.StringIO(_text(path), newline=""))
    names = {(row.get("device") or "").strip() for row in rows} - {""}
    if len(names) != 1:
        what = f"several devices: {', '.join(sorted(names))}" if names else "no device"
        raise MeasurementError(f"{path} names {what}; say which by --device")
    return names.pop()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise MeasurementError(f"cannot read {path}: {error}") from error


def _row(
    line: int, cells: Mapping[str, str | None], lane_of: LaneOf, known: frozenset[str]
) -> ReadRow:
    def cell(name: str) -> str:
        return (cells.get(name) or "").strip()

    network = cell("timm_name")
    if network not in known:
        raise ValueError(f"timm_name {network!r} is no network of the catalog")
    latency = _seconds("latency_ms", cell("latency_ms"))
    stated = LaneRequest(
        unit=cell("unit") or None,
        runtime=cell("runtime") or None,
        precisions=(cell("precision"),) if cell("precision") else (),
        batch=_whole("batch", cell("batch"), None),
        threads=_whole("threads", cell("threads"), None),
    )
    return ReadRow(
        line=line,
        network=network,
        resolution=_whole("input_h", cell("input_h"), 224) or 224,
        lane=lane_of(stated),
        latency=latency,
        date=cell("date"),
        session=_whole("session", cell("session"), 1) or 1,
        options=cell("runtime_opts"),
        memory=_optional("memory_mb", cell("memory_mb"), 1e6),
        energy=_optional("energy_mj", cell("energy_mj"), 1e-3),
        samples=tuple(
            _seconds("samples_ms", one) for one in cell("samples_ms").split(";") if one.strip()
        ),
        named=tuple(filter(None, (cell("device"), cell("chip")))),
    )


def _seconds(column: str, text: str) -> float:
    value = _optional(column, text, 1e-3)
    if value is None:
        raise ValueError(f"{column} is empty")
    if not FASTEST <= value <= SLOWEST:
        raise ValueError(f"{column} {text!r} is out of range (allowed: 0.001 to 600000)")
    return value


def _optional(column: str, text: str, factor: float) -> float | None:
    if not text:
        return None
    try:
        value = float(text) * factor
    except ValueError:
        raise ValueError(f"{column} {text!r} is not a number") from None
    if not math.isfinite(value) or value <= 0:
        raise ValueError(f"{column} {text!r} is not a positive number")
    return value


def _whole(column: str, text: str, default: int | None) -> int | None:
    if not text:
        return default
    if not text.isdigit() or int(text) < 1:
        raise ValueError(f"{column} {text!r} is not a positive whole number")
    return int(text)


def _screened(path: Path, rows: Sequence[ReadRow]) -> tuple[list[ReadRow], list[str]]:
    """Leave out figures that their own repetitions refute by more than a factor of three."""
    groups: dict[tuple[Lane, str, int], list[float]] = {}
    for row in rows:
        groups.setdefault((row.lane, row.network, row.resolution), []).append(row.latency)
    kept, odd = [], []
    for row in rows:
        typical = median(groups[row.lane, row.network, row.resolution])
        if max(row.latency / typical, typical / row.latency) > 3:
            odd.append(
                f"{path}, line {row.line}: {row.latency * 1e3:.4g} ms is far from the "
                f"{typical * 1e3:.4g} ms of its repetitions"
            )
        else:
            kept.append(row)
    return kept, odd


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a table added to the store."""

    new: int
    known: int
    """Figures that the store held already, from an earlier import."""


def store_rows(
    store: MeasurementStore, rows: Sequence[ReadRow], *, origin: str, machine: str = ""
) -> Kept:
    """Write the rows of a table into the store at once, one session per lane and repetition.

    A figure that an earlier import brought is not taken in again.
    """
    known = _imported(store)
    groups: dict[tuple[Lane, int, str], list[ReadRow]] = {}
    repeated = 0
    for row in rows:
        if known[_figure_key(row.lane, row.network, row.resolution, row.latency)] > 0:
            known[_figure_key(row.lane, row.network, row.resolution, row.latency)] -= 1
            repeated += 1
        else:
            groups.setdefault((row.lane, row.session, row.options), []).append(row)
    run = f"import-{uuid.uuid4().hex[:12]}"
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    sessions = []
    for (lane, number, options), members in groups.items():
        session = SessionRecord(
            id=uuid.uuid4().hex,
            run=run,
            number=number,
            device=lane.device,
            unit=lane.unit,
            runtime=lane.runtime,
            precision=lane.precision,
            threads=lane.threads,
            batch=lane.batch,
            variant=lane.variant,
            machine=machine or lane.device,
            packages=options or lane.runtime,
            environment="{}",
            origin=origin,
            started=members[0].date or now,
            ended=now,
            status="imported",
        )
        sessions.append((session, *_records(session, members)))
    store.take_in(sessions)
    return Kept(new=len(rows) - repeated, known=repeated)


FigureKey = tuple[Lane, str, int, str]


def _figure_key(lane: Lane, network: str, resolution: int, latency: float) -> FigureKey:
    """What makes two imported figures the same: they agree to the last digit that is exported."""
    return lane, network, resolution, f"{latency:.6g}"


def _imported(store: MeasurementStore) -> Counter[FigureKey]:
    """Count the figures of earlier imports."""
    lanes = {s.id: s.lane for s in store.sessions() if s.status == "imported"}
    return Counter(
        _figure_key(lanes[f.session], f.network, f.resolution, f.latency)
        for f in store.figures()
        if f.session in lanes and f.latency is not None
    )


def _records(
    session: SessionRecord, members: Sequence[ReadRow]
) -> tuple[list[FigureRecord], list[SampleRecord]]:
    figures = [
        FigureRecord(
            session=session.id,
            position=i,
            network=row.network,
            resolution=row.resolution,
            spelling=row.network,
            latency=row.latency,
            passes=max(len(row.samples), 1),
            added_memory=row.memory,
            energy=row.energy,
        )
        for i, row in enumerate(members)
    ]
    samples = [
        SampleRecord(session=session.id, position=i, number=n, turn=n, wall=wall, cpu=None)
        for i, row in enumerate(members)
        for n, wall in enumerate(row.samples)
    ]
    return figures, samples
