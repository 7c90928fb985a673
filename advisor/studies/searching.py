"""Search: propose variants, price them, assess them, keep the front.

A batch of points is asked for, priced in one table and assessed together. What breaks a limit on
counted quantities is pruned before anything is estimated. Beside the sampler's proposals, some
step from the present front along one axis (Pareto local search, Paquete et al. 2004).
"""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from advisor.core.candidate import Candidate
from advisor.core.constraint import Constraint
from advisor.core.estimate import Estimate, Gap, Interval, Origin, Provenance
from advisor.core.quantity import Metric
from advisor.core.workload_table import WorkloadTable
from advisor.errors import NetworkError
from advisor.networks.blueprints.stock import Blueprint, blueprint, resolution_of
from advisor.networks.pricing.prices import price
from advisor.studies.families import Family, Point, family
from advisor.studies.hypervolume import hypervolume
from advisor.studies.moves import diagonal, distinct, gaps, neighbours
from advisor.studies.outcome import (
    Answers,
    Assess,
    Convergence,
    Progress,
    SearchOutcome,
    SearchPlan,
    State,
    Trial,
    costs,
    front_of,
    nearest_of,
)
from advisor.studies.study import (
    AskedTrial,
    Storage,
    Study,
    close_storage,
    is_shared,
    open_storage,
)

COUNTED = (Metric.MACS, Metric.PARAMETERS)
"""Metrics known from the workload alone, so that a limit on them prunes before any estimate."""
_POINTS = 50
"""Points of the convergence curve."""
_DIAGONAL = (0.0, 0.5, 1.0)
"""Shares of the axes' ranges at which a search starts."""
_DENSE_DIAGONAL = (0.0, 0.25, 0.5, 0.125, 0.375, 0.75, 1.0)
"""The same where several families share the trials, so that each soon has some within limits."""
_ROUNDS = 4
"""Least turns of each family where several share the trials."""
_COUNTS = Provenance(origin=Origin.ANALYTIC, source="workload/1")
OnProgress = Callable[[Progress], None]


def search(
    request: SearchPlan,
    assess: Assess,
    *,
    progress: OnProgress | None = None,
    importances: bool = True,
) -> SearchOutcome:
    """Search the families of a request and return what was found.

    ``progress`` is called after each batch; ``importances`` are left out where nobody reads them,
    as Optuna loads scikit-learn for them. An interrupt by the keyboard ends the search with
    what there is; the study stays in its storage.
    """
    storage = open_storage(request.storage, grace=request.grace)
    try:
        runs = _runs(request, assess, storage)
        outcome = _search(request, progress, runs)
        if not importances:
            return outcome
        return replace(outcome, importances=_importances(runs, request.objectives))
    finally:
        close_storage(storage)


def _search(request: SearchPlan, progress: OnProgress | None, runs: list["_Run"]) -> SearchOutcome:
    began = time.monotonic()
    log = _Log(request, runs)
    stopped = "interrupted"
    try:
        for run in runs:
            run.begin(request.start)
        stopped = _loop(request, runs, log, progress, began)
    except KeyboardInterrupt:
        log.take(())
    return _outcome(request, runs, log, stopped, time.monotonic() - began)


def run_worker(
    request: SearchPlan, assess: Assess, *, progress: OnProgress | None = None
) -> SearchOutcome:
    """Work on a shared study beside others until it has the trials of the request."""
    return search(replace(request, resume=True), assess, progress=progress)


def _runs(request: SearchPlan, assess: Assess, storage: Storage | None) -> list["_Run"]:
    runs = []
    for place, name in enumerate(request.families):
        study = Study(
            family(name),
            request.objectives,
            sampler=request.sampler,
            seed=request.seed + 1000 * place,
            storage=storage,
            name=f"{request.study}/{name}" if storage is not None else None,
            resume=request.resume,
        )
        runs.append(_Run(study, request, assess))
    return runs


def _loop(
    request: SearchPlan,
    runs: Sequence["_Run"],
    log: "_Log",
    progress: OnProgress | None,
    began: float,
) -> str:
    while True:
        stop = log.stop(began)
        if stop:
            return stop
        run = _next(runs, log.front)
        if run is None:
            return "exhausted"
        log.take(run.step(request.trials - log.done, log.front))
        if progress is not None:
            progress(log.progress())


def _next(runs: Sequence["_Run"], front: Sequence[Trial]) -> "_Run | None":
    """Pick the family whose turn it is: the fewest trials for its share of the front."""
    open_runs = [run for run in runs if not run.exhausted]
    members = [trial.family for trial in front]

    def load(run: "_Run") -> float:
        return len(run.trials) / (1 + members.count(run.family.name))

    return min(open_runs, key=load, default=None)


class _Log:
    """The trials of all families in order, and the front of them."""

    def __init__(self, request: SearchPlan, runs: Sequence["_Run"]) -> None:
        self._request = request
        self._runs = runs
        self.trials: list[Trial] = []
        self.front: tuple[Trial, ...] = ()
        self._fruitless = 0

    @property
    def done(self) -> int:
        """Trials finished, by all workers."""
        return sum(run.finished for run in self._runs)

    def take(self, new: Iterable[Trial]) -> None:
        """Add trials, give them their numbers and renew the front."""
        for run in self._runs:
            for place in range(run.logged, len(run.trials)):
                run.trials[place] = replace(run.trials[place], number=len(self.trials))
                self.trials.append(run.trials[place])
            run.logged = len(run.trials)
        count = len(tuple(new))
        before = {trial.candidate for trial in self.front}
        fresh = self.trials[-count:] if count else self.trials
        self.front = front_of([*self.front, *fresh], self._request.objectives)
        grown = not {trial.candidate for trial in self.front} <= before
        self._fruitless = 0 if grown else self._fruitless + count

    def stop(self, began: float) -> str:
        """Say why the search ends now; empty where it goes on."""
        request = self._request
        if self.done >= request.trials:
            return "trials"
        if request.seconds is not None and time.monotonic() - began >= request.seconds:
            return "time"
        if request.stagnation is not None and self._fruitless >= request.stagnation:
            return "stagnation"
        return ""

    def progress(self) -> Progress:
        """Return where the search stands."""
        feasible = sum(trial.feasible for trial in self.trials)
        total = self._request.trials
        return Progress(done=self.done, total=total, feasible=feasible, front=self.front)


class _Run:
    """The search of one family."""

    def __init__(self, study: Study, request: SearchPlan, assess: Assess) -> None:
        self.family: Family = study.family
        self.study = study
        self.trials: list[Trial] = []
        self.logged = 0
        self.exhausted = False
        self._request = request
        self._assess = assess
        self._shared = is_shared(request.storage)
        share = request.trials // (_ROUNDS * len(request.families))
        alone = len(request.families) == 1
        self._batch = study.batch if alone else max(1, min(study.batch, max(share, 5)))
        self._chance = random.Random(f"{request.seed}/{study.family.name}")
        self._seen: dict[Candidate, Trial] = {}
        self._networks: set[tuple[Blueprint, int]] = set()
        self._whole: list[Point] = []

    @property
    def finished(self) -> int:
        """Trials finished in this family, those of other workers included."""
        return len(self.study.finished()) if self._shared else len(self.trials)

    def begin(self, start: Sequence[Candidate]) -> None:
        """Take up what an earlier run found, and queue the points to start from."""
        self.absorb()
        if self.family.size <= self._request.trials:
            self._whole = self._all_networks()
        if not self.trials:
            points = [self.family.point(candidate) for candidate in start]
            first = [point for point in points if point is not None]
            shares = _DIAGONAL if len(self._request.families) == 1 else _DENSE_DIAGONAL
            first += [*self.family.defaults(), *diagonal(self.family, shares), *self._whole]
            first += [] if self._whole else self._scattered(self._batch - len(first))
            self.study.enqueue(distinct(first), unless_known=self._shared)

    def _scattered(self, count: int) -> list[Point]:
        """Return random points that can be built, for a first generation without gaps."""
        room = min(count, self._request.trials // 3)
        drawn = self.family.sample(self._chance, max(room, 0))
        points = [self.family.point(candidate) for candidate in drawn]
        return [point for point in points if point is not None]

    def _all_networks(self) -> list[Point]:
        """Return a point for each network of a space that fits into the trials."""
        kept: dict[tuple[Blueprint, int], Point] = {}
        for point in self.family.points():
            network = _network(self.family.candidate(point))
            if network is not None:
                kept.setdefault(network, point)
        return list(kept.values())

    def absorb(self) -> None:
        """Assess the finished trials of the study that this run has not seen, for their figures."""
        known = len(self.trials)
        earlier = self.study.finished()[known:] if not self._shared else self.study.finished()
        points = [old.point for old in earlier if old.state is not State.FAILED]
        fresh = [
            p for p in points if not self._shared or self.family.candidate(p) not in self._seen
        ]
        for place in range(0, len(fresh), 256):
            self.trials += self._trials(fresh[place : place + 256])

    def step(self, left: int, front: Sequence[Trial]) -> list[Trial]:
        """Ask for a batch of at most ``left`` points, assess them and tell the study."""
        count = min(left, self._batch)
        own = [trial for trial in front if trial.family == self.family.name]
        self._enqueue_neighbours(own or self._least_bad(), count)
        asked = self.study.ask(count)
        told = 0
        try:
            new = self._trials([item.point for item in asked])
            for item, trial in zip(asked, new, strict=True):
                self._tell(item, trial)
                told += 1
        except BaseException:
            for item in asked[told:]:
                self.study.tell(item, State.FAILED, reason="interrupted")
            raise
        self.trials += new
        searched = bool(self._whole) and len(self._networks) >= len(self._whole)
        self.exhausted = searched or all(t.state is State.FAILED for t in self.trials)
        return new

    def _least_bad(self) -> list[Trial]:
        return list(nearest_of(self.trials, 1))

    def _enqueue_neighbours(self, centres: Sequence[Trial], count: int) -> None:
        """Queue steps from the front; those from where it has wide gaps come more often."""
        share = self._request.neighbours
        wanted = round(count * share) if count > 1 else int(self._chance.random() < share)
        if not centres:
            return
        weights = gaps(centres, self._request.objectives)
        picked: dict[Candidate, Point] = {}
        for _ in range(4 * wanted):
            if len(picked) == wanted:
                break
            centre = self._chance.choices(centres, weights)[0]
            near = neighbours(self.family, centre.candidate)
            point = self._chance.choice(near) if near else {}
            candidate = self.family.candidate(point)
            if self._is_new(candidate):
                picked[candidate] = point
        self.study.enqueue(list(picked.values()))

    def _is_new(self, candidate: Candidate) -> bool:
        """Tell whether neither the candidate nor the same network by other axes was seen."""
        network = _network(candidate)
        return network is not None and network not in self._networks

    def _tell(self, asked: AskedTrial, trial: Trial) -> None:
        self.study.tell(
            asked, trial.state, trial.values, margins=trial.margins, reason=trial.reason
        )

    def _trials(self, points: Sequence[Point]) -> list[Trial]:
        """Assess points, those seen before from memory."""
        candidates = [self.family.candidate(point) for point in points]
        new = [c for c in dict.fromkeys(candidates) if c not in self._seen]
        for trial in self._look(new):
            self._seen[trial.candidate] = trial
        return [self._seen[candidate] for candidate in candidates]

    def _look(self, candidates: Sequence[Candidate]) -> list[Trial]:
        buildable, trials = [], []
        for candidate in candidates:
            try:
                self._networks.add((blueprint(candidate), resolution_of(candidate)))
            except NetworkError as error:
                trials.append(self._trial(candidate, State.FAILED, reason=str(error)))
            else:
                buildable.append(candidate)
        table = price(buildable)
        kept = []
        for row, candidate in enumerate(buildable):
            margins = _counted_margins(table, row, self._request.constraints)
            broken = [metric.label for metric, margin in margins.items() if margin < 0]
            if broken:
                reason = f"{' and '.join(broken)} beyond the limit"
                pruned = self._trial(candidate, State.PRUNED, margins=margins, reason=reason)
                trials.append(pruned)
            else:
                kept.append(row)
        return trials + self.assessed([buildable[row] for row in kept], table.rows(kept))

    def assessed(self, candidates: Sequence[Candidate], table: WorkloadTable) -> list[Trial]:
        """Assess priced candidates."""
        if not candidates:
            return []
        answers = self._assess(candidates, table)
        found = zip(candidates, answers, range(len(candidates)), strict=True)
        return [self._judged(c, {**_counts(table, row), **own}) for c, own, row in found]

    def _judged(self, candidate: Candidate, answers: Answers) -> Trial:
        wanted = [*self._request.objectives, *(c.metric for c in self._request.constraints)]
        missing = [answers.get(metric) for metric in wanted]
        gap = next((m for m in missing if not isinstance(m, Estimate)), None)
        if any(not isinstance(m, Estimate) for m in missing):
            reason = (
                gap.reason if isinstance(gap, Gap) else "a figure that was asked for is missing"
            )
            return self._trial(candidate, State.FAILED, answers=answers, reason=reason)
        known = {m: e for m, e in answers.items() if isinstance(e, Estimate)}
        margins = {c.metric: c.margin(known[c.metric]) for c in self._request.constraints}
        values = tuple(known[metric].value for metric in self._request.objectives)
        return replace(
            self._trial(candidate, State.COMPLETE, answers=answers, margins=margins),
            values=values,
        )

    def _trial(
        self,
        candidate: Candidate,
        state: State,
        *,
        answers: Answers | None = None,
        margins: Mapping[Metric, float] | None = None,
        reason: str = "",
    ) -> Trial:
        return Trial(
            number=-1,
            family=self.family.name,
            candidate=candidate,
            state=state,
            answers=answers or {},
            margins=margins or {},
            reason=reason,
        )


def _counts(table: WorkloadTable, row: int) -> dict[Metric, Estimate]:
    return {
        Metric.MACS: _counted(Metric.MACS, float(table.macs[row])),
        Metric.PARAMETERS: _counted(Metric.PARAMETERS, float(table.parameters[row])),
    }


def _counted(metric: Metric, value: float) -> Estimate:
    return Estimate(metric=metric, value=value, interval=Interval.exact(value), provenance=_COUNTS)


def _counted_margins(
    table: WorkloadTable, row: int, constraints: Sequence[Constraint]
) -> dict[Metric, float]:
    counts = _counts(table, row)
    limits = [c for c in constraints if c.metric in COUNTED]
    return {c.metric: c.margin(counts[c.metric]) for c in limits}


def _network(candidate: Candidate) -> tuple[Blueprint, int] | None:
    """Return what tells networks apart, however their axes are spelled; None for none."""
    try:
        return blueprint(candidate), resolution_of(candidate)
    except NetworkError:
        return None


def _outcome(
    request: SearchPlan,
    runs: Sequence[_Run],
    log: _Log,
    stopped: str,
    seconds: float,
) -> SearchOutcome:
    for run in runs:
        if is_shared(request.storage):
            run.absorb()
    log.take(())
    trials = tuple(log.trials)
    return SearchOutcome(
        request=request,
        trials=trials,
        front=log.front,
        nearest=() if log.front else _nearest(runs, trials),
        convergence=convergence(trials, request.objectives),
        importances={},
        stopped=stopped,
        seconds=seconds,
    )


def _nearest(runs: Sequence[_Run], trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """Return the nearest misses; what was pruned is assessed now where it is among them."""
    missed: list[Trial] = list(nearest_of(trials))
    for run in runs:
        own = {t.candidate: t for t in trials if t.family == run.family.name}
        pruned = [t for t in own.values() if t.state is State.PRUNED]
        closest = [t.candidate for t in sorted(pruned, key=lambda t: t.violation)[:10]]
        missed += run.assessed(closest, price(closest))
    return nearest_of(missed)


def convergence(trials: Sequence[Trial], objectives: Sequence[Metric]) -> tuple[Convergence, ...]:
    """Return the front's share of the box spanned by all feasible trials, as trials were added."""
    points = [costs(t.values, objectives) for t in trials if t.feasible]
    if not points:
        return ()
    low = [min(column) for column in zip(*points, strict=True)]
    high = [max(column) for column in zip(*points, strict=True)]
    span = [(b - a) or 1.0 for a, b in zip(low, high, strict=True)]
    curve: list[Convergence] = []
    members: tuple[Trial, ...] = ()
    every = max(1, len(trials) // _POINTS)
    for end in range(every, len(trials) + every, every):
        members = front_of([*members, *trials[end - every : end]], objectives)
        scaled = [
            [(x - a) / s for x, a, s in zip(costs(t.values, objectives), low, span, strict=True)]
            for t in members
        ]
        # just beyond the worst, so that the ends of the front count too
        volume = hypervolume(scaled, [1.01] * len(objectives)) / 1.01 ** len(objectives)
        count = min(end, len(trials))
        curve.append(Convergence(trials=count, hypervolume=volume, front=len(members)))
    return tuple(curve)


def _importances(
    runs: Sequence[_Run], objectives: Sequence[Metric]
) -> dict[Metric, dict[str, float]]:
    """Return the shares by objective; with several families those of the most tried one."""
    most = max(runs, key=lambda run: len(run.trials))
    return {metric: most.study.importances(place) for place, metric in enumerate(objectives)}
