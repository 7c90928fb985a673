"""Trials: open the study's storage, teach on the user's images, write the result down."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from advisor import __version__
from advisor.answering.evidence import WILDCARDS, Evidence
from advisor.answering.write import now
from advisor.core.candidate import Candidate
from advisor.core.extras import TRAINING, require
from advisor.core.measuring_request import TeachRequest
from advisor.errors import AdvisorError, TrialError, UsageError, unknown_name
from advisor.hardware.library import advisor_home
from advisor.studies.study import close_storage, open_storage
from advisor.trials.bench import Bench, code_digest, environment, prepare
from advisor.trials.likeness import likeness
from advisor.trials.paired_tests import standings
from advisor.trials.record import Recipe, Stage, TrialRecord, TrialRequest, TrialRun
from advisor.trials.tracking import track
from advisor.trials.trial_session import Tell, TrialProgress, TrialSession
from advisor.trials.verifying import Verified, verify

GRACE = 60
"""Seconds without a sign of life after which another worker takes a unit up."""


@dataclass(frozen=True, kw_only=True)
class TrialTask:
    """A trial to be conducted."""

    request: TrialRequest
    folder: Path | None = None
    """Where weights and checkpoints go; None for a folder of the user's data."""
    storage: str = ""
    """Study shared with other workers; empty for one of this process alone."""
    joins: bool = False
    """Whether this process only works on units that another has queued."""
    command: str = ""
    """Command line that gives the trial again."""
    track: str = ""
    """MLflow store that gets the runs too; empty for none."""


def task_of_trial(asked: TeachRequest, evidence: Evidence) -> TrialTask:
    """Return the trial that a request leads to; UsageError for unknown models and stages."""
    if asked.worker and "://" not in asked.storage:
        raise UsageError("--worker needs a --storage that others reach, such as postgresql://…")
    request = TrialRequest(
        data=asked.data,
        models=models_of(asked.models, evidence),
        looked=models_of(asked.look_at, evidence) if asked.look_at else (),
        stages=tuple(_stage(name) for name in asked.stages),
        resolution=asked.resolution,
        epochs=asked.epochs,
        steps=asked.steps,
        budget=asked.budget,
        halving=asked.halving,
        scales=asked.scales,
        seed=asked.seed,
        seeds=asked.seeds,
        recipe=Recipe(
            optimizer=asked.optimizer,
            learning_rate=asked.learning_rate,
            batch=asked.batch,
            augment=asked.augment,
            mirror=asked.mirror,
        ),
        train_images=asked.train_images,
        test_images=asked.test_images,
        weights=asked.weights,
        threads=asked.threads,
        level=asked.confidence,
    )
    folder = Path(asked.folder) if asked.folder else None
    return TrialTask(
        request=request,
        folder=folder,
        storage=asked.storage,
        joins=asked.worker,
        command=asked.command(),
        track=asked.track,
    )


def _stage(name: str) -> Stage:
    try:
        return Stage(name)
    except ValueError:
        known = [stage.value for stage in Stage]
        raise unknown_name("stage", name, known, "advisor trial --help") from None


def conduct(
    task: TrialTask,
    *,
    tell: Tell,
    looked: Callable[[int], None] | None = None,
) -> TrialRecord:
    """Teach and judge every model of a request; ``looked`` is given the images checked so far.

    Raises TrialError for images that cannot be used and where nothing could be taught.
    """
    check_packages()
    if task.track:
        require("--track", "mlflow")
    home = advisor_home() / "trials"
    bench = prepare(task.request, folder=task.folder, home=home, tell=looked)
    bench.folder.mkdir(parents=True, exist_ok=True)
    shared = bool(task.storage)
    spelling = task.storage or f"sqlite:///{bench.folder / 'study.db'}"
    with _alone(bench.folder, needed=not shared):
        storage = open_storage(spelling, grace=GRACE)
        if storage is None:
            raise AdvisorError(f"cannot open storage {spelling!r}")
        try:
            session = TrialSession(
                bench=bench,
                storage=storage,
                name=f"trial-{bench.data[:12]}-{_request_key(task.request)}",
                shared=shared,
                leads=not task.joins,
                tell=tell,
            )
            runs = session.run()
        finally:
            close_storage(storage)
    record = write_record(bench, runs, task.command)
    if task.request.looked:
        record = record.model_copy(update=_looked_at(bench, record, tell))
    if task.track:
        track(record, task.track)
    return record


def _looked_at(bench: Bench, record: TrialRecord, tell: Tell) -> dict[str, object]:
    """Return what looking at networks adds to a record."""

    def said(done: int, count: int, name: str) -> None:
        tell(TrialProgress(done=done, total=count, text=f"{name} features"))

    found = likeness(bench, said)
    missing = [one for one in bench.request.looked if Candidate.parse(one).architecture
               not in found.networks]  # fmt: skip
    told = [f"not looked at, as they cannot be built: {', '.join(missing)}"] if missing else []
    return {"likeness": found, "warnings": (*record.warnings, *told)}


def _request_key(request: TrialRequest) -> str:
    import hashlib

    told = request.model_dump_json(exclude={"threads", "level"}) + code_digest()
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def write_record(bench: Bench, runs: Sequence[TrialRun], command: str) -> TrialRecord:
    """Write a trial's document from its runs."""
    if all(run.state == "failed" for run in runs):
        raise TrialError(f"no model could be taught: {runs[0].reason if runs else 'none asked'}")
    ranked, tests = standings(runs, bench.truth)
    data = bench.record()
    random = sorted(
        {r.model for r in runs if not r.weights.trained and "RANDOM" in r.weights.statement}
    )
    warnings = [
        *data.warnings,
        *(
            [f"no trained weights here, taught from random ones: {', '.join(random)}"]
            if random
            else []
        ),
        *(
            f"{run.model}, {run.stage}: failed: {run.reason}"
            for run in runs
            if run.state == "failed"
        ),
    ]
    return TrialRecord(
        advisor_version=__version__,
        created=now(),
        command=command,
        request=bench.request,
        code=code_digest(),
        data=data,
        environment=environment(bench.request.threads),
        folder=str(bench.folder),
        runs=tuple(runs),
        standings=ranked,
        comparisons=tests,
        baseline=bench.baseline(),
        warnings=tuple(warnings),
    )


def check_packages() -> None:
    """Raise MissingPackageError where a package is missing that training needs."""
    require("a trial", *TRAINING)


def models_of(patterns: Sequence[str], evidence: Evidence) -> tuple[str, ...]:
    """Resolve names and wildcards to candidates that can be taught; UsageError names the nearest.

    Networks are taught as they are spelled: without a tag, any trained weights will do.
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        if WILDCARDS & set(pattern):
            for candidate in evidence.candidates([pattern]):
                found.setdefault(candidate.architecture)
            continue
        candidate = Candidate.parse(pattern)
        if candidate.architecture not in evidence.architectures:
            raise evidence.unknown(candidate.architecture)
        found.setdefault(candidate.name)
    if not found:
        raise UsageError("--models: name at least one ('advisor models ls' lists all)")
    return tuple(found)


@contextmanager
def _alone(folder: Path, *, needed: bool) -> Iterator[None]:
    """Hold the folder of a trial; a second process without a shared storage is refused."""
    import fcntl

    with (folder / "lock").open("w") as stream:
        if needed:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise TrialError(
                    f"{folder}: another process works on this trial; to work together give both "
                    "the same --storage, such as postgresql://…, and one of them --worker"
                ) from None
        yield


def verify_trial(record: TrialRecord, folder: Path | None = None) -> list[Verified]:
    """Judge a trial's stored weights again; TrialError where the images are others."""
    check_packages()
    return list(verify(record, home=advisor_home() / "trials", folder=folder))
