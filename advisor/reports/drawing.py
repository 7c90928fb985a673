"""What the charts of a recommendation show: points, limits, front, shares of time."""

from collections.abc import Mapping, Sequence

from advisor.core.constraint import Verdict
from advisor.core.document import Entry, Recommendation, Rejection
from advisor.core.quantity import Metric
from advisor.reports.charts import Bound, Point, scatter, stacked_bars
from advisor.reports.decision import figure_text

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
    drawn = {id(item) for _, item in shown} | {id(e) for e in judged if e.on_front}
    numbers = {id(item): place for place, item in shown}
    every: list[Entry | Rejection] = [*judged, *document.rejected]
    both = [e for e in every if x in e.metrics and y in e.metrics]
    points = [_point(numbers.get(id(e)), e, x, y) for e in both if id(e) in drawn]
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
    return scatter(points, x, y, bounds, front, dots=dots, title=_title(document, x, y))


def chart_hint(document: Recommendation) -> str:
    """Say where in the chart the good models are."""
    axes = _axes(document)
    side = "right" if axes and axes[0].higher_is_better else "left"
    return f"Up and to the {side} is better."


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
    large = [(name.replace("_", " "), x) for name, x in shares.items() if x >= SMALL]
    large.sort(key=lambda part: -part[1])
    rest = sum(x for x in shares.values() if x < SMALL)
    return [*large, ("other", rest)] if rest > 0 else large


def _axes(document: Recommendation) -> tuple[Metric, Metric] | None:
    items: list[Entry | Rejection] = [
        *document.ranked,
        *document.uncertain,
        *document.rejected,
    ]
    for x in (Metric.LATENCY, Metric.THROUGHPUT):
        if any(x in item.metrics and Metric.TOP1 in item.metrics for item in items):
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


def _point(place: int | None, item: Entry | Rejection, x: Metric, y: Metric) -> Point:
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
    )
