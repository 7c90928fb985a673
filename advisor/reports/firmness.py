"""FirmnessView: the sensitivity of an answer in words and table cells."""

from dataclasses import dataclass

from advisor.core.document import Recommendation, Sensitivity
from advisor.core.quantity import human
from advisor.reports.wording import percent


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitLine:
    """The answer under another limit."""

    limit: str
    met: str
    first: str
    same: bool
    """Whether the first candidate is still the one recommended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightLine:
    """From which weight of a metric another candidate comes first."""

    metric: str
    weight: str
    first: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmnessView:
    """How firmly the first candidate stands, for people."""

    sentences: tuple[str, ...]
    rivals: tuple[tuple[str, str], ...]
    """(candidate, share of the draws)."""
    limits: tuple[LimitLine, ...]
    weights: tuple[WeightLine, ...]


def firmness(document: Recommendation, found: Sensitivity) -> FirmnessView:
    """Put the sensitivity of an answer into words."""
    first = document.ranked[0].candidate
    return FirmnessView(
        sentences=tuple(_sentences(document, found, first)),
        rivals=tuple((f"{r.candidate} {r.precision}", share(r.share)) for r in found.rivals),
        limits=tuple(
            LimitLine(
                limit=f"{step.metric.label} {human(step.limit, step.metric.unit)}",
                met=f"{step.met:,}",
                first=step.first or "none",
                same=step.first == first,
            )
            for step in found.limits
        ),
        weights=tuple(
            WeightLine(
                metric=step.metric.label,
                weight="at no weight" if step.break_even is None else percent(step.break_even),
                first="–" if step.break_even is None else step.first,
            )
            for step in found.weights
        ),
    )


def share(value: float) -> str:
    """Write a share of the draws: whole per cents, as the draws carry no more."""
    return f"{100 * value:.0f} %"


def _sentences(document: Recommendation, found: Sensitivity, first: str) -> list[str]:
    drawn = (
        f"Every figure was drawn {found.draws:,} times from its interval, what the times of a lane "
        f"have in common drawn once for all: {first} keeps every limit in "
        f"{share(found.first_keeps)} of the draws and is the best of the "
        f"{len(document.ranked):,} recommended models in {share(found.first_stays)}."
    )
    sentences = [drawn]
    if found.first_stays < 0.5 and found.rivals:
        sentences.append(
            "So the first few are close: any of them is a fair choice, and what separates them "
            "is a measurement or a trial on your own images."
        )
    if document.uncertain and found.uncertain_wins >= 0.01:
        sentences.append(
            f"In {share(found.uncertain_wins)} of the draws at least one of the "
            f"{len(document.uncertain):,} uncertain models turns out to keep the limits and to be "
            "better: measuring the most promising ones may pay."
        )
    return sentences
