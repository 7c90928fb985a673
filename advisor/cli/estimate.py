"""``advisor estimate``: every metric of candidates, or a table of questions."""

import sys
from pathlib import Path
from typing import Any

import click

from advisor.cli.options import (
    WORDS,
    config_option,
    fraction,
    lane_options,
    metric,
    output_options,
    words,
)
from advisor.cli.output import checked, deliver, layout, say
from advisor.errors import UsageError


@click.command("estimate")
@click.argument("candidates", nargs=-1)
@click.option("--device", multiple=True, help="Device profile; repeatable.")
@config_option
@lane_options
@click.option("--confidence", default="90%", show_default=True, help="Level of the intervals.")
@click.option(
    "--metric", "metrics", type=WORDS, help="Metrics to print, separated by commas; default all."
)
@click.option("--recipe", help="Training recipe whose accuracy is meant, for variants.")
@click.option("--no-published", is_flag=True, help="Predict even where a figure is published.")
@click.option("--table", type=click.Path(path_type=Path, dir_okay=False),
              help="CSV with many questions: device_id, unit, runtime, precision, threads, batch, "
              "timm_name, input_h.")  # fmt: skip
@output_options
def command(
    candidates: tuple[str, ...],
    device: tuple[str, ...],
    table: Path | None,
    form: str,
    output: tuple[Path, ...],
    **options: Any,
) -> int:
    """Print every metric of candidates with interval, origin and source.

    CANDIDATES are names such as mobilenetv2_100, mobilenetv2_100@192:width=0.75, wildcards,
    module:factory or an ONNX file.
    """
    level = fraction(options["confidence"], option="--confidence")
    if table is not None:
        return _answer(table, form, checked(output), level, options)
    if not candidates or not device:
        raise UsageError("name a candidate and a --device, or give --table FILE.csv")
    from advisor.answering.evidence import evidence_with
    from advisor.answering.recommend import estimates, subjects_named
    from advisor.cli.requests import lane_requests

    files = checked(output)
    evidence = evidence_with(options["profiles_dir"])
    wanted = [metric(name, option="--metric") for name in words(options["metrics"])]
    subjects = subjects_named(candidates, evidence)
    requests = lane_requests(words(device), options)
    document = estimates(subjects, requests, evidence, wanted, recipe=options["recipe"])
    deliver(document, form, files, layout())
    return 0


def _answer(
    table: Path, form: str, files: tuple[Path, ...], level: float, options: dict[str, Any]
) -> int:
    from advisor.answering.estimate_table import answer
    from advisor.answering.evidence import evidence_with
    from advisor.reports import save

    if form not in ("csv", "table") or any(path.suffix != ".csv" for path in files):
        raise UsageError("--table answers in CSV only; give --format csv and -o FILE.csv")
    evidence = evidence_with(options["profiles_dir"])
    text = answer(table, evidence, level=level, published=not options["no_published"])
    for path in files:
        save(path, text)
        say(f"wrote {path}")
    if not files:
        sys.stdout.write(text)
    return 0
