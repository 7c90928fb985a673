"""``advisor calibrate``: fit a device, also one the catalog has never seen, from measurements."""

from typing import TYPE_CHECKING, Any

import click

from advisor.cli.options import asked, config_option, form_option, request_options
from advisor.cli.output import complain, say
from advisor.cli.terminal_table import print_table, print_text
from advisor.core.measuring_request import CalibrateRequest

if TYPE_CHECKING:
    from advisor.answering.next_measurements import LaneNarrowing, Narrowing


@click.command("calibrate")
@request_options(CalibrateRequest)
@config_option
@form_option
def command(form: str, **_: Any) -> int:
    """Teach the estimator what was measured on DEVICE; say how wide its answers are.

    Names the networks whose measurement would narrow the answers most, and the command that
    measures them. Without any measurement it answers from the profile alone. With three networks
    in a lane or more it also tells the error of those left out one by one.

    Example: advisor calibrate jetson-nano --next 10
    """
    from advisor.answering.taking_in import calibrate

    found = calibrate(asked(CalibrateRequest), note=say, warn=complain)
    if form == "json":
        click.echo(found.model_dump_json(indent=1))
    else:
        _print(found)
    return 0


def _print(found: "Narrowing") -> None:

    errors = any(lane.error is not None for lane in found.lanes)
    head = ["Lane", "Measured", "Width before", "Width now", "Width expected"]
    told = ["Error before", "Error now", "Inside 90 % intervals"] if errors else []
    print_table([*head, *told], [_cells(lane, errors=errors) for lane in found.lanes])
    click.echo()
    print_text(
        "Width: from the value to the end of its 90 % interval, median of "
        f"{' or '.join(dict.fromkeys(str(lane.networks) for lane in found.lanes))} networks that "
        "you did not measure; expected: once those below are measured."
    )
    if found.summary:
        print_text(f"Request: {found.summary}.")
    for lane in found.lanes:
        if lane.doubted:
            print_text(
                f"Not believed in {lane.lane}: {', '.join(lane.doubted)}; the other timings "
                "refute it. Measure it again, or check its unit and network."
            )
        if lane.like and not lane.measured:
            print_text(f"Answers for {lane.lane} lean on {lane.like}.")
        _print_next(lane)


def _cells(lane: "LaneNarrowing", *, errors: bool) -> list[str]:
    cells = [
        lane.lane,
        str(lane.measured),
        *(_spread(one) for one in (lane.width_before, lane.width, lane.width_expected)),
    ]
    shares = (lane.error_before, lane.error, lane.inside) if errors else ()
    return [*cells, *("–" if one is None else f"{100 * one:.0f} %" for one in shares)]


def _spread(factor: float | None) -> str:
    """Write a factor as ``± 18 %``, from a half as ``factor 2.3``: to both sides."""
    if factor is None:
        return "–"
    return f"± {100 * (factor - 1):.0f} %" if factor < 1.5 else f"factor {factor:.1f}"


def _print_next(lane: "LaneNarrowing") -> None:
    """Say what to measure in a lane, and how."""
    click.echo()
    if not lane.next:
        print_text(f"Nothing to measure for {lane.lane}")
    else:
        print_text(f"Measure next for {lane.lane}: {', '.join(lane.next)}")
    if lane.open_expected is not None:
        print_text(
            f"of {lane.open} networks that may decide, about {lane.open_expected:.0f} are then "
            "expected to stay open",
            "  ",
        )
    for line in (lane.note, lane.command, lane.take_in):
        if line:
            print_text(line, "  ")
