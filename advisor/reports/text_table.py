"""Tables of candidates for a terminal, laid out so that they fit its width."""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from advisor.core.quantity import Metric
from advisor.reports.view import CellView, RowView

if TYPE_CHECKING:
    from advisor.reports.sheet import SheetTable

VERDICT_STYLE = {"met": "green", "uncertain": "yellow", "unknown": "yellow", "violated": "red"}
SIDE_BY_SIDE = 3
"""Candidates from which a table is read more easily than one block for each."""
_MODEL = (16, 48)
"""Least and most characters for the name of a model."""
_BETWEEN = 2
"""Characters between two columns of a sheet."""
_RANK, _ORIGIN, _VERDICT = 4, 10, 17

Stack = tuple[Metric, ...]


def ranked_table(
    rows: Sequence[RowView], columns: Sequence[Metric], limited: Collection[Metric], width: int
) -> Table:
    """Lay out judged candidates; what does not fit is left out, limited metrics last."""
    room = width - _RANK - _ORIGIN - _VERDICT
    if _wide(rows, columns) <= room - _longest(rows):
        stacks: list[Stack] = [(metric,) for metric in columns]
        return _ranked(rows, stacks, wide=True)
    kept = _fitting(rows, columns, limited, width - _RANK - _VERDICT - _MODEL[0])
    return _ranked(rows, _stacked(rows, kept), wide=False)


def estimate_tables(
    rows: Sequence[RowView], columns: Sequence[Metric], width: int
) -> Iterator[RenderableType]:
    """Lay out estimates side by side where they fit, else one block for each candidate."""
    fits = _narrow(rows, columns) <= width - _ORIGIN - _MODEL[0]
    if len(rows) >= SIDE_BY_SIDE and fits:
        yield _estimates(rows, columns, wide=_wide(rows, columns) <= width - _ORIGIN - _MODEL[1])
        return
    if len(rows) > 1:
        yield from _side_by_side(rows, columns, width)
        return
    for row in rows:
        yield Text(f"{row.title} {row.precision} on {row.lane}", "bold")
        yield block(row, columns, width)
        yield Text()


_METRIC, _COLUMN = 13, 22
"""Least characters for the name of a metric and for the figures of a candidate."""


def _side_by_side(
    rows: Sequence[RowView], columns: Sequence[Metric], width: int
) -> Iterator[RenderableType]:
    """One column for each candidate and one table for each lane, as many columns as fit."""
    at_once = max((width - _METRIC) // _COLUMN, 1)
    for lane in dict.fromkeys(row.lane for row in rows):
        own = [row for row in rows if row.lane == lane]
        yield Text(lane, "bold")
        for start in range(0, len(own), at_once):
            yield _columns(own[start : start + at_once], columns, width)
            yield Text()


def _columns(rows: Sequence[RowView], columns: Sequence[Metric], width: int) -> Table:
    """Candidates side by side: value, interval and origin below each other."""
    table = _empty()
    table.add_column("", no_wrap=True, min_width=_METRIC - 1)
    each = (width - _METRIC) // len(rows) - 1
    for row in rows:
        table.add_column(f"{row.title} {row.precision}", overflow="fold", max_width=each)
    for metric in columns:
        cells = []
        for row in rows:
            cell = row.cells[metric]
            text = _figure(cell, Text("\n"))
            cells.append(text.append(f"\n{cell.origin}" if cell.origin else "", "dim"))
        table.add_row(metric.label, *cells)
    return table


def _wide(rows: Sequence[RowView], columns: Sequence[Metric]) -> int:
    """Characters of the figures where value and interval share a line."""
    return sum(_width(rows, metric, Text(" ")) for metric in columns)


def _narrow(rows: Sequence[RowView], columns: Sequence[Metric]) -> int:
    """Characters of the figures where the interval stands below the value."""
    stacks = _stacked(rows, columns)
    return sum(max(_width(rows, m, Text("\n")) for m in stack) for stack in stacks)


def _width(rows: Sequence[RowView], metric: Metric, gap: Text) -> int:
    lines = (
        len(line) for row in rows for line in _figure(row.cells[metric], gap).plain.split("\n")
    )
    return max(max(lines, default=0), len(metric.label)) + 1


def _longest(rows: Sequence[RowView]) -> int:
    longest = max((len(row.candidate) + len(row.precision) + 1 for row in rows), default=0)
    return min(max(longest, _MODEL[0]), _MODEL[1])


def _fitting(
    rows: Sequence[RowView], columns: Sequence[Metric], limited: Collection[Metric], room: int
) -> list[Metric]:
    """Leave columns out until the rest fits: first those that no limit is on."""
    kept = list(columns)
    order = [m for m in reversed(columns) if m not in limited and m not in _FIRST]
    order += [m for m in reversed(columns) if m in limited and m not in _FIRST]
    for metric in order:
        if _narrow(rows, kept) <= room:
            break
        kept.remove(metric)
    return kept


_FIRST = (Metric.LATENCY, Metric.TOP1)


def _ranked(rows: Sequence[RowView], stacks: Sequence[Stack], *, wide: bool) -> Table:
    table = _empty()
    table.add_column("#", justify="right", no_wrap=True)
    _add_figures(table, stacks)
    if wide:
        table.add_column("Origin", no_wrap=True)
        table.add_column("Verdict", no_wrap=True)
    else:
        table.add_column("Origin\nVerdict", no_wrap=True)
    for row in rows:
        verdict = Text(row.verdict, VERDICT_STYLE.get(row.verdict, ""))
        verdict.append(f" {_short(row)}" if row.share else "", "dim")
        verdict.append(" ◆" if row.on_front else "", "cyan")
        ends = [Text(row.origin), verdict]
        figures = _figures(row, stacks, wide=wide)
        last = ends if wide else [Text("\n").join(ends)]
        table.add_row(Text(row.rank), _model(row, wide=wide), *figures, *last)
    return table


def _short(row: RowView) -> str:
    """The probability in five characters."""
    return row.probability.replace("over ", ">").replace("under ", "<").replace(" ", "")


def _estimates(rows: Sequence[RowView], columns: Sequence[Metric], *, wide: bool) -> Table:
    stacks = [(metric,) for metric in columns] if wide else _stacked(rows, columns)
    several = len({row.lane for row in rows}) > 1
    table = _empty()
    _add_figures(table, stacks)
    table.add_column("Origin", no_wrap=True)
    for row in rows:
        model = _model(row, wide=wide)
        model.append(f"\n{row.lane}" if several else "", "dim")
        table.add_row(model, *_figures(row, stacks, wide=wide), Text(row.origin))
    return table


def block(row: RowView, columns: Sequence[Metric], width: int) -> RenderableType:
    """One metric a line, with the source of each figure.

    Laid out here as rich would, twenty times as fast: thousands are printed at once.
    """
    lines = [_block_line(row, metric) for metric in columns]
    widths = [max(cell_len(name), *(line[i].cell_len for line in lines))
              for i, name in enumerate(_BLOCK)]  # fmt: skip
    room = width - sum(widths) - _GAP * len(widths)
    if room < _LEAST_SOURCE:
        return block_table(row, columns)
    console = Console(width=width)
    folded = [line[-1].wrap(console, room, overflow="fold") for line in lines]
    longest = max(len(_SOURCE), *(line[-1].cell_len for line in lines))
    rule = min(width, width - room + longest)
    found = Text("", no_wrap=True, overflow="ignore", end="")
    titles = [Text(name, "bold") for name in (*_BLOCK, _SOURCE)]
    laid_out: list[tuple[Sequence[Text], Sequence[Text]]] = [(titles, [titles[-1]])]
    laid_out += [(line, list(parts)) for line, parts in zip(lines, folded, strict=True)]
    for number, (line, sources) in enumerate(laid_out):
        for part, source in enumerate(sources):
            for cell, size in zip(line, widths, strict=False):
                if part == 0:
                    found.append_text(cell)
                found.append(" " * (size + _GAP - (cell.cell_len if part == 0 else 0)))
            found.append_text(source)
            found.append("\n")
        if number == 0:
            found.append("─" * rule + "\n")
    return found


_BLOCK = ("Metric", "Value", "Interval", "Origin")
_SOURCE = "Source"
_GAP = 2
_LEAST_SOURCE = 16
"""Characters below which the column of sources is left to rich."""


def _block_line(row: RowView, metric: Metric) -> tuple[Text, Text, Text, Text, Text]:
    cell = row.cells[metric]
    source = cell.figure.source if cell.figure else cell.gap
    value = _figure_value(cell)
    return (Text(metric.label), value, Text(cell.interval, "dim"), Text(cell.origin), Text(source))


def block_table(row: RowView, columns: Sequence[Metric]) -> Table:
    """The same for terminals that are too narrow for the column of sources."""
    table = _empty()
    for name in _BLOCK:
        table.add_column(name, no_wrap=True)
    table.add_column(_SOURCE, overflow="fold")
    for metric in columns:
        table.add_row(*_block_line(row, metric))
    return table


def _empty() -> Table:
    return Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)


def _add_figures(table: Table, stacks: Sequence[Stack]) -> None:
    table.add_column("Model", overflow="fold", min_width=14)
    for stack in stacks:
        title = "\n".join(metric.label for metric in stack)
        table.add_column(title, justify="right", no_wrap=True)


def _stacked(rows: Sequence[RowView], columns: Sequence[Metric]) -> list[Stack]:
    """Put metrics without intervals two to a column, so that a narrow terminal holds them."""
    ranged = {metric for metric in columns if any(row.cells[metric].interval for row in rows)}
    exact = [metric for metric in columns if metric not in ranged]
    pairs = [tuple(exact[start : start + 2]) for start in range(0, len(exact), 2)]
    return [*((metric,) for metric in columns if metric in ranged), *pairs]


def _figures(row: RowView, stacks: Sequence[Stack], *, wide: bool) -> list[Text]:
    gap = Text(" " if wide else "\n")
    return [
        Text("\n").join(_figure(row.cells[metric], gap) for metric in stack) for stack in stacks
    ]


def _model(row: RowView, *, wide: bool) -> Text:
    head, dot, tail = row.candidate.partition(":" if ":" in row.candidate else ".")
    text = Text(row.candidate if wide else f"{head}\n{dot}{tail}")
    text.append(f" {row.precision}", "dim")
    text.append(f"\n{row.training}" if row.training else "", "yellow")
    return text


def _figure(cell: CellView, gap: Text) -> Text:
    text = _figure_value(cell)
    if cell.interval:
        text.append_text(gap)
        text.append(cell.interval, "dim")
    return text


def _figure_value(cell: CellView) -> Text:
    text = Text(cell.text)
    text.append(_marks(cell.notes), "dim")
    return text


def _marks(notes: Sequence[int]) -> str:
    """Write footnote numbers, runs put together: ``[1–4,7]``."""
    runs: list[list[int]] = []
    for number in sorted(notes):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    parts = [str(low) if low == high else f"{low}–{high}" for low, high in runs]
    return f"[{','.join(parts)}]" if parts else ""


def sheet_table(found: "SheetTable", width: int) -> Iterator[RenderableType]:
    """Lay out a table; row by row where its words do not fit side by side."""
    if _least(found) > width:
        for name, *cells in found.rows:
            pairs = zip(found.head[1:], cells, strict=True)
            told = [f"{head} {cell}" for head, cell in pairs if cell]
            yield Text(name, "bold")
            yield Padding(Text("; ".join(told)), (0, 0, 0, 2))
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for place, name in enumerate(found.head):
        right = place in found.numbers
        table.add_column(name, overflow="fold", justify="right" if right else "left")
    for row in found.rows:
        table.add_row(*map(Text, row))
    yield table


def _least(found: "SheetTable") -> int:
    """Width at which no word of a table is broken."""
    columns = zip(found.head, *found.rows, strict=True)
    words = ([word for cell in column for word in cell.split()] for column in columns)
    return sum(max(map(cell_len, own), default=0) + _BETWEEN for own in words)
