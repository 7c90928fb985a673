"""Plain tables and paragraphs for listings."""

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TextIO

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

UNBROKEN = 400
"""Width of a table that goes to a pipe."""


MANY = 9
"""Columns from which on a table that does not fit is printed row by row."""
_HOLD = "\0"
"""Stands for a space at which a line may not end."""


def columns(stream: TextIO | None = None) -> int | None:
    """Return the characters of a line of standard output, or of another stream.

    None in a pipe, whose lines stay whole.

    ``COLUMNS`` counts also where there is no terminal.
    """
    if not (stream or sys.stdout).isatty() and not os.environ.get("COLUMNS", "").isdigit():
        return None
    return shutil.get_terminal_size((80, 24)).columns


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; cells wrap on a terminal and stay whole in a pipe.

    A table of many columns whose words do not fit side by side is printed row by row.
    """
    width = columns()
    if width is not None and len(headers) >= MANY and _least(headers, rows) > width:
        for row in rows:
            _print_block(headers, row, width)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))  # brackets are no markup here
    console = Console(file=sys.stdout, highlight=False, width=width or UNBROKEN)
    with console.capture() as capture:
        console.print(table)
    lines = capture.get().splitlines()
    click.echo("\n".join(line.rstrip() if width is None else line for line in lines))


def _least(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Width at which no word of a table is broken."""
    cells = zip(headers, *rows, strict=True)
    return sum(max(len(word) for cell in of for word in cell.split() or [""]) + 2 for of in cells)


def _print_block(headers: Sequence[str], row: Sequence[str], width: int) -> None:
    """Print what a row is of, and under it each further cell with its heading."""
    print_text(f"{row[0]}: {row[1]}")
    told = [f"{head} {cell}" for head, cell in zip(headers[2:], row[2:], strict=True) if cell]
    whole = "; ".join(pair.replace(" ", _HOLD) for pair in told)
    lines = textwrap.wrap(
        whole, width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )
    click.echo("\n".join(lines).replace(_HOLD, " "))


def print_text(text: str, indent: str = "") -> None:
    """Print a paragraph; it wraps on a terminal and stays whole in a pipe."""
    width = columns()
    if width is None:
        click.echo(f"{indent}{text}")
        return
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
    click.echo("\n".join(lines))
