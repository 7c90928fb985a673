"""Study: the only module that knows Optuna; asks for points, is told results, keeps both.

Optuna's own storages hold a study: a journal file, SQLite, PostgreSQL, or any of them behind its
gRPC proxy. Workers on several hosts share one; each asks for one trial at a time, so that one
that dies loses only that. In a database a heartbeat notices it, and another worker repeats it.
"""

import errno
import json
import os
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import (
    ExperimentalWarning,
    StorageInternalError,
    UpdateFinishedTrialError,
)
from optuna.samplers import BaseSampler
from optuna.storages import (
    BaseStorage,
    GrpcStorageProxy,
    JournalStorage,
    RDBStorage,
    RetryHeartbeatStaleTrialCallback,
)
from optuna.storages.journal import BaseJournalBackend, JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy.exc import (
    IntegrityError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)

from advisor.core.quantity import Metric
from advisor.errors import AdvisorError, UsageError
from advisor.studies.families import ARCHITECTURE, Family, Point, SearchAxis
from advisor.studies.outcome import State

Storage = BaseStorage
"""Where studies are kept; opaque outside this module."""
RETRIES = 3
"""How often the trial of a dead worker is repeated."""
_ATTEMPTS = 5
"""Attempts to open a database, whose tables several workers may be creating at once."""
_RACED = ("already exists", "UNIQUE constraint", "unique constraint", "database is locked")
_BATCH = {"nsga2": 50, "nsga3": 50, "random": 50, "tpe": 10, "gp": 5}
"""Trials asked for at once: as many as a sampler loses nothing by."""
_STATES = {
    State.COMPLETE: TrialState.COMPLETE,
    State.PRUNED: TrialState.PRUNED,
    State.FAILED: TrialState.FAIL,
}
_REASON = "reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedTrial:
    """A point to be assessed."""

    handle: Any
    """Optuna's trial; opaque."""
    point: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A trial that somebody, perhaps another worker, has finished."""

    number: int
    point: Point
    state: State
    reason: str


class _LocalJournal(BaseJournalBackend):
    """Journal file of one machine, in the format of Optuna's own.

    A record is one appending write, which processes cannot interleave, so no lock is needed; when
    it reaches the disk is left to the system, which makes a trial ten times as quick.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        _drop_half_record(path)
        self._path = path
        self._reader = JournalFileBackend(str(path))

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        """Read the records from a number on."""
        return self._reader.read_logs(log_number_from)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append records."""
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        content = lines.encode("utf-8")
        with self._path.open("ab", buffering=0) as stream:
            written = stream.write(content)
            if written != len(content):  # the disk is full
                os.truncate(self._path, stream.tell() - (written or 0))
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))


def _drop_half_record(path: Path) -> None:
    """Cut off the end of a journal whose last record a power cut left unfinished."""
    if not path.is_file():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)


@contextmanager
def _kept() -> Iterator[None]:
    """Work on a study without Optuna's notes; AdvisorError where its storage fails."""
    try:
        with _quiet():
            yield
    except (StorageInternalError, SQLAlchemyError, OSError) as error:
        told = error.__cause__ if isinstance(error, StorageInternalError) else error
        raise AdvisorError(
            f"the study's storage fails: {_first_line(told or error)}; what was told so far is "
            "kept, go on with --resume once it works"
        ) from error


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna's notes on experimental features, and its log of each step, from the user."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # what fails is told in one line of ours
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            warnings.simplefilter("ignore", FutureWarning)
            # told one by one here, and the signs of life are given here too
            warnings.filterwarnings("ignore", message="Heartbeat of storage is supposed")
            # a trial repeated for a dead worker may have been given its constraints already
            warnings.filterwarnings("ignore", message="The constraint value is ignored")
            warnings.filterwarnings("ignore", message="PedAnovaImportanceEvaluator computes")
            yield
    finally:
        optuna.logging.set_verbosity(level)


def open_storage(text: str, *, grace: int = 60) -> Storage | None:
    """Open a storage by its spelling; None for memory.

    A worker's trial is repeated by another after ``grace`` seconds without a sign of life.
    Raises AdvisorError where the storage cannot be reached.
    """
    if not text:
        return None
    try:
        with _quiet():
            return _storage(text, grace)
    except ImportError as error:
        raise AdvisorError(
            f"storage {text!r} needs a package that is not installed: pip install "
            "'vision-advisor[storage]'"
        ) from error
    except AdvisorError:
        raise
    except Exception as error:
        raise AdvisorError(f"cannot open storage {text!r}: {_first_line(error)}") from error


def _storage(text: str, grace: int) -> Storage:
    scheme, _, rest = text.partition("://")
    if not rest:
        return JournalStorage(_LocalJournal(Path(text)))
    if scheme == "grpc":
        host, _, port = rest.partition(":")
        proxy: Storage = GrpcStorageProxy(host=host, port=int(port or 13000))
        return proxy
    if scheme == "sqlite" and set(rest) & set("?{}"):
        raise UsageError(
            f"--storage {text!r}: the name of an SQLite file may hold none of ? {{ }}; take another"
        )
    return _database(text.replace("postgresql://", "postgresql+psycopg://", 1), grace)


def _database(url: str, grace: int) -> RDBStorage:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return RDBStorage(
                url,
                heartbeat_interval=max(1, grace // 4),
                grace_period=grace,
                heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(RETRIES),
                engine_kwargs={"pool_pre_ping": True},  # a database that was restarted
            )
        except (IntegrityError, OperationalError, ProgrammingError) as error:
            raced = any(sign in str(error) for sign in _RACED)
            if attempt == _ATTEMPTS or not raced:
                raise
            time.sleep(0.2 * attempt)
    raise AssertionError("the loop returns or raises")


def close_storage(storage: Storage | None) -> None:
    """Give back the connections of a storage."""
    if isinstance(storage, RDBStorage):
        storage.remove_session()
        storage.engine.dispose()
    elif isinstance(storage, GrpcStorageProxy):
        storage.close()


def is_shared(text: str) -> bool:
    """Tell whether several machines may work on a storage of this spelling."""
    return "://" in text


def serve(storage: str, *, host: str = "localhost", port: int = 13000) -> None:
    """Serve a storage to workers through Optuna's gRPC proxy until interrupted."""
    opened = open_storage(storage)
    if opened is None:
        raise UsageError("the proxy needs a storage to serve, such as sqlite:///study.db")
    with _quiet():
        optuna.storages.run_grpc_proxy_server(opened, host=host, port=port)


def distributions(family: Family) -> dict[str, BaseDistribution]:
    """Return what Optuna draws from for each axis of a family."""
    drawn = {axis.name: _distribution(axis) for axis in family.axes}
    if len(family.architectures) > 1:
        drawn[ARCHITECTURE] = CategoricalDistribution(family.architectures)
    return drawn


def _distribution(axis: SearchAxis) -> BaseDistribution:
    gaps = {round(b - a, 6) for a, b in zip(axis.values, axis.values[1:], strict=False)}
    if len(gaps) != 1:
        return CategoricalDistribution(axis.values)
    low, high, step = axis.values[0], axis.values[-1], gaps.pop()
    if all(value == int(value) for value in axis.values):
        return IntDistribution(int(low), int(high), step=int(step))
    return FloatDistribution(low, high, step=step)


def _sampler(name: str, seed: int) -> BaseSampler:
    samplers = optuna.samplers
    made: dict[str, Any] = {
        "nsga2": lambda: samplers.NSGAIISampler(seed=seed),
        "nsga3": lambda: samplers.NSGAIIISampler(seed=seed),
        "tpe": lambda: samplers.TPESampler(seed=seed, constant_liar=True),
        "gp": lambda: samplers.GPSampler(seed=seed, deterministic_objective=True),
        "random": lambda: samplers.RandomSampler(seed=seed),
    }
    sampler: BaseSampler = made[name]()
    return sampler


class Study:
    """A study of one family, in memory or in a storage."""

    def __init__(
        self,
        family: Family,
        objectives: Sequence[Metric],
        *,
        sampler: str = "nsga2",
        seed: int = 0,
        storage: Storage | None = None,
        name: str | None = None,
        resume: bool = False,
    ) -> None:
        self.family = family
        self._distributions = distributions(family)
        self._heart = storage if isinstance(storage, RDBStorage) else None
        local = storage is None or isinstance(storage, JournalStorage)
        with _kept():
            self._study = _open(family, objectives, storage, name, resume)
            # a resumed study goes on with other draws than it began with
            self._study.sampler = _sampler(
                sampler, (seed + len(self._study.get_trials(deepcopy=False))) % 2**32
            )
        self.batch = _BATCH[sampler] if local else 1

    def enqueue(self, points: Sequence[Point], *, unless_known: bool = False) -> None:
        """Have these points asked first; ``unless_known`` leaves out those asked before."""
        with _kept():
            for point in points:
                known = {n: v for n, v in point.items() if n in self._distributions}
                self._study.enqueue_trial(known, skip_if_exists=unless_known)

    def ask(self, count: int) -> list[AskedTrial]:
        """Return points to be assessed; those of dead workers and enqueued ones come first."""
        with _kept():
            if self._heart is not None:
                optuna.storages.fail_stale_trials(self._study)
            trials = [self._ask_one() for _ in range(count)]
            for trial in trials:
                self._beat(trial)
        return [AskedTrial(handle=trial, point=self._point(trial.params)) for trial in trials]

    def _ask_one(self) -> optuna.Trial:
        for _ in range(_ATTEMPTS):
            try:
                return self._study.ask(self._distributions)
            except UpdateFinishedTrialError:
                continue  # SQLite may hand one queued trial to two workers
        raise AdvisorError("the study's storage keeps giving trials away twice; use PostgreSQL")

    def _beat(self, trial: optuna.Trial) -> None:
        if self._heart is not None:
            self._heart.record_heartbeat(trial._trial_id)

    def _point(self, params: Mapping[str, Any]) -> Point:
        point: dict[str, float | str] = {ARCHITECTURE: self.family.architectures[0]}
        for name, value in params.items():
            point[name] = value if isinstance(value, str) else round(float(value), 6)
        return point

    def tell(
        self,
        asked: AskedTrial,
        state: State,
        values: Sequence[float] = (),
        *,
        margins: Mapping[Metric, float] | None = None,
        reason: str = "",
    ) -> None:
        """Report a result; a margin of zero or more keeps its limit."""
        trial: optuna.Trial = asked.handle
        told = list(values) if state is State.COMPLETE else None
        with _kept(), suppress(UpdateFinishedTrialError):
            # suppressed: another worker took this trial for dead, and repeated it
            for metric, margin in (margins or {}).items():
                trial.set_constraint(metric.value, -margin)
            if reason:
                trial.set_user_attr(_REASON, reason)
            self._study.tell(trial, told, state=_STATES[state], skip_if_finished=True)

    def finished(self) -> list[Finished]:
        """Return every finished trial of the study, of all workers, in order."""
        ended = {told: own for own, told in _STATES.items()}
        with _kept():
            trials = self._study.get_trials(deepcopy=False, states=tuple(ended))
        return [
            Finished(
                number=trial.number,
                point=self._point(trial.params),
                state=ended[trial.state],
                reason=str(trial.user_attrs.get(_REASON, "lost with its worker")),
            )
            for trial in trials
        ]

    def importances(self, objective: int) -> dict[str, float]:
        """Return the share of an objective's variation that each axis explains (PED-ANOVA)."""
        complete = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if len(complete) < 20 or len({trial.values[objective] for trial in complete}) < 5:
            return {}
        # PED-ANOVA asks what makes a value low
        upwards = self._study.directions[objective] == StudyDirection.MAXIMIZE
        sign = -1.0 if upwards else 1.0
        with _kept():
            found = optuna.importance.get_param_importances(
                self._study,
                evaluator=optuna.importance.PedAnovaImportanceEvaluator(),
                target=lambda trial: sign * trial.values[objective],
            )
        return {name: float(share) for name, share in found.items()}


def _open(
    family: Family,
    objectives: Sequence[Metric],
    storage: Storage | None,
    name: str | None,
    resume: bool,
) -> optuna.Study:
    up, down = StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE
    directions = [up if metric.higher_is_better else down for metric in objectives]
    try:
        study = optuna.create_study(
            storage=storage, study_name=name, directions=directions, load_if_exists=resume
        )
    except optuna.exceptions.DuplicatedStudyError as error:
        message = f"the study {name!r} exists already; --resume goes on with it"
        raise UsageError(message) from error
    wanted = {"family": family.name, "objectives": [metric.value for metric in objectives]}
    for key, value in wanted.items():
        found = study.user_attrs.get(key, value)
        if found != value:
            raise UsageError(f"the study {name!r} has {key} {found}, not {value}")
        if key not in study.user_attrs:
            study.set_user_attr(key, value)
    return study
