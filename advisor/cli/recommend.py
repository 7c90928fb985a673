"""``advisor recommend``: the ranked recommendation."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.options import asked, config_option, output_options, request_options
from advisor.cli.output import checked, deliver, layout, say_fastest
from advisor.core.request import Request
from advisor.hardware.library import THIS_MACHINE

if TYPE_CHECKING:
    from advisor.measuring.order import Order
    from advisor.measuring.session import MeasuredOutcome

NOTHING_MEETS = 3
"""Exit code where no candidate is certain to keep every limit."""


@click.command("recommend")
@request_options(Request)
@config_option
@output_options
def command(form: str, output: tuple[Path, ...], **_: Any) -> int:
    """Rank the networks that keep the limits on a device.

    Example: advisor recommend --device jetson-nano --max-latency 10ms -o report.html
    """
    from advisor.answering.asking import evidence_for
    from advisor.answering.measured import answer_request

    files = checked(output)
    request = asked(Request)
    evidence = evidence_for(request.profiles_dir)
    document = answer_request(request, evidence, _carried_out)
    if request.device == THIS_MACHINE and request.runtime is None:
        say_fastest(evidence.profile(request.device))
    if files or form != "table":  # the printed table shows none of what this adds
        from advisor.answering.complete import completed

        document = completed(document, evidence)
    deliver(document, form, files, layout())
    return 0 if document.ranked else NOTHING_MEETS


def _carried_out(order: "Order") -> "MeasuredOutcome":
    from advisor.cli.measure import run

    return run(order)
