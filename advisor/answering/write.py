"""Write judged candidates as the documents that reports are rendered from."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import overload

from advisor.answering.assess import Subject
from advisor.answering.commands import measure_command
from advisor.answering.device_limits import DeviceLimit
from advisor.answering.evidence import Evidence
from advisor.answering.judge import Judged, reason, worst
from advisor.core.constraint import RUNS
from advisor.core.document import Entry, EstimateEntry, Figure, LaneRecord, Rejection
from advisor.core.estimate import Assessment
from advisor.core.lane import Lane
from advisor.core.quantity import Metric
from advisor.core.request import Request
from advisor.hardware.profile import DeviceProfile

REJECTED_METRICS = (
    Metric.LATENCY,
    Metric.TOP1,
    Metric.PEAK_MEMORY,
    Metric.WEIGHTS,
    Metric.PARAMETERS,
)
"""Metrics that a rejected candidate always shows, beside those it was judged by."""
METRICS = tuple(Metric)
THREADS_OF_A_CORE = 2
"""Most threads that one core runs at once."""


def now() -> str:
    """Date and time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def lane_record(
    profile: DeviceProfile, lane: Lane, request: Request | None, evidence: Evidence
) -> LaneRecord:
    """Describe the lane that was used and name the device's others."""
    asked = request is not None and any((request.unit, request.runtime, request.precisions))
    return LaneRecord.of(
        lane,
        device_name=profile.name,
        is_default=not asked,
        published=evidence.published(profile).networks(lane),
        others=(known.lane for known in profile.lanes),
    )


def entry(
    judged: Judged,
    on_front: set[int],
    alike: Counter[tuple[str, int]],
    *,
    rank: int | None = None,
    score: float | None = None,
    tie: str = "",
    unsettled: bool = False,
) -> Entry:
    """Write one judged candidate; one that is unsettled gets the command that would settle it."""
    subject, candidate = judged.subject, judged.subject.candidate
    weights = subject.weights
    assessment = judged.assessment
    return Entry(
        rank=rank,
        candidate=subject.name,
        architecture=candidate.architecture,
        tag=candidate.tag,
        resolution=subject.resolution,
        width=candidate.axis("width"),
        depth=candidate.axis("depth"),
        axes=dict(candidate.axes),
        precision=assessment.precision,
        lane=judged.lane.name,
        verdict=judged.verdict,
        verdicts=judged.named_verdicts,
        margins={
            str(c.metric): c.margin(assessment.estimates[c.metric], judged.confidence)
            for c, _ in judged.verdicts
            if c.metric in assessment.estimates and not isinstance(c, DeviceLimit)
        },
        probability=judged.probability,
        probability_gap=judged.unknown,
        tie=tie,
        score=score,
        on_front=id(judged) in on_front,
        metrics={m: Figure.of(e) for m, e in assessment.estimates.items()},
        alternatives={
            m: tuple(Figure.of(e) for e in more) for m, more in assessment.alternatives.items()
        },
        gaps={m: gap.reason for m, gap in assessment.gaps.items()},
        license=weights.license if weights else "",
        training_data=weights.training_data if weights else "",
        needs_training=candidate.needs_training,
        recipe=subject.recipe,
        other_weights=max(alike[candidate.architecture, subject.resolution] - 1, 0),
        time_by_operator={},
        settle=measure_command(candidate, judged.lane) if unsettled else "",
    )


class Rejections(Sequence[Rejection]):
    """Rejected candidates, nearest to the limits first, last those that cannot run.

    Each is written down when it is first read: most readers want the nearest few of a thousand.
    """

    def __init__(self, violated: Sequence[Judged]) -> None:
        """Order what was judged."""
        self._judged = sorted(violated, key=_distance)

    @cached_property
    def _all(self) -> tuple[Rejection, ...]:
        return tuple(map(_rejection, self._judged))

    def __len__(self) -> int:
        return len(self._judged)

    @overload
    def __getitem__(self, place: int) -> Rejection: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Rejection, ...]: ...

    def __getitem__(self, place: int | slice) -> Rejection | tuple[Rejection, ...]:
        """Return one, or some."""
        if isinstance(place, slice):
            return tuple(map(_rejection, self._judged[place]))
        return _rejection(self._judged[place])

    def __iter__(self) -> Iterator[Rejection]:
        """Yield all of them."""
        return iter(self._all)

    def __eq__(self, other: object) -> bool:
        """Whether a tuple or a like sequence holds the same."""
        return isinstance(other, tuple | Rejections) and self._all == tuple(other)

    def __hash__(self) -> int:
        """Hash of the tuple."""
        return hash(self._all)


def _distance(judged: Judged) -> tuple[bool, float, str]:
    """By what rejected candidates are ordered: whether they cannot run, how far off they are."""
    if judged.known.refused:
        return True, 0.0, judged.name
    _, _, excess = worst(judged)
    return False, excess, judged.name


def _rejection(judged: Judged) -> Rejection:
    if judged.known.refused:
        return _rejected(judged, RUNS, judged.known.refused, 0.0)
    failed, estimate, excess = worst(judged)
    name = failed.name if isinstance(failed, DeviceLimit) else str(failed.metric)
    return _rejected(judged, name, reason(failed, estimate, judged.confidence), excess)


def _rejected(judged: Judged, failed: str, because: str, excess: float) -> Rejection:
    wanted = _told_of(tuple(one.metric for one, _ in judged.verdicts))
    known = judged.by(frozenset(wanted)).estimates
    return Rejection(
        candidate=judged.name,
        constraint=failed,
        reason=because,
        excess=excess,
        precision=judged.lane.precision,
        lane=judged.lane.name,
        verdicts=judged.named_verdicts,
        metrics={m: Figure.of(known[m]) for m in wanted if m in known},
        gaps={},
        license=judged.subject.weights.license if judged.subject.weights else "",
    )


@cache
def _told_of(judged: tuple[Metric, ...]) -> tuple[Metric, ...]:
    """Metrics that a rejected candidate shows, which was judged by some."""
    return tuple(metric for metric in METRICS if metric in (*REJECTED_METRICS, *judged))


def warnings(
    entries: Sequence[Entry],
    unsure: Sequence[Entry],
    records: Sequence[LaneRecord],
    evidence: Evidence,
) -> tuple[str, ...]:
    found = [
        f"no published measurement for {record.name} on {record.device_name}: "
        "predicted from other lanes, with the wider interval that goes with it"
        for record in records
        if record.published_networks == 0
    ]
    for record in records:
        found += _doubts(evidence, record)
    if not entries and unsure:
        found.append("nothing is certain to meet the limits; the uncertain ones need a measurement")
    return tuple(found)


def _doubts(evidence: Evidence, record: LaneRecord) -> Iterator[str]:
    """Say what a lane asks of its device that nothing shows it can do."""
    unit = evidence.profiles.load(record.device).unit(record.unit)
    ran = evidence.profile(record.device).unit(record.unit)
    if unit is None or ran is None or record.published_networks:
        return
    if unit.runtimes and record.runtime not in ran.runtimes:
        yield (
            f"{record.runtime} is not among the runtimes known to run on the {record.unit} of "
            f"{record.device_name} ({', '.join(unit.runtimes)}): the figures hold only if it does"
        )
    if unit.cores and (record.threads or 0) > THREADS_OF_A_CORE * unit.cores:
        yield (
            f"{record.threads} threads are more than the {unit.cores} cores of the {record.unit} "
            f"of {record.device_name} can run at once: the figures are those of all its cores"
        )


def estimate_entry(
    subject: Subject, lane: Lane, assessment: Assessment, metrics: Sequence[Metric]
) -> EstimateEntry:
    wanted = tuple(metrics) or tuple(Metric)
    return EstimateEntry(
        candidate=subject.name,
        device=lane.device,
        lane=lane.name,
        precision=lane.precision,
        resolution=subject.resolution,
        metrics={m: Figure.of(e) for m, e in assessment.estimates.items() if m in wanted},
        alternatives={
            m: tuple(Figure.of(e) for e in more)
            for m, more in assessment.alternatives.items()
            if m in wanted
        },
        gaps={m: gap.reason for m, gap in assessment.gaps.items() if m in wanted},
    )
