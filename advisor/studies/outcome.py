"""What a search is asked for and what it finds; plain data, without Optuna."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from advisor.core.candidate import Candidate
from advisor.core.constraint import Constraint
from advisor.core.estimate import Estimate, Gap
from advisor.core.quantity import Metric
from advisor.core.ranking import front
from advisor.core.workload_table import WorkloadTable
from advisor.errors import UsageError

Answers = Mapping[Metric, Estimate | Gap]
"""What is known of one candidate."""
Assess = Callable[[Sequence[Candidate], WorkloadTable], Sequence[Answers]]
"""Assesses candidates, given their workloads row by row; one answer each, in order."""
SAMPLERS = ("nsga2", "nsga3", "tpe", "gp", "random")


class State(StrEnum):
    """How a trial ended."""

    COMPLETE = "complete"
    """Every objective and limit was assessed."""
    PRUNED = "pruned"
    """A limit on counted quantities is broken, so nothing was estimated."""
    FAILED = "failed"
    """It cannot be built, or a figure that was asked for is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """One search: where, for what, within which limits, for how long."""

    families: tuple[str, ...]
    """Names of the families that compete; they share the trials."""
    objectives: tuple[Metric, ...] = (Metric.TOP1, Metric.LATENCY)
    constraints: tuple[Constraint, ...] = ()
    trials: int = 1000
    """Trials in all, those of an earlier run of the study included."""
    seconds: float | None = None
    """Wall time after which no further trial starts."""
    stagnation: int | None = None
    """Trials without a new member of the front after which the search stops."""
    sampler: str = "nsga2"
    seed: int = 0
    start: tuple[Candidate, ...] = ()
    """Candidates to try first, such as the catalog's best within the limits."""
    neighbours: float = 0.5
    """Share of the trials that step from the front along one axis; 0 leaves all to the sampler."""
    storage: str = ""
    """Where the study is kept: a file (journal), ``sqlite:///FILE``, ``postgresql://…``,
    ``grpc://HOST:PORT``; empty for memory."""
    study: str = "search"
    """Name of the study in its storage."""
    resume: bool = False
    """Whether the study may exist already."""
    grace: int = 60
    """Seconds without a sign of life after which a database's workers repeat another's trial."""

    def __post_init__(self) -> None:
        if self.sampler not in SAMPLERS:
            known = ", ".join(SAMPLERS)
            raise UsageError(f"unknown sampler {self.sampler!r}; there are {known}")
        if not self.families or not self.objectives:
            raise UsageError("a search needs at least one family and one objective")
        if self.trials < 1:
            raise UsageError(f"a search needs at least one trial, not {self.trials}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One candidate that the search looked at."""

    number: int
    """Place in the search, from 0."""
    family: str
    candidate: Candidate
    state: State
    values: tuple[float, ...] = ()
    """The objectives in SI, in their order; empty unless complete."""
    answers: Answers = field(default_factory=dict)
    margins: Mapping[Metric, float] = field(default_factory=dict)
    """Room left under each limit as a share of it; negative where it may be broken."""
    reason: str = ""
    """Why it was pruned or failed."""

    @property
    def feasible(self) -> bool:
        """Whether it is complete and keeps every limit with its whole interval."""
        return self.state is State.COMPLETE and self.violation == 0.0

    @property
    def violation(self) -> float:
        """Sum over the limits of how far each is missed, as a share of it."""
        return sum(max(0.0, -margin) for margin in self.margins.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a running search stands."""

    done: int
    total: int
    feasible: int
    front: tuple[Trial, ...]
    """The current front, best first objective first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Convergence:
    """How good the front was after some trials."""

    trials: int
    hypervolume: float
    """Dominated share of the box that all feasible trials span, 0 to 1."""
    front: int
    """Members of the front."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOutcome:
    """What a search found."""

    request: SearchPlan
    trials: tuple[Trial, ...]
    front: tuple[Trial, ...]
    """Feasible trials that no other dominates, best first objective first."""
    nearest: tuple[Trial, ...]
    """Where nothing is feasible: the trials that miss the limits by least."""
    convergence: tuple[Convergence, ...]
    importances: Mapping[Metric, Mapping[str, float]]
    """Share of each objective's variation that an axis explains (PED-ANOVA), by objective."""
    stopped: str
    """Why it ended: trials, time, stagnation, interrupted, exhausted."""
    seconds: float
    """Wall time of this run."""


def costs(values: Sequence[float], objectives: Sequence[Metric]) -> tuple[float, ...]:
    """Turn objectives into numbers of which less is better."""
    pairs = zip(values, objectives, strict=True)
    return tuple(-v if metric.higher_is_better else v for v, metric in pairs)


def front_of(trials: Sequence[Trial], objectives: Sequence[Metric]) -> tuple[Trial, ...]:
    """Return the feasible trials that no other dominates, best first.

    Of trials with equal values the earliest stays: mostly one network by different axes.
    """
    distinct = {trial.values: trial for trial in reversed(trials) if trial.feasible}
    kept = list(distinct.values())
    members = [kept[place] for place in front([costs(t.values, objectives) for t in kept])]
    return tuple(sorted(members, key=lambda t: (costs(t.values, objectives), t.number)))


def nearest_of(trials: Sequence[Trial], count: int = 10) -> tuple[Trial, ...]:
    """Return the candidates that miss the limits by least, the nearest first."""
    complete = [trial for trial in reversed(trials) if trial.state is State.COMPLETE]
    distinct = {trial.candidate: trial for trial in complete if not trial.feasible}
    return tuple(sorted(distinct.values(), key=lambda t: (t.violation, t.number))[:count])
