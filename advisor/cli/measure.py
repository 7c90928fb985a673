"""``advisor measure``: time networks on a real runtime and keep the samples."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.options import asked, config_option, output_options, request_options
from advisor.cli.output import checked, deliver, layout, say
from advisor.core.measuring_request import MeasureRequest
from advisor.errors import MeasurementError

if TYPE_CHECKING:
    from advisor.core.document import Estimates
    from advisor.measuring.order import Order
    from advisor.measuring.session import MeasuredOutcome

INTERRUPTED = 130


@click.command("measure")
@request_options(MeasureRequest)
@config_option
@output_options
def command(form: str, output: tuple[Path, ...], **_: Any) -> int:
    """Time CANDIDATES here, on real runtimes, and keep the samples.

    Example: advisor measure resnet18 mobilenetv2_100 --runtime onnxruntime,openvino
    --precision fp32,int8
    """
    from advisor.answering.evidence import Evidence
    from advisor.answering.measure import document, order_of

    files = checked(output)
    request = asked(MeasureRequest)
    order = order_of(request, Evidence())
    if request.host:
        return _over_ssh(order, request, form, files)
    outcome = run(order, resume=request.resume)
    found = document(order, request.command())
    if not found.estimates and not outcome.interrupted:
        raise MeasurementError("nothing was measured; the reasons are above")
    _print(found, form, files)
    if outcome.interrupted:
        say("interrupted; what was measured is kept, go on with the same command and --resume")
        return INTERRUPTED
    return 1 if outcome.failures else 0


def _over_ssh(order: "Order", request: MeasureRequest, form: str, files: tuple[Path, ...]) -> int:
    from advisor.answering.measure import document
    from advisor.measuring.kit.remote import measure_over_ssh
    from advisor.measuring.store import MeasurementStore

    reading = measure_over_ssh(order, request.host, MeasurementStore(), say=say)
    for line in reading.refused:
        click.echo(f"advisor: {line}", err=True)
    _print(document(order, request.command()), form, files)
    return 1 if reading.refused else 0


def run(order: "Order", *, resume: bool = False) -> "MeasuredOutcome":
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
