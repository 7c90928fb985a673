"""``advisor catalog``: add publications, count networks, fit the estimators again."""

import os
from collections import Counter
from pathlib import Path

import click

from advisor.cli.output import say
from advisor.core.extras import FITTING, require
from advisor.hardware.library import catalog_directory

_folder = click.Path(path_type=Path, file_okay=False, exists=True)


@click.group("catalog")
def command() -> None:
    """Add publications, count networks, fit the estimators again.

    The order is: add, then count, then fit.
    """


@command.command("add")
@click.argument("table", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--catalog", "root", type=_folder, help="Folder of the catalog.")
@click.option("--profiles-dir", type=_folder, help="Folder of your own device profiles.")
@click.option("--dry-run", is_flag=True, help="Say what would be added; write nothing.")
def add_table(table: Path, root: Path | None, profiles_dir: Path | None, dry_run: bool) -> int:
    """Screen the published figures in TABLE, a CSV file, and add them to the catalog.

    Each row is told what it is good for: kept, caveat (used, with a doubt), left_out (on file,
    used for nothing) or known (the catalog has it already).
    """
    from advisor.catalog.intake.adding import add
    from advisor.cli.terminal_table import print_table
    from advisor.hardware.library import profile_library

    added = add(table, root or catalog_directory(), profile_library(own=profiles_dir),
                dry_run=dry_run)  # fmt: skip
    print_table(
        ["Line", "Device", "Lane", "Network", "Verdict", "Why"],
        [
            [str(r.line), r.device, r.lane, r.network, r.status, " ".join(r.reasons)]
            for r in added.rows
        ],
    )
    counts = Counter(row.status for row in added.rows)
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    say(f"{len(added.rows)} rows: {told}" + ("; nothing was written" if dry_run else ""))
    if added.uncounted:
        say(f"not counted yet: {', '.join(added.uncounted)}; run 'advisor catalog count'")
    if not dry_run and len(counts) > ("known" in counts):
        say("answers show the new figures at once; 'advisor catalog fit' lets predictions learn")
    return 0


@command.command("count")
@click.option("--catalog", "root", type=_folder, help="Folder of the catalog.")
@click.option("--all", "anew", is_flag=True, help="Count networks that were counted before, too.")
@click.option("--published", is_flag=True,
              help="Count only networks that the catalog has a figure of.")  # fmt: skip
@click.option("--processes", type=click.IntRange(1), default=os.cpu_count() or 1,
              help="Processes that count at once.")  # fmt: skip
def count(root: Path | None, anew: bool, published: bool, processes: int) -> int:
    """Count the workload of every network that can be built or that a figure speaks of."""
    from advisor.catalog.operator_support import write_support
    from advisor.core.workload_table import read
    from advisor.errors import CatalogError
    from advisor.networks import survey

    folder = root or catalog_directory()
    try:
        table = read(folder)
        kept = [] if anew else [table.workload(row) for row in range(len(table))]
    except CatalogError:
        kept = []
    pairs = survey.published(folder) if published else survey.wanted(folder)
    with click.progressbar(length=len(pairs), label="counting", show_pos=True) as bar:
        failures = survey.survey(pairs, folder, kept=kept, processes=processes, progress=bar.update)
    write_support(folder, read(folder))
    for (network, resolution), reason in failures.items():
        say(f"not counted: {network} at {resolution}: {reason}")
    return 1 if failures else 0


@command.command("fit")
@click.option("--catalog", "root", type=_folder, help="Folder of the catalog.")
@click.option("--profiles", type=_folder, help="Folder of the profiles.")
@click.option("--folds", type=click.IntRange(2),
              help="Folds of each leave-out at most; fewer are quicker.")  # fmt: skip
@click.option("--keep-left-out", is_flag=True,
              help="Calibrate by what the last fit left out.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True,
              help="Leave-outs that run at once; each takes a processor and 2 GB.")  # fmt: skip
@click.option("--only", type=click.Choice(["energy"]),
              help="Fit this part alone, by what the last fit left out.")  # fmt: skip
def fit(
    root: Path | None,
    profiles: Path | None,
    *,
    folds: int | None,
    keep_left_out: bool,
    jobs: int,
    only: str | None,
) -> int:
    """Fit the estimators to the catalog again and write their parameters.

    A fit that was stopped goes on where it was.
    """
    require("fitting the estimators", *FITTING)
    if only:
        return _fit_energy(root or catalog_directory(), profiles)
    from advisor.estimators.fit.refit import count_steps, refit
    from advisor.estimators.fit.runs import RUNS, with_folds
    from advisor.hardware.library import profile_library

    runs = RUNS if folds is None else with_folds(RUNS, folds)
    with click.progressbar(
        range(count_steps(runs)), label="fitting", show_pos=True, show_eta=False
    ) as bar:

        def progress(step: str) -> None:
            bar.label = step
            bar.update(1)

        seconds = refit(
            root or catalog_directory(),
            profile_library(profiles),
            runs=runs,
            keep_left_out=keep_left_out,
            jobs=jobs,
            progress=progress,
        )
    say(f"fitted in {seconds:.0f} s")
    return 0


def _fit_energy(root: Path, profiles: Path | None) -> int:
    from advisor.estimators.fit.energy_fitting import fit_energy
    from advisor.estimators.fit.fitting import read_data
    from advisor.hardware.library import profile_library

    library = profile_library(profiles)
    model = fit_energy(root, library, read_data(root, library))
    model.write(root)
    say(f"fitted to the power of {len(model.lanes)} lanes")
    return 0
