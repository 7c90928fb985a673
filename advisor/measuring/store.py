"""The user's own measurements: SQLite under ``$ADVISOR_HOME``, raw samples kept.

Several processes may write at once: the file is in WAL mode and every write is one transaction.
``PRAGMA user_version`` names the layout; ``MIGRATIONS`` leads from each version to the next.
Reading figures for an answer needs no SQLAlchemy: see ``own_figures``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from advisor.core.lane import Lane
from advisor.errors import MeasurementError
from advisor.measuring.own_figures import store_path

WAIT = 60.0
"""Seconds to wait for another process that writes."""

PIECE = 10_000
"""Records that are written at a time."""
_READS = "advisor_reads"
"""Option of connections that write nothing."""
_META = sa.MetaData()
SESSION = sa.Table(
    "session",
    _META,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("run", sa.Text, nullable=False, index=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("runtime", sa.Text, nullable=False),
    sa.Column("precision", sa.Text, nullable=False),
    sa.Column("threads", sa.Integer),
    sa.Column("batch", sa.Integer, nullable=False),
    sa.Column("variant", sa.Text, nullable=False),
    sa.Column("machine", sa.Text, nullable=False),
    sa.Column("packages", sa.Text, nullable=False),
    sa.Column("environment", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("started", sa.Text, nullable=False),
    sa.Column("ended", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
)
FIGURE = sa.Table(
    "figure",
    _META,
    sa.Column("session", sa.ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("network", sa.Text, nullable=False, index=True),
    sa.Column("resolution", sa.Integer, nullable=False),
    sa.Column("spelling", sa.Text, nullable=False),
    sa.Column("reference", sa.Boolean, nullable=False),
    sa.Column("export", sa.Text, nullable=False),
    sa.Column("export_seconds", sa.Float),
    sa.Column("output_error", sa.Float),
    sa.Column("top1", sa.Float),
    sa.Column("top1_float", sa.Float),
    sa.Column("latency", sa.Float),
    sa.Column("passes", sa.Integer, nullable=False),
    sa.Column("disturbed", sa.Float),
    sa.Column("cpu_share", sa.Float),
    sa.Column("warm_up", sa.Integer),
    sa.Column("peak_memory", sa.Float),
    sa.Column("added_memory", sa.Float),
    sa.Column("energy", sa.Float),
    sa.Column("reasons", sa.Text, nullable=False),
    sa.Column("failure", sa.Text, nullable=False),
)
SAMPLE = sa.Table(
    "sample",
    _META,
    sa.Column("session", sa.ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("wall", sa.Float, nullable=False),
    sa.Column("cpu", sa.Float),
    sqlite_with_rowid=False,
)

MIGRATIONS: tuple[tuple[str, ...], ...] = ()
"""Statements that lead from version 1 to 2, from 2 to 3 and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord(Lane):
    """One session: one process that timed some networks in one lane."""

    id: str
    run: str
    """Names the call of the program that the session belongs to, so that it can be resumed."""
    number: int
    """Which repetition it is, from 1."""
    machine: str
    """Digest of what makes two machines unlike."""
    packages: str
    """Versions that decide what the figures are of, as ``onnxruntime 1.31.1``."""
    environment: str
    """JSON with everything known of the conditions."""
    origin: str
    """``here``, ``import FILE`` or ``ssh USER@HOST``."""
    started: str
    """Date and time, ISO 8601, UTC."""
    ended: str | None = None
    status: str = "running"
    """running, finished, interrupted, failed, superseded or imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRecord:
    """One network in one session; SI throughout."""

    session: str
    position: int
    network: str
    """Name without weights and resolution."""
    resolution: int
    spelling: str
    """As the user wrote it."""
    reference: bool = False
    """Whether it served as the session's fixed reference."""
    export: str = ""
    """Key of the converted network."""
    export_seconds: float | None = None
    output_error: float | None = None
    """Against eager fp32, as a share of the outputs' spread."""
    top1: float | None = None
    top1_float: float | None = None
    latency: float | None = None
    """Seconds of one pass, median; None where nothing was timed."""
    passes: int = 0
    disturbed: float | None = None
    """Share of passes that other work interrupted."""
    cpu_share: float | None = None
    """CPU time over wall time and threads, median."""
    warm_up: int | None = None
    """Passes until it settled."""
    peak_memory: float | None = None
    """Bytes of the whole process at its peak."""
    added_memory: float | None = None
    """Bytes above the process with the runtime alone."""
    energy: float | None = None
    """Joules of one pass."""
    reasons: str = "[]"
    """JSON list of what speaks against the figure."""
    failure: str = ""
    """Why nothing was timed; empty where something was."""

    @property
    def doubts(self) -> tuple[str, ...]:
        """What speaks against the figure."""
        return tuple(json.loads(self.reasons))


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRecord:
    """One timed pass."""

    session: str
    position: int
    number: int
    turn: int
    wall: float
    """Seconds."""
    cpu: float | None
    """Seconds of CPU time, all threads."""


class MeasurementStore:
    """The user's measurements; every method is one transaction, leaving a ``with`` closes it."""

    def __init__(
        self, path: Path | None = None, *, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS
    ) -> None:
        self.path = path or store_path()
        self._version = 1 + len(migrations)
        self._migrations = migrations
        with _told(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Not spelled as an address: a path may hold ``?``, ``#`` and ``%``.
            place = sa.URL.create("sqlite", database=str(self.path))
            self._engine = sa.create_engine(place, connect_args={"timeout": WAIT})
            sa.event.listen(self._engine, "connect", _configure)
            sa.event.listen(self._engine, "begin", _begin)
            try:
                self._migrate()
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()

    def begin(self, session: SessionRecord, figures: Sequence[FigureRecord]) -> None:
        """Note a session before its process starts."""
        with self._writing() as connection:
            connection.execute(SESSION.insert(), _values(session))
            if figures:
                connection.execute(FIGURE.insert(), [_values(f) for f in figures])

    def conclude(
        self,
        session: str,
        *,
        status: str,
        ended: str,
        figures: Sequence[FigureRecord],
        samples: Sequence[SampleRecord],
    ) -> None:
        """Write what a session found; doing it again changes nothing."""
        with self._writing() as connection:
            connection.execute(
                SESSION.update().where(SESSION.c.id == session).values(status=status, ended=ended)
            )
            for rows, table in ((figures, FIGURE), (samples, SAMPLE)):
                values = [_values(row) for row in rows]
                if values:
                    connection.execute(table.insert().prefix_with("OR REPLACE"), values)

    def take_in(
        self,
        sessions: Iterable[tuple[SessionRecord, Iterable[FigureRecord], Iterable[SampleRecord]]],
    ) -> None:
        """Write whole sessions, all of them or none, a piece at a time."""
        with self._writing() as connection:
            for session, figures, samples in sessions:
                connection.execute(SESSION.insert(), _values(session))
                for rows, table in ((figures, FIGURE), (samples, SAMPLE)):
                    _insert(connection, table, rows)

    def supersede(self, session: str) -> None:
        """Set a disturbed session aside for the one that repeated it; its samples are kept."""
        with self._writing() as connection:
            connection.execute(
                SESSION.update().where(SESSION.c.id == session).values(status="superseded")
            )

    def sessions(self, *, run: str | None = None) -> list[SessionRecord]:
        """All sessions, oldest first, or those of one run."""
        query = sa.select(SESSION).order_by(SESSION.c.started, SESSION.c.id)
        if run is not None:
            query = query.where(SESSION.c.run == run)
        return [SessionRecord(**row) for row in self._rows(query)]

    def session(self, prefix: str) -> SessionRecord:
        """The session whose id begins so; MeasurementError where it is not exactly one."""
        found = [s for s in self.sessions() if s.id.startswith(prefix)]
        if len(found) != 1:
            what = "no session" if not found else f"{len(found)} sessions"
            raise MeasurementError(
                f"{what} with id {prefix!r} ('advisor measurements ls --sessions' lists all)"
            )
        return found[0]

    def figures(self, *, session: str | None = None) -> list[FigureRecord]:
        """All figures in the order of their sessions, or those of one session."""
        query = (
            sa.select(FIGURE)
            .join(SESSION)
            .order_by(SESSION.c.started, FIGURE.c.session, FIGURE.c.position)
        )
        if session is not None:
            query = query.where(FIGURE.c.session == session)
        return [FigureRecord(**row) for row in self._rows(query)]

    def counted(self, status: str) -> Iterator[tuple[str, str, int, float, int]]:
        """Yield how often each time stands in each session of a status.

        Session, network, resolution, seconds and count.
        """
        what = (FIGURE.c.session, FIGURE.c.network, FIGURE.c.resolution, FIGURE.c.latency)
        query = (
            sa.select(*what, sa.func.count())
            .join(SESSION)
            .where(SESSION.c.status == status, FIGURE.c.latency.is_not(None))
            .group_by(*what)
        )
        with _told(self.path), self._engine.connect() as connection:
            reading = connection.execution_options(**{_READS: True})
            for row in reading.execute(query):
                yield tuple(row)

    def samples(self, session: str, position: int) -> list[SampleRecord]:
        """Raw samples of one network in one session, in the order they were taken."""
        query = (
            sa.select(SAMPLE)
            .where(SAMPLE.c.session == session, SAMPLE.c.position == position)
            .order_by(SAMPLE.c.number)
        )
        return [SampleRecord(**row) for row in self._rows(query)]

    def amend(self, figure: FigureRecord, **values: Any) -> FigureRecord:
        """Change values of one figure, such as its memory, and return it."""
        with self._writing() as connection:
            connection.execute(
                FIGURE.update()
                .where(FIGURE.c.session == figure.session, FIGURE.c.position == figure.position)
                .values(**values)
            )
        return replace(figure, **values)

    def forget(self, sessions: Sequence[str]) -> int:
        """Remove sessions with their figures and samples; return how many there were."""
        with self._writing() as connection:
            gone = connection.execute(SESSION.delete().where(SESSION.c.id.in_(sessions)))
            return int(gone.rowcount)

    def forget_figures(self, figures: Sequence[FigureRecord]) -> int:
        """Remove figures with their samples, and sessions that are left without any."""
        with self._writing() as connection:
            for figure in figures:
                for table in (SAMPLE, FIGURE):
                    same = (table.c.session == figure.session) & (
                        table.c.position == figure.position
                    )
                    connection.execute(table.delete().where(same))
            kept = sa.select(FIGURE.c.session)
            connection.execute(SESSION.delete().where(SESSION.c.id.not_in(kept)))
        return len(figures)

    def _rows(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        with _told(self.path), self._engine.connect() as connection:
            reading = connection.execution_options(**{_READS: True})
            return [dict(row) for row in reading.execute(query).mappings()]

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with _told(self.path), self._engine.begin() as connection:
            yield connection

    def _migrate(self) -> None:
        """Create the tables or bring an older file up to date, once, whoever comes first.

        A file that is up to date is only looked at, so that whoever reads waits for nobody.
        """
        with self._engine.connect() as connection:
            reading = connection.execution_options(**{_READS: True})
            if _version(reading) == self._version:
                return
        with self._engine.begin() as connection:
            version = _version(connection)
            if version > self._version:
                raise MeasurementError(
                    f"{self.path} was written by a newer advisor (layout {version}, known: "
                    f"{self._version}); update the advisor or move the file away"
                )
            if version == self._version:
                return
            if version == 0:
                _META.create_all(connection)
                version = 1
            for step in self._migrations[version - 1 :]:
                for statement in step:
                    connection.exec_driver_sql(statement)
            connection.exec_driver_sql(f"PRAGMA user_version = {self._version}")


def _version(connection: sa.Connection) -> int:
    """Layout of the file, 0 of an empty one."""
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def _configure(connection: Any, _: Any) -> None:
    """Set up each connection; transactions are begun by ``_begin`` instead of the driver."""
    connection.isolation_level = None
    try:
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()  # no pool knows of it yet
        raise


def _begin(connection: sa.Connection) -> None:
    """Take the write lock at once: a lock taken later could not wait for another writer.

    What only reads takes none, and so waits for nobody.
    """
    reads = connection.get_execution_options().get(_READS, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _insert(
    connection: sa.Connection, table: sa.Table, records: Iterable[FigureRecord | SampleRecord]
) -> None:
    """Write records as plain tuples, so many at a time that a million need no more memory."""
    statement = str(table.insert().compile(dialect=connection.dialect))
    values = attrgetter(*(column.name for column in table.columns))
    rest = iter(records)
    while piece := [values(record) for record in islice(rest, PIECE)]:
        connection.exec_driver_sql(statement, piece)


def _values(row: SessionRecord | FigureRecord | SampleRecord) -> dict[str, Any]:
    """A record by column; its values are plain, so none is copied."""
    return {one.name: getattr(row, one.name) for one in fields(row)}


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn errors of the database and the disk into one line."""
    try:
        yield
    except DatabaseError as error:
        reason = str(error.orig) if error.orig else str(error).splitlines()[0]
        raise MeasurementError(f"cannot use the measurements in {path}: {reason}") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise MeasurementError(f"cannot use the measurements in {path}: {reason}") from error


def columns(record: type[SessionRecord] | type[FigureRecord]) -> list[str]:
    """Names of a record's fields."""
    return [one.name for one in fields(record)]
