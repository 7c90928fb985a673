"""Answer by searching: the front of a search as a recommendation, with the record of the search."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from advisor.answering import write as answer
from advisor.answering.assess import LaneAssessor
from advisor.answering.complete import inputs_of
from advisor.answering.evidence import Evidence
from advisor.answering.judge import Demands, Judged, judge
from advisor.answering.recommend import assessor_on, judged_networks, propose, recommendation
from advisor.answering.variants import assess_on, assess_variants, nearest_trained, start_points
from advisor.core.constraint import Verdict
from advisor.core.document import (
    ConvergencePoint,
    Entry,
    Recommendation,
    SearchedPoint,
    SearchedVariant,
    SearchRecord,
)
from advisor.core.estimate import Assessment, Estimate
from advisor.core.lane import Lane
from advisor.core.quantity import Metric
from advisor.core.request import Request, SearchRequest
from advisor.errors import UsageError
from advisor.estimators.accuracy.answers import reference_recipe
from advisor.estimators.accuracy.model import VariantAccuracy
from advisor.estimators.accuracy.storing import load
from advisor.hardware.lanes import lanes_for
from advisor.hardware.profile import DeviceProfile
from advisor.studies.families import families, family
from advisor.studies.outcome import Progress, SearchOutcome, SearchPlan, State, Trial
from advisor.studies.searching import search
from advisor.studies.training import training_compute

OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, kw_only=True)
class SearchTask:
    """A search on the lane of a request."""

    request: Request
    search: SearchPlan
    recipe: str | None
    """Training recipe whose accuracy is meant; None takes each family's reference recipe."""


@dataclass(frozen=True, kw_only=True)
class SearchAnswer:
    """The front in the form of a recommendation, and how it was found."""

    document: Recommendation
    record: SearchRecord
    outcome: SearchOutcome


def task_of(asked: SearchRequest) -> SearchTask:
    """Split a request into what its variants are judged by and how they are sought."""
    request = Request(
        device=asked.device,
        **asked.question_fields(),
        limits=asked.limits,
        confidence=asked.confidence,
        search=asked.trials,
        top=asked.top,
        seed=asked.seed,
    )
    plan = SearchPlan(
        families=asked.families,
        objectives=asked.objectives,
        constraints=asked.limits,
        trials=asked.trials,
        seconds=asked.seconds,
        stagnation=asked.stagnation,
        sampler=asked.sampler,
        seed=asked.seed,
        storage=asked.storage,
        study=asked.study,
        resume=asked.resume or asked.worker,
    )
    return SearchTask(request=request, search=plan, recipe=asked.recipe)


def lane_of(request: Request, profile: DeviceProfile) -> Lane:
    """Return the one lane a search runs on; raises UsageError where several compete."""
    lanes = lanes_for(profile, request)
    if len(lanes) > 1:
        raise UsageError("a search runs on one lane; give one --precision")
    return lanes[0]


def search_and_recommend(
    task: SearchTask,
    evidence: Evidence,
    *,
    progress: OnProgress | None = None,
    importances: bool = True,
) -> SearchAnswer:
    """Search on the request's lane and write the front as a recommendation.

    Raises UsageError for an unknown family or recipe, AdvisorError where the study's storage
    cannot be opened.
    """
    profile = evidence.profile(task.request.device)
    lane = lane_of(task.request, profile)
    assessor = assessor_on(lane, profile, task.request, evidence, refuse_unseen=True)
    accuracy = load(evidence.root)
    start = start_points([family(name) for name in task.search.families], evidence.weights)
    outcome = search(
        replace(task.search, start=(*task.search.start, *start)),
        assess_on(assessor, accuracy, task.recipe),
        progress=progress,
        importances=importances,
    )
    judged = judged_trials(outcome, task, assessor, accuracy)
    records = (answer.lane_record(profile, lane, task.request, evidence),)
    document = recommendation(task.request, records, judged, evidence)
    record = search_record(task, outcome, trained_networks(task, assessor, evidence))
    return SearchAnswer(
        document=_named(document, task, outcome).model_copy(
            update={
                "search": record.without_points(),
                "inputs": inputs_of(document, evidence),
            }
        ),
        record=record,
        outcome=outcome,
    )


def recommend_with_variants(
    request: Request, evidence: Evidence, *, progress: OnProgress | None = None
) -> Recommendation:
    """Answer a request with the catalog's networks and ``request.search`` searched variants.

    Every family competes; lanes that compete share the trials. The variants that enter are the
    front of the search, or its nearest misses.
    """
    profile = evidence.profile(request.device)
    lanes = lanes_for(profile, request)
    judged = judged_networks(request, profile, lanes, evidence)
    accuracy = load(evidence.root)
    constraints = request.limits
    wanted = SearchPlan(
        families=tuple(families()),
        constraints=constraints,
        trials=max(1, request.search // len(lanes)),
        seed=request.seed,
        start=start_points(list(families().values()), evidence.weights),
    )
    trained = [one for one in judged if not one.subject.candidate.needs_training]
    taken = {(one.subject.candidate.network, one.subject.resolution) for one in judged}
    variants: list[Judged] = []
    searched: list[SearchRecord] = []
    for lane in lanes:
        assessor = assessor_on(lane, profile, request, evidence, refuse_unseen=True)
        outcome = search(wanted, assess_on(assessor, accuracy), progress=progress)
        task = SearchTask(request=request, search=wanted, recipe=None)
        new = [
            one
            for one in judged_trials(outcome, task, assessor, accuracy)
            if (one.subject.candidate.network, one.subject.resolution) not in taken
        ]
        known = [(one.name, one.assessment) for one in trained if one.lane == lane]
        searched.append(_only(search_record(task, outcome, known), {one.name for one in new}))
        variants += competing(new, [one for one in trained if one.lane == lane])
    untrained = frozenset(one.name for one in variants)
    records = tuple(answer.lane_record(profile, lane, request, evidence) for lane in lanes)
    document = recommendation(request, records, [*judged, *variants], evidence)
    return document.model_copy(
        update={
            "ranked": _untrained(document.ranked, untrained),
            "uncertain": _untrained(document.uncertain, untrained),
            "search": searched[0],
        }
    )


FAR = 0.02
"""Top-1 by which a variant may trail a trained network that is not slower, and still compete."""


def competing(variants: Sequence[Judged], trained: Sequence[Judged]) -> list[Judged]:
    """Leave out the variants far below the front of what is trained and meets every limit."""
    known = [one.values() for one in trained if one.verdict is Verdict.MET]
    points = [
        (values[Metric.LATENCY], values[Metric.TOP1])
        for values in known
        if Metric.LATENCY in values and Metric.TOP1 in values
    ]

    def is_far(one: Judged) -> bool:
        own = one.values()
        if Metric.LATENCY not in own or Metric.TOP1 not in own:
            return False
        quick = [top1 for latency, top1 in points if latency <= own[Metric.LATENCY]]
        return max(quick, default=0.0) > own[Metric.TOP1] + FAR

    return [one for one in variants if not is_far(one)]


def _only(record: SearchRecord, names: Collection[str]) -> SearchRecord:
    """Return a record without its trials and without variants that are trained already."""
    kept = tuple(one for one in record.variants if one.candidate in names)
    return record.without_points().model_copy(update={"variants": kept})


def _untrained(entries: Sequence[Entry], names: frozenset[str]) -> tuple[Entry, ...]:
    """Mark the named entries as needing training, and by which recipe."""
    return tuple(
        entry.model_copy(
            update={"needs_training": True, "recipe": reference_recipe(entry.architecture)}
        )
        if entry.candidate in names
        else entry
        for entry in entries
    )


def judged_trials(
    outcome: SearchOutcome, task: SearchTask, assessor: LaneAssessor, accuracy: VariantAccuracy
) -> list[Judged]:
    """Judge the front, or the nearest misses where nothing is feasible."""
    chosen = [trial.candidate for trial in outcome.front or outcome.nearest]
    if not chosen:
        return []
    demands = Demands.of(task.request, assessor.profile)
    found = assess_variants(chosen, assessor, accuracy, task.recipe)
    return [judge(subject, assessor.lane, one, demands) for subject, one in found]


def _named(document: Recommendation, task: SearchTask, outcome: SearchOutcome) -> Recommendation:
    """Say in a document how much was searched and by which recipe its variants are trained."""

    def named(entries: Sequence[Entry]) -> tuple[Entry, ...]:
        return tuple(
            entry.model_copy(
                update={
                    "recipe": task.recipe or reference_recipe(entry.architecture),
                    "needs_training": True,
                }
            )
            for entry in entries
        )

    return document.model_copy(
        update={
            "considered": len(outcome.trials),
            "ranked": named(document.ranked),
            "uncertain": named(document.uncertain),
        }
    )


def trained_networks(
    task: SearchTask, assessor: LaneAssessor, evidence: Evidence
) -> list[tuple[str, Assessment]]:
    """Assess the catalog's trained networks on a lane, by name."""
    subjects = propose(task.request, evidence)
    rows = [evidence.table.index[s.candidate.network, s.resolution] for s in subjects]
    found = assessor.assess(subjects, evidence.table.rows(rows))
    return [(s.name, one) for s, one in zip(subjects, found, strict=True)]


def search_record(
    task: SearchTask, outcome: SearchOutcome, trained: Sequence[tuple[str, Assessment]]
) -> SearchRecord:
    """Write a search down; ``trained`` are networks that its variants are compared with."""
    known = {name: one.estimates for name, one in trained}
    states = [trial.state for trial in outcome.trials]
    return SearchRecord(
        families=task.search.families,
        objectives=task.search.objectives,
        sampler=task.search.sampler,
        seed=task.search.seed,
        trials=len(outcome.trials),
        pruned=states.count(State.PRUNED),
        failed=states.count(State.FAILED),
        feasible=sum(trial.feasible for trial in outcome.trials),
        stopped=outcome.stopped,
        seconds=outcome.seconds,
        variants=tuple(_variant(trial, task, known) for trial in outcome.front or outcome.nearest),
        points=tuple(_point(trial) for trial in outcome.trials),
        convergence=tuple(
            ConvergencePoint(trials=c.trials, hypervolume=c.hypervolume, front=c.front)
            for c in outcome.convergence
        ),
        importances={metric: dict(shares) for metric, shares in outcome.importances.items()},
    )


def _point(trial: Trial) -> SearchedPoint:
    return SearchedPoint(
        number=trial.number,
        family=trial.family,
        candidate=trial.candidate.name,
        feasible=trial.feasible,
        values=trial.values,
    )


def _variant(
    trial: Trial, task: SearchTask, trained: Mapping[str, Mapping[Metric, Estimate]]
) -> SearchedVariant:
    macs = trial.answers[Metric.MACS]
    assert isinstance(macs, Estimate)
    cost = training_compute(family(trial.family), macs.value)
    nearest = nearest_trained(trial, trained)
    return SearchedVariant(
        candidate=trial.candidate.name,
        family=trial.family,
        recipe=task.recipe or reference_recipe(trial.candidate.architecture),
        epochs=cost.epochs,
        epochs_basis=cost.basis,
        images=cost.images,
        macs=macs.value,
        training_macs=cost.macs,
        trained=nearest.name if nearest else "",
        trained_top1_lost=nearest.top1_lost if nearest else 0.0,
        trained_latency_ratio=nearest.latency_ratio if nearest else 0.0,
    )
