"""Two processes share a trial through a real PostgreSQL, and one of them is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
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
        *("--stages", "finetune", "--seeds", "2", "--resolution", "32", "--steps", "80"),
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


def trials_of(url: str) -> list[FrozenTrial]:
    storage = optuna.storages.RDBStorage(url.replace("postgresql://", "postgresql+psycopg://", 1))
    try:
        names = [study.study_name for study in optuna.get_all_study_summaries(storage)]
        trials = [optuna.load_study(study_name=n, storage=storage).get_trials() for n in names]
        return [trial for own in trials for trial in own]
    finally:
        storage.remove_session()
        storage.engine.dispose()


def wait_until_it_works(url: str, pid: int) -> None:
    """Return once a process is at work on a unit."""
    for _ in range(900):
        for trial in trials_of(url):
            worker = trial.user_attrs.get("worker") or ("", 0, 0)
            if trial.state is TrialState.RUNNING and int(worker[1]) == pid:
                return
        time.sleep(0.1)
    raise AssertionError("the worker never took a unit")


def test_no_unit_is_lost_or_done_twice_where_a_worker_is_killed(
    postgres: str, tmp_path: Path
) -> None:
    images, labels = striped(60, side=16)
    np.savez(tmp_path / "set.npz", images=images, labels=labels)
    optuna.storages.RDBStorage(postgres.replace("postgresql://", "postgresql+psycopg://", 1))
    worker = started(tmp_path, postgres, "--worker")
    leader = started(tmp_path, postgres)
    try:
        wait_until_it_works(postgres, worker.pid)
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
        out, error = leader.communicate(timeout=240)
    finally:
        for process in (worker, leader):
            process.kill()
    assert leader.returncode == 0, error
    runs = json.loads(out)["runs"]
    assert len(runs) == len({run["key"] for run in runs}) == UNITS
    assert {run["state"] for run in runs} == {"complete"}
    trials = trials_of(postgres)
    done = Counter(t.user_attrs["unit"] for t in trials if t.state is TrialState.COMPLETE)
    assert sorted(done) == sorted(run["key"] for run in runs)
    assert set(done.values()) == {1}
    assert {t.state for t in trials} == {TrialState.COMPLETE, TrialState.FAIL}
