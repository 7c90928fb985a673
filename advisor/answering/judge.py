"""Judge assessments against constraints, rank those that keep them, count those that do not."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

from advisor.answering.assess import EVERY, Subject
from advisor.answering.device_limits import DeviceLimit, device_limits
from advisor.core.chance import keeping_all, room
from advisor.core.constraint import RUNS, Constraint, Verdict
from advisor.core.document import LedgerLine, Relaxation
from advisor.core.estimate import Assessment, Estimate, Gap
from advisor.core.frozen_record import Record
from advisor.core.lane import Lane
from advisor.core.quantity import Metric, human
from advisor.core.ranking import front
from advisor.core.request import Request
from advisor.hardware.profile import DeviceProfile

_OPEN = (Verdict.UNCERTAIN, Verdict.UNKNOWN)
Assess = Callable[[frozenset[Metric]], Assessment]
"""Assesses one candidate by some metrics."""


class Demands(Record):
    """What a candidate is judged by."""

    limits: tuple[Constraint, ...]
    """Those asked for."""
    device: tuple[DeviceLimit, ...]
    """Those of the device, which nobody has to state."""
    confidence: float
    """Probability with which each has to hold."""

    @staticmethod
    def of(request: Request, profile: DeviceProfile) -> "Demands":
        """Return the demands of a request on a device."""
        return Demands(
            limits=tuple(request.limits),
            device=device_limits(profile),
            confidence=request.confidence,
        )

    @property
    def metrics(self) -> frozenset[Metric]:
        """Metrics that any of them is on."""
        return frozenset(one.metric for one in (*self.limits, *self.device))


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A candidate with its verdict per constraint."""

    subject: Subject
    lane: Lane
    known: Assessment
    """By the metrics of the constraints at least."""
    verdicts: tuple[tuple[Constraint, Verdict], ...]
    """Of the limits asked for, then of those of the device."""
    confidence: float
    assess: Assess | None = field(default=None, compare=False, repr=False)
    """Assesses it by more metrics; None where ``known`` is all there is."""

    @cached_property
    def assessment(self) -> Assessment:
        """By every metric, which most of the candidates that break a limit are never asked for."""
        return self.by(EVERY)

    def by(self, metrics: frozenset[Metric]) -> Assessment:
        """Return the assessment by some metrics at least."""
        return self.known if self.assess is None else self.assess(metrics)

    @cached_property
    def runs(self) -> Verdict:
        """Whether the lane runs it: violated where its compiler refuses it, unknown if untimed."""
        if self.known.refused:
            return Verdict.VIOLATED
        return Verdict.MET if self.known.is_timed else Verdict.UNKNOWN

    @cached_property
    def verdict(self) -> Verdict:
        """The worst of the verdicts; what is not known to run is never met."""
        return max((self.runs, *(v for _, v in self.verdicts)), key=lambda v: v.rank)

    @cached_property
    def named_verdicts(self) -> dict[str, Verdict]:
        """Verdicts by metric, those of the device by their own names."""
        found = {_key(one): verdict for one, verdict in self.verdicts}
        return found if self.runs is Verdict.MET else {**found, RUNS: self.runs}

    @property
    def probability(self) -> float | None:
        """Probability of keeping every limit; None where ``unknown`` says why."""
        known = self.known.estimates
        if self.unknown:
            return None
        if self.runs is Verdict.VIOLATED:
            return 0.0
        return keeping_all((c.metric, room(c, known[c.metric])) for c, _ in self.verdicts)

    @property
    def unknown(self) -> str:
        """Why there is no probability: what has no estimate though a limit needs it."""
        needed = [c.metric for c, _ in self.verdicts]
        if self.runs is Verdict.UNKNOWN:
            needed.append(Metric.LATENCY)
        gaps = (self.known.get(metric) for metric in needed)
        missing = {g.metric: g.reason for g in gaps if isinstance(g, Gap)}
        return "; ".join(f"{metric.label.lower()}: {why}" for metric, why in missing.items())

    @property
    def name(self) -> str:
        """Spelling that can be typed back."""
        return self.subject.name

    def values(self) -> dict[Metric, float]:
        """Values of all metrics that could be estimated."""
        return {metric: e.value for metric, e in self.assessment.estimates.items()}


def _key(one: Constraint) -> str:
    return one.name if isinstance(one, DeviceLimit) else str(one.metric)


def judge(
    subject: Subject,
    lane: Lane,
    known: Assessment,
    demands: Demands,
    assess: Assess | None = None,
) -> Judged:
    """Judge an assessment against every limit.

    The device's limits do not hold a metric against a candidate that nobody can estimate.
    ``assess`` assesses it by more metrics, where ``known`` is not of all.
    """
    of_device = [one for one in demands.device if one.metric in known.estimates]
    verdicts = tuple(
        (one, one.verdict(known.get(one.metric), demands.confidence))
        for one in (*demands.limits, *of_device)
    )
    return Judged(
        subject=subject,
        lane=lane,
        known=known,
        verdicts=verdicts,
        confidence=demands.confidence,
        assess=assess,
    )


def speed_of(judged: Iterable[Judged]) -> Metric:
    """The metric that tells how fast: throughput where no lane has a latency."""
    if any(Metric.LATENCY in j.known.estimates for j in judged):
        return Metric.LATENCY
    return Metric.THROUGHPUT


def pareto(judged: Sequence[Judged]) -> set[int]:
    """Return the identities of those that no other one beats in both speed and accuracy."""
    speed = speed_of(judged)
    sign = -1.0 if speed.higher_is_better else 1.0
    both = [
        (j, values) for j in judged if speed in (values := j.values()) and Metric.TOP1 in values
    ]
    points = [(sign * values[speed], -values[Metric.TOP1]) for _, values in both]
    return {id(both[i][0]) for i in front(points)}


def worst(judged: Judged) -> tuple[Constraint, Estimate, float]:
    """Return the violated constraint with the largest excess."""
    failing = [
        (c, e, c.excess(e))
        for c, verdict in judged.verdicts
        if verdict is Verdict.VIOLATED and (e := judged.known.estimates[c.metric])
    ]
    return max(failing, key=lambda item: item[2])


def reason(violated: Constraint, estimate: Estimate, confidence: float) -> str:
    """Say in one line why a limit is broken."""
    unit = violated.metric.unit
    value = human(estimate.value, unit)
    bound = _bound_of(violated)
    if violated.at_most is not None:
        least = human(estimate.error.quantile(1 - confidence), unit)
        return f"{violated.metric.label} {value}, at least {least}, over the limit of {bound}"
    most = human(estimate.error.quantile(confidence), unit)
    return f"{violated.metric.label} {value}, at most {most}, under the limit of {bound}"


@cache
def _bound_of(violated: Constraint) -> str:
    """Write a limit for people, and whose it is."""
    bound = human(violated.bound, violated.metric.unit)
    return f"{bound} ({violated.of})" if isinstance(violated, DeviceLimit) else bound


def ledger(judged: Sequence[Judged], demands: Demands) -> tuple[LedgerLine, ...]:
    """Count per limit how many candidates it turned away, and how many it alone did.

    The device's own limits are listed where they turned any away.
    """
    broken = [[c for c, v in j.verdicts if v is Verdict.VIOLATED] for j in judged]
    alone = [
        found[0]
        for j, found in zip(judged, broken, strict=True)
        if len(found) == 1 and j.runs is not Verdict.VIOLATED
    ]
    unsure = [c for j in judged for c, v in j.verdicts if v in _OPEN]
    lines = []
    for one in (*demands.limits, *demands.device):
        rejected = sum(one in found for found in broken)
        uncertain, only = unsure.count(one), alone.count(one)
        if one in demands.limits or rejected or uncertain:
            line = LedgerLine(
                constraint=one.text, rejected=rejected, uncertain=uncertain, only=only
            )
            lines.append(line)
    return (*lines, *_running(judged))


def _running(judged: Sequence[Judged]) -> list[LedgerLine]:
    """Count the candidates that the compiler refuses or may refuse."""
    refused = [j for j in judged if j.runs is Verdict.VIOLATED]
    unknown = sum(j.runs is Verdict.UNKNOWN for j in judged)
    if not refused and not unknown:
        return []
    only = sum(all(v is not Verdict.VIOLATED for _, v in j.verdicts) for j in refused)
    text = "Operators that the runtime takes"
    return [LedgerLine(constraint=text, rejected=len(refused), uncertain=unknown, only=only)]


def relaxations(
    judged: Sequence[Judged], constraints: Sequence[Constraint]
) -> tuple[Relaxation, ...]:
    """Find per constraint the smallest change that would admit a candidate, the others kept."""
    found = []
    for one in constraints:
        admitted = [
            (one.sure(j.known.estimates[one.metric], j.confidence), j)
            for j in judged
            if one.metric in j.known.estimates
            and j.runs is Verdict.MET
            and all(v is Verdict.MET for c, v in j.verdicts if c != one)
        ]
        if not admitted:
            continue
        side = min if one.at_most is not None else max
        exact, nearest = side(admitted, key=lambda pair: pair[0])
        limit = _outward(exact, one)
        unit = one.metric.unit
        found.append(
            Relaxation(
                metric=one.metric,
                limit=one.bound,
                relaxed=limit,
                candidate=nearest.name,
                text=(
                    f"{one.metric.label}: {human(one.bound, unit)} → "
                    f"{human(limit, unit)} admits {nearest.name}"
                ),
            )
        )
    return tuple(found)


def _outward(limit: float, one: Constraint) -> float:
    """Round to three digits on the side that still admits the candidate."""
    if limit <= 0:
        return limit
    step: float = 10.0 ** (math.floor(math.log10(limit)) - 2)
    rounded = math.ceil(limit / step) if one.at_most is not None else math.floor(limit / step)
    return rounded * step
