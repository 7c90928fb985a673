"""Tables of candidates in text: laid out by hand as rich would, at every width."""

import io
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from advisor.reports.text_table import laid_out

WORDS = st.lists(st.text("ab.-é漢", min_size=1, max_size=30), min_size=1, max_size=4).map(" ".join)
CELLS = st.lists(WORDS, min_size=1, max_size=3).map("\n".join)


def printed(content: RenderableType, width: int, *, color: bool = False) -> list[str]:
    """Print with rich; spaces at the ends of lines do not count."""
    stream = io.StringIO()
    system: Literal["standard"] | None = "standard" if color else None
    console = Console(file=stream, width=width, force_terminal=color, color_system=system)
    console.print(Group(content))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def table(rows: list[tuple[str, str, str]], most: int | None, least: int | None) -> Table:
    found = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    found.add_column("Model", overflow="fold", min_width=least)
    found.add_column("Peak\nmemory", justify="right", no_wrap=most is None, max_width=most,
                     overflow="fold")  # fmt: skip
    found.add_column("Origin", no_wrap=True)
    for first, second, third in rows:
        found.add_row(Text(first).append(" fp16", "dim"), Text(second, "green"), Text(third))
    return found


@given(
    st.lists(st.tuples(CELLS, CELLS, WORDS), min_size=1, max_size=4),
    st.integers(30, 120),
    st.sampled_from([None, 12]),
    st.sampled_from([None, 14]),
)
@settings(max_examples=60, deadline=None)
def test_a_table_is_laid_out_as_rich_would(
    rows: list[tuple[str, str, str]], width: int, most: int | None, least: int | None
) -> None:
    asked = table(rows, most, least)
    assert printed(laid_out(asked, width), width) == printed(asked, width)


def test_styles_stay() -> None:
    asked = table([("resnet18", "20 MB", "measured")], None, 14)
    found = "\n".join(printed(laid_out(asked, 80), 80, color=True))
    assert "\x1b[1mModel" in found
    assert "\x1b[32m20 MB" in found
    assert "\x1b[2m fp16" in found
