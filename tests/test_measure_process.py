"""The measuring process itself: real children, a fake runtime, kills and crashes."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from advisor.measuring.child import run_child
from advisor.measuring.exports import exports_folder, write_record
from advisor.measuring.jobs import Item, Job
from advisor.measuring.journal import Event, Reader, Writer, abandoned
from advisor.measuring.runtimes import Settings
from advisor.measuring.store import MeasurementStore
from advisor.measuring.timing import TimingPlan

FAKE = "advisor.testing:FakeMeasurer"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path))


def exported(key: str) -> Item:
    folder = exports_folder() / key
    folder.mkdir(parents=True)
    np.save(folder / "example.npy", np.zeros((1, 3, 8, 8), dtype=np.float32))
    np.save(folder / "outputs.npy", np.zeros((1, 10), dtype=np.float32))
    write_record(folder, seconds=1.0, error=0.0)
    return Item(position=0, spelling=key, resolution=8, key=key)


def job(path: Path, *items: Item, measurer: str = FAKE, budget: float = 1.0) -> Job:
    return Job(
        kind="time",
        journal=str(path / "journal.jsonl"),
        measurer=measurer,
        settings=Settings(precision="fp32", threads=1),
        items=items,
        cpus=tuple(sorted(os.sched_getaffinity(0))[-1:]),
        plan=TimingPlan(budget=budget, warm_up_seconds=0.1),
    )


def test_a_child_times_a_network_and_ends(tmp_path: Path) -> None:
    events: list[Event] = []
    ending = run_child(job(tmp_path, exported("small")), events.append)
    assert (ending.code, ending.message) == (0, "")
    kinds = [event["e"] for event in events]
    assert kinds[0] == "opened"
    assert kinds[-1] == "end"
    walls = [event["w"] for event in events if event["e"] == "s"]
    assert len(walls) >= 30
    assert min(walls) >= 0.0005


def test_a_network_that_cannot_be_opened_is_an_event_and_the_rest_goes_on(tmp_path: Path) -> None:
    events: list[Event] = []
    gone = Item(position=1, spelling="gone", resolution=8, key="gone")
    run_child(job(tmp_path, exported("small"), gone), events.append)
    (failed,) = [event for event in events if event["e"] == "failed"]
    assert failed["n"] == 1
    assert any(event["e"] == "end" for event in events)


def test_a_runtime_that_cannot_be_loaded_ends_with_one_line(tmp_path: Path) -> None:
    ending = run_child(job(tmp_path, exported("small"), measurer="no_such:Thing"), lambda _: None)
    assert ending.code == 1
    assert "runtime 'no_such:Thing' cannot be loaded" in ending.reason


def test_a_killed_advisor_takes_its_child_along_and_loses_the_pass_in_flight_at_most(
    tmp_path: Path,
) -> None:
    made = job(tmp_path, exported("small"), budget=60.0)
    script = (
        "import sys; from pathlib import Path;"
        "from advisor.measuring.child import run_child; from advisor.measuring.jobs import Job;"
        "run_child(Job.read(Path(sys.argv[1])), lambda e: None)"
    )
    endless = replace(made, plan=TimingPlan(budget=60.0, narrow=0.0))
    endless.write(tmp_path / "job.json")
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "job.json")])
    journal = Path(made.journal)
    _wait(lambda: journal.exists() and journal.stat().st_size > 2000)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    _wait(lambda: _still(journal))
    lines = journal.read_bytes().split(b"\n")
    assert all(json.loads(line) for line in lines[:-1])
    assert len(Reader(journal).new()) == len(lines) - 1


def _wait(done: object, longest: float = 30.0) -> None:
    end = time.monotonic() + longest
    while not done():  # type: ignore[operator]
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.05)


def _still(path: Path) -> bool:
    before = path.stat().st_size
    time.sleep(0.3)
    return path.stat().st_size == before


def test_a_reader_leaves_a_line_that_is_being_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Writer(path).write(e="s", n=0)
    with path.open("ab") as stream:
        stream.write(b'{"e":"s"')
    reader = Reader(path)
    assert reader.new() == [{"e": "s", "n": 0}]
    with path.open("ab") as stream:
        stream.write(b',"n":1}\n')
    assert reader.new() == [{"e": "s", "n": 1}]


def test_a_journal_in_use_is_not_abandoned(tmp_path: Path) -> None:
    from advisor.measuring.journal import JobClaim

    path = tmp_path / "journal.jsonl"
    claim = JobClaim(path)
    assert claim.take()
    assert list(abandoned(tmp_path)) == []
    claim.release()
    assert list(abandoned(tmp_path)) == [path]


def test_a_full_disk_ends_the_child_with_one_line(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs Linux's /dev/full")
    made = job(tmp_path, exported("small"))
    replace(made, journal="/dev/full").write(tmp_path / "job.json")
    command = [sys.executable, "-m", "advisor.measuring.worker", str(tmp_path / "job.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == "[Errno 28] No space left on device\n"


def test_the_store_is_not_touched_by_a_child(tmp_path: Path) -> None:
    run_child(job(tmp_path, exported("small")), lambda _: None)
    assert MeasurementStore().sessions() == []
