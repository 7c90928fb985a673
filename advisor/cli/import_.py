"""``advisor import``: take measurements back from a board, a kit or a colleague."""

from pathlib import Path
from typing import Any

import click

from advisor.cli.options import lane_options
from advisor.cli.output import say
from advisor.cli.requests import lane_request
from advisor.errors import MeasurementError


@click.command("import")
@click.argument("table", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--device", help="Device profile that the figures are of; default the table's.")
@lane_options
def command(table: Path, device: str | None, **options: Any) -> int:
    """Read TABLE, a CSV of measurements, screen it and keep its figures as your own.

    Columns: timm_name and latency_ms at least. The options say what a row does not; what both
    leave open is resolved as 'advisor recommend' resolves it.
    """
    from advisor.answering.evidence import evidence_with
    from advisor.hardware.lanes import lane_of_row, lane_of_timing
    from advisor.measuring.store import MeasurementStore
    from advisor.measuring.table import device_of, read_table, store_rows

    evidence = evidence_with(options["profiles_dir"])
    profile = evidence.profiles.load(device or device_of(table))
    asked = lane_request(options, "a figure has one precision")
    lane_of_timing(profile, asked)
    reading = read_table(
        table, lambda stated: lane_of_row(profile, stated, asked), evidence.table.networks
    )
    for line in (*reading.warnings, *reading.refused):
        click.echo(f"advisor: {line}", err=True)
    if not reading.rows:
        raise MeasurementError(f"{table} holds no figure that can be used")
    store_rows(MeasurementStore(), reading.rows, origin=f"import {table.name}")
    lanes = sorted({row.lane.name for row in reading.rows})
    say(
        f"kept {len(reading.rows)} figures of {profile.id} ({'; '.join(lanes)}), "
        f"left out {len(reading.refused)}"
    )
    return 1 if reading.refused else 0
