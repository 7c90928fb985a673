"""Profile index: how a device is found, and known to be valid, without reading its file.

``index.csv`` names the devices of a folder. ``checked.jsonl`` holds what each file held when the
index was written, under the checksum it had: such a file was checked then, and is not parsed again.
"""

import csv
import io
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

from advisor.errors import ProfileError
from advisor.files.plain_text import content_of
from advisor.hardware.profile import DeviceProfile

INDEX = "index.csv"
INDEX_COLUMNS = ("id", "aliases", "chip_aliases", "name", "vendor", "default_lane")
CHECKED = "checked.jsonl"
SEPARATOR = ";"
"""Between aliases in a cell of the index."""


def index(profiles: Iterable[DeviceProfile]) -> str:
    """Write the index of profiles, sorted by id."""
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(INDEX_COLUMNS)
    for one in sorted(profiles, key=lambda one: one.id):
        table.writerow(
            (
                one.id,
                SEPARATOR.join(one.aliases),
                SEPARATOR.join(chip_names(one)),
                one.name,
                one.vendor or "",
                one.default_lane.name,
            )
        )
    return stream.getvalue()


def chip_names(profile: DeviceProfile) -> tuple[str, ...]:
    """Names of the device's chip, which other devices may share."""
    return tuple(dict.fromkeys(filter(None, (profile.chip, *profile.chip_aliases))))


def checked(contents: Iterable[tuple[Path, Any]]) -> str:
    """Write what files of valid profiles hold, a line each: id, checksum and content."""
    lines = [
        f"{path.stem} {checksum(path)} {json.dumps(value, ensure_ascii=False)}\n"
        for path, value in sorted(contents)
    ]
    return "".join(lines)


def content_if_checked(path: Path) -> Any:
    """Return what a file holds where the index of its folder knows it as it is; else None."""
    known = _lines(path.with_name(CHECKED))
    start = known.find(f"\n{path.stem} ".encode())
    if start < 0:
        return None
    line = known[start + 1 : known.find(b"\n", start + 1)]
    try:
        _, then, content = line.decode().split(" ", 2)
        return json.loads(content) if then == checksum(path) else None
    except ValueError:  # of a line that is torn
        return None


@cache
def _lines(path: Path) -> bytes:
    """The lines of a file, each after a line end; none where there is no such file."""
    return b"\n" + content_of(path, ProfileError) if path.is_file() else b""


def checksum(path: Path) -> str:
    """Return what tells that a file has not changed by accident."""
    return f"{crc32(content_of(path, ProfileError)):08x}"
