"""The pipeline from a request to a recommendation, one function a step.

propose → assess → judge → rank → recommend. Each step takes and returns frozen types.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from advisor import __version__
from advisor.answering import write as answer
from advisor.answering.assess import LaneAssessor, Subject
from advisor.answering.choice import answers
from advisor.answering.commands import recommend_command
from advisor.answering.evidence import Evidence, matches_any
from advisor.answering.judge import Demands, Judged, judge, ledger, pareto, relaxations
from advisor.answering.operating import check
from advisor.answering.ranking_rule import KNEE, ranking
from advisor.answering.ties import most_probable, placed
from advisor.core.candidate import Candidate
from advisor.core.constraint import Constraint, Verdict
from advisor.core.document import LaneRecord, Recommendation
from advisor.core.estimate import Assessment
from advisor.core.lane import Lane
from advisor.core.ranking import weighing
from advisor.core.request import Request
from advisor.core.workload_table import WorkloadTable
from advisor.errors import EvidenceError, UsageError
from advisor.hardware.lanes import images_of, lanes_for
from advisor.hardware.profile import DeviceProfile

if TYPE_CHECKING:
    from advisor.answering.own_accuracy import OwnAccuracy

TEST_NETWORKS = "test_*"
"""timm's tiny networks for its own tests: candidates only where ``--models`` names them."""


def recommend(request: Request, evidence: Evidence) -> Recommendation:
    """Answer a request from the evidence.

    Raises UsageError for what the device cannot do and EvidenceError where the evidence does not
    allow an answer.
    """
    profile = evidence.profile(request.device)
    lanes = lanes_for(profile, request)
    own = own_accuracy(request, evidence)
    judged = judged_networks(request, profile, lanes, evidence, own)
    records = tuple(answer.lane_record(profile, lane, request, evidence) for lane in lanes)
    found = recommendation(request, records, judged, evidence)
    return found if own is None else own.told_in(found, judged)


def own_accuracy(request: Request, evidence: Evidence) -> "OwnAccuracy | None":
    """Return the accuracies of the trial that a request names; None for ImageNet's."""
    if not request.accuracy_from:
        return None
    for option, given, kind in (
        ("--search", request.search, "searched variants"),
        ("--pruned", request.pruned, "pruned networks"),
    ):
        if given:
            raise UsageError(
                f"--accuracy-from and {option}: the accuracy of {kind} is ImageNet's; "
                "leave one of them out"
            )
    from advisor.answering.own_accuracy import OwnAccuracy

    return OwnAccuracy.read(Path(request.accuracy_from), evidence, level=request.confidence)


def judged_networks(
    request: Request,
    profile: DeviceProfile,
    lanes: Sequence[Lane],
    evidence: Evidence,
    own: "OwnAccuracy | None" = None,
) -> list[Judged]:
    """Propose the catalog's networks, assess them on every lane and judge them."""
    demands = Demands.of(request, profile)
    proposed = propose(request, evidence)
    judged: list[Judged] = []
    for lane in lanes:
        assessor = assessor_on(lane, profile, request, evidence, refuse_unseen=True)
        subjects = proposed if own is None else own.subjects(proposed, assessor)
        judged += judged_on(assessor, subjects, workloads(subjects, evidence), demands)
        if request.pruned:
            judged += _judged_pruned(proposed, assessor, evidence, demands)
    _check_answerable(judged, demands.limits, profile, lanes)
    return judged


def judged_on(
    assessor: LaneAssessor, subjects: Sequence[Subject], table: WorkloadTable, demands: Demands
) -> Iterator[Judged]:
    """Judge subjects on a lane by what the limits are on; the rest is assessed when asked for."""
    prepared = assessor.prepared(subjects, table)
    needed = demands.metrics
    for row, subject in enumerate(subjects):
        known = prepared.assessment(row, needed)
        yield judge(subject, assessor.lane, known, demands, partial(prepared.assessment, row))


def _judged_pruned(
    proposed: Sequence[Subject], assessor: LaneAssessor, evidence: Evidence, demands: Demands
) -> Iterator[Judged]:
    from advisor.answering.pruned import pruned_subjects  # blueprints take a while to import
    from advisor.networks.pricing.prices import price

    subjects = pruned_subjects(proposed, assessor, evidence.halved_macs)
    if subjects:
        table = price([one.candidate for one in subjects])
        yield from judged_on(assessor, subjects, table, demands)


def propose(request: Request, evidence: Evidence) -> list[Subject]:
    """List the candidates of the catalog that the request admits.

    Of several weights for one architecture and input the most accurate stands for all, unless
    the request keeps them all.
    """
    found: dict[tuple[str, int, str], Subject] = {}
    named: set[tuple[str, str]] = set()
    for weights in evidence.weights:
        implied = (weights.network, weights.tag) not in named
        named.add((weights.network, weights.tag))
        if not _admitted(request, weights.network, weights.tag, weights.license):
            continue
        tag = (weights.tag or "") if request.all_weights else ""
        key = (weights.network, weights.resolution, tag)
        if key in found or key[:2] not in evidence.table.index:
            continue
        candidate = Candidate(
            architecture=weights.network, tag=weights.tag, resolution=weights.resolution
        )
        found[key] = Subject(
            candidate=candidate, resolution=weights.resolution, weights=weights, implied=implied
        )
    if not found:
        raise UsageError(f"no network of the catalog passes {_filters(request)}")
    return list(found.values())


def _filters(request: Request) -> str:
    """Name the filters of a request with the commands that list what there is."""
    given = (
        ("--models", request.models),
        ("--exclude", request.exclude),
        ("--license", request.licenses),
    )
    filters = [f"{option} {','.join(values)}" for option, values in given if values]
    return f"{' '.join(filters)} ('advisor models ls' lists names and licences)"


def _admitted(request: Request, network: str, tag: str | None, license_name: str) -> bool:
    if not request.models and fnmatchcase(network, TEST_NETWORKS):
        return False
    if request.models and not matches_any(network, tag, request.models):
        return False
    if matches_any(network, tag, request.exclude):
        return False
    wanted = [p.lower() for p in request.licenses]
    return not wanted or any(fnmatchcase(license_name.lower(), p) for p in wanted)


def assess(
    subjects: Sequence[Subject],
    lane: Lane,
    profile: DeviceProfile,
    request: Request,
    evidence: Evidence,
    *,
    refuse_unseen: bool = False,
) -> list[Assessment]:
    """Assess all subjects on one lane."""
    assessor = assessor_on(lane, profile, request, evidence, refuse_unseen=refuse_unseen)
    return assessor.assess(subjects, workloads(subjects, evidence))


def assessor_on(
    lane: Lane,
    profile: DeviceProfile,
    request: Request,
    evidence: Evidence,
    *,
    refuse_unseen: bool = False,
) -> LaneAssessor:
    """Return what assesses candidates on a lane, with intervals of the confidence asked for.

    ``refuse_unseen`` leaves a gap where nobody knows whether the network runs in the lane.
    """
    conditions = check(request.conditions, lane, profile, evidence)
    return LaneAssessor(
        profile=profile,
        lane=lane,
        published=evidence.published(profile, conditions),
        conditions=conditions,
        own=evidence.own(profile),
        support=evidence.operator_support,
        latency=evidence.latency,
        memory=evidence.memory,
        power=evidence.power,
        sizes=evidence.sizes,
        changes=evidence.precision_changes,
        level=request.confidence,
        images=images_of(lane, request),
        refuse_unseen=refuse_unseen,
        use_published=request.published,
    )


def workloads(subjects: Sequence[Subject], evidence: Evidence) -> WorkloadTable:
    """Return the workloads of the subjects, one row each; what is not shipped is counted."""
    rows = [evidence.table.index.get((s.candidate.network, s.resolution)) for s in subjects]
    if all(row is not None for row in rows):
        return evidence.table.rows([row for row in rows if row is not None])
    return WorkloadTable.of(
        evidence.workload(replace(s.candidate, resolution=s.resolution)) for s in subjects
    )


def _check_answerable(
    judged: Sequence[Judged],
    constraints: Sequence[Constraint],
    profile: DeviceProfile,
    lanes: Sequence[Lane],
) -> None:
    """Refuse to answer where a limit's metric is unknown for every candidate."""
    for one in constraints:
        if all(one.metric not in j.known.estimates for j in judged):
            gap = judged[0].known.gaps.get(one.metric)
            reason = gap.reason if gap else "no method estimates it"
            names = ", ".join(lane.name for lane in lanes)
            raise EvidenceError(
                f"{one.metric.label.lower()} cannot be judged on {profile.id} ({names}): {reason}; "
                "drop that limit, or state another lane or device"
            )


def recommendation(
    request: Request,
    records: tuple[LaneRecord, ...],
    judged: Sequence[Judged],
    evidence: Evidence,
) -> Recommendation:
    """Rank what was judged and write the answer."""
    demands = Demands.of(request, evidence.profile(request.device))
    weights = ranking(request, judged)
    weighed = weighing(weights, demands.limits, request.needs)
    met = placed([j for j in judged if j.verdict is Verdict.MET], weighed, request.confidence)
    open_ones = most_probable(
        [j for j in judged if j.verdict in (Verdict.UNCERTAIN, Verdict.UNKNOWN)], weighed
    )
    violated = [j for j in judged if j.verdict is Verdict.VIOLATED]
    on_front = pareto([*(place.judged for place in met), *open_ones])
    alike = Counter((w.network, w.resolution) for w in evidence.weights)
    entries = tuple(
        answer.entry(place.judged, on_front, alike, rank=i, score=place.score, tie=place.tie)
        for i, place in enumerate(met, 1)
    )
    unsure = tuple(answer.entry(j, on_front, alike, unsettled=True) for j in open_ones)
    told = () if weights == request.weights else (KNEE,)
    return Recommendation(
        advisor_version=__version__,
        created=answer.now(),
        command=recommend_command(request),
        request=request,
        lane=records[0],
        lanes=records,
        considered=len(judged),
        ranking=dict(weights),
        ranked=entries,
        uncertain=unsure,
        rejected=answer.Rejections(violated),
        answers=answers(entries, unsure, demands.limits, weighed, request.confidence),
        front=tuple(e.candidate for e in (*entries, *unsure) if e.on_front),
        ledger=ledger(judged, demands),
        relaxations=() if entries else relaxations(judged, demands.limits),
        warnings=(*told, *answer.warnings(entries, unsure, records, evidence)),
    )


def operator_seconds(candidate: Candidate, lane: Lane, evidence: Evidence) -> dict[str, float]:
    """Split the predicted time of a candidate by operator class, the longest first.

    Empty where nothing can be predicted; parts without time are left out.
    """
    table = WorkloadTable.of([evidence.workload(candidate)])
    columns = evidence.latency.breakdown(lane, table)
    seconds = {name: float(column[0]) for name, column in columns.items() if column[0] > 0}
    return dict(sorted(seconds.items(), key=lambda part: -part[1]))
