"""Trials: open the study's storage, teach on the user's images, write the result down."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import util
from pathlib import Path

from advisor.answering.evidence import WILDCARDS, Evidence
from advisor.answering.write import now, version
from advisor.core.candidate import Candidate
from advisor.errors import AdvisorError, TrialError, UsageError, unknown_name
from advisor.hardware.library import advisor_home
from advisor.studies.study import close_storage, open_storage
from advisor.trials.bench import Bench, code_digest, environment, prepare
from advisor.trials.paired_tests import standings
from advisor.trials.record import TrialRecord, TrialRequest, TrialRun
from advisor.trials.trial_session import Tell, TrialSession
from advisor.trials.verifying import Verified, verify

NEEDED = {"torchvision": "torchvision", "torchmetrics": "torchmetrics", "PIL": "pillow"}
"""Modules that training needs besides the advisor's own dependencies, and their packages."""
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
    return write_record(bench, runs, trial_command(task))


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
        advisor_version=version(),
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
    """Raise AdvisorError where a package is missing that training needs."""
    lacking = [package for name, package in NEEDED.items() if util.find_spec(name) is None]
    if lacking:
        raise AdvisorError(
            f"{', '.join(lacking)} missing: pip install 'vision-advisor[trial]' brings what "
            "trials need"
        )


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
            raise unknown_name(
                "network", candidate.architecture, evidence.architectures, "advisor models ls"
            )
        found.setdefault(candidate.name)
    if not found:
        raise UsageError("--models: name at least one ('advisor models ls' lists all)")
    return tuple(found)


def trial_command(task: TrialTask) -> str:
    """Write the command that gives the same trial."""
    asked, plain = task.request, TrialRequest(data="", models=())
    words = ["advisor trial", shlex.quote(asked.data), f"--models {','.join(asked.models)}"]
    if asked.stages != plain.stages:
        words.append(f"--stages {','.join(asked.stages)}")
    length = f"--epochs {asked.epochs:g}" if asked.epochs != plain.epochs else ""
    length = f"--steps {asked.steps}" if asked.steps else length
    words.append(f"--budget {asked.budget:g}s" if asked.budget else length)
    for name in (
        "resolution",
        "train_images",
        "test_images",
        "seed",
        "seeds",
        "halving",
        "threads",
    ):
        value = getattr(asked, name)
        if value != getattr(plain, name):
            words.append(f"--{name.replace('_', '-')} {value}")
    if asked.scales != plain.scales:
        words.append(f"--scales {','.join(f'{scale:g}' for scale in asked.scales)}")
    for option, value in _recipe_options(asked):
        words.append(f"{option} {value}".rstrip())
    words += [f"--weights {name}={shlex.quote(path)}" for name, path in asked.weights.items()]
    if task.folder is not None:
        words.append(f"--folder {shlex.quote(str(task.folder))}")
    return " ".join(word for word in words if word)


def _recipe_options(asked: TrialRequest) -> Iterator[tuple[str, str]]:
    recipe, plain = asked.recipe, type(asked.recipe)()
    if recipe.augment != plain.augment:
        yield "--augment", recipe.augment
    if not recipe.mirror:
        yield "--no-mirror", ""
    if recipe.batch != plain.batch:
        yield "--batch", str(recipe.batch)
    if recipe.learning_rate is not None:
        yield "--learning-rate", f"{recipe.learning_rate:g}"
    if recipe.optimizer != plain.optimizer:
        yield "--optimizer", recipe.optimizer


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
