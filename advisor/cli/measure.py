"""``advisor measure``: time networks on a real runtime and keep the samples."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.options import asked, config_option, output_options, request_options
from advisor.cli.output import INTERRUPTED, checked, complain, deliver, layout, say
from advisor.core.measuring_request import MeasureRequest

if TYPE_CHECKING:
    from advisor.core.document import Estimates
    from advisor.measuring.order import Order
    from advisor.measuring.session import MeasuredOutcome


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
    from advisor.answering.measure import measure
    from advisor.cli.progress import steps

    files = checked(output)
    with steps() as tell:
        found = measure(asked(MeasureRequest), Evidence(), note=say, warn=complain, tell=tell)
    _print(found.document, form, files)
    if found.interrupted:
        say("interrupted; what was measured is kept, go on with the same command and --resume")
        return INTERRUPTED
    return 0 if found.complete else 1


def run(order: "Order") -> "MeasuredOutcome":
    """Carry out an order with a progress bar on terminals and a line for every failure."""
    from advisor.answering.measure import carried_out
    from advisor.cli.progress import steps

    with steps() as tell:
        outcome = carried_out(order, tell=tell)
    for failure in outcome.failures:
        complain(failure.line)
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
