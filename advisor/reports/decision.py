"""Decision: the one answer of a recommendation, and the sentences that carry it."""

from enum import StrEnum

from advisor.answering.contest import improving, is_likely, promising
from advisor.core.constraint import Verdict
from advisor.core.document import Entry, Figure, LaneRecord, Recommendation
from advisor.core.frozen_record import Record
from advisor.core.quantity import Metric, Unit, human, human_interval
from advisor.reports.wording import (
    ORIGIN_MEANING,
    joined,
    lane_words,
    plural,
)


class Outcome(StrEnum):
    """What a reader can do with the answer."""

    USE = "use"
    """A network meets every limit."""
    MEASURE = "measure"
    """Some may meet them; a measurement has to settle it."""
    NOTHING = "nothing"
    """None can meet them."""


class Decision(Record):
    """The answer in words."""

    outcome: Outcome
    headline: str
    sentences: tuple[str, ...]
    entry: Entry | None = None
    """The network it is about, where there is one."""


def decide(document: Recommendation) -> Decision:
    """Put the answer of a recommendation into words."""
    if document.ranked:
        return _use(document, document.ranked[0])
    if document.uncertain:
        return _measure(document, promising(document)[0])
    return _nothing(document)


VAGUE = 100.0
"""Ratio of the ends of an interval from which a value is not known."""


def is_vague(figure: Figure) -> bool:
    """Tell whether an interval is so wide that its middle says nothing."""
    return figure.unit is not Unit.FRACTION and figure.high > VAGUE * figure.low


def range_text(figure: Figure) -> str:
    """Write the interval alone: ``6.90–8.60 ms``."""
    return human_interval(figure.low, figure.high, figure.unit, like=figure.value)


def figure_text(figure: Figure) -> str:
    """Write a value with its interval: ``7.71 ms (6.90–8.60 ms)``."""
    if is_vague(figure):
        return f"not known, somewhere in {range_text(figure)}"
    value = human(figure.value, figure.unit)
    return value if figure.low == figure.high else f"{value} ({range_text(figure)})"


def _use(document: Recommendation, entry: Entry) -> Decision:
    lane = lane_words(_lane_of(document, entry))
    sentences = [
        f"Run it at {entry.resolution} px on {document.lane.device_name} with {lane}.",
        *(_limit_sentence(document, entry, index) for index in range(len(document.request.limits))),
        *_knee_sentence(document, entry),
        *_quality_sentence(document, entry),
        *_open_sentence(document),
        *_search_sentence(document),
    ]
    return Decision(
        outcome=Outcome.USE,
        headline=f"Use {entry.candidate}",
        sentences=tuple(sentences),
        entry=entry,
    )


def _open_sentence(document: Recommendation) -> list[str]:
    """Say what a measurement could admit, so that a reader knows what is left on the table."""
    better = improving(document)
    if not better:
        return []
    likely = sum(is_likely(entry) for entry in better)
    return [
        f"{plural(len(better), 'uncertain model')} would be better; {likely or 'none'} more likely "
        "than not to keep the limits."
    ]


def _search_sentence(document: Recommendation) -> list[str]:
    """Say what a search was good for, beside what is trained already."""
    record = document.search
    compared = [one for one in record.variants if one.trained] if record else []
    if not compared:
        return []
    best = max(compared, key=lambda one: one.trained_top1_lost)
    points = 100 * best.trained_top1_lost
    if points >= 0.05:
        return [
            f"Search found {best.candidate}, {points:.1f} points above the trained {best.trained}, "
            "which is not slower; it needs training."
        ]
    behind = f"{-points:.1f} points below" if points <= -0.05 else "no more accurate than"
    return [
        f"Search found nothing better than what is trained; its best, {best.candidate}, is "
        f"{behind} {best.trained}."
    ]


_QUALITY = (Metric.TOP1, Metric.LATENCY, Metric.THROUGHPUT, Metric.PEAK_MEMORY)


def _knee_sentence(document: Recommendation, entry: Entry) -> list[str]:
    """Say what decided where no limit did: accuracy beside speed, inside the device's memory."""
    if document.request.limits or document.weights == document.request.weights:
        return []
    shown = [m for m in _QUALITY if m in entry.metrics]
    if Metric.LATENCY in shown and Metric.THROUGHPUT in shown:
        shown.remove(Metric.THROUGHPUT)
    figures = ", ".join(f"{m.label.lower()} {figure_text(entry.metrics[m])}" for m in shown)
    others = [e.candidate for e in document.ranked if e.on_front and e is not entry][:_HANDFUL]
    along = f" Along the same front: {', '.join(others)}." if others else ""
    return [
        f"No limit was given, so accuracy and speed count alike: {figures}. It is the knee of the "
        f"front of what is known to run here.{along}"
    ]


_HANDFUL = 4
"""Further models of the front that are named where no limit decides."""


def _measure(document: Recommendation, entry: Entry) -> Decision:
    sentences = [
        f"No model is sure to meet every limit; {plural(len(document.uncertain), 'model')} may.",
        *(_limit_sentence(document, entry, index) for index in range(len(document.request.limits))),
    ]
    if entry.settle:
        sentences.append(f"To settle it, run: {entry.settle}")
    return Decision(
        outcome=Outcome.MEASURE,
        headline=f"Measure {entry.candidate} before deciding",
        sentences=tuple(sentences),
        entry=entry,
    )


def _nothing(document: Recommendation) -> Decision:
    limits = joined(limit.text for limit in document.request.limits) or "the request"
    sentences = [f"None of {plural(document.considered, 'model')} can keep {limits}."]
    if document.relaxations:
        sentences.append(f"Smallest change that would help: {document.relaxations[0].text}.")
    return Decision(
        outcome=Outcome.NOTHING, headline="No model meets the limits", sentences=tuple(sentences)
    )


def _lane_of(document: Recommendation, entry: Entry) -> LaneRecord:
    return next((lane for lane in document.lanes if lane.name == entry.lane), document.lane)


def _limit_sentence(document: Recommendation, entry: Entry, index: int) -> str:
    constraint = document.request.limits[index]
    metric = constraint.metric
    figure = entry.metrics.get(metric)
    if figure is None:
        reason = entry.gaps.get(metric, "no figure")
        return f"{constraint.text}: unknown, {reason}."
    verdict = entry.verdicts.get(metric, entry.verdict)
    margin = entry.margins.get(metric)
    spare = margin is not None and margin >= 0
    room = f", {constraint.room_text(margin or 0.0)} to spare" if spare else ""
    state = "kept" if verdict is Verdict.MET else str(verdict)
    return (
        f"{metric.label} {figure_text(figure)}, {ORIGIN_MEANING[figure.origin]}; "
        f"limit {human(constraint.bound, metric.unit)} {state}{room}."
    )


def _quality_sentence(document: Recommendation, entry: Entry) -> list[str]:
    top1 = entry.metrics.get(Metric.TOP1)
    if top1 is None or any(limit.metric is Metric.TOP1 for limit in document.request.limits):
        return []
    images = "your own" if document.on_own_images else "ImageNet"
    return [f"It names {figure_text(top1)} of {images} test images correctly at first guess."]
