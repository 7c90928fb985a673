"""Writes profiles as YAML, and the index by which a device is found without reading its file."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from advisor.hardware.profile import DeviceProfile

INDEX_COLUMNS = (
    "id", "aliases", "chip_aliases", "name", "vendor", "default_lane", "checksum",
)  # fmt: skip
SEPARATOR = ";"
"""Between aliases in a cell of the index."""


class _Dumper(yaml.SafeDumper):
    """Safe dumper that repeats no anchors and keeps long entries off a single line."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the name is PyYAML's
        return True

    def represent_mapping(
        self, tag: str, mapping: Any, flow_style: bool | None = None
    ) -> yaml.MappingNode:
        return super().represent_mapping(tag, mapping, False if "source" in mapping else flow_style)


def written(profile: Mapping[str, Any]) -> str:
    """Write the content of a profile file as YAML, fields in the order given."""
    return yaml.dump(
        dict(profile),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=100,
    )


def index(profiles: Iterable[tuple[DeviceProfile, str]]) -> str:
    """Write the index of profiles, each with the checksum of its file, sorted by id."""
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(INDEX_COLUMNS)
    for one, checksum in sorted(profiles, key=lambda pair: pair[0].id):
        table.writerow(
            (
                one.id,
                SEPARATOR.join(one.aliases),
                SEPARATOR.join(chip_names(one)),
                one.name,
                one.vendor or "",
                one.default_lane.name,
                checksum,
            )
        )
    return stream.getvalue()


def chip_names(profile: DeviceProfile) -> tuple[str, ...]:
    """Names of the device's chip, which other devices may share."""
    return tuple(dict.fromkeys(filter(None, (profile.chip, *profile.chip_aliases))))
