"""Share the units of a trial out: a study of Optuna for each stage, whose pruner halves.

A unit is a trial of the study; its result travels in the storage. The trial of a process that
died is taken up where its checkpoint stands: in place where the storage is one process's own,
as a new trial where several share it. A unit is complete once.
"""

import os
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.pruners import BasePruner, NopPruner, SuccessiveHalvingPruner
from optuna.storages import BaseStorage, RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from advisor.trials.record import TrialRun
from advisor.trials.units import TrialUnit

_UNIT, _WORKER, _RUN, _OPEN = "unit", "worker", "run", "open"
_BEAT_EVERY = 5.0
"""Seconds between signs of life."""
_DONE = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(kw_only=True)
class Taken:
    """A unit that this process works on."""

    unit: TrialUnit
    _trial: optuna.Trial
    _storage: BaseStorage
    _beaten: float = field(default=0.0)

    def beat(self) -> None:
        """Give a sign of life, at most every few seconds."""
        now = time.monotonic()
        if isinstance(self._storage, RDBStorage) and now - self._beaten > _BEAT_EVERY:
            self._storage.record_heartbeat(self._trial._trial_id)
            self._beaten = now

    def pruned(self, point: int, accuracy: float) -> bool:
        """Report a point of the curve; True where the pruner stops the training."""
        with _quiet():
            self._trial.report(accuracy, point)
            return bool(self._trial.should_prune())


class Stages:
    """The queue of one stage's units, shared by all workers of a trial."""

    def __init__(self, storage: BaseStorage, name: str, *, halving: int, shared: bool) -> None:
        self._storage, self._shared = storage, shared
        with _quiet():
            self._study = optuna.create_study(
                storage=storage,
                study_name=name,
                direction=StudyDirection.MAXIMIZE,
                load_if_exists=True,
                pruner=_pruner(halving),
                sampler=optuna.samplers.RandomSampler(seed=0),
            )

    def put(self, units: Sequence[TrialUnit]) -> None:
        """Queue the units that the study does not know yet, in this order, and close the list."""
        if self._study.user_attrs.get(_OPEN) is False:
            return
        keys = [unit.key for unit in units]
        known = {trial.user_attrs.get(_UNIT) for trial in self._trials()}
        with _quiet():
            for unit in units:
                if unit.key not in known:
                    attributes = {_UNIT: unit.key, "name": unit.name}
                    self._study.enqueue_trial({_UNIT: unit.key}, user_attrs=attributes)
            self._study.set_user_attr("keys", keys)
            self._study.set_user_attr(_OPEN, False)

    @property
    def listed(self) -> bool:
        """Whether the units have been queued."""
        return self._study.user_attrs.get(_OPEN) is False

    def take(self, units: Sequence[TrialUnit]) -> Taken | None:
        """Return the next unit, those of dead processes first; None where none waits."""
        by_key = {unit.key: unit for unit in units}
        trial = self._orphan()
        if trial is None:
            trial = self._next(list(by_key))
        if trial is None:
            return None
        trial.set_user_attr(_WORKER, _myself())
        taken = Taken(unit=by_key[trial.user_attrs[_UNIT]], _trial=trial, _storage=self._storage)
        taken.beat()
        return taken

    def _next(self, keys: list[str]) -> optuna.Trial | None:
        with _quiet():
            if isinstance(self._storage, RDBStorage):
                optuna.storages.fail_stale_trials(self._study)
            while self._trials(TrialState.WAITING):
                trial = self._study.ask({_UNIT: CategoricalDistribution(keys)})
                if _UNIT in trial.user_attrs and not self._is_done(trial.user_attrs[_UNIT]):
                    return trial
                # another worker was quicker, and the study made a trial up
                self._study.tell(trial, state=TrialState.FAIL)
        return None

    def _is_done(self, key: str) -> bool:
        return any(trial.user_attrs.get(_UNIT) == key for trial in self._trials(*_DONE))

    def _orphan(self) -> optuna.Trial | None:
        """Return the trial of a process of this host that is gone, to be gone on with."""
        for trial in self._trials(TrialState.RUNNING):
            if not self._abandoned(trial):
                continue
            if not self._shared:
                return optuna.Trial(self._study, trial._trial_id)
            self._repeat(trial)
        return None

    def _abandoned(self, trial: FrozenTrial) -> bool:
        worker = trial.user_attrs.get(_WORKER)
        if worker is None:
            return not self._shared or _age(trial) > _GRACE
        host, pid, started = worker
        if host != os.uname().nodename:
            return False  # its heartbeat tells
        return bool(started != _started(int(pid)))

    def _repeat(self, trial: FrozenTrial) -> None:
        """Fail a dead worker's trial and queue its unit again; one worker alone gets to do it."""
        with _quiet(), suppress(UpdateFinishedTrialError):
            self._study.tell(trial.number, state=TrialState.FAIL)
            key = trial.user_attrs.get(_UNIT) or trial.system_attrs["fixed_params"][_UNIT]
            attributes = {_UNIT: key, "name": trial.user_attrs.get("name", "")}
            self._study.enqueue_trial({_UNIT: key}, user_attrs=attributes)

    def tell(self, taken: Taken, run: TrialRun) -> None:
        """Hand a result in."""
        trial = taken._trial
        with _quiet(), suppress(UpdateFinishedTrialError):
            # suppressed: this worker was taken for dead, and another repeats the unit
            trial.set_user_attr(_RUN, run.model_dump_json())
            if run.state == "complete":
                self._study.tell(trial, run.validation)
            else:
                state = TrialState.PRUNED if run.state == "pruned" else TrialState.FAIL
                self._study.tell(trial, state=state)

    def finished(self) -> bool:
        """Whether every unit has a result."""
        keys = self._study.user_attrs.get("keys", [])
        return self.listed and set(keys) <= {run.key for run in self.runs()}

    def runs(self) -> list[TrialRun]:
        """Return the results so far, in the order of the units."""
        found: dict[str, TrialRun] = {}
        for trial in self._trials(*_DONE, TrialState.FAIL):
            text = trial.user_attrs.get(_RUN)
            if text is not None:
                run = TrialRun.model_validate_json(text)
                if run.key not in found or found[run.key].state == "failed":
                    found[run.key] = run
        keys = self._study.user_attrs.get("keys", list(found))
        return [found[key] for key in keys if key in found]

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        with _quiet():
            return self._study.get_trials(deepcopy=False, states=states or None)


_GRACE = 60.0
"""Seconds after which a trial that nobody signed for is taken for lost."""


def _age(trial: FrozenTrial) -> float:
    began = trial.datetime_start
    return time.time() - began.timestamp() if began else 0.0


def _pruner(halving: int) -> BasePruner:
    if halving <= 1:
        return NopPruner()
    return SuccessiveHalvingPruner(min_resource=1, reduction_factor=halving)


def _myself() -> list[str]:
    return [os.uname().nodename, str(os.getpid()), _started(os.getpid())]


def _started(pid: int) -> str:
    """Return the start of a process in clock ticks, so that a number used again is told apart."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return "gone" if Path("/proc/self/stat").exists() else _asked(pid)
    fields = text.rpartition(")")[2].split()
    return "gone" if fields[0] == "Z" else fields[19]


def _asked(pid: int) -> str:
    """Where there is no /proc: whether a process of that number runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "gone"
    except PermissionError:
        return "runs"
    return "runs"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna's notes on its own workings from the user."""
    level: Any = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            warnings.simplefilter("ignore", FutureWarning)
            warnings.filterwarnings("ignore", message="Heartbeat of storage is supposed")
            # a training that was gone on with reports its last point again
            warnings.filterwarnings("ignore", message="The reported value is ignored")
            yield
    finally:
        optuna.logging.set_verbosity(level)
