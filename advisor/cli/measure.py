"""``advisor measure``: time networks on a real runtime and keep the samples."""

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.options import WORDS, config_option, output_options, words
from advisor.cli.output import checked, deliver, layout, say
from advisor.core.quantity import Unit, parse
from advisor.errors import MeasurementError, UsageError

if TYPE_CHECKING:
    from advisor.answering.evidence import Evidence
    from advisor.core.document import Entry, Estimates, Recommendation, Request
    from advisor.measuring.order import Order

INTERRUPTED = 130


@click.command("measure")
@click.argument("candidates", nargs=-1, required=True)
@config_option
@click.option(
    "--runtime",
    type=WORDS,
    default="onnxruntime",
    show_default=True,
    help="Runtimes, separated by commas: pytorch, torch-inductor, onnxruntime, openvino, "
    "ncnn, litert, tensorrt.",
)
@click.option(
    "--precision",
    type=WORDS,
    default="fp32",
    show_default=True,
    help="Precisions, separated by commas: fp32, bf16, fp16, int8.",
)
@click.option("--unit", default="cpu", show_default=True, help="cpu or gpu.")
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="CPU threads; they are pinned to as many CPUs.",
)
@click.option(
    "--batch", type=click.IntRange(1), default=1, show_default=True, help="Images of one pass."
)
@click.option(
    "--device",
    default="host",
    show_default=True,
    help="Id of the device under which the figures are kept.",
)
@click.option(
    "--sessions",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Repetitions, each in a process of its own; their spread is the interval.",
)
@click.option(
    "--pause", default="20s", show_default=True, help="Least time between the sessions of a group."
)
@click.option(
    "--budget", default="8s", show_default=True, help="Most time for one network in one session."
)
@click.option(
    "--repeats",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Times that a disturbed session is repeated.",
)
@click.option(
    "--images",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of images that calibrate int8; default random ones.",
)
@click.option(
    "--labelled",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder with one folder of images per class: gives top-1.",
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path, dir_okay=False),
    help="State dict of the network; default random weights.",
)
@click.option("--no-memory", is_flag=True, help="Do not measure the peak memory.")
@click.option("--no-pin", is_flag=True, help="Leave the choice of CPUs to the kernel.")
@click.option("--resume", is_flag=True, help="Go on with an interrupted run of the same networks.")
@click.option(
    "--on",
    "host",
    metavar="USER@HOST",
    help="Measure over ssh on a board that has the runtime but not the advisor.",
)
@output_options  # fmt: skip
def command(
    candidates: tuple[str, ...], form: str, output: tuple[Path, ...], **options: Any
) -> int:
    """Time CANDIDATES here, on real runtimes, and keep the samples.

    Example: advisor measure resnet18 mobilenetv2_100 --runtime onnxruntime,openvino
    --precision fp32,int8
    """
    from advisor.answering.evidence import Evidence
    from advisor.answering.measure import document

    files = checked(output)
    order = _order(candidates, options, Evidence())
    if options["host"]:
        return _over_ssh(order, options["host"], form, files)
    outcome = run(order, resume=options["resume"])
    found = document(order, _command_line())
    if not found.estimates and not outcome.interrupted:
        raise MeasurementError("nothing was measured; the reasons are above")
    _print(found, form, files)
    if outcome.interrupted:
        say("interrupted; what was measured is kept, go on with the same command and --resume")
        return INTERRUPTED
    return 1 if outcome.failures else 0


def _over_ssh(order: "Order", host: str, form: str, files: tuple[Path, ...]) -> int:
    from advisor.answering.measure import document
    from advisor.measuring.kit.remote import measure_over_ssh
    from advisor.measuring.store import MeasurementStore

    reading = measure_over_ssh(order, host, MeasurementStore(), say=say)
    for line in reading.refused:
        click.echo(f"advisor: {line}", err=True)
    _print(document(order, _command_line()), form, files)
    return 1 if reading.refused else 0


def run(order: "Order", *, resume: bool = False) -> Any:
    """Carry out an order with a progress bar on terminals and a line for every failure."""
    from advisor.cli.progress import steps
    from advisor.measuring.session import Measuring
    from advisor.measuring.store import MeasurementStore

    store = MeasurementStore()
    try:
        with steps() as tell:
            outcome = Measuring(order=order, store=store, tell=tell).run(resume=resume)
    finally:
        store.close()
    for failure in outcome.failures:
        click.echo(f"advisor: {failure.line}", err=True)
    return outcome


def recommend_measured(
    request: "Request",
    evidence: "Evidence",
    answer: Callable[["Request", "Evidence"], "Recommendation"],
) -> "Recommendation":
    """Answer a request for this machine after measuring the networks that decide the answer."""
    from advisor.answering.contest import settled
    from advisor.answering.evidence import Evidence
    from advisor.measuring.host import ID, detected

    if request.device != ID:
        raise UsageError(
            f"--measure times networks here and needs --device {ID}; for {request.device} write "
            f"'advisor kit --device {request.device}'"
        )
    detected()

    def measure(entries: Sequence["Entry"]) -> None:
        if any(run(order).interrupted for order in _orders_of(entries, request, evidence)):
            raise KeyboardInterrupt

    def anew() -> "Recommendation":
        return answer(request, Evidence(root=evidence.root, profiles=evidence.profiles))

    return settled(anew, measure, request.measure)


def _orders_of(
    entries: Sequence["Entry"], request: "Request", evidence: "Evidence"
) -> list["Order"]:
    """Order the lanes that competed, each with its own networks."""
    from advisor.answering.measure import ways, wishes
    from advisor.hardware.lanes import lanes_for
    from advisor.measuring.order import Order

    orders = []
    for lane in lanes_for(evidence.profiles.load(request.device), request):
        mine = [e for e in entries if e.lane == lane.name]
        spelled = [f"{e.architecture}@{e.resolution}" for e in mine if not e.axes]
        if not spelled:
            continue
        way = ways([lane.runtime], [lane.precision], unit=lane.unit, threads=lane.threads or 1,
                   batch=max(lane.batch, 1))  # fmt: skip
        orders.append(
            Order(device=lane.device, wishes=wishes(spelled, evidence), ways=way, sessions=2)
        )
    return orders


def _order(candidates: tuple[str, ...], options: dict[str, Any], evidence: Any) -> "Order":
    from advisor.answering.measure import ways, wishes
    from advisor.measuring.cpu import usable
    from advisor.measuring.order import Order

    threads = options["threads"]
    if not options["host"] and threads > len(usable()):
        raise UsageError(
            f"--threads {threads}: this process may use {len(usable())} CPUs, allowed: 1 to "
            f"{len(usable())}"
        )
    return Order(
        device=options["device"],
        wishes=wishes(candidates, evidence, weights=options["weights"]),
        ways=ways(
            words(options["runtime"]),
            words(options["precision"]),
            unit=options["unit"],
            threads=threads,
            batch=options["batch"],
        ),
        sessions=options["sessions"],
        pause=parse(str(options["pause"]), Unit.SECOND, option="--pause"),
        budget=parse(str(options["budget"]), Unit.SECOND, option="--budget"),
        repeats=options["repeats"],
        calibration=options["images"],
        labelled=options["labelled"],
        memory=not options["no_memory"],
        pin=not options["no_pin"],
    )


def _print(found: "Estimates", form: str, files: tuple[Path, ...]) -> None:
    if form != "table":
        deliver(found, form, files, layout())
        return
    from advisor.cli.measurements import print_estimates
    from advisor.reports import write_file

    print_estimates(found)
    for path in files:
        write_file(found, path, layout())
        say(f"wrote {path}")


def _command_line() -> str:
    return shlex.join(["advisor", *sys.argv[1:]])
