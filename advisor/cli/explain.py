"""``advisor explain``: where the time goes and what the answer rests on."""

from pathlib import Path
from typing import Any

import click

from advisor.cli.options import config_option, lane_options
from advisor.core.quantity import Unit, human


@click.command("explain")
@click.argument("candidate")
@click.option("--device", required=True, help="Device profile.")
@config_option
@lane_options
@click.option("--confidence", default="90%", show_default=True, help="Level of the intervals.")
@click.option("--no-published", is_flag=True, help="Predict even where a figure is published.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table",
              show_default=True, help="What standard output gets.")  # fmt: skip
def command(
    candidate: str, device: str, form: str, profiles_dir: Path | None, **options: Any
) -> int:
    """Show where a network's time goes by operator class, and the evidence behind its latency."""
    from advisor.answering.evidence import evidence_with
    from advisor.answering.explain import explain
    from advisor.cli.requests import lane_requests

    request = lane_requests([device], options)[0]
    explanation = explain(candidate, request, evidence_with(profiles_dir))
    if form == "json":
        click.echo(explanation.model_dump_json(indent=1))
        return 0
    from advisor.cli.terminal_table import print_table

    click.echo(f"{explanation.candidate} on {explanation.device_name}, {explanation.lane}")
    for line in explanation.lines:
        click.echo(f"  {line}")
    click.echo()
    print_table(
        ["Operator class", "Share", "Time", "Calls", "MACs"],
        [
            [
                part.operator,
                f"{100 * part.share:.0f} %",
                human(part.seconds, Unit.SECOND),
                str(part.calls) if part.calls else "–",
                human(part.macs, Unit.COUNT) if part.calls else "–",
            ]
            for part in explanation.parts
        ],
    )
    click.echo()
    click.echo("What would narrow the interval")
    for line in explanation.remedies:
        click.echo(f"  {line}")
    return 0
