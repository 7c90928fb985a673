"""The three answers in words: safe, likely, worth measuring, side by side."""

from collections.abc import Iterator

from advisor.core.document import Entry, Pick, Recommendation
from advisor.core.frozen_record import Record
from advisor.core.quantity import Metric, human
from advisor.reports.wording import percent

NONE = {
    "Safe": "no network keeps every limit with {confidence} probability",
    "Likely": "no network keeps every limit more likely than not",
    "Worth measuring": "no measurement is expected to improve the choice",
}
"""What is said where an answer is missing, by its title."""


class AnswerView(Record):
    """One of the three answers as a report shows it."""

    title: str
    candidate: str
    """Empty where there is none."""
    figures: str
    """Its time and accuracy, without intervals: ``5.21 ms, 71.8 %``."""
    probability: str
    share: float
    """The probability as a fraction, for a bar; 0 where it is unknown."""
    reason: str
    gain: str = ""
    command: str = ""


def answer_views(document: Recommendation) -> tuple[AnswerView, ...]:
    """Put the three answers into words; none where the request sets no limit and ranks nobody."""
    answers = document.answers
    named = {
        "Safe": answers.safe,
        "Likely": answers.likely,
        "Worth measuring": answers.worth_measuring,
    }
    if not any(named.values()):
        return ()
    return tuple(_view(title, pick, document) for title, pick in named.items())


def _view(title: str, pick: Pick | None, document: Recommendation) -> AnswerView:
    if pick is None:
        confidence = percent(document.request.confidence)
        reason = NONE[title].format(confidence=confidence)
        return AnswerView(
            title=title, candidate="", figures="", probability="", share=0.0, reason=reason
        )
    return AnswerView(
        title=title,
        candidate=pick.candidate,
        figures=", ".join(_figures(pick, document)),
        probability=chance_words(pick.probability),
        share=pick.probability or 0.0,
        reason=pick.reason,
        gain=_gain(pick, document),
        command=pick.command,
    )


def _figures(pick: Pick, document: Recommendation) -> Iterator[str]:
    entry = entry_of(pick, document)
    for metric in (Metric.LATENCY, Metric.THROUGHPUT, Metric.TOP1):
        figure = entry.metrics.get(metric) if entry else None
        alone = metric is Metric.THROUGHPUT and entry and Metric.LATENCY in entry.metrics
        if figure is not None and not alone:
            yield human(figure.value, figure.unit)


def entry_of(pick: Pick, document: Recommendation) -> Entry | None:
    """Return the candidate that an answer names."""
    every = (*document.ranked, *document.uncertain)
    return next((e for e in every if (e.candidate, e.lane) == (pick.candidate, pick.lane)), None)


def _gain(pick: Pick, document: Recommendation) -> str:
    """Say what an answer is expected to gain on the safe one."""
    if not pick.gain or document.answers.safe is None:
        return ""
    amount, side = f"{100 * abs(pick.gain):.1f}", "more" if pick.gain > 0 else "less"
    if set(document.weights) == {Metric.TOP1}:
        return f"{amount} points of top-1 {side} expected than with the safe one"
    return f"{amount} % of the score {side} expected than with the safe one"


def chance_words(probability: float | None) -> str:
    """Write a probability as whole per cents that never claim certainty that is not there."""
    if probability is None:
        return "unknown"
    if 0.995 <= probability < 1:
        return "over 99 %"
    if 0 < probability < 0.005:
        return "under 1 %"
    return f"{100 * probability:.0f} %"
