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

MOST_LINES = 10
"""Refused rows that are told one by one."""


@click.command("import")
@request_options(ImportRequest)
@config_option
def command(**_: Any) -> int:
    """Read TABLE, screen it and keep its figures as your own.

    TABLE is a table of networks with their latency or throughput, under headers as people write
    them, or the log of trtexec, benchncnn, benchmark_app, onnxruntime_perf_test, benchmark_model,
    timm's benchmark.py or ultralytics benchmark. The options say what a row does not; what both
    leave open is resolved as 'advisor recommend' resolves it.
    """
    from advisor.answering.asking import evidence_for

    request = asked(ImportRequest)
    return take_in(request, evidence_for(request.profiles_dir))


def take_in(request: ImportRequest, evidence: "Evidence") -> int:
    """Keep what a table holds; the exit code is 1 where a row was left out."""
    from advisor.answering.own_table import read_own
    from advisor.answering.plausibility import of_another_device, plausible
    from advisor.measuring.reading import Settled, device_of
    from advisor.measuring.store import MeasurementStore
    from advisor.measuring.table import store_rows

    table = Path(request.table)
    profile = evidence.profiles.load(request.device or device_of(table))
    settled = Settled(
        model=request.model,
        time_unit=request.latency_unit,
        decimal=request.decimal,
        columns=request.columns,
    )
    one = request.single("a figure has one precision")
    reading = read_own(table, profile, one, settled, evidence)
    say(reading.understood)
    another = of_another_device(reading.rows, profile, evidence.profiles)
    found = plausible(reading.rows, profile, evidence)
    doubts = [doubt for doubt in (another, found.surprise) if doubt]
    refused = (*reading.refused, *(f"{table}, {line}" for line in found.refused))
    for line in (*reading.warnings, *refused[:MOST_LINES]):
        click.echo(f"advisor: {line}", err=True)
    if len(refused) > MOST_LINES:
        click.echo(f"advisor: and {len(refused) - MOST_LINES} more like these", err=True)
    if not found.rows:
        raise MeasurementError(f"{table} holds no figure that can be used")
    if doubts and not request.force:
        raise MeasurementError(f"{table}: {'; '.join(doubts)} (--force keeps it all the same)")
    origin = f"import {table.name}" + (f", kept by force: {'; '.join(doubts)}" if doubts else "")
    kept = store_rows(MeasurementStore(), found.rows, origin=origin)
    lanes = sorted({row.lane.name for row in found.rows})
    say(
        f"kept {kept.new} figures of {profile.id} ({'; '.join(lanes)}), left out {len(refused)}"
        + (f"; {kept.known} were known already" if kept.known else "")
    )
    return 1 if refused else 0
