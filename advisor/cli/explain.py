"""``advisor explain``: where the time goes and what the answer rests on."""

from typing import TYPE_CHECKING, Any

import click

from advisor.cli.options import asked, config_option, form_option, request_options
from advisor.core.quantity import Unit, human
from advisor.core.request import ExplainRequest
from advisor.reports.wording import operator_words

if TYPE_CHECKING:
    from advisor.answering.explain import Explanation


@click.command("explain")
@request_options(ExplainRequest)
@config_option
@form_option
def command(form: str, **_: Any) -> int:
    """Show where a network's time goes by operator class, and the evidence behind its latency."""
    from advisor.answering.asking import evidence_for
    from advisor.answering.explain import explain

    request = asked(ExplainRequest)
    explanation = explain(request, evidence_for(request.profiles_dir))
    if form == "json":
        click.echo(explanation.model_dump_json(indent=1))
    else:
        _print(explanation)
    return 0


def _print(explanation: "Explanation") -> None:
    from advisor.cli.terminal_table import print_table, print_text

    print_text(f"{explanation.candidate} on {explanation.device_name}, {explanation.lane}")
    for line in explanation.lines:
        print_text(line.strip(), "    " if line.startswith(" ") else "  ")
    click.echo()
    print_table(
        ["Operator class", "Share", "Time", "Calls", "MACs"],
        [
            [
                operator_words(part.operator),
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
        print_text(line, "  ")
