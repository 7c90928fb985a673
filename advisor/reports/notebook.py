"""Notebook: a document as a small table that a notebook shows; the whole page is a file."""

from collections.abc import Iterable, Sequence
from html import escape

from advisor.core.document import Estimates, Recommendation
from advisor.core.filed import Document
from advisor.reports.records import records
from advisor.reports.view import RowView, view_of, view_of_estimates

SHOWN = 10
"""Rows of a table; the document holds all."""


def fragment(document: Document) -> str:
    """Return a heading, a table and what goes with it as HTML without style or script."""
    if isinstance(document, Recommendation):
        view = view_of(document, top=min(document.request.top, SHOWN))
        rows = view.ranked or view.uncertain or view.misses
        lines = [*view.decision.sentences, *view.warnings]
        return _shown(view.decision.headline, _candidates(rows, view.columns), lines)
    if isinstance(document, Estimates):
        table = view_of_estimates(document)
        return _shown(table.title, _candidates(table.rows[:SHOWN], table.columns), table.lanes)
    found = records(document)
    head = list(found[0]) if found else []
    body = [["" if value is None else str(value) for value in row.values()] for row in found]
    title = next((str(value) for name, value in document if name == "summary" and value), "")
    return _shown(title, _table(head, body[:SHOWN]), _left_out(body))


def _left_out(body: Sequence[object]) -> list[str]:
    more = len(body) - SHOWN
    return [f"and {more:,} more: to_dataframe() holds all"] if more > 0 else []


def _candidates(rows: Sequence[RowView], columns: Sequence[object]) -> str:
    metrics = list(rows[0].cells) if rows else []
    head = ["#", "Model", *(metric.label for metric in metrics if metric in columns), "Verdict"]
    body = [
        [
            row.rank,
            f"{row.candidate} {row.precision}",
            *(row.cells[metric].full for metric in metrics if metric in columns),
            row.verdict,
        ]
        for row in rows
    ]
    return _table(head, body)


def _table(head: Iterable[str], body: Iterable[Iterable[str]]) -> str:
    titles = "".join(f"<th>{escape(name)}</th>" for name in head)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in body
    )
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{rows}</tbody></table>"


def _shown(title: str, table: str, lines: Iterable[str]) -> str:
    heading = f"<p><b>{escape(title)}</b></p>" if title else ""
    return f"{heading}{table}{''.join(f'<p>{escape(line)}</p>' for line in lines)}"
