"""``advisor validate``: recompute the estimator's error by leaving data out."""

from pathlib import Path

import click

from advisor.cli.options import words
from advisor.cli.output import say
from advisor.errors import UsageError

SPLITS = ("pair", "architecture", "family", "lane", "device")


@click.command("validate")
@click.option("--split", help=f"Splits, separated by commas: {', '.join(SPLITS)}.")
@click.option(
    "--shots",
    default="0,5,10,20",
    show_default=True,
    help="Measurements that a left-out device may keep.",
)
@click.option("--full", is_flag=True, help="Keep every network of large lanes; far slower.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "markdown"]),
    default="table",
    show_default=True,
    help="What standard output gets.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False),
              help="Folder to write validation.md and validation.json to.")  # fmt: skip
def command(split: str | None, shots: str, full: bool, form: str, output: Path | None) -> int:
    """Recompute the estimator's error by leaving data out of the catalog; takes minutes.

    By unseen pair of lane and network, unseen architecture, family and device; beside each figure
    that of a line in log MACs and of the plain roofline.
    """
    from advisor.estimators.leave_out import Split
    from advisor.library import catalog_directory, profile_library
    from advisor.validation import Settings, validate
    from advisor.validation.writing import to_json, to_markdown, to_table

    chosen = words(split) or tuple(s.value for s in Settings().splits)
    for name in chosen:
        if name not in SPLITS:
            raise UsageError(f"--split: unknown split {name!r}; allowed: {', '.join(SPLITS)}")
    if not all(count.isdigit() for count in words(shots)):
        raise UsageError(f"--shots: {shots!r} is not a list of whole numbers such as 0,5,10,20")
    settings = Settings(
        splits=tuple(Split(name) for name in chosen),
        shots=tuple(int(count) for count in words(shots)),
        thin=not full,
    )
    report = validate(catalog_directory(), profile_library(), settings)
    if output is not None:
        notes = output / "validation.notes.md"
        text = notes.read_text(encoding="utf-8") if notes.is_file() else ""
        (output / "validation.json").write_text(to_json(report), encoding="utf-8")
        (output / "validation.md").write_text(to_markdown(report, text), encoding="utf-8")
        say(f"wrote validation.md and validation.json to {output}")
    click.echo({"table": to_table, "json": to_json, "markdown": to_markdown}[form](report))
    return 0
