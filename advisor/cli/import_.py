"""``advisor import``: take measurements back from a board, a kit or a colleague."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.options import asked, config_option, request_options
from advisor.cli.output import say
from advisor.core.measuring_request import ImportRequest
from advisor.errors import MeasurementError

if TYPE_CHECKING:
    from advisor.answering.evidence import Evidence


@click.command("import")
@request_options(ImportRequest)
@config_option
def command(**_: Any) -> int:
    """Read TABLE, a CSV of measurements, screen it and keep its figures as your own.

    Columns: timm_name and latency_ms at least. The options say what a row does not; what both
    leave open is resolved as 'advisor recommend' resolves it.
    """
    from advisor.answering.asking import evidence_for

    request = asked(ImportRequest)
    return take_in(request, evidence_for(request.profiles_dir))


def take_in(request: ImportRequest, evidence: "Evidence") -> int:
    """Keep what a table holds; the exit code is 1 where a row was left out."""
    from advisor.hardware.lanes import lane_of_row, lane_of_timing
    from advisor.measuring.store import MeasurementStore
    from advisor.measuring.table import device_of, read_table, store_rows

    table = Path(request.table)
    profile = evidence.profiles.load(request.device or device_of(table))
    one = request.single("a figure has one precision")
    lane_of_timing(profile, one)
    reading = read_table(
        table, lambda stated: lane_of_row(profile, stated, one), evidence.table.networks
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
