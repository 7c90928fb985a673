"""``advisor plugins``: runtimes and report formats, built in or from other packages."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points

import click

Row = dict[str, str]


@click.command("plugins")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table",
              show_default=True, help="What standard output gets.")  # fmt: skip
def command(form: str) -> int:
    """List the runtimes and report formats, who provides them, and why one cannot be used."""
    from advisor import reports
    from advisor.measuring import runtimes

    rows = [
        *_rows("runtime", runtimes.GROUP, runtimes.names(), runtimes.BUILT_IN, runtimes.lack),
        *_rows("report format", reports.GROUP, reports.formats(), reports.BUILT_IN, reports.lack),
    ]
    if form == "json":
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    from advisor.cli.terminal_table import print_table

    print_table(["Kind", "Name", "From", "Unavailable because"], [list(r.values()) for r in rows])
    return 0


def _rows(
    kind: str,
    group: str,
    names: Iterable[str],
    built_in: Collection[str],
    lack: Callable[[str], str | None],
) -> Iterator[Row]:
    """Yield a row for each name, then one for each plug-in whose name is taken."""
    points = list(entry_points(group=group))
    used = {point.name: point for point in reversed(points) if point.name not in built_in}
    for name in names:
        yield _row(kind, name, used.get(name), lack(name) or "")
    for point in points:
        if used.get(point.name) is not point:
            yield _row(kind, point.name, point, f"{point.value} is not used: the name is taken")


def _row(kind: str, name: str, point: EntryPoint | None, lack: str) -> Row:
    owner = f"{point.dist.name} {point.dist.version}" if point and point.dist else "built in"
    return {"kind": kind, "name": name, "from": owner, "unavailable_because": lack}
