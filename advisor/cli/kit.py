"""``advisor kit``: pack networks to be measured on a board that cannot run the advisor."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.options import lane_options, words
from advisor.cli.output import say
from advisor.cli.requests import lane_request
from advisor.core.quantity import Unit, parse
from advisor.errors import UsageError

if TYPE_CHECKING:
    from advisor.answering.evidence import Evidence
    from advisor.core.lane import Lane
    from advisor.measuring.order import Order


@click.command("kit")
@click.option("--device", required=True, help="Device profile of the board.")
@click.option(
    "--models", multiple=True, required=True, help="Candidates or wildcards, separated by commas."
)
@lane_options
@click.option(
    "--sessions",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Repetitions on the board.",
)
@click.option("--pause", default="60s", show_default=True, help="Time between repetitions.")
@click.option("--budget", default="5s", show_default=True, help="Time for one network.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
              help="Archive to write; default kit-DEVICE.tar.gz.")  # fmt: skip
def command(device: str, models: tuple[str, ...], output: Path | None, **options: Any) -> int:
    """Pack ONNX files and one script; 'advisor import' takes the figures back.

    Example: advisor kit --device jetson-nano --models mobilenetv2_100,resnet18 -o kit.tar.gz
    """
    from advisor.answering.evidence import evidence_with
    from advisor.measuring.kit.packing import KitLane, pack

    evidence = evidence_with(options["profiles_dir"])
    lane = _lane(device, options, evidence)
    kit_lane = KitLane(
        device=lane.device,
        unit=lane.unit,
        runtime=lane.runtime,
        precision=lane.precision,
        threads=lane.threads,
    )
    target = output or Path(f"kit-{lane.device}.tar.gz")
    packed = pack(_order(lane, words(models), options, evidence), kit_lane, target, say=say)
    for line in packed.failures:
        click.echo(f"advisor: {line}", err=True)
    say(f"wrote {packed.path}: {len(packed.networks)} networks for {lane.name}")
    say("on the board: tar xzf KIT && cd kit && python3 measure_on_board.py -o measurements.csv")
    return 1 if packed.failures else 0


def _lane(device: str, options: dict[str, Any], evidence: "Evidence") -> "Lane":
    """The lane that the kit asks for: the board's default where the options leave it open."""
    from advisor.answering.commands import SCRIPTED
    from advisor.hardware.lanes import lane_of_timing

    asked = lane_request(options, "a kit holds one precision; write one kit for each")
    lane = lane_of_timing(evidence.profiles.load(device), asked)
    if lane.runtime not in SCRIPTED:
        raise UsageError(
            f"a kit cannot drive {lane.runtime}; name one by --runtime: {', '.join(SCRIPTED)}"
        )
    return lane


def _order(
    lane: "Lane", models: tuple[str, ...], options: dict[str, Any], evidence: "Evidence"
) -> "Order":
    """The networks to pack, exported in fp32 at the lane's batch."""
    from advisor.answering.measure import wishes
    from advisor.measuring.order import Order, Way
    from advisor.measuring.runtimes import Settings

    way = Way(
        name="onnxruntime",
        runtime=lane.runtime,
        unit=lane.unit,
        packages=(),
        settings=Settings(precision="fp32", threads=lane.threads or 1, batch=lane.batch),
    )
    return Order(
        device=lane.device,
        wishes=wishes(models, evidence),
        ways=(way,),
        sessions=options["sessions"],
        pause=parse(str(options["pause"]), Unit.SECOND, option="--pause"),
        budget=parse(str(options["budget"]), Unit.SECOND, option="--budget"),
    )
