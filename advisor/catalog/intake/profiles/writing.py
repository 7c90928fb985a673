"""Reads the raw tables and writes ``profiles/``: one YAML per device and the index."""

import csv
import io
from pathlib import Path
from typing import Any

import yaml

from advisor.catalog.intake.importing import CAMPAIGNS, raw_tables, read_raw, screened, unsupported
from advisor.catalog.intake.profiles.devices import profiles
from advisor.catalog.intake.profiles.facts import Facts
from advisor.core.lane import Lane
from advisor.hardware.library import read_profile

HEADER = "# Written by: python -m advisor.catalog.intake.profiles RAW --out profiles\n"
INDEX_COLUMNS = ("id", "aliases", "name", "vendor", "default_lane")


def import_profiles(raw: Path, out: Path, campaigns: Path | None = None) -> int:
    """Write the profiles of all devices in ``raw`` and of those in ``campaigns``; return how many.

    Profiles that the tables no longer hold are removed.
    """
    figures = read_raw(raw / "devices.csv")
    own = campaigns or raw / CAMPAIGNS
    rows = [row for path in raw_tables(raw, own) for row in read_raw(path)]
    content = profiles(figures, screened(rows, unsupported(figures)))
    for device, profile in _of_campaigns(own).items():
        lanes = {name: content[device][name] for name in ("lanes",) if device in content}
        content[device] = profile | lanes
    content = dict(sorted(content.items()))
    out.mkdir(parents=True, exist_ok=True)
    for path in out.glob("*.yaml"):
        if path.stem not in content:
            path.unlink()
    for device, profile in content.items():
        (out / f"{device}.yaml").write_text(HEADER + written(profile), encoding="utf-8")
    (out / "index.csv").write_text(index(content), encoding="utf-8")
    return len(content)


def _of_campaigns(folder: Path) -> dict[str, Facts]:
    """Read the profiles of machines that were measured for the catalog."""
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        profile = read_profile(path)
        found[profile.id] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


class _Dumper(yaml.SafeDumper):
    """Safe dumper that repeats no anchors and keeps long entries off a single line."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the name is PyYAML's
        return True

    def represent_mapping(
        self, tag: str, mapping: Any, flow_style: bool | None = None
    ) -> yaml.MappingNode:
        return super().represent_mapping(tag, mapping, False if "source" in mapping else flow_style)


def written(profile: Facts) -> str:
    """Write a profile as YAML, fields in the order of the format."""
    return yaml.dump(
        profile,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=100,
    )


def index(content: dict[str, Facts]) -> str:
    """Write the index, by which a device is found without reading its file."""
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(INDEX_COLUMNS)
    for device, profile in content.items():
        lane = Lane(device=device, **profile["default_lane"])
        aliases = " ".join(profile.get("aliases", []))
        table.writerow((device, aliases, profile["name"], profile.get("vendor", ""), lane.name))
    return stream.getvalue()
