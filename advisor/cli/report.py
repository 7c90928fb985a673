"""``advisor report``: render a stored result again."""

import json
from dataclasses import replace
from pathlib import Path

import click

from advisor.cli.options import output_options
from advisor.cli.output import checked, deliver, layout
from advisor.errors import UsageError

_file = click.Path(path_type=Path, dir_okay=False)


@click.command("report")
@click.argument("result", required=False, type=_file)
@click.option("--against", type=_file, help="Earlier result to show the difference to.")
@click.option("--schema", is_flag=False, flag_value="recommendation", metavar="[KIND]",
              help="Print the JSON Schema of a kind of result: recommendation, estimates.",
              )  # fmt: skip
@output_options
def command(
    result: Path | None,
    against: Path | None,
    schema: str | None,
    form: str,
    output: tuple[Path, ...],
) -> int:
    """Render a stored JSON result as a table, HTML or another format; recomputes nothing."""
    from advisor.reports import json as documents

    if schema is not None:
        if schema not in documents.KINDS:
            allowed = ", ".join(documents.KINDS)
            raise UsageError(f"--schema: unknown kind {schema!r}; allowed: {allowed}")
        click.echo(json.dumps(documents.schema(schema), indent=1))
        return 0
    if result is None:
        raise UsageError("name a RESULT.json, or give --schema")
    files = checked(output, of_review=True)
    read = documents.read if against is None else documents.read_recommendation
    earlier = documents.read_recommendation(against) if against else None
    deliver(read(result), form, files, replace(layout(), against=earlier))
    return 0
