"""What is interrupted, killed or done twice at once loses nothing that was finished."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from advisor.cli.main import run
from advisor.errors import UsageError
from advisor.studies.own_journal import own_journal
from advisor.studies.study import open_storage
from tests.fuzz.commands import ended

SEARCH = ("search", "--family", "mobilenetv2", "--device", "jetson-nano", "--max-latency", "10ms")
NONSENSE = "nonsense: [\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def started(*argv: str, home: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "advisor", *argv],
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "ADVISOR_HOME": str(home)},
        preexec_fn=_heeding_ctrl_c,  # noqa: PLW1509 - the tests start no threads
    )


def _heeding_ctrl_c() -> None:
    """What a shell starts in the background ignores Ctrl-C, and hands that on to its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def records(home: Path) -> int:
    """Whole records in the journals of a home."""
    files = list((home / "studies").glob("*.log"))
    lines = [line for path in files for line in path.read_bytes().split(b"\n")[:-1]]
    assert all(isinstance(json.loads(line), dict) for line in lines)
    return len(lines)


def wait_for_records(home: Path, least: int) -> None:
    for _ in range(1200):
        if (home / "studies").is_dir() and records(home) >= least:
            return
        time.sleep(0.05)
    raise AssertionError("the search never began")


@pytest.mark.slow
def test_ctrl_c_in_a_search_keeps_the_study_and_resumes(home: Path) -> None:
    process = started(*SEARCH, "--trials", "5000", home=home)
    wait_for_records(home, 200)
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 130, error
    assert "interrupted; the study is kept" in error
    kept = records(home)
    assert kept >= 200
    assert ended(*SEARCH, "--trials", "60", "--resume").code in (0, 3)
    assert records(home) >= kept


@pytest.mark.slow
def test_a_killed_search_loses_at_most_a_record(home: Path) -> None:
    for least in (100, 400):
        process = started(*SEARCH, "--trials", "5000", "--resume", home=home)
        wait_for_records(home, least)
        process.kill()
        process.communicate()
        assert records(home) >= least
    assert ended(*SEARCH, "--trials", "60", "--resume").faults() == []


@pytest.mark.slow
def test_ctrl_c_in_a_trial_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("advisor.answering.trial.conduct", interrupted)
    words = ("digits", "--models", "resnet18", "--folder", str(tmp_path / "trial"))
    with contextlib.redirect_stderr(io.StringIO()) as error:
        assert run(["trial", *words]) == 130
    assert "what was trained is kept, the same command goes on with it" in error.getvalue()


def test_two_searches_alike_keep_a_journal_each(tmp_path: Path) -> None:
    with own_journal(tmp_path, "one", resume=False) as first:
        first.write_text("kept\n")
        with own_journal(tmp_path, "one", resume=False) as second:
            assert second != first
        assert first.read_text() == "kept\n"
        with (
            pytest.raises(UsageError, match="running in another process"),
            own_journal(tmp_path, "one", resume=True),
        ):
            pass
    with own_journal(tmp_path, "one", resume=True) as again:
        assert again.read_text() == "kept\n"


def test_half_a_record_at_the_end_of_a_journal_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "study.log"
    path.write_text('{"op_code": 0')
    open_storage(str(path))
    assert path.read_text() == ""


def test_an_sqlite_file_whose_name_would_be_read_otherwise_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="may hold none of"):
        open_storage(f"sqlite:///{tmp_path}/a?b.db")


@pytest.mark.slow
def test_an_sqlite_file_may_have_a_hash_in_its_name(tmp_path: Path) -> None:
    open_storage(f"sqlite:///{tmp_path}/a#b.db")
    assert (tmp_path / "a#b.db").is_file()


def test_one_bad_profile_of_your_own_blocks_no_other_device(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(NONSENSE)
    folder = ("--profiles-dir", str(tmp_path))
    answer = ended("estimate", "resnet18", "--device", "jetson-nano", *folder)
    assert (answer.code, answer.faults()) == (0, [])
    own = ended("estimate", "resnet18", "--device", "mine", *folder)
    assert (own.code, own.faults()) == (1, [])
    assert "mine.yaml:" in own.error


@pytest.mark.parametrize("suffix", ["yml", "yaml"])
def test_a_profile_may_end_in_yml(suffix: str, tmp_path: Path) -> None:
    made = ended(
        "devices", "new", "My Board", "--like", "jetson-nano", "--profiles-dir", str(tmp_path)
    )
    assert made.code == 0, made.err
    (tmp_path / "my-board.yaml").rename(tmp_path / f"my-board.{suffix}")
    shown = ended("devices", "show", "my-board", "--profiles-dir", str(tmp_path))
    assert shown.code == 0, shown.err
    profile = str(tmp_path / f"my-board.{suffix}")
    calibrated = ended("calibrate", "my-board", "--profile", profile, "--next", "1")
    assert calibrated.code == 0, calibrated.err
    assert ended("devices", "show", "my-board").code == 0


@pytest.mark.parametrize("command", [("devices", "ls"), ("devices", "show", "jetson-nano")])
def test_a_folder_of_profiles_that_is_missing_is_an_error(command: tuple[str, ...]) -> None:
    answer = ended(*command, "--profiles-dir", "/nope")
    assert (answer.code, answer.faults()) == (2, [])
    assert "/nope is no folder" in answer.err


@pytest.mark.parametrize(
    ("place", "code", "said"), [("/dev/full", 1, "No space left on device"), (None, 0, "")]
)
def test_a_full_or_closed_standard_output(place: str | None, code: int, said: str) -> None:
    target = f">{place}" if place else ">&-"
    line = f"exec {sys.executable} -m advisor devices show jetson-nano {target}"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == int(bool(said))


@pytest.mark.parametrize("command", ["models ls", "explain resnet18 --device jetson-nano"])
def test_a_pipe_that_its_reader_closes_is_no_error(command: str) -> None:
    line = f"{sys.executable} -m advisor {command} | head -c 1; exit $PIPESTATUS"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("form", ["json", "table"])
def test_a_standard_output_of_few_characters_still_tells_all(form: str, encoding: str) -> None:
    argv = [sys.executable, "-m", "advisor", "compare", "resnet18", "--device", "jetson-nano"]
    done = subprocess.run(
        [*argv, "--format", form],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    told = done.stdout.decode(encoding)
    if form == "json":
        assert json.loads(told)["kind"] == "estimates"
    else:
        assert "Latency" in told
        assert "\\u25" not in told  # the line under the headers is drawn with dashes
        assert "\\u2013" in told  # the dash of an interval, which neither encoding has


@pytest.mark.slow
def test_two_searches_alike_at_once_both_end_and_keep_their_studies(home: Path) -> None:
    processes = [started(*SEARCH, "--trials", "200", home=home) for _ in range(2)]
    for process in processes:
        error = process.communicate(timeout=120)[1]
        assert process.returncode in (0, 3), error
        assert "200 trials" in error
    assert len(list((home / "studies").glob("*.log"))) == 2
    assert records(home) >= 2 * 200
