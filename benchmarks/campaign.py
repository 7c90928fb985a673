"""Measure many networks on the machine at hand and write the table that the catalog imports.

    python benchmarks/campaign.py -o campaign.csv

The networks are those that others measure most, and a selection that spans families, sizes and
input sizes: the families with the most networks, each from its smallest to its largest. Everything
is kept as it is measured; after an interruption the same command with --resume goes on. Run it on
a quiet machine.
"""

import csv
import math
from pathlib import Path
from statistics import median

import click

from advisor.answering.evidence import Evidence
from advisor.answering.measure import carried_out, ways
from advisor.catalog.family_names import family_of
from advisor.catalog.intake.importing import RAW_COLUMNS
from advisor.cli.output import complain
from advisor.cli.progress import steps
from advisor.core.lane import Lane
from advisor.core.option import words
from advisor.core.quantity import Metric
from advisor.core.workload_table import WorkloadTable
from advisor.measuring.host import detect
from advisor.measuring.order import Order, Wish
from advisor.measuring.own_figures import OwnFigure, OwnFigures
from advisor.measuring.runtimes import load
from advisor.measuring.timing import TimingPlan

LARGEST = 5e9
"""MACs beyond which one network takes longer than the rest of its group together."""

COMMON = (
    "alexnet",
    "efficientnet_b0",
    "efficientnet_lite4",
    "ghostnet_100",
    "googlenet",
    "mnasnet_100",
    "mobilenetv1_100",
    "mobilenetv2_100",
    "mobilenetv2_140",
    "mobilenetv3_large_100",
    "mobilenetv3_small_100",
    "mobilevit_xs",
    "regnetx_004",
    "regnety_004",
    "resnet18",
    "resnet34",
    "resnet50",
    "semnasnet_100",
    "shufflenet_v2_x1_0",
    "shufflenet_v2_x1_5",
    "squeezenet1_1",
    "swin_tiny_patch4_window7_224",
    "tf_efficientnet_lite0",
    "vit_tiny_patch16_224",
    "vit_base_patch32_224",
)
"""Networks that turn up in most published tables."""
CONVOLUTIONAL = (
    "dla34",
    "dpn68",
    "efficientnet_b1",
    "fbnetc_100",
    "hardcorenas_c",
    "mobilenetv2_110d",
    "mobilenetv4_conv_small",
    "lcnet_075",
    "mixnet_m",
    "mobilenetv2_050",
    "mobilenetv4_conv_medium",
    "regnetx_016",
    "regnety_008",
    "resnet26d",
    "spnasnet_100",
    "tf_mobilenetv3_small_075",
    "vgg11",
)
"""Networks that every runtime converts; ncnn's converter refuses most attention."""
COMMON_SIDE = 224
"""Pixels of the networks named above."""
PLAN = TimingPlan(least_rounds=6, warm_up_passes=4)
"""Shorter than for single questions: many networks, each with its spread over sessions."""


def chosen(table: WorkloadTable, count: int) -> list[Wish]:
    """Pick networks that span families and sizes; the same ones every time."""
    families: dict[str, list[int]] = {}
    for row, network in enumerate(table.networks):
        if (
            0 < table.macs[row] <= LARGEST
            and ":" not in network
            and int(table.resolutions[row]) >= 96
        ):
            families.setdefault(family_of(network), []).append(row)
    largest = sorted(families.values(), key=len, reverse=True)[: max(1, count // 2)]
    for rows in largest:
        rows.sort(key=lambda row: (float(table.macs[row]), table.networks[row]))
    picked: list[int] = []
    share = 1
    while len(picked) < count and share <= len(largest[0]):
        picked = [row for rows in largest for row in _spread(rows, share)]
        share += 1
    picked = sorted(picked, key=lambda row: (float(table.macs[row]), table.networks[row]))
    known = {table.networks[row] for row in picked if int(table.resolutions[row]) == COMMON_SIDE}
    common = [
        row
        for row, name in enumerate(table.networks)
        if name in COMMON and name not in known and int(table.resolutions[row]) == COMMON_SIDE
    ]
    picked = [*common, *_spread(picked, count - len(common))]
    known = {table.networks[row] for row in picked}
    picked += [table.index[name, COMMON_SIDE] for name in CONVOLUTIONAL if name not in known]
    return [_wish(table, row) for row in picked]


def _spread(rows: list[int], count: int) -> list[int]:
    """Pick evenly, the first and the last among them."""
    if count >= len(rows):
        return rows
    if count == 1:
        return [rows[len(rows) // 2]]
    step = (len(rows) - 1) / (count - 1)
    return [rows[math.floor(i * step + 0.5)] for i in range(count)]


def _wish(table: WorkloadTable, row: int) -> Wish:
    network, side = table.networks[row], int(table.resolutions[row])
    return Wish(spelling=network, network=network, resolution=side)


def write_raw(path: Path, device: str) -> int:
    """Write everything measured on a device as a raw table of the catalog; return its rows."""
    found = OwnFigures(device=device).figures
    rows = [_row(lane, name, side, found[lane, name, side]) for lane, name, side in found]
    rows.sort(key=lambda row: (row["runtime"], row["precision"], row["timm_name"], row["input_h"]))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, RAW_COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


def _row(lane: Lane, network: str, side: int, figure: OwnFigure) -> dict[str, str]:
    times = [1e3 * seconds for seconds in figure.values(Metric.LATENCY)]
    return {
        "source": "advisor-campaign",
        "source_ref": f"benchmarks/campaign.py, {_sessions(len(times))}",
        "date": figure.newest.date[:7],
        "device": lane.device,
        "device_id": lane.device,
        "chip": figure.newest.cpu,
        "unit": lane.unit,
        "runtime": lane.runtime,
        "runtime_opts": figure.newest.packages,
        "precision": lane.precision,
        "threads": str(lane.threads or ""),
        "model_raw": network,
        "timm_name": network,
        "match": "exact",
        "input_h": str(side),
        "input_w": str(side),
        "batch": str(lane.batch),
        "latency_ms": f"{median(times):.5g}",
        "latency_min_ms": f"{min(times):.5g}",
        "latency_max_ms": f"{max(times):.5g}",
    }


def _sessions(count: int) -> str:
    return "one session" if count == 1 else f"median of {count} sessions"


@click.command()
@click.option("--networks", default=196, show_default=True)
@click.option("--only", help="Names instead of a selection, separated by commas.")
@click.option("--runtimes", default="ncnn,onnxruntime,openvino,pytorch", show_default=True)
@click.option("--precisions", default="fp32", show_default=True)
@click.option("--threads", default=1, show_default=True)
@click.option("--sessions", default=2, show_default=True)
@click.option("--budget", default=1.0, show_default=True, help="Seconds per network and session.")
@click.option("--device", default="host", show_default=True, help="Id that the figures get.")
@click.option("--resume", is_flag=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
def main(  # noqa: PLR0917 - click passes them by name
    networks: int,
    only: str | None,
    runtimes: str,
    precisions: str,
    threads: int,
    sessions: int,
    budget: float,
    device: str,
    resume: bool,
    output: Path,
) -> None:
    """Measure a selection of networks that spans families, sizes and resolutions."""
    table = Evidence().table
    names = words(only, "--only") if only else ()
    wishes = chosen(table, networks)
    if names:
        rows = [row for row, name in enumerate(table.networks) if name in names]
        wishes = [_wish(table, row) for row in rows if int(table.resolutions[row]) == 224]
    usable = [name for name in words(runtimes, "--runtimes") if not _missing(name)]
    order = Order(
        device=device,
        wishes=tuple(wishes),
        ways=ways(usable, words(precisions, "--precisions"), unit="cpu", threads=threads, batch=1),
        sessions=sessions,
        budget=budget,
        plan=PLAN,
        memory=False,
    )
    click.echo(f"{len(wishes)} networks, {len(order.ways)} lanes, {sessions} sessions", err=True)
    detect(device)
    with steps() as tell:
        outcome = carried_out(order, resume=resume, tell=tell)
    for failure in outcome.failures:
        complain(failure.line)
    count = write_raw(output, device)
    click.echo(f"wrote {output}: {count} figures; {len(outcome.failures)} failures", err=True)
    if outcome.interrupted:
        raise click.ClickException("interrupted; the same command with --resume goes on")


def _missing(name: str) -> bool:
    reason = load(name).missing()
    if reason:
        click.echo(f"{name} is left out: {reason}", err=True)
    return reason is not None


if __name__ == "__main__":
    main()
