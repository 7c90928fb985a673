"""``advisor estimate``: every metric of candidates, or a table of questions."""

import sys
from pathlib import Path
from typing import Any

import click

from advisor.cli.options import asked, config_option, output_options, request_options, stated
from advisor.cli.output import checked, deliver, layout, say
from advisor.core.question import Stated, options_of
from advisor.core.request import EstimateRequest, QuestionsRequest
from advisor.errors import UsageError


@click.command("estimate")
@request_options(EstimateRequest)
@click.option("--table", metavar="FILE",
              help="CSV with many questions: device_id, unit, runtime, precision, threads, batch, "
              "timm_name, input_h.")  # fmt: skip
@click.option("--allow-modules", is_flag=True,
              help="Let a table name module:factory, whose code is then run.")  # fmt: skip
@config_option
@output_options
def command(
    table: str | None, allow_modules: bool, form: str, output: tuple[Path, ...], **_: Any
) -> int:
    """Print every metric of candidates with interval, origin and source.

    CANDIDATES are names such as mobilenetv2_100, mobilenetv2_100@192:width=0.75, wildcards,
    module:factory or an ONNX file.
    """
    files = checked(output)
    if table is not None:
        return _answer({"table": table, "allow_modules": allow_modules}, form, files)
    from advisor.answering.asking import evidence_for
    from advisor.answering.estimates import estimate

    given = {key for layer in stated(EstimateRequest) for key, _ in layer.given()}
    if not {"candidates", "device"} <= given:
        raise UsageError("name a candidate and a --device, or give --table FILE.csv")
    request = asked(EstimateRequest)
    deliver(estimate(request, evidence_for(request.profiles_dir)), form, files, layout())
    return 0


def _answer(own: dict[str, Any], form: str, files: tuple[Path, ...]) -> int:
    from advisor.answering.asking import evidence_for
    from advisor.answering.estimate_table import answer
    from advisor.files.saving import save

    if form not in ("csv", "table") or any(path.suffix != ".csv" for path in files):
        raise UsageError("--table answers in CSV only; give --format csv and -o FILE.csv")
    request = QuestionsRequest.read(*map(_of_table, stated(EstimateRequest)), Stated(
        options=own, typed=True))  # fmt: skip
    lines = answer(request, evidence_for(request.profiles_dir))
    if not files:
        sys.stdout.writelines(lines)
        return 0
    text = "".join(lines)
    for path in files:
        save(path, text)
        say(f"wrote {path}")
    return 0


def _of_table(layer: Stated) -> Stated:
    """Keep what holds for a whole table; its rows say the rest."""
    given = dict(layer.given())
    ignored = [layer.where(key) for key in given if key not in options_of(QuestionsRequest)]
    if ignored:
        say(f"--table: its rows say {', '.join(ignored)}")
    kept = {key: value for key, value in given.items() if key in options_of(QuestionsRequest)}
    return Stated(options=kept, origin=layer.origin, typed=layer.typed)
