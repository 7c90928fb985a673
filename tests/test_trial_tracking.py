"""Runs of a trial in a team's MLflow, where one is asked for."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.terminal import ask
from tests.trial_images import striped


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # MLflow's own, about what it calls in SQLAlchemy
def test_runs_are_in_the_store_once_with_curve_and_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # pytest puts this folder first on the path, where a module is called as MLflow's own needs are
    monkeypatch.setattr(sys, "path", [p for p in sys.path if Path(p) != Path(__file__).parent])
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient

    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))
    images, labels = striped(60, side=16)
    np.savez(tmp_path / "set.npz", images=images, labels=labels)
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    words = (
        "trial", str(tmp_path / "set.npz"), "--models", "test_resnet", "--resolution", "32",
        "--stages", "finetune", "--steps", "12", "--batch", "8", "--no-mirror",
        "--learning-rate", "0.003", "--track", store, "--format", "json",
    )  # fmt: skip
    done = ask(capsys, *words)
    assert done.code == 0, done.err
    assert ask(capsys, *words).code == 0
    (told,) = json.loads(done.out)["runs"]
    client = MlflowClient(tracking_uri=store)
    experiment = client.get_experiment_by_name("advisor trial on set")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.metrics["test_accuracy"] == told["accuracy"]["value"]
    assert run.data.metrics["test_accuracy_low"] == told["accuracy"]["low"]
    assert run.data.params["model"] == "test_resnet"
    curve = client.get_metric_history(run.info.run_id, "validation_accuracy")
    assert [p.value for p in curve] == [p["accuracy"] for p in told["curve"]]
