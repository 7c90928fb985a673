"""A progress bar with the time left, on standard error and on terminals only."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.measuring.session import Step, Tell


@contextmanager
def steps() -> Iterator["Tell"]:
    """Give a function that shows the step under way; it shows nothing off a terminal."""
    if not sys.stderr.isatty() or "NO_COLOR" in os.environ:
        yield _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def tell(step: "Step") -> None:
            bar.update(task, description=step.text, completed=step.done, total=step.total or None)

        yield tell


def _silent(_: "Step") -> None:
    return None
