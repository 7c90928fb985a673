"""``advisor compare``: candidates side by side."""

from pathlib import Path
from typing import Any

import click

from advisor.cli.options import asked, config_option, output_options, request_options
from advisor.cli.output import checked, deliver, layout
from advisor.core.request import CompareRequest


@click.command("compare")
@request_options(CompareRequest)
@config_option
@output_options
def command(form: str, output: tuple[Path, ...], **_: Any) -> int:
    """Put candidates side by side on one or several devices, with every main metric."""
    from advisor.answering.asking import evidence_for
    from advisor.answering.estimates import compare

    files = checked(output)
    request = asked(CompareRequest)
    deliver(compare(request, evidence_for(request.profiles_dir)), form, files, layout())
    return 0
