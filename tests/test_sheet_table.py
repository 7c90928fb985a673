"""Tables of sheets on terminals of any width: no word is broken, and nothing is left out."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console, Group

from advisor.reports.sheet import SheetTable
from advisor.reports.text_table import sheet_table

WORDS = st.text(alphabet="abcdefgh0123456789×–%", min_size=1, max_size=12)
CELLS = st.lists(WORDS, max_size=3).map(" ".join)


@st.composite
def tables(draw: st.DrawFn) -> SheetTable:
    columns = draw(st.integers(1, 11))
    rows = draw(st.lists(st.lists(CELLS, min_size=columns, max_size=columns), max_size=2))
    head = draw(st.lists(CELLS, min_size=columns, max_size=columns))
    return SheetTable(title="", head=tuple(head), rows=tuple(map(tuple, rows)))


def printed(table: SheetTable, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(Group(*sheet_table(table, width)))
    return capture.get()


@settings(max_examples=25)
@given(tables(), st.integers(20, 200))
def test_no_word_is_broken_and_none_is_missing(table: SheetTable, width: int) -> None:
    text = printed(table, width)
    seen = text.replace(";", " ").split()
    assert {word for row in table.rows for cell in row for word in cell.split()} <= set(seen)
    assert max(map(len, text.splitlines()), default=0) <= width


@pytest.mark.parametrize(("width", "first"), [(80, "as trained"), (200, "File")])
def test_a_compression_is_told_row_by_row_on_a_narrow_terminal(width: int, first: str) -> None:
    head = ("File", "Precision", "Parameters", "MACs", "Size", "Accuracy", "Interval", "Change",
            "Latency here", "Faster", "Estimated")  # fmt: skip
    row = ("as trained", "fp32", "11.2 M", "37.0 M", "44.8 MB", "81.0 %", "78.2 to 83.5 %",
           "−1.5 points (−2.5 to −0.5)", "1.20 ms", "1.00 ×",
           "3.2 ms (2.1 ms to 4.9 ms)")  # fmt: skip
    lines = printed(SheetTable(title="", head=head, rows=(row,)), width).splitlines()
    assert lines[0].strip().startswith(first)
