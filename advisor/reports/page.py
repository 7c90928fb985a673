"""PageView: what the HTML page of a recommendation shows, computed once from the document."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from advisor.answering.sensitivity import sensitivity
from advisor.answering.ties import NEAR, SHUT, licence_class, size_step
from advisor.core.constraint import Constraint, Verdict, is_of_device
from advisor.core.document import (
    DeviceFacts,
    Entry,
    EstimateEntry,
    Estimates,
    Figure,
    Input,
    Recommendation,
    Rejection,
    UseCase,
)
from advisor.core.error import NORMAL, SURE
from advisor.core.estimate import Origin
from advisor.core.quantity import Metric, Unit, human
from advisor.core.ranking import ANCHORS
from advisor.reports.advice import FamilyLine, family_advice
from advisor.reports.decision import VAGUE, Decision, decide, figure_text
from advisor.reports.difference import Difference, difference
from advisor.reports.drawing import chart_hint, chart_of, time_bars
from advisor.reports.energy_label import MEANING as LABEL_MEANING
from advisor.reports.energy_label import EnergyLabel, energy_labels
from advisor.reports.firmness import FirmnessView, firmness
from advisor.reports.risks import Risk, review_by, risks, unchecked
from advisor.reports.searched_view import SearchView, search_view
from advisor.reports.three_answers import AnswerView, answer_views
from advisor.reports.view import (
    CellView,
    Footnotes,
    LedgerView,
    RowView,
    columns_of,
    counts,
    entry_row,
    lane_origin,
    ledger,
    rejected_row,
    requirements,
)
from advisor.reports.wording import (
    METRIC_MEANING,
    ORIGIN_MEANING,
    STATUS,
    VERDICT_MEANING,
    event_words,
    joined,
    lane_words,
    percent,
    training_words,
)

SHOWN_RANKED = 50
SHOWN_UNCERTAIN = 25
"""Rows that the page holds without script; the script shows all."""
PRINTED = 12
"""Rows of the ranking on paper."""
SHOWN_MISSES = 30
"""Rejected candidates listed in the page; the others are in its data, for the sliders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of the decision box."""

    label: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """Where one figure comes from."""

    metric: str
    text: str
    level: str
    origin: str
    source: str
    date: str
    caveats: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceBlock:
    """Where the figures of one candidate come from."""

    key: str
    """Anchor within the page."""
    candidate: str
    lane: str
    license: str
    training_data: str
    energy: str
    """Its energy label; empty where it has none."""
    lines: tuple[SourceLine, ...]
    gaps: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """A row of the ranked table with the numbers it sorts by."""

    key: str
    row: RowView
    cells: tuple[CellView, ...]
    """In the order of the columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """Everything the page of a recommendation shows."""

    title: str
    subtitle: str
    decision: Decision
    answers: tuple[AnswerView, ...]
    facts: tuple[Fact, ...]
    unchecked: str
    requirements: tuple[tuple[str, str], ...]
    lane: str
    lane_origin: str
    other_lanes: tuple[str, ...]
    counts: str
    chart: str
    chart_hint: str
    columns: tuple[Metric, ...]
    rows: tuple[TableRow, ...]
    misses: tuple[TableRow, ...]
    more_misses: int
    ledger: tuple[LedgerView, ...]
    relaxations: tuple[str, ...]
    bars: str
    risks: tuple[Risk, ...]
    warnings: tuple[str, ...]
    sources: tuple[SourceBlock, ...]
    command: str
    versions: tuple[tuple[str, str], ...]
    inputs: tuple[Input, ...]
    request: str
    """The request as JSON."""
    compact_request: str
    """The same without indentation."""
    settle: str
    """Command of the measurement that is worth most; empty where none is."""
    data: str
    """What the script of the page works on, as JSON that is safe inside a script element."""
    glossary: tuple[tuple[str, str], ...]
    contents: tuple[tuple[str, str], ...]
    """(anchor, title) of the page's sections, in their order."""
    references: Mapping[str, tuple[int, ...]]
    """Numbers of the sources of each row, by its key."""
    numbered: tuple[str, ...]
    """The sources in the order of their numbers, starting at 1."""
    firmness: FirmnessView | None
    difference: Difference | None
    card: tuple[tuple[str, str], ...]
    """Excerpt of the recommended model's card: (field, text)."""
    families: tuple[FamilyLine, ...]
    use_case: UseCase | None
    search: SearchView | None
    signatures: tuple[str, ...] = ("Engineering", "Purchasing", "Review")


def page_of(document: Recommendation, against: Recommendation | None = None) -> PageView:
    """Compute the page of a recommendation, with the difference to an earlier one."""
    found = document.sensitivity or sensitivity(document)
    columns = columns_of(document)
    decision = decide(document)
    places = _places(document)
    labels = energy_labels(document.ranked)
    label = labels[0] if labels else None
    rows = [_row(place, item, columns) for place, item in places if isinstance(item, Entry)]
    misses = [_row(place, item, columns) for place, item in places if isinstance(item, Rejection)]
    ranked = [(place, item) for place, item in places if isinstance(item, Entry)][:PRINTED]
    references, numbered = _numbered_sources(ranked, columns)
    view = PageView(
        title=f"Vision models for {document.lane.device_name}",
        subtitle=f"Answer of {document.created[:10]}",
        decision=decision,
        answers=answer_views(document),
        facts=tuple(_facts(document, decision.entry)),
        unchecked=joined(unchecked(decision.entry)),
        requirements=requirements(document),
        lane=lane_words(document.lane),
        lane_origin=lane_origin(document),
        other_lanes=document.lane.others,
        counts=counts(document),
        chart=chart_of(document, places),
        chart_hint=chart_hint(document),
        columns=columns,
        rows=tuple(rows),
        misses=tuple(misses),
        more_misses=len(document.rejected) - len(misses),
        ledger=ledger(document),
        relaxations=tuple(item.text for item in document.relaxations),
        bars=time_bars(document.ranked[:3] or document.uncertain[:3]),
        risks=risks(document, decision.entry),
        warnings=document.warnings,
        sources=tuple(
            _sources(f"c{place}", item, labels[place] if place < len(labels) else None)
            for place, item in places
        ),
        command=document.command,
        versions=_versions(document),
        inputs=document.inputs,
        request=document.request.model_dump_json(indent=1),
        compact_request=document.request.model_dump_json(),
        settle=document.answers.worth_measuring.command if document.answers.worth_measuring else "",
        data=safe_json(_data(document)),
        glossary=_glossary(columns, labelled=label is not None),
        firmness=firmness(document, found) if found else None,
        difference=difference(against, document) if against else None,
        families=family_advice(document),
        use_case=document.use_case,
        search=search_view(document.search) if document.search else None,
        card=tuple(_card(decision.entry, label)) if decision.entry else (),
        contents=(),
        references=references,
        numbered=numbered,
    )
    return replace(view, contents=tuple(_contents(view)))


def _contents(page: PageView) -> Iterable[tuple[str, str]]:
    """List the sections that the page has, by their anchors."""
    sections = (
        ("chart", "Speed against accuracy", page.chart),
        ("models", "Models", True),
        ("request", "What was asked", True),
        ("case", "Use case", page.use_case),
        ("fell", "Why the others fell", True),
        ("firm", "How firm the answer is", page.firmness),
        ("time", "Where the time goes", page.bars),
        ("search", "How the variants were found", page.search),
        ("difference", "What changed", page.difference),
        ("card", "The model in short", page.card),
        ("families", "Which family, and when", page.families),
        ("risks", "What could go wrong", True),
        ("sources", "Sources of every figure", True),
        ("reproduce", "How to get this answer again", True),
        ("words", "Words used here", True),
        ("sign", "Sign-off", True),
    )
    return ((key, title) for key, title, is_there in sections if is_there)


def _numbered_sources(
    places: Sequence[tuple[int, Entry | Rejection]], columns: Sequence[Metric]
) -> tuple[dict[str, tuple[int, ...]], tuple[str, ...]]:
    """Number the sources of the rows that paper holds, so that each is written once."""
    numbers: dict[str, int] = {}
    found = {}
    for place, item in places:
        texts = [_source_text(item.metrics[m]) for m in columns if m in item.metrics]
        own = {numbers.setdefault(text, len(numbers) + 1) for text in texts}
        found[f"c{place}"] = tuple(sorted(own))
    return found, tuple(numbers)


def _source_text(figure: Figure) -> str:
    dated = f" ({figure.date})" if figure.date else ""
    return f"{figure.origin}: {figure.source}{dated}"


def estimate_sources(document: Estimates) -> tuple[SourceBlock, ...]:
    """Say where the figures of estimates come from, a block for each candidate."""
    return tuple(
        _sources(f"c{place}", item)
        for place, item in enumerate(document.estimates[: SHOWN_RANKED + SHOWN_UNCERTAIN])
    )


def safe_json(value: object) -> str:
    """Write JSON that cannot end the script element it stands in."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _items(document: Recommendation) -> list[Entry | Rejection]:
    """All candidates in the order in which the page numbers them."""
    return [*document.ranked, *document.uncertain, *document.rejected]


def _places(document: Recommendation) -> list[tuple[int, Entry | Rejection]]:
    """Candidates that the page shows without script, with their numbers."""
    ranked, judged = len(document.ranked), len(document.ranked) + len(document.uncertain)
    shown = {
        *range(min(SHOWN_RANKED, ranked)),
        *range(ranked, min(ranked + SHOWN_UNCERTAIN, judged)),
        *range(judged, judged + SHOWN_MISSES),
    }
    return [(place, item) for place, item in enumerate(_items(document)) if place in shown]


def _row(place: int, item: Entry | Rejection, columns: Sequence[Metric]) -> TableRow:
    notes = Footnotes()
    if isinstance(item, Entry):
        row = entry_row(item, columns, notes)
    else:
        row = rejected_row(item, columns, notes)
    return TableRow(key=f"c{place}", row=row, cells=tuple(row.cells[m] for m in columns))


def _facts(document: Recommendation, entry: Entry | None) -> Iterable[Fact]:
    if entry is not None:
        yield from _limit_facts(document, entry)
        yield Fact(
            label="Licence of the weights",
            text=entry.license or "not stated",
            note=_training_note(entry),
        )
    if document.device is not None:
        yield from _device_facts(document.device)
    yield Fact(label="How sure", text=_sureness(document), note="by the interval of each figure")
    day = review_by(document)
    if day is not None:
        yield Fact(label="Valid until", text=day.isoformat(), note="then ask again: software moves")


def _device_facts(device: DeviceFacts) -> Iterable[Fact]:
    """What the device costs and whether it can be bought; unknown is said, not left out."""
    if device.price is None:
        yield Fact(label="Price of the device", text="unknown", note="ask for an offer")
    else:
        parts = [device.price_item, device.price_date or "no date"]
        launch = ["at launch"] if device.price_is_launch else []
        bulk = (
            [f"from {device.price_quantity:,} pieces"] if (device.price_quantity or 1) > 1 else []
        )
        yield Fact(
            label="Price of the device",
            text=human(device.price, Unit.USD),
            note=", ".join(part for part in [*parts, *launch, *bulk] if part),
        )
    events = [event_words(*event) for event in device.events]
    yield Fact(
        label="Supply",
        text=STATUS.get(device.status, device.status),
        note="; ".join([*events, *([device.note] if device.note else [])]),
    )
    power = device.power
    yield Fact(
        label="Power of the device",
        text="unknown" if power is None else human(power, Unit.WATT),
        note="" if power is None else _POWER.get(device.power_kind, "kind not stated"),
    )


_POWER = {
    "tdp": "design power, not measured",
    "wall": "measured at the socket",
    "rail": "measured behind the supply",
}


def _sureness(document: Recommendation) -> str:
    """Say how far the answer can be relied on."""
    confidence = percent(document.request.confidence)
    if document.ranked:
        return f"each limit holds with at least {confidence} probability"
    if document.uncertain:
        return "not sure enough to rely on: a measurement has to settle it"
    return f"each model breaks a limit with at least {confidence} probability"


def _card(entry: Entry, label: EnergyLabel | None) -> Iterable[tuple[str, str]]:
    """Excerpt of the model card: what it is for, what it was trained on, how good it is."""
    yield "Model", entry.candidate
    yield "Meant for", "naming the main object of a photograph, one of 1,000 everyday classes"
    yield "Input", f"{entry.resolution} × {entry.resolution} pixels, colour"
    yield "Trained on", training_words(entry.training_data) or "not stated"
    yield "Licence of the weights", entry.license or "not stated: ask before commercial use"
    for metric in (Metric.TOP1, Metric.TOP5):
        if metric in entry.metrics:
            yield f"{metric.label} at {entry.precision}", figure_text(entry.metrics[metric])
    if label is not None:
        yield "Energy label", f"{label.text}; {label.basis}"
    if entry.other_weights:
        yield "Other weights", f"{entry.other_weights} more for the same network and input"
    yield "Known limits", "other kinds of images, rare classes and people are not covered"


def _training_note(entry: Entry) -> str:
    if entry.needs_training:
        return "nobody has trained it yet"
    trained = training_words(entry.training_data)
    return f"trained on {trained}" if trained else "training data not stated"


def _limit_facts(document: Recommendation, entry: Entry) -> Iterable[Fact]:
    limited = {limit.metric: limit for limit in document.request.limits}
    for metric in columns_of(document):
        figure = entry.metrics.get(metric)
        limit = limited.get(metric)
        note = METRIC_MEANING[metric]
        if figure is None:
            yield Fact(label=metric.label, text="unknown", note=entry.gaps.get(metric, note))
            continue
        margin = entry.margins.get(metric)
        if limit is not None:
            bound = human(limit.bound, metric.unit)
            note = f"limit {bound}" + (_margin_words(limit, margin) if margin is not None else "")
        yield Fact(label=metric.label, text=figure_text(figure), note=note)


def _margin_words(limit: Constraint, margin: float) -> str:
    room = limit.room_text(margin)
    return f", {room} to spare" if margin >= 0 else f", may be missed by {room}"


def _sources(
    key: str, item: Entry | Rejection | EstimateEntry, label: EnergyLabel | None = None
) -> SourceBlock:
    return SourceBlock(
        key=key,
        candidate=item.candidate,
        lane=item.lane,
        license=item.license if isinstance(item, Entry) else "",
        training_data=training_words(item.training_data) if isinstance(item, Entry) else "",
        energy=label.text if label else "",
        lines=tuple(_source_lines(item.metrics, item)),
        gaps=tuple((metric.label, reason) for metric, reason in item.gaps.items()),
    )


def _source_lines(
    figures: Mapping[Metric, Figure], item: Entry | Rejection | EstimateEntry
) -> Iterable[SourceLine]:
    weaker = {} if isinstance(item, Rejection) else item.alternatives
    for metric, figure in figures.items():
        yield _source_line(metric.label, figure)
        for other in weaker.get(metric, ()):
            yield _source_line(f"{metric.label} (also known)", other)


def _source_line(label: str, figure: Figure) -> SourceLine:
    exact = figure.low == figure.high
    return SourceLine(
        metric=label,
        text=figure_text(figure),
        level="" if exact else percent(figure.level),
        origin=figure.origin,
        source=figure.source,
        date=figure.date,
        caveats="; ".join(figure.caveats),
    )


def _versions(document: Recommendation) -> tuple[tuple[str, str], ...]:
    return (
        ("Advisor version", document.advisor_version),
        ("Answered at", document.created),
        ("Random seed", str(document.request.seed)),
        ("Format version", str(document.schema_version)),
    )


def _glossary(columns: Iterable[Metric], *, labelled: bool) -> tuple[tuple[str, str], ...]:
    terms = [(metric.label, METRIC_MEANING[metric]) for metric in columns]
    terms += [*_TERMS, *([("Energy label", LABEL_MEANING)] if labelled else [])]
    terms += [(f"Origin: {origin}", meaning) for origin, meaning in ORIGIN_MEANING.items()]
    terms += [(f"Verdict: {verdict}", meaning) for verdict, meaning in VERDICT_MEANING.items()]
    return tuple(terms)


_TERMS = (
    ("Interval", "range that holds the true value with the stated probability"),
    ("Lane", "one way to run models on a device: chip, software, precision, images at a time"),
    ("Precision", "how many bits a number takes: fewer are faster and can cost accuracy"),
    ("Probability", "that of keeping every limit at once, with what errs together counted once"),
    ("Tied", "the difference is smaller than its interval, so it is no order by itself"),
    (
        "Top-1",
        "how often the first guess is right: on ImageNet's test images unless the page says "
        "that it is on yours",
    ),
    ("px", "side of the square input in pixels"),
    ("To spare", "room between the unfavourable end of the interval and the limit"),
)


def _data(document: Recommendation) -> dict[str, object]:
    """Numbers of every candidate, so that the page can judge and rank again."""
    items = _items(document)
    columns = columns_of(document)
    origins = list(dict.fromkeys(_origin(item) for item in items))
    lanes = list(dict.fromkeys(item.lane for item in items))
    sources: dict[tuple[str, ...], int] = {}
    reach = _reach(document.request.confidence)
    return {
        "columns": [[m, m.label, m.unit, m.higher_is_better] for m in columns],
        "limits": [
            {"metric": limit.metric, "at_most": limit.at_most, "at_least": limit.at_least}
            for limit in document.request.limits
        ],
        "weights": dict(document.weights),
        "confidence": NORMAL.inv_cdf(document.request.confidence),
        "reach": reach,
        "near": NEAR,
        "shut": SHUT,
        "vague": VAGUE,
        "anchors": {m: ANCHORS[m] for m in {*columns, *document.weights}},
        "needs": document.request.needs,
        "answered": [len(document.ranked), len(document.uncertain)],
        "chances": [_rounded(item.probability) for item in _entries(document)],
        "front": [i for i, item in enumerate(_entries(document)) if item.on_front],
        "origins": origins,
        "candidates": [
            [item.candidate, item.precision, origins.index(_origin(item)), *_judged(item)]
            + [lanes.index(item.lane), _virtues(item), _source_numbers(item, columns, sources)]
            + [_packed(item.metrics.get(metric), reach) for metric in columns]
            for item in items
        ],
        "sources": [list(source) for source in sources],
    }


def _entries(document: Recommendation) -> tuple[Entry, ...]:
    """Those that meet every limit or may, in the order of the page's candidates."""
    return (*document.ranked, *document.uncertain)


def _rounded(probability: float | None) -> float | None:
    return None if probability is None else round(probability, 6)


def _virtues(item: Entry | Rejection) -> list[float | None]:
    """What decides within a tie: size, class of licence, evidence; then the shared errors."""
    size = item.metrics.get(Metric.PARAMETERS)
    latency = item.metrics.get(Metric.LATENCY)
    shared = (latency or item.metrics.get(Metric.THROUGHPUT) or _NO_FIGURE).shared
    return [
        size_step(size.value) if size and size.value > 0 else None,
        licence_class(item.license),
        latency.origin.rank if latency else len(Origin),
        *shared,
    ]


_NO_FIGURE = Figure(
    value=0, low=0, high=0, level=1, unit=Unit.COUNT, origin=Origin.ANALYTIC, source=""
)


def _source_numbers(
    item: Entry | Rejection, columns: Sequence[Metric], sources: dict[tuple[str, ...], int]
) -> list[int | None]:
    """Number where each figure comes from; the same source keeps its number."""
    found: list[int | None] = []
    for metric in columns:
        figure = item.metrics.get(metric)
        if figure is None:
            found.append(None)
            continue
        source = (figure.origin, figure.source, figure.date, "; ".join(figure.caveats))
        found.append(sources.setdefault(source, len(sources)))
    return found


def _reach(level: float) -> float:
    """How many standard deviations an interval of that level reaches to either side."""
    return NORMAL.inv_cdf((1 + min(level, SURE)) / 2)


def _judged(item: Entry | Rejection) -> tuple[int, int]:
    """Ranks of the worst verdict that no limit of the reader's changes, and of the answer's."""
    own = [v.rank for name, v in item.verdicts.items() if is_of_device(name)]
    answered = item.verdict if isinstance(item, Entry) else Verdict.VIOLATED
    return max(own, default=0), answered.rank


def _packed(figure: Figure | None, usual: float) -> list[float] | float | None:
    """A figure as the page's data holds it: one number where it is exact.

    The reach of its interval follows where it is another than the ``usual`` one.
    """
    if figure is None:
        return None
    if figure.low == figure.value == figure.high:
        return figure.value
    reach = _reach(figure.level)
    packed = [figure.value, figure.low, figure.high]
    return packed if reach == usual else [*packed, reach]


def _origin(item: Entry | Rejection) -> str:
    """Origin of the latency, else of the first figure known."""
    first = next(iter(item.metrics.values()), None)
    figure = item.metrics.get(Metric.LATENCY, first)
    return figure.origin if figure else ""
