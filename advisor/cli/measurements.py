"""``advisor measurements``: list, show, export and forget the user's own measurements."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.output import say
from advisor.core.quantity import Metric, Unit, human
from advisor.errors import UsageError

if TYPE_CHECKING:
    from advisor.core.document import Estimates, Figure
    from advisor.measuring.store import FigureRecord, MeasurementStore, SessionRecord

_form = click.option("--format", "form", type=click.Choice(["table", "json"]), default="table",
                     show_default=True, help="What standard output gets.")  # fmt: skip


@click.group("measurements")
def command() -> None:
    """List, show, export and forget your own measurements."""


@command.command("ls")
@click.argument("pattern", default="")
@click.option("--device", help="Keep those of one device.")
@click.option("--sessions", "by_session", is_flag=True, help="List sessions instead of networks.")
@_form
def ls(pattern: str, device: str | None, by_session: bool, form: str) -> int:
    """List what was measured; PATTERN keeps networks or runtimes whose name contains it."""
    pairs = [
        (session, figure)
        for session, figure in _all_pairs()
        if pattern.lower() in f"{figure.network} {session.runtime}".lower()
        and device in (None, session.device)
    ]
    if form == "json":
        click.echo(json.dumps([_plain(s, f) for s, f in pairs], indent=1, ensure_ascii=False))
        return 0
    from advisor.cli.terminal_table import print_table

    if by_session:
        print_table(
            ["Session", "Started", "Device", "Lane", "Networks", "Status"], _session_rows(pairs)
        )
    else:
        print_table(["Network", "Device", "Lane", "Median", "Range", "Sessions"], _rows(pairs))
    return 0


@command.command("show")
@click.argument("session")
@_form
def show(session: str, form: str) -> int:
    """Show one session: conditions, figures, what speaks against them, raw samples as JSON."""
    with _store() as store:
        record = store.session(session)
        figures = store.figures(session=record.id)
        samples = {
            f.spelling: [
                {"turn": s.turn, "wall_s": s.wall, "cpu_s": s.cpu}
                for s in store.samples(record.id, f.position)
            ]
            for f in (figures if form == "json" else [])
        }
    if form == "json":
        facts = {**_plain_session(record), "figures": [_plain_figure(f) for f in figures]}
        click.echo(json.dumps({**facts, "samples": samples}, indent=1, ensure_ascii=False))
        return 0
    from advisor.cli.terminal_table import print_table

    for name, value in _plain_session(record).items():
        click.echo(f"{name}: {json.dumps(value) if isinstance(value, dict) else value}")
    click.echo()
    reference = next((f.latency for f in figures if f.reference and f.latency), None)
    print_table(
        ["Network", "Median", "To reference", "Passes", "Interrupted", "CPU/wall", "Output error",
         "Peak memory", "Doubts"],
        [_shown(figure, reference) for figure in figures],
    )  # fmt: skip
    return 0


@command.command("export")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
              help="CSV to write, in the columns that 'advisor import' reads.")  # fmt: skip
@click.option("--device", help="Keep those of one device.")
def export(output: Path, device: str | None) -> int:
    """Write all figures as a table of measurements."""
    from advisor.files.saving import check_writable
    from advisor.measuring.table import write_table

    check_writable(output)
    pairs = [(s, f) for s, f in _all_pairs() if device in (None, s.device)]
    count = write_table(output, pairs)
    say(f"wrote {output}: {count} figures")
    return 0


@command.command("forget")
@click.argument("session", nargs=-1)
@click.option("--network", help="Forget the figures of one network.")
@click.option("--device", help="Forget everything of one device.")
@click.option("--all", "everything", is_flag=True, help="Forget all measurements.")
@click.option("--exports", is_flag=True, help="Remove the converted networks; figures stay.")
def forget(
    session: tuple[str, ...],
    network: str | None,
    device: str | None,
    everything: bool,
    exports: bool,
) -> int:
    """Remove measurements, by session, network or device, or the networks converted for them."""
    figures = bool(session or network or device or everything)
    if not (figures or exports):
        raise UsageError("say what to forget: SESSION, --network, --device, --all or --exports")
    if exports:
        _empty_exports()
    return _forget(session, network, device, everything) if figures else 0


def _empty_exports() -> None:
    from advisor.measuring.exports import empty, exports_folder

    say(f"freed {human(empty(), Unit.BYTE)} in {exports_folder()}; no figure was touched")


def _forget(
    session: tuple[str, ...], network: str | None, device: str | None, everything: bool
) -> int:
    with _store() as store:
        if network:
            gone = store.forget_figures(
                [f for s, f in _pairs(store) if f.network == network and device in (None, s.device)]
            )
            say(f"forgot {gone} figures of {network}")
            return 0
        wanted = [store.session(one).id for one in session] or [
            s.id for s in store.sessions() if everything or s.device == device
        ]
        say(f"forgot {store.forget(wanted)} sessions")
    return 0


def _store() -> "MeasurementStore":
    from advisor.measuring.store import MeasurementStore

    return MeasurementStore()


def _all_pairs() -> list[tuple["SessionRecord", "FigureRecord"]]:
    with _store() as store:
        return _pairs(store)


def _pairs(store: "MeasurementStore") -> list[tuple["SessionRecord", "FigureRecord"]]:
    sessions = {s.id: s for s in store.sessions()}
    return [(sessions[f.session], f) for f in store.figures() if f.session in sessions]


def _rows(pairs: Sequence[tuple["SessionRecord", "FigureRecord"]]) -> list[list[str]]:
    from statistics import median

    groups: dict[tuple[str, ...], list[float]] = {}
    for session, figure in pairs:
        if figure.latency is not None and session.status not in ("running", "superseded"):
            key = (f"{figure.network}@{figure.resolution}", session.device, session.lane.name)
            groups.setdefault(key, []).append(figure.latency)
    return [
        [*key, _ms(median(values)), f"{_ms(min(values))} – {_ms(max(values))}", str(len(values))]
        for key, values in sorted(groups.items())
    ]


def _session_rows(pairs: Sequence[tuple["SessionRecord", "FigureRecord"]]) -> list[list[str]]:
    counts: dict[str, int] = {}
    sessions = {}
    for session, figure in pairs:
        sessions[session.id] = session
        counts[session.id] = counts.get(session.id, 0) + (figure.latency is not None)
    return [
        [s.id[:8], s.started[:19], s.device, s.lane.name, str(counts[s.id]), s.status]
        for s in sessions.values()
    ]


def _shown(figure: "FigureRecord", reference: float | None) -> list[str]:
    if figure.latency is None:
        return [figure.spelling, figure.failure, "", "", "", "", "", "", ""]
    return [
        figure.spelling + (" (reference)" if figure.reference else ""),
        _ms(figure.latency),
        f"{figure.latency / reference:.3g}" if reference else "",
        str(figure.passes),
        f"{100 * (figure.disturbed or 0):.0f} %",
        f"{figure.cpu_share or 0:.2f}",
        "" if figure.output_error is None else f"{100 * figure.output_error:.2g} %",
        "" if figure.added_memory is None else human(figure.added_memory, Unit.BYTE),
        "; ".join(figure.doubts),
    ]


def print_estimates(document: "Estimates") -> None:
    """Print measured figures with their interval and what speaks against them."""
    from advisor.cli.terminal_table import print_table

    rows = []
    for entry in document.estimates:
        latency = entry.metrics.get(Metric.LATENCY)
        memory = entry.metrics.get(Metric.PEAK_MEMORY)
        energy = entry.metrics.get(Metric.ENERGY)
        rows.append(
            [entry.candidate, entry.lane, *_time(latency), _value(memory), _value(energy),
             "; ".join(latency.caveats) if latency else ""]
        )  # fmt: skip
    print_table(
        ["Network", "Lane", "Latency", "90 % interval", "Adds to memory", "Energy", "Doubts"], rows
    )


def _time(figure: "Figure | None") -> tuple[str, str]:
    if figure is None:
        return "", ""
    like = figure.value
    low, high = (human(v, Unit.SECOND, like=like) for v in (figure.low, figure.high))
    return human(figure.value, Unit.SECOND), f"{low} – {high}"


def _value(figure: "Figure | None") -> str:
    return human(figure.value, figure.unit) if figure else "–"


def _ms(seconds: float) -> str:
    return human(seconds, Unit.SECOND)


def _plain(session: "SessionRecord", figure: "FigureRecord") -> dict[str, Any]:
    return {**_plain_session(session), **_plain_figure(figure)}


def _plain_session(session: "SessionRecord") -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(session), "environment": json.loads(session.environment)}


def _plain_figure(figure: "FigureRecord") -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(figure), "reasons": list(figure.doubts)}
