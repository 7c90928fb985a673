"""``advisor search``: variants of networks that fit the limits exactly, and need training."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.options import asked, config_option, output_options, request_options
from advisor.cli.output import INTERRUPTED, checked, deliver, layout, say
from advisor.core.extras import TRAINING, require
from advisor.core.quantity import Unit, human
from advisor.core.request import SearchRequest
from advisor.files.saving import save

if TYPE_CHECKING:
    from advisor.answering.search import OnProgress, SearchAnswer
    from advisor.core.document import SearchedVariant
    from advisor.studies.outcome import Progress

NOTHING_MEETS = 3
"""Exit code where no variant is certain to keep every limit."""
SHOWN = 3
"""Variants whose training is told on standard error."""


@click.command("search")
@click.option("--list", "listing", is_flag=True, help="List the families, their axes and recipes.")
@click.option("--recipes", is_flag=True, help="List the training recipes of each family.")
@request_options(SearchRequest)
@config_option
@click.option("--export", "exported", type=click.Path(path_type=Path, file_okay=False),
              help="Folder for YAML, Python, ONNX and command of each variant.")  # fmt: skip
@click.option("--record", type=click.Path(path_type=Path, dir_okay=False),
              help="JSON file for the trials, the convergence and the importances.")  # fmt: skip
@output_options
def command(
    listing: bool,
    recipes: bool,
    exported: Path | None,
    record: Path | None,
    output: tuple[Path, ...],
    **options: Any,
) -> int:
    """Search variants of a family that keep the limits on a device.

    Example: advisor search --family mobilenetv2 --device jetson-nano --max-latency 10ms
    """
    if listing or recipes:
        _list() if listing else _list_recipes()
        return 0
    from advisor.answering.asked_search import search_for
    from advisor.answering.asking import evidence_for
    from advisor.cli.trial import unit_lines

    files = checked(output, record, exported)
    request = asked(SearchRequest)
    if request.data:
        require("a search on your own images", *TRAINING)
    evidence = evidence_for(request.profiles_dir)
    with _bar(request.trials) as progress:
        shown = bool(files) or record is not None or options["form"] != "table"
        answer = search_for(
            request, evidence, progress=progress, importances=shown, tell=unit_lines()
        )
    deliver(answer.document, options["form"], files, layout())
    _tell(answer)
    if record is not None:
        save(record, answer.record.model_dump_json(indent=1))
    if exported is not None:
        _export(answer, exported)
    if answer.record.stopped == "interrupted":
        say("interrupted; the study is kept, go on with the same command and --resume")
        return INTERRUPTED
    return 0 if answer.document.ranked else NOTHING_MEETS


@contextmanager
def _bar(total: int) -> "Iterator[OnProgress]":
    """Give a function that shows the trials done and the present front; silent off a terminal."""
    import os

    if not sys.stderr.isatty() or "NO_COLOR" in os.environ:
        yield _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("searching", total=total)

        def show(progress: "Progress") -> None:
            best = progress.front[0].candidate.name if progress.front else "none within the limits"
            text = f"{progress.done}/{progress.total}, front of {len(progress.front)}: {best}"
            bar.update(task, completed=progress.done, description=text)

        yield show


def _silent(_: "Progress") -> None:
    return None


def _tell(answer: "SearchAnswer") -> None:
    """Say on standard error how the search went and what its variants would cost."""
    record = answer.record
    say(
        f"{record.trials} trials in {human(record.seconds, Unit.SECOND)} ({record.feasible} within "
        f"the limits, {record.pruned} pruned, {record.failed} failed); stopped by {record.stopped}"
    )
    for taught in record.taught[:1]:
        say(f"weights, ONNX files and code of the trained variants: {taught.folder}")
    if not answer.outcome.front:
        return
    for one in record.variants[:SHOWN]:
        say(
            f"{one.candidate} needs training with {one.recipe}: {one.training_macs:.2e} MACs "
            f"({one.epochs} epochs, {one.epochs_basis}){_beside(one)}"
        )


def _beside(one: "SearchedVariant") -> str:
    """Say what the trained network that comes nearest gives up."""
    if not one.trained:
        return ""
    points = 100 * one.trained_top1_lost
    ratio = f"{one.trained_latency_ratio:.2f} × its latency"
    if points >= 0:
        return f"; {one.trained} is trained, and gives up {points:.1f} points at {ratio}"
    return f"; {one.trained} is trained, and {-points:.1f} points better at {ratio}"


def _export(answer: "SearchAnswer", folder: Path) -> None:
    from advisor.studies.export import export

    for trial, one in zip(answer.outcome.front, answer.record.variants, strict=False):
        files = export(
            trial.candidate,
            folder,
            recipe=one.recipe,
            answers=trial.answers,
            lane=f"--runtime {answer.document.lane.runtime}",
            to_onnx=_to_onnx(),
        )
        say(f"wrote {files[0]}")


def _to_onnx() -> Any:
    """Return what writes ONNX files; None with a hint where the package is missing."""
    from advisor.core.extras import COUNTING, absent

    if absent("ONNX files", "onnx", *COUNTING):
        return None
    import numpy as np

    from advisor.core.candidate import Candidate
    from advisor.measuring.runtimes.onnx_export import export_onnx
    from advisor.networks.building import build

    def write(candidate: Candidate, side: int, path: Path) -> None:
        export_onnx(
            build(candidate, side, device="cpu"), np.zeros((1, 3, side, side), np.float32), path
        )

    return write


def _list() -> None:
    from advisor.studies.families import families

    for name, family in families().items():
        click.echo(f"{name}: {family.title}, {family.size:,} points; {family.source}")
        click.echo(f"  networks: {', '.join(family.architectures)}; recipe: {family.recipe}")
        for axis in family.axes:
            values = f"{axis.values[0]:g} to {axis.values[-1]:g}"
            click.echo(f"  {axis.name}: {values}, {axis.about}")


def _list_recipes() -> None:
    from advisor.estimators.accuracy.answers import series_of
    from advisor.estimators.accuracy.storing import load
    from advisor.hardware.library import catalog_directory
    from advisor.studies.families import families

    published = load(catalog_directory()).recipes
    for name, family in families().items():
        series = [series_of(architecture) for architecture in family.architectures]
        for own in dict.fromkeys(one[0] for one in series if one is not None):
            click.echo(f"{name}, {own}: {', '.join(published.get(own, []))}")
