"""``advisor devices``: list devices and show their profiles."""

import json
from pathlib import Path
from typing import Any

import click

from advisor.hardware.library import profile_library
from advisor.hardware.profile import DeviceProfile

_own = click.option("--profiles-dir", type=click.Path(path_type=Path, file_okay=False),
                    help="Folder of your own device profiles.")  # fmt: skip
_form = click.option("--format", "form", type=click.Choice(["table", "json"]), default="table",
                     show_default=True, help="What standard output gets.")  # fmt: skip


@click.group("devices")
def command() -> None:
    """List devices and show their profiles."""


@command.command("ls")
@click.argument("pattern", default="")
@_own
@_form
def ls(pattern: str, profiles_dir: Path | None, form: str) -> int:
    """List devices; PATTERN keeps those whose id, name or vendor contains it."""
    from advisor.answering.listings import device_list

    found = device_list(profile_library(own=profiles_dir), pattern).devices
    if form == "json":
        rows = [one.model_dump() for one in found]
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    from advisor.cli.terminal_table import print_table

    print_table(
        ["Id", "Name", "Vendor", "Default lane"],
        [[e.id, e.name, e.vendor, e.default_lane] for e in found],
    )
    return 0


@command.command("show")
@click.argument("device")
@_own
@_form
def show(device: str, profiles_dir: Path | None, form: str) -> int:
    """Show what is known of a device: units, memory, power, price, lifecycle, lanes."""
    library = profile_library(own=profiles_dir)
    path = library.resolve(device).path
    profile = library.load(device)
    if form == "table":
        click.echo(path.read_text(encoding="utf-8"), nl=False)
        _tell_more(profile)
        return 0
    click.echo(json.dumps(_plain(profile), indent=1, ensure_ascii=False))
    return 0


@command.command("new")
@click.argument("name")
@click.option("--like", required=True, help="Known device that is most like it.")
@_own
def new(name: str, like: str, profiles_dir: Path | None) -> int:
    """Start the profile of a device NAME as a copy of a like one, for you to edit.

    It goes to your own profiles, or to the folder of --profiles-dir, which has to exist.
    """
    from advisor.cli.output import say
    from advisor.hardware.library import advisor_home
    from advisor.hardware.new_profile import start

    path = start(name, like, profile_library(own=profiles_dir),
                 profiles_dir or advisor_home() / "profiles")  # fmt: skip
    click.echo(path)
    say(f"edit it: what differs, and where each figure is from; then --device {path.stem} works")
    return 0


@command.command("index")
@click.option("--profiles", "folder", type=click.Path(path_type=Path, file_okay=False),
              help="Folder of profiles; the shipped ones unless stated.")  # fmt: skip
def index(folder: Path | None) -> int:
    """Read every profile of a folder and write its index, by which devices are found quickly."""
    from advisor.cli.output import say
    from advisor.errors import ProfileError
    from advisor.files.saving import save
    from advisor.files.yaml_text import yaml_file
    from advisor.hardware.library import profiles_directory, read_profile
    from advisor.hardware.profile_index import CHECKED, INDEX, checked
    from advisor.hardware.profile_index import index as text

    place = profiles_directory(folder)
    files = sorted(place.glob("*.yaml"))
    profiles = [read_profile(path, afresh=True) for path in files]
    save(place / INDEX, text(profiles))
    save(place / CHECKED, checked((path, yaml_file(path, ProfileError).value) for path in files))
    say(f"{len(profiles)} profiles in {place / INDEX}")
    return 0


@command.command("detect")
@click.option("--id", "device", default="host", show_default=True, help="Id of the profile.")
def detect(device: str) -> int:
    """Write a profile of this machine, so that --device host works; takes a few seconds."""
    from advisor.cli.output import say, say_fastest
    from advisor.hardware.library import read_profile
    from advisor.measuring.host import detect as write

    path = write(device)
    say_fastest(read_profile(path))
    say(f"wrote {path}; now 'advisor recommend --device {device}' answers for this machine")
    click.echo(path.read_text(encoding="utf-8"), nl=False)
    return 0


def _tell_more(profile: DeviceProfile) -> None:
    """Print the lanes with published figures, and cores that nothing is known of."""
    from advisor.cli.output import say
    from advisor.hardware.cores import unknown_cores

    modes = profile.power.modes if profile.power else ()
    if modes:
        click.echo("# power modes for --power-mode, with the highest clocks where they are known:")
    for mode in modes:
        click.echo(f"# {mode.text}")
    if profile.lanes:
        click.echo("# lanes with published figures, counted from the catalog:")
    for item in profile.lanes:
        name = item.lane.name
        click.echo(f"# {name}: {item.rows} figures, {item.networks} networks that match exactly")
    for unit in profile.units:
        for core in unknown_cores(unit):
            say(f"{core!r} is no row of profiles/cpu_cores.csv: no peak is computed from it")


def _plain(value: Any) -> Any:
    """Turn a profile into dictionaries and lists, without what is unknown."""
    from dataclasses import fields, is_dataclass

    if is_dataclass(value):
        pairs = {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
        return {name: item for name, item in pairs.items() if item not in (None, [], {})}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
