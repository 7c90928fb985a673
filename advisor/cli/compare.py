"""``advisor compare``: candidates side by side on one or several devices."""

from pathlib import Path
from typing import Any

import click

from advisor.cli.options import config_option, lane_options, output_options, words
from advisor.cli.output import checked, deliver, layout


@click.command("compare")
@click.argument("candidates", nargs=-1, required=True)
@click.option("--device", multiple=True, required=True, help="Device profile; repeatable.")
@config_option
@lane_options
@click.option("--confidence", default="90%", show_default=True, help="Level of the intervals.")
@click.option("--no-published", is_flag=True, help="Predict even where a figure is published.")
@output_options
def command(
    candidates: tuple[str, ...],
    device: tuple[str, ...],
    form: str,
    output: tuple[Path, ...],
    **options: Any,
) -> int:
    """Put candidates side by side on one or several devices, with every main metric."""
    from advisor.answering.evidence import evidence_with
    from advisor.answering.recommend import estimates, subjects_named
    from advisor.catalog.claims import claims_about
    from advisor.cli.requests import lane_requests
    from advisor.core.quantity import Metric

    files = checked(output)
    evidence = evidence_with(options["profiles_dir"])
    shown = [Metric.LATENCY, Metric.THROUGHPUT, Metric.TOP1, Metric.PEAK_MEMORY, Metric.WEIGHTS]
    requests = lane_requests(words(device), options)
    subjects = subjects_named(candidates, evidence)
    document = estimates(subjects, requests, evidence, shown)
    names = [subject.candidate.architecture for subject in subjects]
    claims = claims_about(names, evidence.root)
    deliver(document.model_copy(update={"claims": claims}), form, files, layout())
    return 0
