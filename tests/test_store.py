"""The store of own measurements: transactions, migrations, several processes, a full disk."""

import multiprocessing
import sqlite3
import time
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event

from advisor.errors import MeasurementError
from advisor.measuring.store import (
    WAIT,
    FigureRecord,
    MeasurementStore,
    SampleRecord,
    SessionRecord,
)


def session(**values: object) -> SessionRecord:
    made = SessionRecord(
        id=uuid.uuid4().hex,
        run="run",
        number=1,
        device="host",
        unit="cpu",
        runtime="onnxruntime",
        precision="fp32",
        threads=1,
        batch=1,
        machine="machine",
        packages="onnxruntime 1.31.1",
        environment='{"cpu": "Round CPU"}',
        origin="here",
        started="2026-11-21T12:00:00.000+00:00",
    )
    return replace(made, **values)  # type: ignore[arg-type]


def figure(owner: SessionRecord, latency: float = 0.01, **values: object) -> FigureRecord:
    made = FigureRecord(
        session=owner.id,
        position=0,
        network="resnet18",
        resolution=224,
        spelling="resnet18",
        latency=latency,
        passes=30,
    )
    return replace(made, **values)  # type: ignore[arg-type]


def keep(store: MeasurementStore, owner: SessionRecord, *figures: FigureRecord) -> None:
    samples = [
        SampleRecord(session=owner.id, position=0, number=i, turn=i, wall=0.01, cpu=0.01)
        for i in range(5)
    ]
    store.begin(owner, [])
    store.conclude(owner.id, status="finished", ended="2026", figures=figures, samples=samples)


def test_what_is_kept_is_read_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    owner = session()
    keep(MeasurementStore(path), owner, figure(owner))
    again = MeasurementStore(path)
    assert again.sessions() == [replace(owner, status="finished", ended="2026")]
    assert again.figures() == [figure(owner)]
    assert [s.wall for s in again.samples(owner.id, 0)] == [0.01] * 5


def test_concluding_a_session_twice_changes_nothing(tmp_path: Path) -> None:
    store = MeasurementStore(tmp_path / "store.sqlite")
    owner = session()
    keep(store, owner, figure(owner))
    store.conclude(owner.id, status="finished", ended="2026", figures=[figure(owner)], samples=[])
    assert len(store.figures()) == 1
    assert len(store.samples(owner.id, 0)) == 5


def test_forgetting_a_session_takes_figures_and_samples_along(tmp_path: Path) -> None:
    store = MeasurementStore(tmp_path / "store.sqlite")
    kept, gone = session(), session()
    for owner in (kept, gone):
        keep(store, owner, figure(owner))
    assert store.forget([gone.id]) == 1
    assert [f.session for f in store.figures()] == [kept.id]
    assert store.samples(gone.id, 0) == []


def test_a_session_whose_last_figure_is_forgotten_goes_too(tmp_path: Path) -> None:
    store = MeasurementStore(tmp_path / "store.sqlite")
    owner = session()
    keep(store, owner, figure(owner))
    store.forget_figures(store.figures())
    assert store.sessions() == []


def test_an_older_layout_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    owner = session()
    keep(MeasurementStore(path), owner, figure(owner))
    step = ("ALTER TABLE session ADD COLUMN humidity REAL",)
    newer = MeasurementStore(path, migrations=(step,))
    with sqlite3.connect(path) as plain:
        assert plain.execute("PRAGMA user_version").fetchone() == (2,)
        assert plain.execute("SELECT humidity FROM session").fetchall() == [(None,)]
    newer.close()


def test_a_newer_layout_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    MeasurementStore(path, migrations=(("SELECT 1",),)).close()
    with pytest.raises(MeasurementError, match="newer advisor") as error:
        MeasurementStore(path)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    path.write_text("hello " * 1000)
    with pytest.raises(MeasurementError, match="not a database") as error:
        MeasurementStore(path)
    assert "\n" not in str(error.value)


def test_a_full_disk_is_one_line_and_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    store = MeasurementStore(path)
    owner = session()
    keep(store, owner, figure(owner))
    with store._engine.connect() as connection:  # SQLite's own stand-in for a full disk
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    store.close()
    limit = f"PRAGMA max_page_count = {pages}"
    event.listen(store._engine, "connect", lambda connection, _: connection.execute(limit))
    other = session(environment="x" * 100_000)
    with pytest.raises(MeasurementError, match="full") as error:
        store.begin(other, [])
    assert "\n" not in str(error.value)
    assert len(MeasurementStore(path).figures()) == 1


def _write_many(path: Path, count: int) -> None:
    store = MeasurementStore(path)
    for _ in range(count):
        owner = session()
        keep(store, owner, figure(owner))


def test_two_processes_that_write_at_once_lose_and_corrupt_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(path, 25)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    store = MeasurementStore(path)
    assert len(store.sessions()) == len(store.figures()) == 50
    with sqlite3.connect(path) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_who_opens_and_reads_the_store_waits_for_no_writer(tmp_path: Path) -> None:
    """Opening it would take a minute if it asked for the lock of the writer."""
    path = tmp_path / "store.sqlite"
    owner = session()
    keep(MeasurementStore(path), owner, figure(owner))
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    before = time.monotonic()
    assert len(MeasurementStore(path).figures()) == 1
    assert time.monotonic() - before < WAIT / 4
    writer.rollback()
    writer.close()
