"""Text: the report as a terminal shows it, right at 80 columns and wider."""

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from advisor.errors import UsageError
from advisor.quantity import Metric
from advisor.recommendation import Document, Estimates, Recommendation
from advisor.reports import Layout
from advisor.reports.decision import Outcome
from advisor.reports.view import (
    CellView,
    EstimatesView,
    ReportView,
    RowView,
    view_of,
    view_of_estimates,
)

if TYPE_CHECKING:
    from advisor.reports.purchase_cells import TableView

WIDE = 110
"""Characters below which a value and its interval are never put on one line."""
_VERDICT_STYLE = {"met": "green", "uncertain": "yellow", "unknown": "yellow", "violated": "red"}
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
            parts = _other(document)
        return _printed(Group(*parts), layout)


def _printed(content: RenderableType, layout: Layout) -> str:
    console = Console(
        file=io.StringIO(),
        width=layout.width,
        force_terminal=layout.color,
        color_system="standard" if layout.color else None,
        no_color=not layout.color,
        highlight=False,
        legacy_windows=False,
    )
    with console.capture() as capture:
        console.print(content)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _recommendation(view: ReportView, layout: Layout) -> list[RenderableType]:
    style = _OUTCOME_STYLE.get(view.decision.outcome, "bold red")
    lines: list[RenderableType] = [Text(view.decision.headline, style)]
    lines += [_indented(sentence) for sentence in view.decision.sentences]
    lines += _section("Meet every limit", view.ranked, view.columns, layout)
    lines += _section("Uncertain", view.uncertain, view.columns, layout)
    if not view.ranked:
        lines += _section("Nearest misses", view.misses, view.columns, layout)
        lines += _listed("What would help", view.relaxations)
    lines += _ledger(view)
    lines += _listed("Warnings", view.warnings)
    lines += _notes(view)
    lines += [Text(), Text(f"{view.counts}.", "dim"), *_lane(view)]
    return lines


def _other(document: Document) -> list[RenderableType]:
    from advisor.procurement.review import ProcurementReview

    if not isinstance(document, ProcurementReview):
        raise UsageError(f"table: cannot show {type(document).__name__}")
    from advisor.reports.purchase import purchase_of, tables_named

    view = purchase_of(document)
    lines: list[RenderableType] = [Text(view.headline, "bold")]
    lines += [_indented(sentence) for sentence in view.sentences]
    for found in tables_named(view, ("devices", "matrix", "fails", "portfolio")):
        lines += [Text(), Text(found.title, "bold"), _review_table(found)]
    return [*lines, *_listed("Warnings", view.warnings)]


def _review_table(found: "TableView") -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for name in found.head:
        table.add_column(name, overflow="fold")
    for row in found.rows:
        cells = [Text(item.text, _VERDICT_STYLE.get(item.kind, "")) for item in row]
        for text, item in zip(cells, row, strict=True):
            text.append(f"\n{item.note}" if item.note and len(found.rows) < 20 else "", "dim")
        table.add_row(*cells)
    return table


def _estimates(view: EstimatesView, layout: Layout) -> list[RenderableType]:
    lines: list[RenderableType] = [_table(view.rows, view.columns, layout, judged=False)]
    lines += [Text(lane, "dim") for lane in view.lanes]
    lines += _listed("Not estimated", view.gaps)
    lines += _listed(
        "What is said of these families, checked",
        (f"{c.claim}: {c.verdict.replace('-', ' ')}. {c.official}" for c in view.claims),
    )
    lines += _numbered(view.notes)
    return lines


def _section(
    title: str, rows: Sequence[RowView], columns: Sequence[Metric], layout: Layout
) -> list[RenderableType]:
    if not rows:
        return []
    return [Text(), Text(title, "bold"), _table(rows, columns, layout, judged=True)]


def _table(
    rows: Sequence[RowView], columns: Sequence[Metric], layout: Layout, *, judged: bool
) -> Table:
    wide = layout.width >= _needed(rows, columns)
    stacks = [(metric,) for metric in columns] if wide else _stacked(rows, columns)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    if judged:
        table.add_column("#", justify="right", no_wrap=True)
    table.add_column("Model", overflow="fold", min_width=14)
    for stack in stacks:
        title = "\n".join(metric.label for metric in stack)
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Origin" if wide or not judged else "Origin\nVerdict", no_wrap=True)
    if judged and wide:
        table.add_column("Verdict", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row, stacks, wide=wide, judged=judged))
    return table


def _needed(rows: Sequence[RowView], columns: Sequence[Metric]) -> int:
    """Width from which a value and its interval fit on one line beside the model's name."""
    model = min(max((len(row.candidate) + 6 for row in rows), default=14), 48)
    figures = sum(
        max([len(_figure(row.cells[m], Text(" "))) for row in rows] + [len(m.label)]) + 2
        for m in columns
    )
    return max(WIDE, 4 + model + figures + 11 + 12)


def _stacked(rows: Sequence[RowView], columns: Sequence[Metric]) -> list[tuple[Metric, ...]]:
    """Put metrics without intervals two to a column, so that a narrow terminal holds them."""
    ranged = {metric for metric in columns if any(row.cells[metric].interval for row in rows)}
    exact = [metric for metric in columns if metric not in ranged]
    pairs = [tuple(exact[start : start + 2]) for start in range(0, len(exact), 2)]
    return [*((metric,) for metric in columns if metric in ranged), *pairs]


def _cells(
    row: RowView, stacks: Sequence[Sequence[Metric]], *, wide: bool, judged: bool
) -> list[Text]:
    gap = Text(" " if wide else "\n")
    figures = [
        Text("\n").join(_figure(row.cells[metric], gap) for metric in stack) for stack in stacks
    ]
    cells = [_model(row, wide=wide), *figures]
    if not judged:
        return [*cells, Text(row.origin)]
    verdict = Text(row.verdict, _VERDICT_STYLE.get(row.verdict, ""))
    verdict.append(" ◆" if row.on_front else "", "cyan")
    ends = [Text(row.origin), verdict]
    return [Text(row.rank), *cells, *(ends if wide else [Text("\n").join(ends)])]


def _model(row: RowView, *, wide: bool) -> Text:
    head, dot, tail = row.candidate.partition(".")
    text = Text(row.candidate if wide else f"{head}\n{dot}{tail}")
    text.append(f" {row.precision}", "dim")
    return text


def _figure(cell: CellView, gap: Text) -> Text:
    text = Text(cell.text)
    text.append("".join(f"[{number}]" for number in cell.notes), "dim")
    if cell.interval:
        text.append_text(gap)
        text.append(cell.interval, "dim")
    return text


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
    lines = _numbered(view.notes)
    shown = (*view.ranked, *view.uncertain)
    if any(row.on_front for row in shown):
        lines.append(Text("◆ no other model is both faster and more accurate", "dim"))
    settle = next((row.reason for row in view.uncertain if row.reason), "")
    if settle and view.ranked:
        lines.append(Text(f"An uncertain model is settled by measuring it: {settle}", "dim"))
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
