"""``advisor calibrate``: fit a device, also one the catalog has never seen, from measurements."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from advisor.cli.options import lane_options
from advisor.cli.output import say
from advisor.errors import EvidenceError, ProfileError

if TYPE_CHECKING:
    from advisor.evidence import Evidence


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
@click.pass_context
@lane_options  # fmt: skip
def command(
    ctx: click.Context,
    /,
    device: str,
    measurements: Path | None,
    profile: Path | None,
    **options: Any,
) -> int:
    """Teach the estimator what was measured on DEVICE and say how well it predicts now.

    The error is that of networks left out one by one. Everything measured or imported teaches the
    estimator by itself; this command takes figures in and shows what they do.
    """
    from advisor.evidence import evidence_with

    if profile is not None:
        say(f"kept {_kept(profile, device)}")
    if measurements is not None:
        from advisor.cli.import_ import command as importing

        ctx.invoke(importing, table=measurements, device=device, **options)
    return _report(device, evidence_with(options["profiles_dir"]))


def _kept(profile: Path, device: str) -> Path:
    """Copy a profile among the user's own once it is known to be valid."""
    from advisor.library import advisor_home, read_profile

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


def _report(device: str, evidence: "Evidence") -> int:
    from advisor.calibrating import calibration
    from advisor.cli.tables import print_table

    known = evidence.profiles.load(device)
    timings, table = evidence.own_timings()
    mine = [i for i, timing in enumerate(timings) if timing.lane.device == known.id]
    if not mine:
        raise EvidenceError(
            f"nothing was measured on {known.id}; 'advisor measure' or 'advisor kit' would"
        )
    found = calibration(evidence.latency, [timings[i] for i in mine], table.rows(mine))
    if not found:
        raise EvidenceError(f"{known.id} needs three measured networks in a lane, or more")
    print_table(
        ["Lane", "Networks", "Error before", "Error after", "Inside 90 % intervals"],
        [
            [one.lane.name, str(one.networks), *(f"{100 * e:.0f} %" for e in
             (one.before, one.after, one.inside))]
            for one in found
        ],
    )  # fmt: skip
    return 0
