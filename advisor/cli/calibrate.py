"""``advisor calibrate``: fit a device, also one the catalog has never seen, from measurements."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.options import lane_options
from advisor.cli.output import say
from advisor.errors import ProfileError, UsageError

if TYPE_CHECKING:
    from advisor.answering.evidence import Evidence
    from advisor.answering.next_measurements import LaneNarrowing, Narrowing
    from advisor.core.document import Request

LANE_OPTIONS = ("unit", "runtime", "precision", "batch", "threads")


@click.command("calibrate")
@click.argument("device")
@click.option(
    "--measurements",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV of measurements to take in first; as for 'advisor import'.",
)
@click.option(
    "--profile",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Profile of the device, kept among your own.",
)
@click.option(
    "--next",
    "count",
    type=click.IntRange(1, 50),
    default=5,
    show_default=True,
    help="Networks to name that are worth measuring next.",
)
@click.option(
    "--for",
    "asked",
    metavar="REQUEST.yaml",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Request as for 'advisor recommend --config': name the networks that settle its answer.",
)
@lane_options
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table",
              show_default=True, help="What standard output gets.")  # fmt: skip
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    device: str,
    measurements: Path | None,
    profile: Path | None,
    count: int,
    asked: Path | None,
    form: str,
    **options: Any,
) -> int:
    """Teach the estimator what was measured on DEVICE; say how wide its answers are.

    Names the networks whose measurement would narrow the answers most, and the command that
    measures them. Without any measurement it answers from the profile alone. With three networks
    in a lane or more it also tells the error of those left out one by one.

    Example: advisor calibrate jetson-nano --next 10
    """
    from advisor.answering.evidence import evidence_with
    from advisor.answering.next_measurements import narrowing, settling

    if profile is not None:
        say(f"kept {_kept(profile, device)}")
    evidence = evidence_with(options["profiles_dir"])
    request = _request(asked, device, options, evidence) if asked else None
    if measurements is not None:
        from advisor.cli.import_ import command as importing

        ctx.invoke(importing, table=measurements, device=device, **options)
    if request is not None:
        found = settling(request, evidence, count)
    else:
        found = narrowing(_lane_request(device, options), evidence, count)
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


def _lane_request(device: str, options: dict[str, Any]) -> "Request":
    from advisor.cli.requests import lane_requests

    (request,) = lane_requests([device], {**options, "confidence": "90%", "no_published": False})
    return request


def _request(path: Path, device: str, options: dict[str, Any], evidence: "Evidence") -> "Request":
    """Read a request as ``advisor recommend --config`` does; the options given here win."""
    from advisor.cli.options import request_from
    from advisor.cli.recommend import command as recommending
    from advisor.cli.use_case import settle_ranking

    words_given = ["--device", device, "--config", str(path)]
    for name in LANE_OPTIONS:
        if options[name] is not None:
            words_given += [f"--{name}", str(options[name])]
    ctx = recommending.make_context("advisor recommend", words_given)
    with ctx:
        request = request_from(settle_ranking(ctx, dict(ctx.params)))
    stated = (ctx.default_map or {}).get("device")
    known = evidence.profiles.load(device).id
    if stated is not None and evidence.profiles.resolve(str(stated)).id != known:
        raise UsageError(
            f"{path}: device {str(stated)!r} is not {device!r}; drop the key, or calibrate {stated}"
        )
    if request.search:
        say("--search: variants are left out, the catalog's networks are what is measured")
    return request.model_copy(update={"search": 0, "measure": 0, "device": known})


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
