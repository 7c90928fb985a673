"""Starts the profile of a device that nobody described, as a copy of a like one to be edited."""

import re
from pathlib import Path
from typing import Any

from advisor.errors import ProfileError, UsageError
from advisor.files.saving import save
from advisor.files.yaml_text import yaml_file
from advisor.hardware.library import ProfileLibrary, read_profile
from advisor.hardware.profile_text import written

DROPPED = ("aliases", "chip_aliases", "power", "price", "lifecycle")
"""Groups that are of the other device alone."""
HEADER = """\
# {name}, started as a copy of {like}: correct what differs, then say in source and confidence
# where each group of figures is from. 'advisor devices show {id}' reads it again.
# What nobody knows is left out; it widens the intervals and is never 0.
"""


def start(name: str, like: str, library: ProfileLibrary, folder: Path) -> Path:
    """Write the profile of ``name`` into ``folder``, copied from the device ``like``.

    Raises UsageError for a name that is taken or holds no letter or digit, and AdvisorError where
    the file cannot be written.
    """
    device = re.sub(r"[^a-z0-9.+_]+", "-", name.lower()).strip("-.+_")
    if not device:
        raise UsageError(f"{name!r} names no device; use letters and digits")
    path = folder / f"{device}.yaml"
    if device in library.entries or path.exists():
        raise UsageError(f"device {device!r} exists already; edit its file, or take another name")
    source = library.resolve(like)
    content = yaml_file(source.path, ProfileError).value
    text = HEADER.format(name=name, like=source.id, id=device)
    text += written(_copied(content, device, name, source.id))
    save(path, text, fresh_folder=True)
    read_profile(path)
    return path


def _copied(content: dict[str, Any], device: str, name: str, like: str) -> dict[str, Any]:
    kept = {key: value for key, value in content.items() if key not in DROPPED}
    groups = [*kept["units"], *([kept["memory"]] if "memory" in kept else [])]
    groups += [unit["silicon"] for unit in kept["units"] if "silicon" in unit]
    for group in groups:
        group |= {"source": f"as {like}; to be checked", "confidence": "low"}
    return {**kept, "id": device, "name": name}
