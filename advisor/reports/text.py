"""Text: the report as a terminal shows it, right at 80 columns and wider."""

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from advisor.core.document import Estimates, Recommendation
from advisor.core.filed import Document
from advisor.reports import Layout
from advisor.reports.decision import Outcome
from advisor.reports.text_table import VERDICT_STYLE, estimate_tables, ranked_table, sheet_table
from advisor.reports.view import (
    EstimatesView,
    ReportView,
    RowView,
    view_of,
    view_of_estimates,
)

if TYPE_CHECKING:
    from advisor.reports.purchase.cells import TableView

_OUTCOME_STYLE = {Outcome.USE: "bold green", Outcome.MEASURE: "bold yellow"}


class TextWriter:
    """Writes tables with rich; without colour off a terminal."""

    suffix = ".txt"

    def render(self, document: Document, layout: Layout) -> str:
        """Return the report laid out for ``layout.width`` characters."""
        if isinstance(document, Recommendation):
            parts = _recommendation(view_of(document, top=document.request.top), layout)
        elif isinstance(document, Estimates):
            parts = _estimates(view_of_estimates(document), layout)
        else:
            parts = _other(document, layout)
        return _printed(Group(*parts), layout)


def _printed(content: RenderableType, layout: Layout) -> str:
    console = Console(
        file=io.StringIO(),
        width=layout.width,
        force_terminal=layout.color,
        color_system="standard" if layout.color else None,
        no_color=not layout.color,
        highlight=False,
        emoji=False,
        legacy_windows=False,
    )
    with console.capture() as capture:
        console.print(content)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _recommendation(view: ReportView, layout: Layout) -> list[RenderableType]:
    style = _OUTCOME_STYLE.get(view.decision.outcome, "bold red")
    lines: list[RenderableType] = [Text(view.decision.headline, style)]
    lines += [_indented(sentence) for sentence in view.decision.sentences]
    lines += _answers(view)
    lines += _section("Meet every limit", view.ranked, view, layout)
    lines += _section("Uncertain", view.uncertain, view, layout)
    if not view.ranked:
        lines += _section("Nearest misses", view.misses, view, layout)
        lines += _listed("What would help", view.relaxations)
    lines += _ledger(view)
    lines += _listed("Warnings", view.warnings)
    lines += _notes(view)
    lines += [Text(), Text(f"{view.counts}.", "dim"), *_lane(view)]
    return lines


def _answers(view: ReportView) -> list[RenderableType]:
    if not view.answers:
        return []
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for answer in view.answers:
        first = Text(answer.candidate or "none", "bold" if answer.candidate else "dim")
        if answer.candidate:
            first.append(f"  {answer.figures}", "")
        texts = [answer.reason, *([answer.gain] if answer.gain else [])]
        table.add_row(Text(answer.title), first.append(f"\n{'; '.join(texts)}", "dim"))
    return [Text(), Padding(table, (0, 0, 0, 2))]


def _other(document: Document, layout: Layout) -> list[RenderableType]:
    from advisor.procurement.review import ProcurementReview

    if not isinstance(document, ProcurementReview):
        return _sheet(document, layout)
    from advisor.reports.purchase.sections import purchase_of, tables_named

    view = purchase_of(document)
    lines: list[RenderableType] = [Text(view.headline, "bold")]
    lines += [_indented(sentence) for sentence in view.sentences]
    for found in tables_named(view, ("devices", "matrix", "fails", "portfolio")):
        lines += [Text(), Text(found.title, "bold"), _review_table(found)]
    return [*lines, *_listed("Warnings", view.warnings)]


def _sheet(document: Document, layout: Layout) -> list[RenderableType]:
    from advisor.reports.sheets import sheet_of

    view = sheet_of(document, "table")
    lines: list[RenderableType] = [Text(view.headline, "bold")]
    lines += [_indented(sentence) for sentence in view.sentences]
    for found in [table for section in view.sections if section.brief for table in section.tables]:
        lines += [Text(), *sheet_table(found, layout.width)]
    return [*lines, *_listed("Warnings", view.warnings)]


def _review_table(found: "TableView") -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for name in found.head:
        table.add_column(name, overflow="fold")
    for row in found.rows:
        cells = [Text(item.text, VERDICT_STYLE.get(item.kind, "")) for item in row]
        for text, item in zip(cells, row, strict=True):
            text.append(f"\n{item.note}" if item.note and len(found.rows) < 20 else "", "dim")
        table.add_row(*cells)
    return table


def _estimates(view: EstimatesView, layout: Layout) -> list[RenderableType]:
    lines: list[RenderableType] = list(estimate_tables(view.rows, view.columns, layout.width))
    lines += [Text(lane, "dim") for lane in view.lanes]
    lines += _listed("Not estimated", view.gaps)
    lines += _listed(
        "What is said of these families, checked",
        (f"{c.claim}: {c.verdict.replace('-', ' ')}. {c.official}" for c in view.claims),
    )
    lines += _numbered(view.notes)
    return lines


def _section(
    title: str, rows: Sequence[RowView], view: ReportView, layout: Layout
) -> list[RenderableType]:
    if not rows:
        return []
    table = ranked_table(rows, view.columns, view.limited, layout.width)
    return [Text(), Text(title, "bold"), table]


def _ledger(view: ReportView) -> list[RenderableType]:
    if not any(line.rejected or line.uncertain for line in view.ledger):
        return []
    texts = [
        f"{line.limit}: {line.rejected:,} rejected ({line.only:,} by this limit alone), "
        f"{line.uncertain:,} uncertain"
        for line in view.ledger
    ]
    return _listed("Why candidates fell", texts)


def _notes(view: ReportView) -> list[RenderableType]:
    misses = () if view.ranked else view.misses
    shown = (*view.ranked, *view.uncertain)
    # Numbers rise as they are first referred to: those of rows that are not printed come last.
    cells = [cell for row in (*shown, *misses) for cell in row.cells.values()]
    lines = _numbered(view.notes[: max((n for cell in cells for n in cell.notes), default=0)])
    if any(row.on_front for row in shown):
        lines.append(Text("◆ no other model is both faster and more accurate", "dim"))
    if view.settle and view.ranked:
        lines.append(Text(f"An uncertain model is settled by measuring it: {view.settle}", "dim"))
    return [Text(), *lines] if lines else []


def _lane(view: ReportView) -> list[RenderableType]:
    lines: list[RenderableType] = [Text(f"Run with {view.lane} ({view.lane_origin}).", "dim")]
    if view.other_lanes:
        lines.append(Text(f"Other ways to run it: {'; '.join(view.other_lanes)}.", "dim"))
    return lines


def _listed(title: str, lines: Iterable[str]) -> list[RenderableType]:
    texts = [_indented(line) for line in lines]
    return [Text(), Text(title, "bold"), *texts] if texts else []


def _numbered(notes: Sequence[str]) -> list[RenderableType]:
    return [Text(f"[{number}] {note}", "dim") for number, note in enumerate(notes, 1)]


def _indented(text: str) -> RenderableType:
    return Padding(Text(text), (0, 0, 0, 2))
