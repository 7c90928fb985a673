"""Estimates of named candidates, without a ranking."""

from collections.abc import Sequence
from dataclasses import replace

from advisor import __version__
from advisor.answering import write as answer
from advisor.answering.assess import LaneAssessor, Subject
from advisor.answering.evidence import Evidence
from advisor.answering.recommend import assessor_on, workloads
from advisor.catalog.claims import claims_about
from advisor.core.candidate import Candidate
from advisor.core.document import EstimateEntry, Estimates, LaneRecord
from advisor.core.estimate import Gap
from advisor.core.lane import Lane
from advisor.core.quantity import Metric
from advisor.core.request import CompareRequest, EstimateRequest
from advisor.errors import UsageError
from advisor.hardware.lanes import lanes_for
from advisor.networks import NO_INPUTS, InputSizes, is_foreign

COMPARED = (Metric.LATENCY, Metric.THROUGHPUT, Metric.TOP1, Metric.PEAK_MEMORY, Metric.WEIGHTS)
"""Metrics that a comparison shows."""


def estimate(request: EstimateRequest, evidence: Evidence) -> Estimates:
    """Estimate candidates on the lanes of some devices, without judging them.

    Raises UsageError for unknown candidates, devices and recipes.
    """
    subjects = subjects_named(
        request.candidates, evidence, _lanes(request, evidence), request.inputs
    )
    return _estimates(request, subjects, evidence, request.metrics, request.recipe)


def compare(request: CompareRequest, evidence: Evidence) -> Estimates:
    """Put candidates side by side, with the well-known claims about their families."""
    subjects = subjects_named(
        request.candidates, evidence, _lanes(request, evidence), request.inputs
    )
    document = _estimates(request, subjects, evidence, COMPARED, None)
    names = [subject.candidate.architecture for subject in subjects]
    return document.model_copy(update={"claims": claims_about(names, evidence.root)})


def _lanes(asked: CompareRequest, evidence: Evidence) -> list[Lane]:
    """The lanes of all devices, in order."""
    return [
        lane
        for request in asked.on_each_device()
        for lane in lanes_for(evidence.profile(request.device), request)
    ]


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
        profile = evidence.profile(request.device)
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
        advisor_version=__version__,
        created=answer.now(),
        command=asked.command(),
        lanes=tuple(records),
        estimates=tuple(found),
    )


def with_recipe(
    subjects: Sequence[Subject], assessor: LaneAssessor, evidence: Evidence, recipe: str | None
) -> list[Subject]:
    """Give the accuracy of a training recipe to the subjects that have no published weights.

    With a recipe named it replaces that of published weights, too, and is a gap where nobody
    published a series trained by it. Without one, networks of no published series stay as they are.
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
        elif recipe:
            found[i] = replace(found[i], top1=_untrained(found[i], recipe))
    return found


def _untrained(subject: Subject, recipe: str) -> Gap:
    name = subject.candidate.architecture
    reason = f"no published accuracy of {name} or its series trained by the recipe {recipe}"
    return Gap(metric=Metric.TOP1, reason=reason)


def subjects_named(
    patterns: Sequence[str],
    evidence: Evidence,
    lanes: Sequence[Lane] = (),
    inputs: InputSizes = NO_INPUTS,
) -> list[Subject]:
    """Resolve spellings to subjects with the weights that fit their input.

    A name without weights and input size means the input that was measured in the first of
    ``lanes`` with a figure of it, so that it is the evidence that answers; else the weights' own.
    ``inputs`` are those of the user's own networks, by name.
    """
    if inputs and not any(map(is_foreign, patterns)):
        raise UsageError(
            "--input: the inputs of the catalog's networks are known; write "
            f"{patterns[0].partition('@')[0]}@192 for another size"
        )
    found: dict[str, Subject] = {}
    for pattern in patterns:
        for candidate in evidence.candidates([_sized(pattern, evidence, lanes)], inputs):
            found.setdefault(candidate.name, subject_of(candidate, evidence))
    return list(found.values())


def _sized(pattern: str, evidence: Evidence, lanes: Sequence[Lane]) -> str:
    """Add the input size with evidence to a plain name of the catalog."""
    if pattern not in evidence.architectures:
        return pattern
    trained = {weights.resolution for weights in evidence.weights_of(pattern)}
    for lane in lanes:
        measured = evidence.resolutions_in(lane, pattern) & trained
        if measured:
            return f"{pattern}@{max(measured)}"
    return pattern


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
