"""Judge assessments against constraints, rank those that keep them, count those that do not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from advisor.answering.assess import Subject
from advisor.core.chance import keeping_all, room
from advisor.core.constraint import Constraint, Verdict
from advisor.core.document import LedgerLine, Relaxation
from advisor.core.estimate import Assessment, Estimate, Gap
from advisor.core.lane import Lane
from advisor.core.quantity import Metric, human
from advisor.core.ranking import front


@dataclass(frozen=True, kw_only=True)
class Judged:
    """An assessment with its verdict per constraint."""

    subject: Subject
    lane: Lane
    assessment: Assessment
    verdicts: tuple[tuple[Constraint, Verdict], ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the verdicts; met where there is no limit."""
        return max((v for _, v in self.verdicts), key=lambda v: v.rank, default=Verdict.MET)

    @property
    def probability(self) -> float | None:
        """Probability of keeping every limit; None where a metric of one is unknown."""
        known = self.assessment.estimates
        if self.unknown:
            return None
        return keeping_all((c.metric, room(c, known[c.metric])) for c, _ in self.verdicts)

    @property
    def unknown(self) -> str:
        """Why there is no probability: the limited metrics without an estimate, with reasons."""
        gaps = (self.assessment.get(c.metric) for c, _ in self.verdicts)
        missing = {g.metric: g.reason for g in gaps if isinstance(g, Gap)}
        return "; ".join(f"{metric.label.lower()}: {why}" for metric, why in missing.items())

    @property
    def name(self) -> str:
        """Spelling that can be typed back."""
        return self.subject.name

    def values(self) -> dict[Metric, float]:
        """Values of all metrics that could be estimated."""
        return {metric: e.value for metric, e in self.assessment.estimates.items()}


def judge(
    subject: Subject, lane: Lane, assessment: Assessment, constraints: Sequence[Constraint]
) -> Judged:
    """Judge an assessment against every constraint."""
    verdicts = tuple((c, c.verdict(assessment.get(c.metric))) for c in constraints)
    return Judged(subject=subject, lane=lane, assessment=assessment, verdicts=verdicts)


def pareto(judged: Sequence[Judged]) -> set[int]:
    """Return the identities of those that no other one beats in both latency and accuracy."""
    both = [
        (j, values)
        for j in judged
        if Metric.LATENCY in (values := j.values()) and Metric.TOP1 in values
    ]
    points = [(values[Metric.LATENCY], -values[Metric.TOP1]) for _, values in both]
    return {id(both[i][0]) for i in front(points)}


def worst(judged: Judged) -> tuple[Constraint, Estimate, float]:
    """Return the violated constraint with the largest excess."""
    failing = [
        (c, e, c.excess(e))
        for c, verdict in judged.verdicts
        if verdict is Verdict.VIOLATED and (e := judged.assessment.estimates[c.metric])
    ]
    return max(failing, key=lambda item: item[2])


def reason(violated: Constraint, estimate: Estimate) -> str:
    """Say in one line why a limit is broken."""
    unit = violated.metric.unit
    value = human(estimate.value, unit)
    bound = human(violated.bound, unit)
    if violated.at_most is not None:
        least = human(estimate.interval.low, unit)
        return f"{violated.metric.label} {value}, at least {least}, over the limit of {bound}"
    most = human(estimate.interval.high, unit)
    return f"{violated.metric.label} {value}, at most {most}, under the limit of {bound}"


def ledger(judged: Sequence[Judged], constraints: Sequence[Constraint]) -> tuple[LedgerLine, ...]:
    """Count per constraint how many candidates it turned away, and how many it alone did."""
    lines = []
    for one in constraints:
        rejected = uncertain = only = 0
        for candidate in judged:
            verdicts = dict(candidate.verdicts)
            violated = [c for c, v in verdicts.items() if v is Verdict.VIOLATED]
            rejected += one in violated
            only += violated == [one]
            uncertain += verdicts[one] in (Verdict.UNCERTAIN, Verdict.UNKNOWN)
        lines.append(
            LedgerLine(constraint=one.text, rejected=rejected, uncertain=uncertain, only=only)
        )
    return tuple(lines)


def relaxations(
    judged: Sequence[Judged], constraints: Sequence[Constraint]
) -> tuple[Relaxation, ...]:
    """Find per constraint the smallest change that would admit a candidate, the others kept."""
    found = []
    for one in constraints:
        admitted = [
            (_needed(one, j.assessment.estimates[one.metric]), j)
            for j in judged
            if one.metric in j.assessment.estimates
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


def _needed(one: Constraint, estimate: Estimate) -> float:
    return estimate.interval.high if one.at_most is not None else estimate.interval.low


def _outward(limit: float, one: Constraint) -> float:
    """Round to three digits on the side that still admits the candidate."""
    if limit <= 0:
        return limit
    step: float = 10.0 ** (math.floor(math.log10(limit)) - 2)
    rounded = math.ceil(limit / step) if one.at_most is not None else math.floor(limit / step)
    return rounded * step
