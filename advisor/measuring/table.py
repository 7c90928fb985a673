"""Measurements as CSV, in the columns of the catalog's raw tables, and their way to the store."""

import csv
import io
import json
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from advisor.core.lane import Lane
from advisor.files.saving import save
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRow:
    """One figure of a table, in SI."""

    line: int
    network: str
    resolution: int
    lane: Lane
    latency: float
    """Seconds of one batch; of one image in bulk lanes."""
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
    save(path, stream.getvalue())
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
        key = _figure_key(row.lane, row.network, row.resolution, row.latency) if known else None
        if key and known[key] > 0:
            known[key] -= 1
            repeated += 1
        else:
            groups.setdefault((row.lane, row.session, row.options), []).append(row)
    run = f"import-{uuid.uuid4().hex[:12]}"
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    sessions: list[tuple[SessionRecord, Iterator[FigureRecord], Iterator[SampleRecord]]] = []
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
        sessions.append((session, _figures(session, members), _samples(session, members)))
    store.take_in(sessions)
    return Kept(new=len(rows) - repeated, known=repeated)


FigureKey = tuple[Lane, str, int, str]


def _figure_key(lane: Lane, network: str, resolution: int, latency: float) -> FigureKey:
    """What makes two imported figures the same: they agree to the last digit that is exported."""
    return lane, network, resolution, f"{latency:.6g}"


def _imported(store: MeasurementStore) -> Counter[FigureKey]:
    """Count the figures of earlier imports."""
    lanes = {s.id: s.lane for s in store.sessions() if s.status == "imported"}
    found: Counter[FigureKey] = Counter()
    for session, network, resolution, latency, count in store.counted("imported"):
        if session in lanes:  # not taken in between the two readings
            found[_figure_key(lanes[session], network, resolution, latency)] += count
    return found


def _figures(session: SessionRecord, members: Sequence[ReadRow]) -> Iterator[FigureRecord]:
    for i, row in enumerate(members):
        yield FigureRecord(
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


def _samples(session: SessionRecord, members: Sequence[ReadRow]) -> Iterator[SampleRecord]:
    for i, row in enumerate(members):
        for n, wall in enumerate(row.samples):
            yield SampleRecord(
                session=session.id, position=i, number=n, turn=n, wall=wall, cpu=None
            )
