"""Hand a document to standard output and to files."""

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from advisor.cli.streams import tell
from advisor.core.filed import Document
from advisor.errors import one_line
from advisor.files.saving import check_writable, make_folder
from advisor.reports import Layout, check_outputs, print_report, write_file

if TYPE_CHECKING:
    from advisor.hardware.profile import DeviceProfile

INTERRUPTED = 130
"""Exit code after Ctrl-C."""


def deliver(document: Document, form: str, files: tuple[Path, ...], layout: Layout) -> None:
    """Print a document in the chosen format and write it to each file."""
    for path in files:
        write_file(document, path, layout)
        say(f"wrote {path}")
    print_report(document, form, sys.stdout, layout)


def checked(
    files: tuple[Path, ...],
    record: Path | None = None,
    folder: Path | None = None,
    *,
    of_review: bool = False,
) -> tuple[Path, ...]:
    """Refuse files, and a folder, that cannot be written before any work is done for them."""
    check_outputs(files, of_review=of_review)
    if record is not None:
        check_writable(record)
    if folder is not None:
        make_folder(folder)
        check_writable(folder / "variant.yaml")
    return files


def layout() -> Layout:
    """Width and colour of the terminal; plain where the output is no terminal."""
    import os
    import shutil

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((120, 24)).columns
    return Layout(width=width, color=terminal and "NO_COLOR" not in os.environ)


def say(message: str) -> None:
    """Write a hint to standard error, unless ``--quiet`` was given."""
    context = click.get_current_context(silent=True)
    settings = context.find_object(dict) if context else None
    if not (settings or {}).get("quiet"):
        tell(_wrapped(one_line(message)))


def _wrapped(line: str) -> str:
    """Break a hint between its words where a terminal is narrower; a pipe gets it whole."""
    from advisor.cli.terminal_table import columns

    width = columns(sys.stderr)
    if width is None or len(line) <= width:
        return line
    return textwrap.fill(
        line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def say_fastest(profile: "DeviceProfile") -> None:
    """Name the fastest lane of this machine, where it is not the default one."""
    from advisor.measuring.host import fastest_lane

    found = fastest_lane(profile)
    if found is not None:
        runtime, precision = found
        say(
            f"the default lane is {profile.default_lane.name}; faster here: --runtime {runtime} "
            f"--precision {precision}"
        )


def complain(message: str) -> None:
    """Write a line on standard error that ``--quiet`` leaves: something was left out."""
    tell(f"advisor: {one_line(message)}")
