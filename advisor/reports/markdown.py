"""Markdown: a report for issue trackers and wikis."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from advisor.core.document import Estimates, Recommendation
from advisor.core.filed import Document
from advisor.core.quantity import Metric
from advisor.reports import Layout
from advisor.reports.searched_view import SearchView
from advisor.reports.view import (
    CellView,
    EstimatesView,
    ReportView,
    RowView,
    view_of,
    view_of_estimates,
)

if TYPE_CHECKING:
    from advisor.procurement.review import ProcurementReview

_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_|<>[]#"} | {"\n": " "})


class MarkdownWriter:
    """Writes headings and tables that GitHub and GitLab render."""

    suffix = ".md"

    def render(self, document: Document, layout: Layout) -> str:
        """Return the report."""
        if isinstance(document, Recommendation):
            return _recommendation(view_of(document, top=document.request.top))
        if isinstance(document, Estimates):
            return _estimates(view_of_estimates(document))
        from advisor.procurement.review import ProcurementReview

        if isinstance(document, ProcurementReview):
            return _review(document)
        return _sheet(document)


def escape(text: str) -> str:
    """Write text so that Markdown shows it as it is."""
    return text.translate(_SPECIAL)


def _recommendation(view: ReportView) -> str:
    parts = [
        f"# {escape(view.title)}",
        f"**{escape(view.decision.headline)}**",
        *(escape(sentence) for sentence in view.decision.sentences),
        *_answers(view),
        "## Request",
        _bullets(f"{what}: {text}" for what, text in view.requirements),
        f"Lane: {escape(view.lane)} ({escape(view.lane_origin)}).",
        *_section("Models that meet every limit", view.ranked, view.columns),
        *([f"Energy label of the first: {escape(view.energy)}."] if view.energy else []),
        *_section("Uncertain: measure before relying on them", view.uncertain, view.columns),
        *_nothing(view),
        *_ledger(view),
        *(_search(view.search) if view.search else []),
        *_notes(view.notes),
        "## Reproduce",
        f"```\n{view.command}\n```",
        escape(view.counts) + ".",
    ]
    return "\n\n".join(parts) + "\n"


def _answers(view: ReportView) -> list[str]:
    if not view.answers:
        return []
    head = ["Answer", "Model", "Figures", "Keeps every limit", "Why"]
    lines = [head, ["---"] * len(head)]
    for answer in view.answers:
        why = "; ".join(text for text in (answer.reason, answer.gain, answer.command) if text)
        cells = (answer.title, answer.candidate or "none", answer.figures, answer.probability, why)
        lines.append([escape(cell) for cell in cells])
    return ["## Three answers", "\n".join(f"| {' | '.join(line)} |" for line in lines)]


def _review(document: "ProcurementReview") -> str:
    from advisor.reports.purchase.sections import purchase_of

    view = purchase_of(document)
    parts = [f"# {view.title}", f"**{escape(view.headline)}**", *map(escape, view.sentences)]
    parts += [_bullets(f"Warning: {text}" for text in view.warnings)] if view.warnings else []
    parts += [_bullets(f"{what}: {text}" for what, text in view.requirements)]
    for found in view.tables:
        rows = [[" ".join(filter(None, (x.text, x.note))) for x in row] for row in found.rows]
        lines = [list(found.head), ["---"] * len(found.head), *(map(escape, row) for row in rows)]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        parts += [f"## {found.title}", table, *([escape(found.note)] if found.note else [])]
    return "\n\n".join([*parts, f"```\n{view.command}\n```"]) + "\n"


def _sheet(document: Document) -> str:
    from advisor.reports.sheets import sheet_of

    view = sheet_of(document, "markdown")
    parts = [f"# {escape(view.title)}", f"**{escape(view.headline)}**"]
    parts += map(escape, view.sentences)
    parts += [_bullets(f"Warning: {text}" for text in view.warnings)] if view.warnings else []
    parts += [_bullets(f"{what}: {text}" for what, text in view.facts)]
    for section in view.sections:
        parts += [f"## {escape(section.title)}", *map(escape, section.text)]
        for found in section.tables:
            rule = ["---"] * len(found.head)
            lines = [list(found.head), rule, *(map(escape, row) for row in found.rows)]
            parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
            parts += [escape(found.note)] if found.note else []
    return "\n\n".join([*parts, f"```\n{view.command}\n```"]) + "\n"


def _estimates(view: EstimatesView) -> str:
    parts = [
        f"# {view.title}",
        _table(view.rows, view.columns, ranked=False),
        *([_bullets(view.lanes)] if view.lanes else []),
        *(_claims(view) if view.claims else []),
        *(["## Not estimated", _bullets(view.gaps)] if view.gaps else []),
        *_notes(view.notes),
        f"```\n{view.command}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _claims(view: EstimatesView) -> list[str]:
    texts = (f"{c.claim}: {c.verdict.replace('-', ' ')}. {c.official}" for c in view.claims)
    return ["## What is said of these families, checked", _bullets(texts)]


def _section(title: str, rows: Sequence[RowView], columns: Sequence[Metric]) -> list[str]:
    return [f"## {title}", _table(rows, columns, ranked=True)] if rows else []


def _nothing(view: ReportView) -> list[str]:
    if view.ranked:
        return []
    parts = _section("Nearest misses", view.misses, view.columns)
    if view.relaxations:
        parts += ["## What would help", _bullets(view.relaxations)]
    return parts


def _ledger(view: ReportView) -> list[str]:
    if not view.ledger:
        return []
    lines = [
        "| Constraint | Rejected | By this limit alone | Uncertain |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {escape(x.limit)} | {x.rejected} | {x.only} | {x.uncertain} |" for x in view.ledger
    ]
    return ["## Why candidates fell", "\n".join(lines)]


def _search(view: SearchView) -> list[str]:
    parts = [
        "## How the variants were found",
        _bullets(f"{what}: {text}" for what, text in view.facts),
    ]
    if view.fronts:
        table = _noted_table(view.fronts.head, view.fronts.lines)
        parts += [f"### {escape(view.fronts.title)}", table, escape(view.fronts.note)]
    if not view.lines:
        return parts
    return [*parts, _noted_table(view.head, [one.cells for one in view.lines]), escape(view.note)]


def _noted_table(head: Sequence[str], lines: Iterable[Iterable[tuple[str, str]]]) -> str:
    rows = [[escape(", ".join(filter(None, cell))) for cell in cells] for cells in lines]
    table = [list(head), ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in table)


def _notes(notes: Sequence[str]) -> list[str]:
    if not notes:
        return []
    return ["## Notes", "\n".join(f"{i}. {escape(note)}" for i, note in enumerate(notes, 1))]


def _table(rows: Sequence[RowView], columns: Sequence[Metric], *, ranked: bool) -> str:
    judged = ["Keeps every limit", "Verdict", "Front"] if ranked else ["Lane"]
    head = [*(["#"] if ranked else []), "Model", *(m.label for m in columns), "Origin", *judged]
    rule = ["---:" if name in {"#", *(m.label for m in columns)} else "---" for name in head]
    lines = [head, rule, *(_cells(row, columns, ranked=ranked) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(row: RowView, columns: Sequence[Metric], *, ranked: bool) -> list[str]:
    training = f", {escape(row.training)}" if row.training else ""
    model = f"{escape(row.title)} {escape(row.precision)}{training}"
    judged = (
        [row.probability, row.verdict, "◆" if row.on_front else ""]
        if ranked
        else [escape(row.lane)]
    )
    figures = [_figure(row.cells[metric]) for metric in columns]
    return [*([row.rank] if ranked else []), model, *figures, row.origin, *judged]


def _figure(cell: CellView) -> str:
    marks = "".join(f" [{number}]" for number in cell.notes)
    return f"{cell.full}{escape(marks)}"


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {escape(line)}" for line in lines)
