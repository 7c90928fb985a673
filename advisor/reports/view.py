"""ReportView: the strings a report shows, computed once from a document.

Writers lay these out and compute nothing. Every string keeps the figure it came from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from advisor.answering.contest import promising
from advisor.core.constraint import Verdict
from advisor.core.document import (
    ClaimRecord,
    Entry,
    EstimateEntry,
    Estimates,
    Figure,
    Recommendation,
    Rejection,
)
from advisor.core.frozen_record import Record
from advisor.core.quantity import Metric, human
from advisor.reports.decision import Decision, decide, is_vague, range_text
from advisor.reports.energy_label import energy_labels
from advisor.reports.three_answers import AnswerView, answer_views, chance_words
from advisor.reports.wording import joined, lane_words, percent, plural

if TYPE_CHECKING:
    from advisor.reports.searched_view import SearchView

BASE_COLUMNS = (Metric.LATENCY, Metric.TOP1, Metric.PEAK_MEMORY, Metric.WEIGHTS)
"""Metrics that every table shows; limits and objectives add theirs."""
GAP = "–"


class CellView(Record):
    """One figure as a table shows it."""

    metric: Metric
    text: str
    """The value for people, or a dash."""
    interval: str = ""
    """Both ends, empty where the value is exact or missing."""
    vague: bool = False
    """Whether the interval is all that is known."""
    origin: str = ""
    notes: tuple[int, ...] = ()
    """Numbers of the footnotes that hold its caveats."""
    gap: str = ""
    """Why there is no figure."""
    figure: Figure | None = None

    @property
    def full(self) -> str:
        """Value and interval in one line."""
        return f"{self.text} ({self.interval})" if self.interval else self.text


class RowView(Record):
    """One candidate as a table shows it."""

    rank: str
    candidate: str
    precision: str
    lane: str
    verdict: str
    on_front: bool
    origin: str
    """Origin of the figure the table is about: the latency, else the first one known."""
    cells: Mapping[Metric, CellView]
    resolution: int = 0
    """Side of the input in pixels."""
    reason: str = ""
    """Why it was turned away, or the command that would settle its verdict."""
    probability: str = ""
    """Of keeping every limit at once; empty where nothing was judged."""
    share: float = 0.0
    """The same as a fraction, for a bar."""
    doubt: str = ""
    """Why there is no probability."""
    tie: str = ""
    """Why it stands where it does, where the difference is no order."""
    training: str = ""
    """What has to be done before it can be used, where nobody has trained it yet."""

    @property
    def title(self) -> str:
        """The candidate with its input size, also where its name implies that."""
        if "@" in self.candidate or not self.resolution:
            return self.candidate
        return f"{self.candidate} at {self.resolution} px"


class LedgerView(Record):
    """How many candidates one limit turned away."""

    limit: str
    rejected: int
    uncertain: int
    only: int


class ReportView(Record):
    """Everything a report of a recommendation shows."""

    title: str
    decision: Decision
    requirements: tuple[tuple[str, str], ...]
    """(what, as read) of the request."""
    lane: str
    lane_origin: str
    """Whether the lane was asked for or taken by default, and what is known of it."""
    other_lanes: tuple[str, ...]
    columns: tuple[Metric, ...]
    limited: frozenset[Metric]
    """Metrics that have a limit."""
    ranked: tuple[RowView, ...]
    uncertain: tuple[RowView, ...]
    misses: tuple[RowView, ...]
    """Rejected candidates nearest to the limits."""
    ledger: tuple[LedgerView, ...]
    relaxations: tuple[str, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    """Footnotes in the order of their numbers, starting at 1."""
    counts: str
    command: str
    settle: str
    """Command that would settle the most promising uncertain candidate."""
    answers: tuple[AnswerView, ...] = ()
    """Safe, likely and worth measuring."""
    search: "SearchView | None" = None
    energy: str = ""
    """Energy label of the first model with its basis; empty where it has none."""


class EstimatesView(Record):
    """Everything a report of estimates shows."""

    title: str
    columns: tuple[Metric, ...]
    rows: tuple[RowView, ...]
    lanes: tuple[str, ...]
    gaps: tuple[str, ...]
    """``candidate: metric: reason`` for each missing figure."""
    notes: tuple[str, ...]
    command: str
    claims: tuple[ClaimRecord, ...] = ()


@dataclass(slots=True)
class Footnotes:
    """Collects caveats and hands out their numbers; the same caveat keeps its number."""

    numbers: dict[str, int] = field(default_factory=dict)

    def refer(self, caveats: Iterable[str]) -> tuple[int, ...]:
        """Return the number of each caveat, giving new ones where needed."""
        return tuple(self.numbers.setdefault(text, len(self.numbers) + 1) for text in caveats)

    @property
    def texts(self) -> tuple[str, ...]:
        """The caveats in the order of their numbers."""
        return tuple(self.numbers)


def view_of(document: Recommendation, *, top: int | None = None) -> ReportView:
    """Compute what a report shows; ``top`` cuts the lists of candidates."""
    notes = Footnotes()
    columns = columns_of(document)
    several = len(document.lanes) > 1
    ranked = tuple(entry_row(entry, columns, notes) for entry in document.ranked[:top])
    uncertain = tuple(entry_row(entry, columns, notes) for entry in promising(document)[:top])
    misses = tuple(rejected_row(item, columns, notes) for item in document.rejected[:top])
    return ReportView(
        title=f"Vision models for {document.lane.device_name}",
        decision=decide(document),
        requirements=requirements(document),
        lane="; ".join(lane_words(lane) for lane in document.lanes)
        if several
        else lane_words(document.lane),
        lane_origin=lane_origin(document),
        other_lanes=document.lane.others,
        columns=columns,
        limited=frozenset(limit.metric for limit in document.request.limits),
        ranked=ranked,
        uncertain=uncertain,
        misses=misses,
        ledger=ledger(document),
        relaxations=tuple(item.text for item in document.relaxations),
        warnings=document.warnings,
        notes=notes.texts,
        counts=counts(document),
        command=document.command,
        settle=next((e.settle for e in promising(document)), ""),
        answers=answer_views(document),
        search=_searched(document, top),
        energy=next((f"{x.text}; {x.basis}" for x in energy_labels(document.ranked)[:1] if x), ""),
    )


def _searched(document: Recommendation, top: int | None) -> "SearchView | None":
    """Compute what a report shows of a search, where there was one."""
    if document.search is None:
        return None
    from advisor.reports.searched_view import SHOWN, search_view

    return search_view(document.search, shown=top or SHOWN)


def view_of_estimates(document: Estimates) -> EstimatesView:
    """Compute what a report of estimates shows."""
    notes = Footnotes()
    present = {metric for item in document.estimates for metric in item.metrics}
    columns = tuple(metric for metric in Metric if metric in present) or BASE_COLUMNS
    return EstimatesView(
        title="Models side by side" if len(document.estimates) > 1 else "One model in figures",
        columns=columns,
        rows=tuple(estimate_row(item, columns, notes) for item in document.estimates),
        lanes=tuple(f"{lane.device_name}: {lane_words(lane)}" for lane in document.lanes),
        gaps=tuple(
            f"{item.candidate}: {metric.label}: {reason}"
            for item in document.estimates
            for metric, reason in item.gaps.items()
        ),
        notes=notes.texts,
        command=document.command,
        claims=document.claims,
    )


def base_columns(document: Recommendation) -> tuple[Metric, ...]:
    """Metrics that the tables of a document show whatever was asked.

    Throughput in place of latency on devices whose pipelines have no published latency.
    """
    entries = (*document.ranked, *document.uncertain)
    timed = not entries or any(Metric.LATENCY in entry.metrics for entry in entries)
    return BASE_COLUMNS if timed else (Metric.THROUGHPUT, *BASE_COLUMNS[1:])


def columns_of(document: Recommendation) -> tuple[Metric, ...]:
    """Metrics to show: the usual ones, those with a limit and those that rank."""
    wanted = {*base_columns(document), *document.weights}
    wanted |= {limit.metric for limit in document.request.limits}
    return tuple(metric for metric in Metric if metric in wanted)


def cell(metric: Metric, figure: Figure | None, gap: str, notes: Footnotes) -> CellView:
    """Write one figure, or the dash that stands for a missing one."""
    if figure is None:
        return CellView(metric=metric, text=GAP, gap=gap or "not known")
    exact = figure.low == figure.high
    if is_vague(figure):
        return CellView(
            metric=metric,
            text="not known",
            interval=range_text(figure),
            vague=True,
            origin=figure.origin,
            notes=notes.refer(figure.caveats),
            figure=figure,
        )
    return CellView(
        metric=metric,
        text=human(figure.value, figure.unit),
        interval="" if exact else range_text(figure),
        origin=figure.origin,
        notes=notes.refer(figure.caveats),
        figure=figure,
    )


def entry_row(entry: Entry, columns: Iterable[Metric], notes: Footnotes) -> RowView:
    """Write a candidate that is feasible or may be."""
    cells = _cells(entry.metrics, entry.gaps, columns, notes)
    return RowView(
        rank=str(entry.rank) if entry.rank is not None else "",
        candidate=entry.candidate,
        precision=entry.precision,
        lane=entry.lane,
        verdict=entry.verdict,
        on_front=entry.on_front,
        origin=_origin(cells),
        resolution=entry.resolution,
        cells=cells,
        reason=entry.settle,
        probability=chance_words(entry.probability),
        share=entry.probability or 0.0,
        doubt=entry.probability_gap,
        tie=entry.tie,
        training=f"needs training ({entry.recipe})" if entry.needs_training else "",
    )


def rejected_row(item: Rejection, columns: Iterable[Metric], notes: Footnotes) -> RowView:
    """Write a candidate that was turned away."""
    cells = _cells(item.metrics, item.gaps, columns, notes)
    return RowView(
        rank="",
        candidate=item.candidate,
        precision=item.precision,
        lane=item.lane,
        verdict=Verdict.VIOLATED,
        on_front=False,
        origin=_origin(cells),
        cells=cells,
        reason=item.reason,
    )


def estimate_row(item: EstimateEntry, columns: Iterable[Metric], notes: Footnotes) -> RowView:
    """Write a candidate that was estimated without being judged."""
    cells = _cells(item.metrics, item.gaps, columns, notes)
    return RowView(
        rank="",
        candidate=item.candidate,
        precision=item.precision,
        lane=f"{item.device} {item.lane}",
        verdict="",
        on_front=False,
        origin=_origin(cells),
        resolution=item.resolution,
        cells=cells,
        reason="; ".join(item.gaps.values()),
    )


def _cells(
    metrics: Mapping[Metric, Figure],
    gaps: Mapping[Metric, str],
    columns: Iterable[Metric],
    notes: Footnotes,
) -> dict[Metric, CellView]:
    return {m: cell(m, metrics.get(m), gaps.get(m, ""), notes) for m in columns}


def _origin(cells: Mapping[Metric, CellView]) -> str:
    latency = cells.get(Metric.LATENCY)
    if latency is not None and latency.origin:
        return latency.origin
    return next((item.origin for item in cells.values() if item.origin), "")


def requirements(document: Recommendation) -> tuple[tuple[str, str], ...]:
    """Write the request as it was read, one line per demand."""
    request = document.request
    lines = [("Device", f"{document.lane.device_name} ({document.lane.device})")]
    lines += [("Limit", limit.text) for limit in request.limits]
    if request.limits:
        lines.append(("Each limit has to hold with", f"{percent(request.confidence)} probability"))
    lines.append(("Ranked by", ranking_words(document.weights)))
    if request.needs:
        needs = (f"{m.label} {human(x, m.unit)}" for m, x in request.needs.items())
        lines.append(("Needed, more has no value", joined(needs)))
    if request.models:
        lines.append(("Only models", ", ".join(request.models)))
    if request.exclude:
        lines.append(("Without models", ", ".join(request.exclude)))
    if request.licenses:
        lines.append(("Only licences", ", ".join(request.licenses)))
    return tuple(lines)


def ranking_words(weights: Mapping[Metric, float]) -> str:
    """Say what the ranking goes by: ``Top-1, highest first`` or the weights."""
    if len(weights) == 1:
        (metric,) = weights
        return f"{metric.label}, {'highest' if metric.higher_is_better else 'lowest'} first"
    total = sum(weights.values()) or 1.0
    parts = (f"{metric.label} {percent(weight / total)}" for metric, weight in weights.items())
    return joined(parts)


def lane_origin(document: Recommendation) -> str:
    """Say whether the lane was chosen by the user and how much is published for it."""
    lane = document.lane
    chosen = "the device's usual way to run" if lane.is_default else "as asked"
    known = (
        f"{plural(lane.published_networks, 'model')} published for it"
        if lane.published_networks
        else "nothing published for it, so all times come from other lanes"
    )
    return f"{chosen}; {known}"


def ledger(document: Recommendation) -> tuple[LedgerView, ...]:
    """Write how many candidates each limit turned away."""
    texts = {limit.metric: limit.text for limit in document.request.limits}
    return tuple(
        LedgerView(
            limit=next((t for m, t in texts.items() if m == line.constraint), line.constraint),
            rejected=line.rejected,
            uncertain=line.uncertain,
            only=line.only,
        )
        for line in document.ledger
    )


def counts(document: Recommendation) -> str:
    """Say how many candidates were met, uncertain and rejected."""
    return (
        f"{plural(document.considered, 'candidate')} considered: {len(document.ranked):,} met, "
        f"{len(document.uncertain):,} uncertain, {len(document.rejected):,} rejected"
    )
