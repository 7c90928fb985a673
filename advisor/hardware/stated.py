"""Stated devices: a profile made of what a user says of a device that nobody has a profile of."""

import re
from collections.abc import Iterable
from pathlib import Path

from advisor.core.lane import Lane
from advisor.errors import ProfileError, UsageError, unknown_name
from advisor.files.saving import save
from advisor.hardware.library import ProfileLibrary, advisor_home, read_profile
from advisor.hardware.profile import UnitProfile

_ID = re.compile(r"[a-z0-9][a-z0-9.+_\-]*")
_ORIGIN = "stated by the user"


def families(library: ProfileLibrary) -> tuple[str, ...]:
    """List the families of designs that the profiles of a library name."""
    found = set()
    for name in library.names():
        for unit in _units(library, name):
            if unit.silicon is not None and unit.silicon.ip_family:
                found.add(unit.silicon.ip_family)
    return tuple(sorted(found))


def _units(library: ProfileLibrary, name: str) -> tuple[UnitProfile, ...]:
    """Units of a device; none where its profile, which the user wrote, cannot be read."""
    try:
        return library.load(name).units
    except ProfileError:
        return ()


def stated_profile(lane: Lane, family: str, known: Iterable[str]) -> str:
    """Write the profile of a device of which only a lane and the family of its unit are known.

    Raises UsageError where the family is none of the ``known`` ones, or the device's name is no id.
    """
    names = tuple(known)
    if family and family not in names:
        raise unknown_name("--ip-family", family, names, "advisor devices ls")
    if not _ID.fullmatch(lane.device):
        raise UsageError(
            f"{lane.device!r} is no id; allowed: small letters, digits, '.', '+', '_' and '-'"
        )
    silicon = [
        "  silicon:",
        f"    ip_family: {family}",
        f"    source: {_ORIGIN}",
        "    confidence: low",
    ]
    return "\n".join(
        [
            f"id: {lane.device}",
            f"name: {lane.device}",
            "units:",
            f"- kind: {lane.unit}",
            f"  name: {family or lane.unit}",
            *(silicon if family else ()),
            f"  runtimes: [{lane.runtime}]",
            f"  source: {_ORIGIN}",
            "  confidence: low",
            f"  runtimes_source: {_ORIGIN}",
            f"default_lane: {{unit: {lane.unit}, runtime: {lane.runtime}, "
            f"precision: {lane.precision}, batch: {lane.batch}}}",
            "",
        ]
    )


def keep_stated(text: str, device: str) -> Path:
    """Keep a stated profile among the user's own; one that is there stays."""
    target = advisor_home() / "profiles" / f"{device}.yaml"
    if target.exists():
        raise ProfileError(f"cannot write {target}: it exists already")
    save(target, text, fresh_folder=True)
    read_profile(target)
    return target
