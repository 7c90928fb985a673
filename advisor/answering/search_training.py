"""The search's closed loop: train the most promising variants, tell Optuna, search on.

Each round searches with what is known of the accuracy on the user's images: of trained variants
what was measured, of all others what a regression on the trained ones expects. The variants whose
training promises to enlarge the measured front most are trained next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from advisor.answering import write as answer
from advisor.answering.assess import LaneAssessor, Subject
from advisor.answering.complete import inputs_of
from advisor.answering.evidence import Evidence
from advisor.answering.judge import Demands, Judged, judge
from advisor.answering.recommend import assessor_on, recommendation
from advisor.answering.search import (
    OnProgress,
    SearchAnswer,
    SearchTask,
    lane_of,
    search_and_recommend,
    search_record,
    task_of,
    trained_networks,
)
from advisor.answering.trial import TrialTask, conduct
from advisor.answering.variants import assess_on, start_points, top1_at_precision
from advisor.core.candidate import Candidate
from advisor.core.document import Entry, Figure, TrainedVariant, UntrainedVariant
from advisor.core.estimate import Estimate, Gap, Interval, Origin, Provenance
from advisor.core.quantity import Metric
from advisor.core.request import SearchRequest
from advisor.core.workload_table import WorkloadTable
from advisor.errors import TrialError, UsageError
from advisor.estimators.accuracy.answers import series_of
from advisor.estimators.accuracy.storing import load
from advisor.hardware.library import advisor_home
from advisor.networks.pricing.prices import price
from advisor.studies.export import ToOnnx, export, file_stem
from advisor.studies.families import family
from advisor.studies.hypervolume import hypervolume
from advisor.studies.outcome import Answers, Assess, SearchOutcome, Trial, costs, front_of
from advisor.studies.searching import search
from advisor.trials.record import Recipe, Stage, TrialRecord, TrialRequest, TrialRun
from advisor.trials.trial_session import Tell, TrialProgress
from advisor.trials.unseen_models import Tried, UnseenModels

_REFERENCE = 1.1
"""Worst corner of the scaled objectives, from which the hypervolume counts."""


@dataclass(frozen=True, kw_only=True)
class Taught:
    """A variant that was trained on the user's images."""

    candidate: Candidate
    run: TrialRun
    record: TrialRecord
    round: int
    """From 1."""
    expected: Estimate | None
    """Accuracy that was expected before; None in the first round, where nothing was trained."""


def search_and_train(
    asked: SearchRequest,
    evidence: Evidence,
    *,
    progress: OnProgress | None = None,
    tell: Tell = lambda progress: None,  # noqa: ARG005
) -> SearchAnswer:
    """Search, train, search on; the answer ranks the trained variants by measured accuracy.

    Raises UsageError for options that do not go together, TrialError where nothing can be taught.
    """
    check_training(asked)
    task = task_of(asked)
    profile = evidence.profile(task.request.device)
    lane = lane_of(task.request, profile)
    assessor = assessor_on(lane, profile, task.request, evidence, refuse_unseen=True)
    loop = _Loop(asked=asked, task=task, evidence=evidence, assessor=assessor, progress=progress)
    taught = loop.run(tell)
    if not taught:
        return search_and_recommend(task, evidence, progress=progress)
    outcome = loop.searched(asked.rounds, taught)
    folder = loop.folder / "variants"
    judged = loop.judged(taught)
    records = (answer.lane_record(profile, lane, task.request, evidence),)
    document = recommendation(task.request, records, judged, evidence)
    record = search_record(task, outcome, trained_networks(task, assessor, evidence))
    record = record.model_copy(
        update={
            "variants": (),
            "data": taught[0].record.data.name,
            "taught": tuple(loop.written(taught, judged, folder)),
            "untaught": tuple(_untaught(outcome, taught)),
        }
    )
    document = document.model_copy(
        update={
            "command": asked.command(),
            "considered": len(outcome.trials),
            "ranked": _trained(document.ranked),
            "uncertain": _trained(document.uncertain),
            "search": record.without_points(),
            "inputs": inputs_of(document, evidence),
            "warnings": (*_told(taught), *document.warnings),
        }
    )
    return SearchAnswer(document=document, record=record, outcome=outcome)


def _trained(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    return tuple(entry.model_copy(update={"needs_training": False}) for entry in entries)


def check_training(asked: SearchRequest) -> None:
    """Raise UsageError for options that do not go together."""
    if asked.storage or asked.worker or asked.resume:
        raise UsageError(
            "--data: the rounds keep studies of their own; leave out --storage, --worker and "
            "--resume (the same command goes on where it was stopped)"
        )
    if Metric.TOP1 not in asked.objectives:
        raise UsageError("--data: the accuracy has to be an objective: --objective top1,latency")
    if asked.budget is not None and asked.epochs is not None:
        raise UsageError("--budget and --epochs: give one of them")


@dataclass(frozen=True, kw_only=True)
class _Loop:
    asked: SearchRequest
    task: SearchTask
    evidence: Evidence
    assessor: LaneAssessor
    progress: OnProgress | None

    @cached_property
    def folder(self) -> Path:
        """Where studies, checkpoints and files go; the same search finds it again."""
        if self.asked.folder:
            return Path(self.asked.folder)
        import hashlib

        key = hashlib.sha256(self.asked.command().encode()).hexdigest()[:16]
        return advisor_home() / "searches" / key

    @cached_property
    def _base(self) -> Assess:
        """Figures with the accuracy that ImageNet's recipe would reach."""
        return assess_on(self.assessor, load(self.evidence.root), self.task.recipe)

    def run(self, tell: Tell) -> list[Taught]:
        """Search and train round after round."""
        taught: list[Taught] = []
        for place in range(self.asked.rounds):
            outcome = self.searched(place, taught)
            known = {one.candidate for one in taught}
            chosen = promising(outcome, known, self.asked.train)
            if not chosen:
                break
            try:
                taught += self._round(place, chosen, taught, tell)
            except TrialError:
                if not taught:
                    raise
                break
        return taught

    def searched(self, place: int, taught: Sequence[Taught]) -> SearchOutcome:
        """Search a round; what was trained so far is told to Optuna first."""
        path = self.folder / f"round{place + 1}" / "search.log"
        path.unlink(missing_ok=True)
        families = [family(name) for name in self.task.search.families]
        start = [one.candidate for one in taught]
        start += start_points(families, self.evidence.weights)
        limits = self.task.search.constraints
        if not taught:  # nothing is known of the user's images, and ImageNet's top-1 is another
            limits = tuple(one for one in limits if one.metric is not Metric.TOP1)
        plan = replace(
            self.task.search,
            start=tuple(start),
            constraints=limits,
            storage=str(path),
            seed=self.task.search.seed + place,
        )
        return search(plan, self._assess(taught), progress=self.progress)

    def _assess(self, taught: Sequence[Taught]) -> Assess:
        if not taught:
            return self._base
        own = _OwnTop1(taught=taught, base=self._base, assessor=self.assessor)
        return own.assess

    def _round(
        self, place: int, chosen: Sequence[Trial], taught: Sequence[Taught], tell: Tell
    ) -> list[Taught]:
        asked = self.asked
        request = TrialRequest(
            data=asked.data,
            models=tuple(trial.candidate.name for trial in chosen),
            stages=(Stage.FINETUNE,),
            epochs=asked.epochs or 5.0,
            budget=None if asked.budget is None else asked.budget / asked.rounds,
            seed=asked.seed,
            recipe=Recipe(batch=asked.training_batch, mirror=asked.mirror),
            train_images=asked.train_images,
            test_images=asked.test_images,
            weights=asked.training_weights,
            threads=asked.training_threads,
            level=asked.confidence,
        )
        task = TrialTask(
            request=request, folder=self.folder / f"round{place + 1}", command=asked.command()
        )

        def told(one: TrialProgress) -> None:
            tell(replace(one, text=f"round {place + 1}, {one.text}"))

        record = conduct(task, tell=told)
        expected = {trial.candidate.name: trial.answers.get(Metric.TOP1) for trial in chosen}
        found = []
        for run in record.runs:
            if run.accuracy is None:
                continue
            before = expected[run.model] if taught else None
            found.append(
                Taught(
                    candidate=Candidate.parse(run.model),
                    run=run,
                    record=record,
                    round=place + 1,
                    expected=before if isinstance(before, Estimate) else None,
                )
            )
        return found

    def judged(self, taught: Sequence[Taught]) -> list[Judged]:
        """Judge the trained variants by what was measured of them."""
        table = price([one.candidate for one in taught])
        subjects = [
            Subject(
                candidate=one.candidate,
                resolution=one.run.resolution,
                weights=None,
                top1=measured_top1(one, self.assessor),
            )
            for one in taught
        ]
        demands = Demands.of(self.task.request, self.assessor.profile)
        found = self.assessor.assess(subjects, table)
        pairs = zip(subjects, found, strict=True)
        return [judge(subject, self.assessor.lane, one, demands) for subject, one in pairs]

    def written(
        self, taught: Sequence[Taught], judged: Sequence[Judged], folder: Path
    ) -> list[TrainedVariant]:
        """Write weights, ONNX and Python of every trained variant, and tell what it came to."""
        points = [one.assessment.estimates for one in judged]
        members = _members(points)
        found = []
        for place, (one, figures) in enumerate(zip(taught, points, strict=True)):
            files = write_variant(one, folder, figures, self.assessor.lane.runtime)
            latency = figures.get(Metric.LATENCY)
            found.append(
                TrainedVariant(
                    candidate=one.candidate.name,
                    round=one.round,
                    start=one.run.weights.statement,
                    epochs=one.run.epochs,
                    latency=Figure.of(latency) if latency is not None else None,
                    expected=Figure.of(one.expected) if one.expected is not None else None,
                    measured=Figure.of(_as_trained(one)),
                    on_front=place in members,
                    files=tuple(path.name for path in files),
                    folder=str(folder),
                )
            )
        return found


@dataclass(frozen=True, kw_only=True)
class _OwnTop1:
    """Accuracy on the user's images in place of ImageNet's."""

    taught: Sequence[Taught]
    base: Assess
    assessor: LaneAssessor

    def assess(self, candidates: Sequence[Candidate], table: WorkloadTable) -> list[Answers]:
        """Return what the base says, with the accuracy that is measured or to be expected."""
        found = self.base(candidates, table)
        return [
            {**own, Metric.TOP1: self._top1(candidate, own.get(Metric.TOP1))}
            for candidate, own in zip(candidates, found, strict=True)
        ]

    def _top1(self, candidate: Candidate, imagenet: Estimate | Gap | None) -> Estimate | Gap:
        one = self._measured.get(candidate)
        if one is not None:
            return measured_top1(one, self.assessor)
        if not isinstance(imagenet, Estimate):
            reason = "without an expected ImageNet top-1 to go by"
            return imagenet or Gap(metric=Metric.TOP1, reason=reason)
        level = self.assessor.level
        told = self._unseen.predict(candidate.name, _series(candidate), imagenet.value, level=level)
        name = self.taught[0].record.data.name
        return Estimate(
            metric=Metric.TOP1,
            value=told.value,
            interval=Interval(low=told.low, high=told.high, level=level),
            provenance=Provenance(
                origin=Origin.PREDICTED,
                source=f"from {len(self.taught)} variants trained on {name} and the ImageNet "
                "top-1 to be expected",
            ),
        )

    @cached_property
    def _measured(self) -> Mapping[Candidate, Taught]:
        return {one.candidate: one for one in self.taught}

    @cached_property
    def _unseen(self) -> UnseenModels:
        candidates = [one.candidate for one in self.taught]
        found = self.base(candidates, price(candidates))
        tried = []
        for one, figures in zip(self.taught, found, strict=True):
            imagenet, accuracy = figures.get(Metric.TOP1), one.run.accuracy
            assert accuracy is not None
            tried.append(
                Tried(
                    network=one.candidate.name,
                    family=_series(one.candidate),
                    imagenet=imagenet.value if isinstance(imagenet, Estimate) else None,
                    accuracy=accuracy.value,
                    images=accuracy.images,
                )
            )
        return UnseenModels(tried=tried)


def _series(candidate: Candidate) -> str:
    series = series_of(candidate.architecture)
    return series[0] if series else candidate.architecture


def measured_top1(one: Taught, assessor: LaneAssessor) -> Estimate | Gap:
    """Return the accuracy of a trained variant on the user's images, at a lane's precision."""
    return top1_at_precision(_as_trained(one), one.candidate.network, assessor)


def _as_trained(one: Taught) -> Estimate:
    """Return the accuracy on the test images, in the float precision of the training."""
    accuracy = one.run.accuracy
    assert accuracy is not None
    return Estimate(
        metric=Metric.TOP1,
        value=accuracy.value,
        interval=Interval(low=accuracy.low, high=accuracy.high, level=accuracy.level),
        provenance=Provenance(
            origin=Origin.MEASURED,
            source=f"trained on {one.record.data.name} for {one.run.epochs:.1f} epochs, "
            f"{accuracy.images} test images",
            date=one.record.created[:10],
        ),
    )


def promising(outcome: SearchOutcome, known: set[Candidate], count: int) -> list[Trial]:
    """Return the untrained variants whose training promises to enlarge the measured front most.

    One after another: the one that adds most to the hypervolume of those trained and chosen.
    """
    objectives = outcome.request.objectives
    trials = {t.candidate: t for t in reversed(outcome.trials) if t.feasible}
    trained = [t for t in trials.values() if t.candidate in known]
    pool = list(front_of([t for t in trials.values() if t.candidate not in known], objectives))
    if not pool:
        return []
    scaled = _scaled([*trained, *pool], outcome)
    base = [scaled[t.candidate] for t in trained]
    reference = [_REFERENCE] * len(objectives)
    chosen: list[Trial] = []
    while pool and len(chosen) < count:
        best = max(pool, key=lambda t: hypervolume([*base, scaled[t.candidate]], reference))
        pool.remove(best)
        base.append(scaled[best.candidate])
        chosen.append(best)
    return chosen


def _scaled(trials: Sequence[Trial], outcome: SearchOutcome) -> dict[Candidate, list[float]]:
    """Put the objectives on 0 to 1, all to be made small."""
    rows = np.array([costs(t.values, outcome.request.objectives) for t in trials])
    low, span = rows.min(axis=0), np.ptp(rows, axis=0)
    scaled = (rows - low) / np.where(span > 0, span, 1.0)
    return {t.candidate: row.tolist() for t, row in zip(trials, scaled, strict=True)}


def _members(points: Sequence[Mapping[Metric, Estimate]]) -> set[int]:
    """Return the places of those that no other one beats in latency and accuracy at once."""
    known = {
        place: (-p[Metric.TOP1].value, p[Metric.LATENCY].value)
        for place, p in enumerate(points)
        if Metric.TOP1 in p and Metric.LATENCY in p
    }
    return {
        place
        for place, own in known.items()
        if not any(
            all(a <= b for a, b in zip(other, own, strict=True)) and other != own
            for other in known.values()
        )
    }


def _untaught(outcome: SearchOutcome, taught: Sequence[Taught]) -> list[UntrainedVariant]:
    """Return the members of the last front that nobody trained, with what is expected of them."""
    known = {one.candidate for one in taught}
    found = []
    for trial in outcome.front:
        top1, latency = trial.answers.get(Metric.TOP1), trial.answers.get(Metric.LATENCY)
        if trial.candidate in known or not isinstance(top1, Estimate):
            continue
        figure = Figure.of(latency) if isinstance(latency, Estimate) else None
        found.append(
            UntrainedVariant(
                candidate=trial.candidate.name, latency=figure, expected=Figure.of(top1)
            )
        )
    return found


def write_variant(
    one: Taught, folder: Path, figures: Mapping[Metric, Estimate], runtime: str
) -> list[Path]:
    """Write YAML, Python, ONNX and weights of a trained variant."""
    from advisor.trials.verifying import taught_network

    network = taught_network(one.run, Path(one.record.folder), len(one.record.data.classes))
    files = export(
        one.candidate,
        folder,
        answers=dict(figures),
        lane=f"--runtime {runtime}",
        to_onnx=_to_onnx(network),
    )
    source = Path(one.record.folder) / one.run.checkpoint
    weights = folder / f"{file_stem(one.candidate)}.pt"
    weights.write_bytes(source.read_bytes())
    return [*files, weights]


def _to_onnx(network: Any) -> ToOnnx | None:
    from importlib.util import find_spec

    if find_spec("onnx") is None:
        return None
    from advisor.measuring.runtimes.onnx_export import export_onnx

    def write(_: Candidate, side: int, path: Path) -> None:
        export_onnx(network, np.zeros((1, 3, side, side), np.float32), path)

    return write


def _told(taught: Sequence[Taught]) -> list[str]:
    data = taught[0].record.data
    count = "1 variant was" if len(taught) == 1 else f"{len(taught)} variants were"
    told = [f"accuracy is that on {data.name}, not ImageNet's; {count} trained"]
    random = [
        one.candidate.name
        for one in taught
        if not one.run.weights.inherited and not one.run.weights.trained
    ]
    if random:
        count = "all" if len(random) == len(taught) else str(len(random))
        told.append(f"{count} of the variants trained started from random weights")
    return [*told, *data.warnings]
