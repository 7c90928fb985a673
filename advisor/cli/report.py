"""``advisor report``: render a stored result again."""

import json
from pathlib import Path

import click

from advisor.cli.options import output_options
from advisor.cli.output import checked, deliver, layout
from advisor.errors import UsageError


@click.command("report")
@click.argument("result", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--schema", type=click.Choice(["recommendation", "estimates"]),
              is_flag=False, flag_value="recommendation",
              help="Print the JSON Schema of a kind of result.")  # fmt: skip
@output_options
def command(result: Path | None, schema: str | None, form: str, output: tuple[Path, ...]) -> int:
    """Render a stored JSON result as a table, HTML or another format; recomputes nothing."""
    from advisor.recommendation import Estimates, Recommendation, read_document

    if schema is not None:
        kind = Recommendation if schema == "recommendation" else Estimates
        click.echo(json.dumps(kind.model_json_schema(mode="serialization"), indent=1))
        return 0
    if result is None:
        raise UsageError("name a RESULT.json, or give --schema")
    files = checked(output)
    deliver(read_document(result), form, files, layout())
    return 0
