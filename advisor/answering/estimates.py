"""Estimates of named candidates, without a ranking."""

from collections.abc import Sequence
from dataclasses import replace

from advisor.answering import write as answer
from advisor.answering.assess import LaneAssessor, Subject
from advisor.answering.evidence import Evidence
from advisor.answering.recommend import assessor_on, workloads
from advisor.catalog.claims import claims_about
from advisor.core.candidate import Candidate
from advisor.core.document import EstimateEntry, Estimates, LaneRecord
from advisor.core.quantity import Metric
from advisor.core.request import CompareRequest, EstimateRequest
from advisor.hardware.lanes import lanes_for

COMPARED = (Metric.LATENCY, Metric.THROUGHPUT, Metric.TOP1, Metric.PEAK_MEMORY, Metric.WEIGHTS)
"""Metrics that a comparison shows."""


def estimate(request: EstimateRequest, evidence: Evidence) -> Estimates:
    """Estimate candidates on the lanes of some devices, without judging them.

    Raises UsageError for unknown candidates, devices and recipes.
    """
    subjects = subjects_named(request.candidates, evidence)
    return _estimates(request, subjects, evidence, request.metrics, request.recipe)


def compare(request: CompareRequest, evidence: Evidence) -> Estimates:
    """Put candidates side by side, with the well-known claims about their families."""
    subjects = subjects_named(request.candidates, evidence)
    document = _estimates(request, subjects, evidence, COMPARED, None)
    names = [subject.candidate.architecture for subject in subjects]
    return document.model_copy(update={"claims": claims_about(names, evidence.root)})


def _estimates(
    asked: CompareRequest,
    subjects: Sequence[Subject],
    evidence: Evidence,
    metrics: Sequence[Metric],
    recipe: str | None,
) -> Estimates:
    """Assess subjects on the lanes asked for.

    ``recipe`` names the training whose accuracy is meant; None means the published weights, and
    where there are none the reference recipe of the family.
    """
    records: list[LaneRecord] = []
    found: list[EstimateEntry] = []
    for request in asked.on_each_device():
        profile = evidence.profiles.load(request.device)
        for lane in lanes_for(profile, request):
            records.append(answer.lane_record(profile, lane, request, evidence))
            assessor = assessor_on(lane, profile, request, evidence)
            trained = with_recipe(subjects, assessor, evidence, recipe)
            assessed = assessor.assess(trained, workloads(trained, evidence))
            found += [
                answer.estimate_entry(subject, lane, assessment, metrics)
                for subject, assessment in zip(trained, assessed, strict=True)
            ]
    return Estimates(
        advisor_version=answer.version(),
        created=answer.now(),
        command=asked.command(),
        lanes=tuple(records),
        estimates=tuple(found),
    )


def with_recipe(
    subjects: Sequence[Subject], assessor: LaneAssessor, evidence: Evidence, recipe: str | None
) -> list[Subject]:
    """Give the accuracy of a training recipe to the subjects that have no published weights.

    With a recipe named it replaces that of published weights, too. Networks without a published
    series of variants stay as they are.
    """
    asked = [i for i, s in enumerate(subjects) if recipe or s.weights is None]
    if not asked:
        return list(subjects)
    from advisor.answering.variants import recipe_estimates
    from advisor.estimators.accuracy.storing import load

    candidates = [subjects[i].candidate for i in asked]
    top1 = recipe_estimates(candidates, assessor, load(evidence.root), recipe)
    found = list(subjects)
    for i, estimate in zip(asked, top1, strict=True):
        if estimate is not None:
            found[i] = replace(found[i], top1=estimate)
    return found


def subjects_named(patterns: Sequence[str], evidence: Evidence) -> list[Subject]:
    """Resolve spellings to subjects with the weights that fit their input."""
    return [subject_of(candidate, evidence) for candidate in evidence.candidates(patterns)]


def subject_of(candidate: Candidate, evidence: Evidence) -> Subject:
    """Attach the published weights of a candidate, where the input fits them."""
    resolution = candidate.resolution or evidence.default_resolution(candidate)
    published = () if candidate.axes else evidence.weights_of(candidate.architecture)
    alike = [w for w in published if w.tag == candidate.tag]
    weights = next((w for w in alike if w.resolution == resolution), None)
    return Subject(
        candidate=replace(candidate, resolution=resolution),
        resolution=resolution,
        weights=weights,
        implied=weights is not None and weights is alike[0],
    )
