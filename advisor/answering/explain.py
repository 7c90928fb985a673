"""Explain one latency: where the time goes, what it rests on, what would narrow it."""

from typing import Literal

from advisor.answering.commands import measure_command
from advisor.answering.estimates import subjects_named
from advisor.answering.evidence import Evidence
from advisor.answering.recommend import assess, operator_seconds
from advisor.core.candidate import Candidate
from advisor.core.document import Figure
from advisor.core.estimate import Estimate, Gap, Origin
from advisor.core.filed import Document
from advisor.core.lane import Lane
from advisor.core.quantity import Metric, human, human_interval
from advisor.core.request import ExplainRequest
from advisor.hardware.lanes import lanes_for

BOUND = "weights read and peak rate"
"""Part of the time that the roofline adds to what the operators are expected to take."""


class TimePart(Document):
    """Time in one operator class."""

    operator: str
    share: float
    """Of the predicted latency, a fraction."""
    seconds: float
    calls: int
    macs: float


class Explanation(Document):
    """Where the time of one network goes, and the evidence behind the figure."""

    schema_version: Literal[1] = 1
    candidate: str
    device: str
    device_name: str
    lane: str
    figures: tuple[Figure, ...]
    """Latency from every origin, the strongest first."""
    gap: str = ""
    parts: tuple[TimePart, ...] = ()
    lines: tuple[str, ...]
    """The evidence in words."""
    remedies: tuple[str, ...]
    """What would narrow the interval, the cheapest first."""
    command: str = ""
    """Command line that gives this answer again."""


def explain(asked: ExplainRequest, evidence: Evidence) -> Explanation:
    """Explain the latency of one candidate on the lane that the request leads to."""
    request = asked.on_its_device()
    profile = evidence.profile(request.device)
    lane = lanes_for(profile, request)[0]
    subject = subjects_named([asked.candidate], evidence, [lane], asked.inputs)[0]
    assessment = assess([subject], lane, profile, request, evidence)[0]
    latency = assessment.get(Metric.LATENCY)
    others = assessment.alternatives.get(Metric.LATENCY, ())
    estimates = [] if isinstance(latency, Gap) else [latency, *others]
    return Explanation(
        candidate=subject.name,
        device=profile.id,
        device_name=profile.name,
        lane=lane.name,
        figures=tuple(Figure.of(e) for e in estimates),
        gap=latency.reason if isinstance(latency, Gap) else "",
        parts=_parts(subject.candidate, lane, evidence, _predicted(estimates)),
        lines=tuple(_lines(estimates)) or (f"No latency: {_reason(latency)}",),
        remedies=_remedies(subject.candidate.name, measure_command(subject.candidate, lane)),
        command=asked.command(),
    )


def _reason(latency: Estimate | Gap) -> str:
    return latency.reason if isinstance(latency, Gap) else ""


def _predicted(estimates: list[Estimate]) -> float:
    """Seconds that the model answers with, which the parts add up to; 0 where it has none."""
    by_model = (Origin.PREDICTED, Origin.ANALYTIC)
    return next((e.value for e in estimates if e.provenance.origin in by_model), 0.0)


def _parts(
    candidate: Candidate, lane: Lane, evidence: Evidence, whole: float
) -> tuple[TimePart, ...]:
    """Split the predicted time by operator class, the longest first.

    Where the weights' way or the peak rate bounds the time, what that adds is a part of its own.
    """
    seconds = operator_seconds(candidate, lane, evidence)
    images = whole / sum(seconds.values()) if lane.is_bulk and seconds else 1.0
    rest = 0.0 if lane.is_bulk else whole - sum(seconds.values())
    if rest > 1e-3 * whole:
        seconds = dict(sorted({**seconds, BOUND: rest}.items(), key=lambda part: -part[1]))
    workload = evidence.workload(candidate)
    counted = {str(op): (calls, macs) for op, calls, macs, _ in workload.by_operator()}
    total = sum(seconds.values())
    return tuple(
        TimePart(
            operator=operator,
            share=time / total,
            seconds=time * images,
            calls=counted.get(operator, (0, 0))[0],
            macs=float(counted.get(operator, (0, 0))[1]),
        )
        for operator, time in seconds.items()
    )


def _lines(estimates: list[Estimate]) -> list[str]:
    lines = []
    for estimate in estimates:
        unit = estimate.metric.unit
        interval = estimate.interval
        spread = human_interval(interval.low, interval.high, unit, like=estimate.value)
        lines.append(
            f"{estimate.provenance.origin}: {human(estimate.value, unit)} "
            f"({spread} at {100 * interval.level:g} %)"
        )
        lines.append(f"  source: {estimate.provenance.source}")
        lines += [f"  caveat: {caveat}" for caveat in estimate.provenance.caveats]
    return lines


def _remedies(name: str, kit: str) -> tuple[str, ...]:
    return (f"measure {name} on the device: {kit}",)
