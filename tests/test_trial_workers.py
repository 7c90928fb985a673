"""Two processes share a trial through a real PostgreSQL, and one of them is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from tests.test_search_workers import postgres
from tests.trial_images import striped

__all__ = ["postgres"]
pytestmark = pytest.mark.slow
UNITS = 4


def started(tmp_path: Path, url: str, *words: str) -> "subprocess.Popen[str]":
    command = [
        *(sys.executable, "-W", "ignore", "-m", "advisor", "-q", "trial"),
        *(str(tmp_path / "set.npz"), "--models", "test_resnet,test_efficientnet"),
        *("--stages", "finetune", "--seeds", "2", "--resolution", "32", "--steps", "40"),
        *("--batch", "8", "--no-mirror", "--learning-rate", "0.003", "--format", "json"),
        *("--storage", url, "--folder", str(tmp_path / "shared"), *words),
    ]
    environment = {
        **os.environ,
        "ADVISOR_HOME": str(tmp_path / "home"),
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@contextmanager
def opened(url: str) -> Iterator[optuna.storages.RDBStorage]:
    storage = optuna.storages.RDBStorage(url.replace("postgresql://", "postgresql+psycopg://", 1))
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def trials_in(storage: optuna.storages.RDBStorage) -> list[FrozenTrial]:
    studies = storage.get_all_studies()
    return [trial for own in studies for trial in storage.get_all_trials(own._study_id)]


def wait_until_it_works(storage: optuna.storages.RDBStorage, pid: int) -> None:
    """Return once a process is at work on a unit."""
    for _ in range(600):
        for trial in trials_in(storage):
            worker = trial.user_attrs.get("worker") or ("", 0, 0)
            if trial.state is TrialState.RUNNING and int(worker[1]) == pid:
                return
        time.sleep(0.2)
    raise AssertionError("the worker never took a unit")


def test_no_unit_is_lost_or_done_twice_where_a_worker_is_killed(
    postgres: str, tmp_path: Path
) -> None:
    images, labels = striped(60, side=16)
    np.savez(tmp_path / "set.npz", images=images, labels=labels)
    with opened(postgres) as storage:  # its tables are there before two processes want them
        worker = started(tmp_path, postgres, "--worker")
        leader = started(tmp_path, postgres)
        try:
            wait_until_it_works(storage, worker.pid)
            worker.send_signal(signal.SIGKILL)
            worker.communicate()
            out, error = leader.communicate(timeout=240)
        finally:
            for process in (worker, leader):
                process.kill()
                process.communicate()
    assert leader.returncode == 0, error
    runs = json.loads(out)["runs"]
    assert len(runs) == len({run["key"] for run in runs}) == UNITS
    assert {run["state"] for run in runs} == {"complete"}
    with opened(postgres) as storage:
        trials = trials_in(storage)
    done = Counter(t.user_attrs["unit"] for t in trials if t.state is TrialState.COMPLETE)
    assert sorted(done) == sorted(run["key"] for run in runs)
    assert set(done.values()) == {1}
    assert {t.state for t in trials} == {TrialState.COMPLETE, TrialState.FAIL}
