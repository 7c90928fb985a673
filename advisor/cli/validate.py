"""``advisor validate``: the estimators' error on what they have not seen."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from advisor.cli.output import say
from advisor.cli.terminal_table import columns, print_table, print_text
from advisor.core.extras import require
from advisor.core.option import words
from advisor.errors import UsageError

if TYPE_CHECKING:
    from advisor.estimators.fit.leave_out import Split

SPLITS = ("pair", "architecture", "family", "lane", "chip")
NOTES = "validation.notes.md"
"""Beside the written page: what was tried and what the data lack, put at its end."""
_form = click.Choice(["table", "json", "markdown"])
_file = click.Path(path_type=Path, dir_okay=False)
_folder = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command("validate")
@click.option(
    "--metric",
    type=click.Choice(["latency", "energy", "top1"]),
    default="latency",
    show_default=True,
    help="Estimator to validate; top1 is that of variants.",
)
@click.option("--split", help=f"Splits, separated by commas: {', '.join(SPLITS)}.")
@click.option("--shots", help="Timings that a lane of an unseen chip is told, such as 0,5,10.")
@click.option(
    "--measurements",
    type=_file,
    help="CSV of measurements that are not in the catalog, to check against.",
)
@click.option(
    "--format",
    "form",
    type=_form,
    default="table",
    show_default=True,
    help="What standard output gets.",
)
@click.option(
    "--by-lane",
    is_flag=True,
    help="Compare with a line in log MACs, lane by lane, on unseen pairs.",
)
@click.option("-o", "--output", type=_folder,
              help="Folder to write validation.md and validation.json to.")  # fmt: skip
def command(metric: str, measurements: Path | None, form: str, **options: object) -> int:
    """Show the estimators' error on what was left out of the catalog.

    By unseen pair of lane and network, unseen architecture, family, lane and chip; beside each
    figure that of a line in log MACs and of the plain roofline. Variances and intervals are those
    of the other half of the chips and families.
    """
    if options["by_lane"]:
        _print_lanes()
    elif metric == "top1":
        click.echo(_variants(form), nl=False)
    elif metric == "energy":
        _print_energy(form)
    elif measurements is not None:
        click.echo(_against(measurements), nl=False)
    else:
        click.echo(_latency(form, options), nl=False)
    return 0


def _latency(form: str, options: dict[str, object]) -> str:
    require("validating", "scipy")
    from advisor.estimators.validation import validate
    from advisor.estimators.validation.writing import table_of, to_json, to_markdown, to_table
    from advisor.files.saving import save
    from advisor.hardware.library import catalog_directory, profile_library

    splits, shots = _splits(options), _shots(options)
    report = validate(catalog_directory(), profile_library(), splits, shots)
    folder = options["output"]
    if isinstance(folder, Path):
        notes = folder / NOTES
        text = notes.read_text(encoding="utf-8") if notes.is_file() else ""
        save(folder / "validation.json", to_json(report))
        save(folder / "validation.md", to_markdown(report, text))
        say(f"wrote validation.md and validation.json to {folder}")
    if form == "table" and columns() is not None:
        return _narrow(*table_of(report))
    return {"table": to_table, "json": to_json, "markdown": to_markdown}[form](report)


def _narrow(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Print a table within the terminal; nothing is left to print."""
    print_table(head, rows)
    return ""


def _splits(options: dict[str, object]) -> "tuple[Split, ...]":
    from advisor.estimators.fit.leave_out import Split

    splits = words(options["split"] or (), "--split") or SPLITS
    unknown = [name for name in splits if name not in SPLITS]
    if unknown:
        raise UsageError(f"--split: unknown split {unknown[0]!r}; allowed: {', '.join(SPLITS)}")
    return tuple(Split(name) for name in splits)


def _shots(options: dict[str, object]) -> "tuple[int, ...]":
    from advisor.estimators.fit.runs import SHOTS

    kept = sorted({one.count for one in SHOTS})
    texts = words(options["shots"] or (), "--shots")
    if not set(texts) <= {str(count) for count in kept}:
        allowed = ", ".join(map(str, kept))
        raise UsageError(f"--shots: {options['shots']!r} is not among the counts kept: {allowed}")
    return tuple(map(int, texts)) or tuple(kept)


def _print_lanes() -> None:
    require("validating", "scipy")
    from advisor.estimators.validation.report import by_lane
    from advisor.hardware.library import catalog_directory, profile_library

    rows = by_lane(catalog_directory(), profile_library())
    better = sum(row.estimator < row.line for row in rows)
    print_table(
        ["Lane", "Cells", "Estimator", "Line in log MACs"],
        [
            [row.lane, str(row.cells), f"{100 * row.estimator:.1f} %", f"{100 * row.line:.1f} %"]
            for row in sorted(rows, key=lambda row: row.estimator - row.line)
        ],
    )
    click.echo(f"median error below the line's in {better} of {len(rows)} lanes")


def _print_energy(form: str) -> None:
    from advisor.cli.terminal_table import print_table
    from advisor.estimators.validation.energies import validate_energy
    from advisor.estimators.validation.writing import (
        ENERGY_HEAD,
        energy_lines,
        energy_to_json,
        energy_to_markdown,
    )
    from advisor.hardware.library import catalog_directory, profile_library

    rows = validate_energy(catalog_directory(), profile_library())
    if form == "table":
        print_table(
            [word.capitalize() for word in ENERGY_HEAD], list(map(list, energy_lines(rows)))
        )
    else:
        click.echo({"json": energy_to_json, "markdown": energy_to_markdown}[form](rows), nl=False)


def _against(measurements: Path) -> str:
    from advisor.answering.evidence import Evidence
    from advisor.estimators.validation.external import against
    from advisor.estimators.validation.writing import external_table

    evidence = Evidence()
    text = external_table(against(measurements, evidence.latency, evidence.table))
    for line in text.splitlines():
        print_text(line)
    return ""


def _variants(form: str) -> str:
    from advisor.estimators.accuracy.storing import load
    from advisor.estimators.accuracy.summary import table_of, to_json, to_markdown, to_table
    from advisor.estimators.accuracy.validating import validate
    from advisor.hardware.library import catalog_directory

    errors = validate(load(catalog_directory()))
    if form == "table" and columns() is not None:
        return _narrow(*table_of(errors))
    return {"table": to_table, "json": to_json, "markdown": to_markdown}[form](errors)
