"""Search how much of each group of layers goes, and at which precision: a study of Optuna.

Two objectives, accuracy on the validation images and latency; the sampler is a multivariate TPE
(Ozaki et al. 2020, DOI 10.1145/3377930.3389817). The study lies in a file: a search that was
stopped goes on.
"""

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import TrialState

GROUPS = 4
"""Groups of layers, from the input to the classes, that each have a share of their own."""
STEP, MOST = 0.1, 0.8
"""Shares of the channels that may go."""
_EARLY = 8
"""Trials drawn at random before the sampler has something to go by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PruningPlan:
    """What one trial does to a network."""

    shares: tuple[float, ...]
    """Of the channels of each group that go."""
    precision: str
    """fp32 or int8."""

    @property
    def name(self) -> str:
        """What to call it in front of people."""
        told = ", ".join(f"{100 * share:.0f}" for share in self.shares)
        return f"{told} % pruned{', int8' if self.precision == 'int8' else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOutcome:
    """What a plan came to."""

    plan: PruningPlan
    accuracy: float
    """On the validation images; a fraction."""
    latency: float
    """Seconds, the unfavourable end of what is known."""


class PruningStudy:
    """Proposes plans and is told what they came to."""

    def __init__(
        self, path: Path, *, precisions: Sequence[str], most: float | None, seed: int
    ) -> None:
        """Open the study in a file; ``most`` is the limit on the latency in seconds."""
        self._precisions, self._most = list(precisions), most
        with _quiet():
            self._study = optuna.create_study(
                storage=JournalStorage(JournalFileBackend(str(path))),
                study_name="pruning",
                directions=[StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE],
                load_if_exists=True,
            )
            done = len(self._study.get_trials(deepcopy=False))
            self._study.sampler = optuna.samplers.TPESampler(
                seed=seed + done,
                n_startup_trials=_EARLY,
                multivariate=True,
            )
            if not done:
                self._begin()

    def _begin(self) -> None:
        """Try an even share first, with each precision."""
        for precision in self._precisions:
            shares = {f"group{n}": 0.5 for n in range(GROUPS)}
            self._study.enqueue_trial({**shares, "precision": precision})

    @property
    def done(self) -> int:
        """Trials with a result."""
        return len(self.outcomes())

    def ask(self) -> tuple[int, PruningPlan]:
        """Return the number of a trial and what it is to do."""
        with _quiet():
            trial = self._study.ask()
            shares = tuple(
                round(trial.suggest_float(f"group{n}", 0.0, MOST, step=STEP), 3)
                for n in range(GROUPS)
            )
            precision = trial.suggest_categorical("precision", self._precisions)
        return trial.number, PruningPlan(shares=shares, precision=precision)

    def tell(self, number: int, found: PlanOutcome | None) -> None:
        """Hand a result in; None where the network cannot be pruned so."""
        with _quiet():
            if found is None:
                self._study.tell(number, state=TrialState.FAIL)
                return
            trial = optuna.Trial(self._study, self._id(number))
            trial.set_user_attr("plan", json.dumps([list(found.plan.shares), found.plan.precision]))
            if self._most is not None:
                trial.set_constraint("latency", found.latency / self._most - 1)
            self._study.tell(number, [found.accuracy, found.latency])

    def _id(self, number: int) -> int:
        return next(
            t._trial_id for t in self._study.get_trials(deepcopy=False) if t.number == number
        )

    def outcomes(self) -> list[PlanOutcome]:
        """Return all results, in order."""
        found = []
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
            shares, precision = json.loads(trial.user_attrs["plan"])
            plan = PruningPlan(shares=tuple(shares), precision=precision)
            accuracy, latency = trial.values
            found.append(PlanOutcome(plan=plan, accuracy=accuracy, latency=latency))
        return found

    def best(self) -> PlanOutcome | None:
        """Return the most accurate plan that keeps the limit; the quickest where none does.

        Without a limit the one at the knee: farthest above the line between the ends of the front.
        """
        found = self.outcomes()
        if not found:
            return None
        if self._most is None:
            return knee(found)
        kept = [one for one in found if one.latency <= self._most]
        if not kept:
            return min(found, key=lambda one: one.latency)
        return max(kept, key=lambda one: (one.accuracy, -one.latency))


def knee(found: Sequence[PlanOutcome]) -> PlanOutcome:
    """Return the outcome farthest above the line from the quickest to the most accurate one."""
    quick = min(found, key=lambda one: (one.latency, -one.accuracy))
    sure = max(found, key=lambda one: (one.accuracy, -one.latency))
    reach = (sure.latency - quick.latency) or 1.0
    rise = sure.accuracy - quick.accuracy

    def above(one: PlanOutcome) -> float:
        return one.accuracy - quick.accuracy - rise * (one.latency - quick.latency) / reach

    return max(found, key=lambda one: (above(one), one.accuracy))


@contextmanager
def _quiet() -> Iterator[None]:
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # what fails is told in one line of ours
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        optuna.logging.set_verbosity(level)
