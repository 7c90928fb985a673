"""Tracking: the runs of a trial in MLflow, beside whatever else a team keeps there.

Off unless asked for. A run is logged once, whoever logs it: its key is looked for first.
"""

from collections.abc import Iterator
from typing import Any

from advisor.core.extras import require
from advisor.errors import AdvisorError
from advisor.trials.record import TrialRecord, TrialRun

KEY = "advisor.key"
"""Tag with the digest of everything that decides a run."""
STATES = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}
"""How MLflow calls the ends of a run."""


def track(record: TrialRecord, store: str) -> int:
    """Log the runs of a trial that a store lacks; return how many were new.

    ``store`` is a tracking URI, such as ``sqlite:///mlflow.db`` or ``http://host:5000``. Raises
    AdvisorError where MLflow is missing or the store cannot be reached.
    """
    require("--track", "mlflow")
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    try:
        client = MlflowClient(tracking_uri=store)
        experiment = _experiment(client, f"advisor trial on {record.data.name}")
        known = {run.data.tags.get(KEY) for run in client.search_runs([experiment])}
        new = [run for run in record.runs if run.key not in known]
        for run in new:
            _log(client, experiment, run, record)
    except (MlflowException, OSError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise AdvisorError(f"--track {store}: {first}") from error
    return len(new)


def _experiment(client: Any, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name))


def _log(client: Any, experiment: str, run: TrialRun, record: TrialRecord) -> None:
    tags = {
        KEY: run.key,
        "advisor.version": record.advisor_version,
        "advisor.images": record.data.digest,
        "advisor.code": record.code,
    }
    name = f"{run.model} {run.stage} seed {run.seed}"
    opened = client.create_run(experiment, tags=tags, run_name=name).info.run_id
    for key, value in _parameters(run):
        client.log_param(opened, key, value)
    for point in run.curve:
        client.log_metric(opened, "validation_accuracy", point.accuracy, step=point.step)
        client.log_metric(opened, "validation_loss", point.loss, step=point.step)
        client.log_metric(opened, "train_loss", point.train_loss, step=point.step)
    for key, value in _results(run):
        client.log_metric(opened, key, value)
    client.set_terminated(opened, status=STATES[run.state])


def _parameters(run: TrialRun) -> Iterator[tuple[str, object]]:
    yield "model", run.model
    yield "stage", run.stage.value
    yield "resolution", run.resolution
    yield "seed", run.seed
    yield "steps", run.steps
    yield "weights", run.weights.statement
    if run.recipe is not None:
        yield from run.recipe.model_dump().items()


def _results(run: TrialRun) -> Iterator[tuple[str, float]]:
    if run.accuracy is not None:
        yield "test_accuracy", run.accuracy.value
        yield "test_accuracy_low", run.accuracy.low
        yield "test_accuracy_high", run.accuracy.high
    if run.balanced is not None:
        yield "test_balanced_accuracy", run.balanced
    if run.log_loss is not None:
        yield "test_log_loss", run.log_loss
    yield "seconds", run.seconds
