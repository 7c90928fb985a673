"""What the charts of a recommendation show: points, limits, front, shares of time."""

import math
from collections.abc import Mapping, Sequence

from advisor.core.constraint import Verdict
from advisor.core.document import Entry, Recommendation, Rejection
from advisor.core.quantity import Metric
from advisor.reports.charts import Bound, Point, scatter, stacked_bars
from advisor.reports.decision import figure_text
from advisor.reports.wording import operator_words, percent, plural

SMALL = 0.03
"""Share of the time below which a kind of operation is shown among the others."""


def chart_of(document: Recommendation, shown: Sequence[tuple[int, Entry | Rejection]]) -> str:
    """Draw accuracy against latency; empty where no candidate has both figures.

    ``shown`` are the candidates of the page's tables with their numbers; they get intervals and
    tooltips, all others a dot.
    """
    axes = _axes(document)
    if axes is None:
        return ""
    x, y = axes
    judged = [*document.ranked, *document.uncertain]
    names = _names(document)
    every: list[Entry | Rejection] = [*judged, *document.rejected]
    drawn = {id(item) for _, item in shown} | {id(e) for e in every if _is_drawn(e, names)}
    numbers = {id(item): place for place, item in shown}
    both = [e for e in _every(document) if x in e.metrics and y in e.metrics]
    points = [
        _point(numbers.get(id(e)), e, x, y, names.get((e.candidate, e.lane), ""))
        for e in both
        if id(e) in drawn
    ]
    dots = [
        (e.metrics[x].value, e.metrics[y].value, _verdict(e)) for e in both if id(e) not in drawn
    ]
    bounds = [
        Bound(metric=c.metric, value=c.bound, at_most=c.at_most is not None)
        for c in document.request.limits
    ]
    front = [
        (e.metrics[x].value, e.metrics[y].value)
        for e in both
        if isinstance(e, Entry) and e.on_front
    ]
    bounds += [
        Bound(metric=r.metric, value=r.relaxed, at_most=r.relaxed >= r.limit, asked=False)
        for r in document.relaxations
    ]
    floor = _floor(document)
    return scatter(
        points, x, y, bounds, front, dots=dots, floor=floor, title=_title(document, x, y)
    )


def chart_hint(document: Recommendation) -> str:
    """Say where in the chart the good models are, and what it leaves out."""
    axes = _axes(document)
    side = "right" if axes and axes[0].higher_is_better else "left"
    floor = _floor(document)
    judged = [e for e in (*document.ranked, *document.uncertain) if Metric.TOP1 in e.metrics]
    below = sum(e.metrics[Metric.TOP1].value < floor for e in judged)
    more = f" {plural(below, 'model')} below {percent(floor)} are left out." if below else ""
    return f"Up and to the {side} is better.{more}"


REACH = 0.25
"""Top-1 below that of the best at which a chart ends where nothing named is lower."""


def _floor(document: Recommendation) -> float:
    """Top-1 below which networks would only stretch the chart."""
    judged = [e for e in (*document.ranked, *document.uncertain) if Metric.TOP1 in e.metrics]
    if not judged:
        return 0.0
    names = _names(document)
    top1 = [e.metrics[Metric.TOP1].value for e in judged]
    named = [x for e, x in zip(judged, top1, strict=True) if (e.candidate, e.lane) in names]
    front = [x for e, x in zip(judged, top1, strict=True) if e.on_front and not e.needs_training]
    lowest = max(min(front, default=0.0), max(top1) - REACH)
    return math.floor(100 * min([lowest, *named])) / 100


def _is_drawn(item: Entry | Rejection, names: Mapping[tuple[str, str], str]) -> bool:
    is_front = isinstance(item, Entry) and item.on_front
    return is_front or (item.candidate, item.lane) in names


def _names(document: Recommendation) -> dict[tuple[str, str], str]:
    """Say which points are named and how: the three best, the answers, and whom a change admits."""
    found: dict[tuple[str, str], str] = {}
    for entry in document.ranked[:3]:
        found[entry.candidate, entry.lane] = f"{entry.rank} {_brief(entry.candidate)}"
    answers = document.answers
    for word, pick in (("likely", answers.likely), ("measure", answers.worth_measuring)):
        if pick is not None:
            found.setdefault((pick.candidate, pick.lane), f"{word}: {_brief(pick.candidate)}")
    for one in document.relaxations:
        lane = next((r.lane for r in _every(document) if r.candidate == one.candidate), "")
        found.setdefault((one.candidate, lane), f"would do: {_brief(one.candidate)}")
    return found


def _every(document: Recommendation) -> list[Entry | Rejection]:
    return [*document.ranked, *document.uncertain, *document.rejected]


LONGEST = 26
"""Characters of a name in a chart."""


def _brief(candidate: str) -> str:
    """The architecture with its input size where that is part of the name."""
    name, at, size = candidate.partition("@")
    text = f"{name.partition('.')[0]}{at}{size.partition(':')[0]}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def time_bars(entries: Sequence[Entry]) -> str:
    """Draw where the time goes in the given candidates; empty where nothing is known."""
    rows = [
        (f"{e.candidate} ({e.precision})", _parts(e.time_by_operator))
        for e in entries
        if e.time_by_operator
    ]
    if not rows:
        return ""
    return stacked_bars(rows, title="Share of the time by kind of operation, best models")


def _parts(shares: Mapping[str, float]) -> list[tuple[str, float]]:
    """Order shares by size and put the small ones together."""
    large = [(operator_words(name), x) for name, x in shares.items() if x >= SMALL]
    large.sort(key=lambda part: -part[1])
    rest = sum(x for x in shares.values() if x < SMALL)
    return [*large, ("other", rest)] if rest > 0 else large


def _axes(document: Recommendation) -> tuple[Metric, Metric] | None:
    for x in (Metric.LATENCY, Metric.THROUGHPUT):
        if any(x in i.metrics and Metric.TOP1 in i.metrics for i in _every(document)):
            return x, Metric.TOP1
    return None


def _title(document: Recommendation, x: Metric, y: Metric) -> str:
    return (
        f"{y.label} against {x.label.lower()} of {len(document.ranked)} models that meet every "
        f"limit, {len(document.uncertain)} uncertain and {len(document.rejected)} rejected ones; "
        "the table below holds the same figures"
    )


def _verdict(item: Entry | Rejection) -> Verdict:
    return item.verdict if isinstance(item, Entry) else Verdict.VIOLATED


def _point(place: int | None, item: Entry | Rejection, x: Metric, y: Metric, name: str) -> Point:
    across, up = item.metrics[x], item.metrics[y]
    return Point(
        key=f"c{place}" if place is not None else "",
        label=f"{item.candidate} ({item.precision}): {x.label} {figure_text(across)}, "
        f"{y.label} {figure_text(up)}, {across.origin}",
        x=across.value,
        x_low=across.low,
        x_high=across.high,
        y=up.value,
        y_low=up.low,
        y_high=up.high,
        verdict=_verdict(item),
        rank=item.rank if isinstance(item, Entry) else None,
        name=name,
    )
