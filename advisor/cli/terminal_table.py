"""Plain tables and paragraphs for listings."""

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

UNBROKEN = 400
"""Width of a table that goes to a pipe."""


def columns() -> int | None:
    """Return the characters of a line; None in a pipe, whose lines stay whole.

    ``COLUMNS`` counts also where there is no terminal.
    """
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS", "").isdigit():
        return None
    return shutil.get_terminal_size((80, 24)).columns


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; cells wrap on a terminal and stay whole in a pipe."""
    width = columns()
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
