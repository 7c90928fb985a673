"""Records: documents as rows of plain values, for data frames; SI units, gaps are None."""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from advisor.core.document import Estimates, Figure, Recommendation
from advisor.core.filed import Document, field_names
from advisor.core.quantity import Metric

PLAIN = (str, int, float, bool, type(None))
ROWS = ("devices", "lanes", "parts", "models")
"""Fields that hold the rows of documents other than recommendations and estimates."""


def records(document: Document) -> list[dict[str, Any]]:
    """Return one row for each candidate, device, lane or part of a document, all columns in each.

    A figure takes three columns, such as ``latency``, ``latency_low`` and ``latency_high``.
    """
    rows = [dict(_cells(item)) for item in rows_of(document)]
    columns = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in columns} for row in rows]


def rows_of(document: Document) -> Sequence[Document]:
    """Return what a document lists."""
    if isinstance(document, Recommendation):
        return (*document.ranked, *document.uncertain, *document.rejected)
    if isinstance(document, Estimates):
        return document.estimates
    field = next((name for name in ROWS if name in field_names(type(document))), "")
    rows: Sequence[Document] = getattr(document, field) if field else (document,)
    return rows


def _cells(item: Document) -> Iterator[tuple[str, Any]]:
    """Yield the plain values of a row; figures and amounts with both ends."""
    for name, value in item:
        if name == "metrics":
            yield from _figures(value)
        elif isinstance(value, Enum):
            yield name, value.value
        elif isinstance(value, PLAIN):
            yield name, value
        elif isinstance(value, Document) and {"value", "low", "high"} <= set(
            field_names(type(value))
        ):
            yield from _ends(name, value)
        elif isinstance(value, tuple) and all(isinstance(one, str) for one in value):
            yield name, ", ".join(value)


def _figures(figures: Mapping[Metric, Figure]) -> Iterator[tuple[str, Any]]:
    for metric in Metric:
        if metric in figures:
            yield from _ends(metric.value, figures[metric])
            yield f"{metric.value}_origin", figures[metric].origin.value


def _ends(name: str, figure: Any) -> Iterator[tuple[str, Any]]:
    yield name, figure.value
    yield f"{name}_low", figure.low
    yield f"{name}_high", figure.high
