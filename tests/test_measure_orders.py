"""Carrying out an order: failures of one network, Ctrl-C, resuming, repeating, resting."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from advisor.measuring.journal import JobClaim, Writer
from advisor.measuring.order import REFERENCE
from advisor.measuring.session import Measuring, Step, take_abandoned
from advisor.measuring.store import FigureRecord, MeasurementStore, SessionRecord
from tests.measuring_stand_in import Stage, home_store, measure, order, way


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MeasurementStore:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path))
    return home_store(tmp_path)


def latencies(store: MeasurementStore) -> dict[str, float | None]:
    return {figure.spelling: figure.latency for figure in store.figures()}


def test_every_network_gets_a_figure_with_its_samples(store: MeasurementStore) -> None:
    outcome = measure(order("resnet18", "resnet34"), store)
    assert latencies(store) == {"resnet18": 0.01, "resnet34": 0.01}
    assert len(store.samples(outcome.sessions[0], 0)) == 36
    assert not outcome.failures


class Watched(MeasurementStore):
    """Notes whether a session had its journal when it was begun."""

    def begin(self, session: SessionRecord, figures: Sequence[FigureRecord]) -> None:
        assert (self.path.parent / "journals" / f"{session.id}.jsonl").is_file()
        super().begin(session, figures)


def test_a_session_is_noted_behind_its_journal_so_that_no_kill_leaves_it_running(
    store: MeasurementStore,
) -> None:
    outcome = measure(order("resnet18"), Watched(store.path))
    assert [session.status for session in store.sessions()] == ["finished"]
    assert not outcome.failures


def test_the_reference_is_timed_in_every_session(store: MeasurementStore) -> None:
    measure(order("resnet18", sessions=2, reference=REFERENCE), store)
    assert [f.spelling for f in store.figures() if f.reference] == [REFERENCE.spelling] * 2


def test_an_export_is_made_once(store: MeasurementStore) -> None:
    stage = Stage()
    for _ in range(2):
        measure(order("resnet18"), store, stage)
    assert stage.count("prepare") == 1


def test_an_export_failure_is_one_line_and_the_rest_goes_on(store: MeasurementStore) -> None:
    stage = Stage(unconvertible={"resnet18": "no such operator"})
    outcome = measure(order("resnet18", "resnet34"), store, stage)
    assert [f.line for f in outcome.failures] == ["resnet18 in fake fp32: no such operator"]
    assert latencies(store) == {"resnet34": 0.01}


def test_a_converter_that_crashes_loses_its_network_alone(store: MeasurementStore) -> None:
    stage = Stage(crashing=frozenset({"b"}))
    outcome = measure(order("a", "b", "c"), store, stage)
    (failure,) = outcome.failures
    assert failure.line == "b in fake fp32: the process was ended by signal 11"
    assert set(latencies(store)) == {"a", "c"}


def test_a_precision_that_the_runtime_lacks_is_one_line(store: MeasurementStore) -> None:
    outcome = measure(order("resnet18", ways=(way(), way("int4"))), store)
    (failure,) = outcome.failures
    assert failure.line == "fake int4: the fake runs in fp32, not in int4"
    assert latencies(store) == {"resnet18": 0.01}


def test_a_missing_runtime_is_one_line_that_names_its_package(
    store: MeasurementStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from advisor.testing import FakeMeasurer

    monkeypatch.setattr(FakeMeasurer, "missing", lambda _: "fake is missing: pip install fake")
    outcome = measure(order("resnet18"), store)
    assert [f.line for f in outcome.failures] == ["fake fp32: fake is missing: pip install fake"]


def test_ctrl_c_keeps_the_samples_taken_so_far(store: MeasurementStore) -> None:
    outcome = measure(order("resnet18", sessions=2), store, Stage(interrupt_in=2))
    assert outcome.interrupted
    assert [s.status for s in store.sessions()] == ["finished", "interrupted"]
    interrupted = store.sessions()[-1]
    assert len(store.samples(interrupted.id, 0)) == 9


def test_resuming_goes_on_behind_the_last_finished_session(store: MeasurementStore) -> None:
    wanted = order("resnet18", sessions=3)
    first = measure(wanted, store, Stage(interrupt_in=2))
    stage = Stage()
    second = measure(wanted, store, stage, resume=True)
    assert second.run == first.run
    assert stage.count("time") == 2
    finished = [s.number for s in store.sessions() if s.status == "finished"]
    assert sorted(finished) == [1, 2, 3]


def test_without_resume_everything_is_measured_again(store: MeasurementStore) -> None:
    wanted = order("resnet18", sessions=2)
    measure(wanted, store)
    stage = Stage()
    measure(wanted, store, stage)
    assert stage.count("time") == 2


def test_a_disturbed_session_is_repeated_and_the_quieter_one_kept(
    store: MeasurementStore,
) -> None:
    stage = Stage(share=lambda session: 0.5 if session == 1 else 1.0)
    measure(order("resnet18", repeats=1), store, stage)
    assert [s.status for s in store.sessions()] == ["superseded", "finished"]


def test_a_quiet_session_is_not_repeated(store: MeasurementStore) -> None:
    stage = Stage()
    measure(order("resnet18", repeats=3), store, stage)
    assert stage.count("time") == 1


def test_sessions_of_one_group_lie_a_pause_apart(store: MeasurementStore) -> None:
    rests: list[float] = []
    run = Measuring(
        order=order("resnet18", sessions=3, pause=60.0),
        store=store,
        tell=lambda _: None,
        run_job=Stage(),
        sleep=rests.append,
        lock=None,
    )
    run.run()
    assert len(rests) == 2
    assert all(50 < rest <= 60 for rest in rests)


def test_many_networks_are_split_into_sessions_of_a_few(store: MeasurementStore) -> None:
    stage = Stage()
    measure(order(*(f"network{i}" for i in range(20))), store, stage)
    assert [len(j.items) for j in stage.jobs if j.kind == "time"] == [8, 8, 4]


def test_memory_is_measured_once_per_network(store: MeasurementStore) -> None:
    stage = Stage()
    measure(order("resnet18", sessions=3), store, stage)
    assert stage.count("memory") == 1
    assert {f.added_memory for f in store.figures()} == {None, 5e7}


def test_what_a_killed_process_left_is_taken_into_the_store(
    store: MeasurementStore, tmp_path: Path
) -> None:
    measure(order("resnet18"), store)
    (session,) = store.sessions()
    figures = store.figures(session=session.id)
    store.forget([session.id])
    store.begin(session, figures)
    store.conclude(session.id, status="running", ended="", figures=[], samples=[])
    journal = tmp_path / "journals" / f"{session.id}.jsonl"
    journal.parent.mkdir(exist_ok=True)
    writer = Writer(journal)
    for turn in range(12):
        writer.write(e="s", n=0, t=turn, w=0.02, c=0.02)
    with journal.open("ab") as stream:
        stream.write(b'{"e":"s","n":0,"t":12,"w":0.0')  # the pass in flight
    assert take_abandoned(store) == 1
    assert len(store.samples(session.id, 0)) == 12
    assert store.figures(session=session.id)[0].latency == 0.02
    assert store.sessions()[0].status == "interrupted"
    assert not journal.exists()


def test_the_environment_of_a_session_is_kept(store: MeasurementStore) -> None:
    measure(order("resnet18"), store)
    (session,) = store.sessions()
    kept = json.loads(session.environment)
    assert kept["cpu"]
    assert kept["packages"]["numpy"]
    assert session.packages.startswith("numpy ")


def test_a_second_measurement_waits_for_the_first(store: MeasurementStore, tmp_path: Path) -> None:
    lock = tmp_path / "measuring.lock"
    first = JobClaim(lock)
    assert first.take()
    waits = "another measurement is running here; waiting for it"
    said: list[str] = []

    def tell(step: Step) -> None:
        said.append(step.text)
        if step.text == waits:
            first.release()

    run = Measuring(order=order("resnet18"), store=store, tell=tell, run_job=Stage(), lock=lock)
    assert not run.run().failures
    assert waits in said
