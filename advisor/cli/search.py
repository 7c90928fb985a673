"""``advisor search``: variants of networks that fit the limits exactly, and need training."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.options import (
    WORDS,
    config_option,
    fraction,
    lane_fields,
    lane_options,
    limit_options,
    limits,
    metric,
    output_options,
    words,
)
from advisor.cli.output import checked, deliver, layout, say
from advisor.core.document import Request
from advisor.core.quantity import Unit, human, parse
from advisor.errors import UsageError

if TYPE_CHECKING:
    from advisor.answering.evidence import Evidence
    from advisor.answering.search import OnProgress, SearchAnswer, SearchTask
    from advisor.core.document import SearchedVariant
    from advisor.studies.outcome import Progress

NOTHING_MEETS = 3
"""Exit code where no variant is certain to keep every limit."""
SHOWN = 3
"""Variants whose training is told on standard error."""


@click.command("search")
@click.option("--family", "families", multiple=True, help="Families that compete; repeatable.")
@click.option("--list", "listing", is_flag=True, help="List the families, their axes and recipes.")
@click.option("--recipes", is_flag=True, help="List the training recipes of each family.")
@click.option("--device", help="Device profile; 'advisor devices ls' lists all.")
@config_option
@limit_options
@lane_options
@click.option("--confidence", default="90%", show_default=True,
              help="Probability with which each limit has to hold.")  # fmt: skip
@click.option("--objective", "objectives", type=WORDS, default="top1,latency", show_default=True,
              help="Metrics of the front, separated by commas.")  # fmt: skip
@click.option("--recipe", help="Training recipe whose accuracy is predicted; default the family's.")
@click.option("--trials", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--time", "time_limit", metavar="QUANTITY", help="Stop after this, such as 60s.")
@click.option("--stagnation", type=click.IntRange(1), metavar="TRIALS",
              help="Stop after so many trials without a new member of the front.")  # fmt: skip
@click.option("--sampler", default="nsga2", show_default=True,
              help="nsga2, nsga3, tpe, gp or random.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--storage", default="",
              help="FILE (journal), sqlite:///FILE, postgresql://… or grpc://HOST:PORT; "
              "default a file of your own for each search.")  # fmt: skip
@click.option("--study", default="search", show_default=True, help="Name within the storage.")
@click.option("--resume", is_flag=True, help="Go on with the study of the same search.")
@click.option("--worker", is_flag=True, help="Work on a shared study; needs --storage.")
@click.option("--export", "folder", type=click.Path(path_type=Path, file_okay=False),
              help="Folder for YAML, Python, ONNX and command of each variant.")  # fmt: skip
@click.option("--record", type=click.Path(path_type=Path, dir_okay=False),
              help="JSON file for the trials, the convergence and the importances.")  # fmt: skip
@click.option("--top", type=click.IntRange(1), default=10, show_default=True,
              help="Rows of the printed table.")  # fmt: skip
@output_options
def command(form: str, output: tuple[Path, ...], **options: Any) -> int:
    """Search variants of a family that keep the limits on a device.

    Example: advisor search --family mobilenetv2 --device jetson-nano --max-latency 10ms
    """
    if options["listing"]:
        _list()
        return 0
    if options["recipes"]:
        _list_recipes()
        return 0
    if not options["families"] or not options["device"]:
        raise UsageError("name a --family and a --device ('advisor search --list' lists families)")
    from advisor.answering.evidence import evidence_with
    from advisor.answering.search import search_and_recommend

    files = checked(output)
    evidence = evidence_with(options["profiles_dir"])
    task = _stored(_task(options), options, evidence)
    with _bar(task.search.trials) as progress:
        answer = search_and_recommend(task, evidence, progress=progress)
    deliver(answer.document, form, files, layout())
    _tell(answer)
    if options["record"] is not None:
        options["record"].write_text(answer.record.model_dump_json(indent=1), encoding="utf-8")
    if options["folder"] is not None:
        _export(answer, options["folder"])
    return 0 if answer.document.ranked else NOTHING_MEETS


def _task(options: dict[str, Any]) -> "SearchTask":
    from advisor.answering.judge import constraint
    from advisor.answering.search import SearchTask
    from advisor.studies.outcome import SearchRequest

    request = Request(
        device=options["device"],
        **lane_fields(options),
        limits=limits(options),
        confidence=fraction(options["confidence"], option="--confidence"),
        search=options["trials"],
        top=options["top"],
        seed=options["seed"],
    )
    seconds = options["time_limit"]
    search = SearchRequest(
        families=tuple(name for text in options["families"] for name in words(text)),
        objectives=tuple(metric(n, option="--objective") for n in words(options["objectives"])),
        constraints=tuple(constraint(limit) for limit in request.limits),
        trials=options["trials"],
        seconds=parse(seconds, Unit.SECOND, option="--time") if seconds else None,
        stagnation=options["stagnation"],
        sampler=options["sampler"],
        seed=options["seed"],
        storage=options["storage"],
        study=options["study"],
        resume=options["resume"] or options["worker"],
    )
    if options["worker"] and "://" not in options["storage"]:
        raise UsageError("--worker needs a --storage that others reach, such as postgresql://…")
    return SearchTask(request=request, search=search, recipe=options["recipe"])


def _stored(task: "SearchTask", options: dict[str, Any], evidence: "Evidence") -> "SearchTask":
    """Keep the study in the user's own folder where no storage is named."""
    if options["storage"]:
        return task
    from advisor.answering.search import default_study, lane_of
    from advisor.hardware.library import advisor_home

    profile = evidence.profiles.load(task.request.device)
    name = default_study(task, lane_of(task.request, profile))
    path = advisor_home() / "studies" / f"{name}.log"
    if not options["resume"]:
        path.unlink(missing_ok=True)
    return replace(task, search=replace(task.search, storage=str(path)))


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
    from importlib.util import find_spec

    if find_spec("onnx") is None:
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
