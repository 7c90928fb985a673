"""``advisor calibrate``: fit a device, also one the catalog has never seen, from measurements."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.options import asked, config_option, form_option, request_options
from advisor.cli.output import say
from advisor.core.measuring_request import CalibrateRequest, ImportRequest, TableRequest
from advisor.core.question import Stated, options_of
from advisor.core.request import LaneRequest, Request
from advisor.errors import ProfileError, UsageError

if TYPE_CHECKING:
    from advisor.answering.evidence import Evidence
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
    from advisor.answering.asking import evidence_for
    from advisor.answering.next_measurements import narrowing, settling
    from advisor.cli.import_ import take_in

    request = asked(CalibrateRequest)
    if request.profile:
        say(f"kept {_kept(Path(request.profile), request.device)}")
    evidence = evidence_for(request.profiles_dir)
    question = _question(request, evidence)
    if request.measurements:
        fields = {name: getattr(request, name) for name in TableRequest.model_fields}
        take_in(ImportRequest(table=request.measurements, device=request.device, **fields),
                evidence)  # fmt: skip
    answer = settling if request.asked else narrowing
    found = answer(question, evidence, request.count)
    if form == "json":
        click.echo(found.model_dump_json(indent=1))
    else:
        _print(found)
    return 0


def _kept(profile: Path, device: str) -> Path:
    """Copy a profile among the user's own once it is known to be valid."""
    from advisor.hardware.library import advisor_home, read_profile

    found = read_profile(profile)
    if found.id != device:
        raise ProfileError(f"{profile} is the profile of {found.id!r}, not of {device!r}")
    target = advisor_home() / "profiles" / profile.name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if profile.resolve() != target.resolve():
            shutil.copyfile(profile, target)
    except OSError as error:
        raise ProfileError(f"cannot write {target}: {error.strerror}") from error
    return target


def _question(request: CalibrateRequest, evidence: "Evidence") -> Request:
    """Return the request whose answer is to be settled, or the lane that is to be narrowed."""
    if not request.asked:
        return Request(device=request.device, **request.lane_fields())
    from advisor.answering.asking import request_file, request_from

    path = Path(request.asked)
    file = request_file(path, beside=("format", "output"))
    device = dict(file.given()).get("device")
    known = evidence.profiles.load(request.device).id
    if device is not None and evidence.profiles.resolve(str(device)).id != known:
        raise UsageError(
            f"{path}: device {str(device)!r} is not {request.device!r}; drop the key, or "
            f"calibrate {device}"
        )
    lane = {key: value for key, value in request.stated().items() if key in options_of(LaneRequest)}
    found = request_from(Request, file, Stated(options=lane | {"device": known}, typed=True))
    if found.search:
        say("--search: variants are left out, the catalog's networks are what is measured")
    return found.model_copy(update={"search": 0, "measure": 0})


def _print(found: "Narrowing") -> None:
    from advisor.cli.terminal_table import print_table

    errors = any(lane.error is not None for lane in found.lanes)
    head = ["Lane", "Measured", "Width before", "Width now", "Width expected"]
    told = ["Error before", "Error now", "Inside 90 % intervals"] if errors else []
    print_table([*head, *told], [_cells(lane, errors=errors) for lane in found.lanes])
    click.echo()
    click.echo(
        "Width: from the value to the end of its 90 % interval, median of "
        f"{' or '.join(dict.fromkeys(str(lane.networks) for lane in found.lanes))} networks that "
        "you did not measure; expected: once those below are measured."
    )
    if found.summary:
        click.echo(f"Request: {found.summary}.")
    for lane in found.lanes:
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
        click.echo(f"Nothing to measure for {lane.lane}")
    else:
        click.echo(f"Measure next for {lane.lane}: {', '.join(lane.next)}")
    if lane.open_expected is not None:
        click.echo(
            f"  of {lane.open} networks that may decide, about {lane.open_expected:.0f} are then "
            "expected to stay open"
        )
    for line in (lane.note, lane.command, lane.take_in):
        if line:
            click.echo(f"  {line}")
