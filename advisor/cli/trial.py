"""``advisor trial``: candidates trained on the user's own images."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.options import asked, config_option, output_options, request_options
from advisor.cli.output import INTERRUPTED, checked, deliver, layout, say
from advisor.core.extras import TRAINING, require
from advisor.core.measuring_request import TeachRequest

if TYPE_CHECKING:
    from advisor.trials.record import TrialRecord
    from advisor.trials.trial_session import Tell, TrialProgress

_file = click.Path(path_type=Path, dir_okay=False)


@click.command("trial")
@request_options(TeachRequest)
@config_option
@click.option("--verify", type=_file, metavar="TRIAL.json",
              help="Judge the stored weights again and compare.")  # fmt: skip
@output_options
def command(verify: Path | None, form: str, output: tuple[Path, ...], **_: Any) -> int:
    """Train candidates on your own images and report their accuracy.

    DATA is a folder of class folders, a CSV of paths and labels, CIFAR-10 or CIFAR-100, a folder
    of idx files (MNIST, Fashion-MNIST), an .npz, or the built-in set 'digits'. A trial that was
    killed goes on where it stood when the same command is given again.

    Example: advisor trial photos/ --models mobilenetv2_100,resnet18 --budget 2h -o trial.json
    """
    files = checked(output)
    require("a trial", *TRAINING)
    if verify is not None:
        return _verify(verify)
    from advisor.answering.evidence import Evidence
    from advisor.answering.trial import conduct, task_of_trial

    task = task_of_trial(asked(TeachRequest), Evidence())
    try:
        with _bar() as (tell, looked):
            record = conduct(task, tell=tell, looked=looked)
    except KeyboardInterrupt:
        say("interrupted; what was trained is kept, the same command goes on with it")
        return INTERRUPTED
    deliver(record, form, files, layout())
    _hint(record)
    return 0


@contextmanager
def _bar() -> "Iterator[tuple[Tell, Callable[[int], None]]]":
    """Give functions that show the work under way; off a terminal one line for each unit."""
    import os

    if not sys.stderr.isatty() or "NO_COLOR" in os.environ:
        yield unit_lines(), lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("looking at the images", total=None)

        def tell(progress: "TrialProgress") -> None:
            text = f"{int(progress.done)}/{progress.total} {progress.text}"
            bar.update(task, description=text, completed=progress.done, total=progress.total)

        yield tell, lambda count: bar.update(task, description=f"looked at {count} images")


def unit_lines() -> "Tell":
    """Return what says one line for each unit of training."""
    told: set[str] = set()

    def tell(progress: "TrialProgress") -> None:
        name = progress.text.partition(":")[0]
        if name not in told:
            told.add(name)
            say(f"{int(progress.done) + 1}/{progress.total} {name}")

    return tell


def _hint(record: "TrialRecord") -> None:
    say(f"weights and checkpoints: {record.folder}")


def _verify(path: Path) -> int:
    from advisor.answering.trial import verify_trial
    from advisor.trials.record import read_trial
    from advisor.trials.verifying import code_note

    record = read_trial(path)
    beside = Path(record.folder)
    folder = None if beside.is_dir() else path.parent
    found = verify_trial(record, folder)
    note = code_note(record)
    if note:
        say(note)
    for line in found:
        click.echo(f"{line.model} {line.stage}: {line.text}")
    return 0 if all(line.same for line in found) else 1
