"""Blocks of estimates are laid out as rich lays out their tables, and much faster."""

import io

import pytest
from rich.console import Console, Group, RenderableType
from rich.text import Text

from advisor.core.quantity import Metric
from advisor.reports.text_table import block, block_table
from advisor.reports.view import view_of_estimates
from tests.documents import estimates


def plain(content: RenderableType, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(content)
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize("width", [40, 60, *range(70, 131), 200, 400])
def test_a_block_is_as_rich_lays_it_out(width: int) -> None:
    view = view_of_estimates(estimates())
    for row in view.rows:
        columns: tuple[Metric, ...] = tuple(view.columns)
        ours, theirs = block(row, columns, width), block_table(row, columns)
        assert plain(Group(ours, Text()), width) == plain(Group(theirs, Text()), width)
