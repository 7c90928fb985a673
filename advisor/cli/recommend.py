"""``advisor recommend``: the ranked recommendation."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.options import (
    WORDS,
    config_option,
    lane_options,
    limit_options,
    output_options,
    request_from,
)
from advisor.cli.output import checked, deliver, layout
from advisor.cli.use_case import settle_ranking, use_case_option

if TYPE_CHECKING:
    from advisor.answering.evidence import Evidence
    from advisor.core.document import Recommendation, Request

NOTHING_MEETS = 3
"""Exit code where no candidate is certain to keep every limit."""


@click.command("recommend")
@click.option("--device", required=True, help="Device profile; 'advisor devices ls' lists all.")
@config_option
@use_case_option
@limit_options
@lane_options
@click.option(
    "--confidence",
    default="90%",
    show_default=True,
    help="Probability with which each limit has to hold.",
)
@click.option("--rank-by", metavar="METRIC", help="Rank by one metric; default top1.")
@click.option(
    "--weights", type=WORDS, metavar="METRIC=W,…", help="Rank by several, as top1=0.6,latency=0.4."
)
@click.option("--models", multiple=True, help="Names or wildcards; default the whole catalog.")
@click.option("--exclude", multiple=True, help="Names or wildcards to leave out.")
@click.option("--license", multiple=True, help="Licences of the weights, as apache*,mit.")
@click.option("--all-weights", is_flag=True, help="Keep every set of weights of a network.")
@click.option(
    "--accuracy-from",
    metavar="TRIAL.json",
    help="Rank by the accuracy on your own images; 'advisor trial' writes the file.",
)
@click.option("--no-published", is_flag=True, help="Predict even where a figure is published.")
@click.option("--search", type=click.IntRange(0), default=0, help="Searched variants that compete.")
@click.option(
    "--measure",
    type=click.IntRange(0),
    default=0,
    help="Networks that decide the answer to time here first; needs --device host.",
)
@click.option(
    "--top",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Rows of the printed table.",
)
@click.option("--seed", type=int, default=0, help="Seed of the search.")
@output_options
def command(form: str, output: tuple[Path, ...], **options: Any) -> int:
    """Rank the networks that keep the limits on a device.

    Example: advisor recommend --device jetson-nano --max-latency 10ms -o report.html
    """
    from advisor.answering.evidence import evidence_with

    files = checked(output)
    request = request_from(settle_ranking(click.get_current_context(), options))
    evidence = evidence_with(options["profiles_dir"])
    if request.measure:
        from advisor.cli.measure import recommend_measured

        document = recommend_measured(request, evidence, _answered)
    else:
        document = _answered(request, evidence)
    if files or form != "table":  # the printed table shows none of what this adds
        from advisor.answering.complete import completed

        document = completed(document, evidence, options.get("use_case") or "")
    deliver(document, form, files, layout())
    return 0 if document.ranked else NOTHING_MEETS


def _answered(request: "Request", evidence: "Evidence") -> "Recommendation":
    if request.search:
        from advisor.answering.search import recommend_with_variants

        return recommend_with_variants(request, evidence)
    from advisor.answering.recommend import recommend

    return recommend(request, evidence)
