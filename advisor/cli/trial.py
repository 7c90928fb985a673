"""``advisor trial``: candidates trained on the user's own images."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.options import WORDS, config_option, fraction, output_options, words
from advisor.cli.output import checked, deliver, layout, say
from advisor.core.quantity import Unit, parse
from advisor.errors import UsageError, unknown_name

if TYPE_CHECKING:
    from advisor.answering.trial import TrialTask
    from advisor.trials.record import Stage, TrialRecord
    from advisor.trials.trial_session import Tell, TrialProgress

_file = click.Path(path_type=Path, dir_okay=False)


@click.command("trial")
@click.argument("data", required=False)
@config_option
@click.option("--models", multiple=True, help="Networks, separated by commas; wildcards do.")
@click.option("--stages", type=WORDS, default="probe,finetune", show_default=True,
              help="probe, finetune, scratch.")  # fmt: skip
@click.option("--epochs", type=click.FloatRange(0, min_open=True), default=5.0, show_default=True,
              help="Passes over the training images.")  # fmt: skip
@click.option("--steps", type=click.IntRange(1), help="Steps of each training, not epochs.")
@click.option("--budget", metavar="QUANTITY",
              help="Time for everything, such as 2h, shared out equally; not epochs.")  # fmt: skip
@click.option("--resolution", type=click.IntRange(8, 2048),
              help="Side of the input for all; default each model's own.")  # fmt: skip
@click.option("--train-images", type=click.IntRange(4), help="Most images to learn from.")
@click.option("--test-images", type=click.IntRange(4), help="Most images to judge by.")
@click.option("--halving", type=click.IntRange(1), default=1, show_default=True,
              help="One of so many trainings goes on at each rung; 1 trains all.")  # fmt: skip
@click.option("--scales", type=WORDS, default="1", show_default=True,
              help="Factors on the learning rate found; they compete.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True,
              help="Repetitions with further seeds.")  # fmt: skip
@click.option("--weights", multiple=True, metavar="NAME=FILE",
              help="Trained weights of a network; default the caches of this machine.")  # fmt: skip
@click.option("--augment", type=click.Choice(["none", "light", "strong"]), default="light",
              show_default=True)  # fmt: skip
@click.option("--no-mirror", is_flag=True, help="Mirror images show something else (digits, text).")
@click.option("--batch", type=click.IntRange(2), default=32, show_default=True)
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True),
              help="Default: found for each network.")  # fmt: skip
@click.option("--optimizer", default="adamw", show_default=True, help="A name of timm's.")
@click.option("--confidence", default="90%", show_default=True,
              help="Level of the accuracies' intervals.")  # fmt: skip
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True,
              help="CPU threads; the same number gives the same result.")  # fmt: skip
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False),
              help="Where weights and checkpoints go; default a folder of your data.")  # fmt: skip
@click.option("--storage", default="",
              help="Study shared by several workers, such as postgresql://….")  # fmt: skip
@click.option("--worker", is_flag=True, help="Join a trial of the same options; needs --storage.")
@click.option("--verify", type=_file, metavar="TRIAL.json",
              help="Judge the stored weights again and compare.")  # fmt: skip
@output_options
def command(
    data: str | None, form: str, output: tuple[Path, ...], verify: Path | None, **options: Any
) -> int:
    """Train candidates on your own images and report their accuracy.

    DATA is a folder of class folders, a CSV of paths and labels, CIFAR-10 or CIFAR-100, a folder
    of idx files (MNIST, Fashion-MNIST), an .npz, or the built-in set 'digits'. A trial that was
    killed goes on where it stood when the same command is given again.

    Example: advisor trial photos/ --models mobilenetv2_100,resnet18 --budget 2h -o trial.json
    """
    files = checked(output)
    if verify is not None:
        return _verify(verify)
    if data is None:
        raise UsageError("name the DATA to train on ('advisor trial --help' lists the forms)")
    from advisor.answering.trial import conduct

    task = _task(data, options)
    with _bar() as (tell, looked):
        record = conduct(task, tell=tell, looked=looked)
    deliver(record, form, files, layout())
    _hint(record)
    return 0


def _task(data: str, options: dict[str, Any]) -> "TrialTask":
    from advisor.answering.evidence import evidence_with
    from advisor.answering.trial import TrialTask, models_of
    from advisor.trials.record import Recipe, TrialRequest

    patterns = [name for text in options["models"] for name in words(text)]
    budget = options["budget"]
    if options["worker"] and "://" not in options["storage"]:
        raise UsageError("--worker needs a --storage that others reach, such as postgresql://…")
    request = TrialRequest(
        data=data,
        models=models_of(patterns, evidence_with(None)),
        stages=tuple(_stage(name) for name in words(options["stages"])),
        resolution=options["resolution"],
        epochs=options["epochs"],
        steps=options["steps"],
        budget=parse(budget, Unit.SECOND, option="--budget") if budget else None,
        halving=options["halving"],
        scales=tuple(_number(text) for text in words(options["scales"])),
        seed=options["seed"],
        seeds=options["seeds"],
        recipe=Recipe(
            optimizer=options["optimizer"],
            learning_rate=options["learning_rate"],
            batch=options["batch"],
            augment=options["augment"],
            mirror=not options["no_mirror"],
        ),
        train_images=options["train_images"],
        test_images=options["test_images"],
        weights=dict(_weights(text) for text in options["weights"]),
        threads=options["threads"],
        level=fraction(options["confidence"], option="--confidence"),
    )
    return TrialTask(
        request=request,
        folder=options["folder"],
        storage=options["storage"],
        joins=options["worker"],
    )


def _stage(name: str) -> "Stage":
    from advisor.trials.record import Stage

    try:
        return Stage(name)
    except ValueError:
        raise unknown_name(
            "stage", name, [s.value for s in Stage], "advisor trial --help"
        ) from None


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e3:
        raise UsageError(f"--scales: {text!r} is no factor; write numbers above 0, as in 0.3,1,3")
    return value


def _weights(text: str) -> tuple[str, str]:
    name, _, path = text.partition("=")
    if not path:
        raise UsageError(f"--weights: {text!r} names no file; write NAME=FILE")
    return name, path


@contextmanager
def _bar() -> "Iterator[tuple[Tell, Callable[[int], None]]]":
    """Give functions that show the work under way; off a terminal one line for each unit."""
    import os

    if not sys.stderr.isatty() or "NO_COLOR" in os.environ:
        yield _lines(), lambda _: None
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


def _lines() -> "Tell":
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
