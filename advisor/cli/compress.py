"""``advisor compress``: prune, distil and quantise a network, judged on your own images."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from advisor.cli.options import asked, config_option, output_options, request_options
from advisor.cli.output import checked, deliver, layout, say
from advisor.core.extras import TRAINING, require
from advisor.core.measuring_request import CompressRequest


@click.command("compress")
@request_options(CompressRequest)
@config_option
@output_options
def command(form: str, output: tuple[Path, ...], **_: Any) -> int:
    """Prune, distil and quantise a network, and say what each costs and brings.

    The network is taught on your images first. Accuracy is that of each ONNX file on the test
    images, latency is measured in ONNX Runtime here and estimated for --device.

    Example: advisor compress resnet18 --data photos/ --prune 50% --quantise int8 --folder small/
    """
    files = checked(output)
    require("compression", *TRAINING, "torch_pruning", "onnxruntime", "onnx")
    from advisor.answering.compress import compress, task_of_compression
    from advisor.answering.evidence import Evidence

    evidence = Evidence()
    record = compress(task_of_compression(asked(CompressRequest), evidence), evidence, tell=_tell())
    deliver(record, form, files, layout())
    say(f"ONNX files: {record.folder}")
    return 0


def _tell() -> Callable[[str], None]:
    """Show the step under way; off a terminal one line for each piece of work."""
    told: set[str] = set()

    def tell(text: str) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r\x1b[K{text}", err=True, nl=False)
            return
        name = text.partition(":")[0]
        if name not in told:
            told.add(name)
            say(name)

    return tell
