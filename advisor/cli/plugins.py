"""``advisor plugins``: runtimes and report formats, built in or from other packages."""

import json
from collections.abc import Iterator
from importlib.metadata import entry_points

import click

Row = dict[str, str]


@click.command("plugins")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table",
              show_default=True, help="What standard output gets.")  # fmt: skip
def command(form: str) -> int:
    """List the runtimes and report formats, who provides them, and why one cannot be used."""
    rows = [*_runtimes(), *_formats()]
    if form == "json":
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    from advisor.cli.terminal_table import print_table

    print_table(["Kind", "Name", "From", "Unavailable because"], [list(r.values()) for r in rows])
    return 0


def _runtimes() -> Iterator[Row]:
    from advisor.errors import AdvisorError
    from advisor.measuring import runtimes as measurers

    for name in measurers.names():
        try:
            lack = measurers.load(name).missing() or ""
        except AdvisorError as error:
            lack = str(error)
        yield _row("runtime", name, measurers.GROUP, lack)


def _formats() -> Iterator[Row]:
    from advisor import reports
    from advisor.errors import AdvisorError

    for name in reports.formats():
        try:
            reports.writer(name)
            lack = ""
        except AdvisorError as error:
            lack = str(error)
        yield _row("report format", name, reports.GROUP, lack)


def _row(kind: str, name: str, group: str, lack: str) -> Row:
    owners = [p.dist for p in entry_points(group=group) if p.name == name and p.dist is not None]
    owner = f"{owners[0].name} {owners[0].version}" if owners else "built in"
    return {"kind": kind, "name": name, "from": owner, "unavailable_because": lack}
