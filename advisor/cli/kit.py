"""``advisor kit``: pack networks to be measured on a board that cannot run the advisor."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.options import asked, config_option, request_options
from advisor.cli.output import complain, say
from advisor.core.measuring_request import KitRequest
from advisor.errors import UsageError
from advisor.files.saving import check_writable

if TYPE_CHECKING:
    from advisor.answering.evidence import Evidence
    from advisor.core.lane import Lane
    from advisor.measuring.order import Order


@click.command("kit")
@request_options(KitRequest)
@config_option
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
              help="Archive to write; default kit-DEVICE.tar.gz.")  # fmt: skip
def command(output: Path | None, **_: Any) -> int:
    """Pack ONNX files and one script; 'advisor import' takes the figures back.

    Example: advisor kit --device jetson-nano --models mobilenetv2_100,resnet18 -o kit.tar.gz
    """
    from advisor.answering.asking import evidence_for
    from advisor.hardware.library import THIS_MACHINE
    from advisor.measuring.host import detected
    from advisor.measuring.kit.packing import pack

    if output is not None:
        check_writable(output)
    request = asked(KitRequest)
    if request.device == THIS_MACHINE:
        detected()
    evidence = evidence_for(request.profiles_dir)
    lane = _lane(request, evidence)
    target = output or Path(f"kit-{lane.device}.tar.gz")
    packed = pack(_order(lane, request, evidence), lane, target, say=say)
    for line in packed.failures:
        complain(line)
    say(f"wrote {packed.path}: {len(packed.networks)} networks for {lane.name}")
    say("on the board: tar xzf KIT && cd kit && python3 measure_on_board.py -o measurements.csv")
    return 1 if packed.failures else 0


def _lane(request: KitRequest, evidence: "Evidence") -> "Lane":
    """The lane that the kit asks for: the board's default where the options leave it open."""
    from advisor.answering.commands import SCRIPTED
    from advisor.hardware.lanes import lane_of_timing

    one = request.single("a kit holds one precision; write one kit for each")
    lane = lane_of_timing(evidence.profile(request.device), one)
    if lane.runtime not in SCRIPTED:
        raise UsageError(
            f"a kit cannot drive {lane.runtime}; name one by --runtime: {', '.join(SCRIPTED)}"
        )
    return lane


def _order(lane: "Lane", request: KitRequest, evidence: "Evidence") -> "Order":
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
        wishes=wishes(request.models, evidence),
        ways=(way,),
        sessions=request.sessions,
        pause=request.pause,
        budget=request.budget,
    )
