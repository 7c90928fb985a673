"""``advisor catalog``: import, count and fit the shipped catalog again."""

import os
from pathlib import Path

import click

from advisor.cli.output import say
from advisor.hardware.library import catalog_directory

_folder = click.Path(path_type=Path, file_okay=False, exists=True)


@click.group("catalog")
def command() -> None:
    """Import, count and fit the shipped catalog again.

    The order is: import, then count, then fit.
    """


@command.command("import")
@click.argument("raw", type=_folder)
@click.option("--catalog", "root", type=_folder, help="Folder of the catalog.")
@click.option("--profiles", type=_folder, help="Folder of the profiles.")
def import_raw(raw: Path, root: Path | None, profiles: Path | None) -> int:
    """Write measurements, accuracies and device profiles from the raw tables in RAW."""
    from advisor.catalog.intake.__main__ import main as import_catalog
    from advisor.catalog.intake.importing import CAMPAIGNS
    from advisor.catalog.intake.profiles.__main__ import main as import_profiles
    from advisor.hardware.library import profiles_directory

    catalog, folder = root or catalog_directory(), profiles or profiles_directory()
    import_catalog([str(raw), "--out", str(catalog)])
    import_profiles([str(raw), "--out", str(folder), "--campaigns", str(catalog / CAMPAIGNS)])
    return 0


@command.command("count")
@click.option("--catalog", "root", type=_folder, help="Folder of the catalog.")
@click.option("--all", "anew", is_flag=True, help="Count networks that were counted before, too.")
@click.option("--processes", type=click.IntRange(1), default=os.cpu_count() or 1,
              help="Processes that count at once.")  # fmt: skip
def count(root: Path | None, anew: bool, processes: int) -> int:
    """Count the workload of every network that the catalog's figures speak of."""
    from advisor.catalog.operator_support import write_support
    from advisor.core.workload_table import read
    from advisor.errors import CatalogError
    from advisor.networks.survey import survey, wanted

    folder = root or catalog_directory()
    try:
        table = read(folder)
        kept = [] if anew else [table.workload(row) for row in range(len(table))]
    except CatalogError:
        kept = []
    pairs = wanted(folder)
    with click.progressbar(length=len(pairs), label="counting", show_pos=True) as bar:
        failures = survey(pairs, folder, kept=kept, processes=processes, progress=bar.update)
    write_support(folder, read(folder))
    for (network, resolution), reason in failures.items():
        say(f"not counted: {network} at {resolution}: {reason}")
    return 1 if failures else 0


@command.command("fit")
@click.option("--keep-left-out", is_flag=True,
              help="Calibrate by what the last fit left out: three minutes.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True,
              help="Leave-outs that run at once; each takes a processor and 3 GB.")  # fmt: skip
def fit(keep_left_out: bool, jobs: int) -> int:
    """Fit the estimators to the catalog again and write their parameters."""
    from advisor.estimators.fit.refit import main as fit_all

    fit_all([f"--jobs={jobs}", *(["--keep-left-out"] if keep_left_out else [])])
    return 0
