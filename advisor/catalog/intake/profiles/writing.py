"""Reads the raw tables and writes ``profiles/``: one YAML per device and the index."""

from pathlib import Path

import yaml

from advisor.catalog.intake.importing import CAMPAIGNS, raw_tables, read_raw, screened, unsupported
from advisor.catalog.intake.profiles.devices import profiles
from advisor.catalog.intake.profiles.facts import Facts
from advisor.hardware.library import read_profile
from advisor.hardware.profile_text import index, written


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
        (out / f"{device}.yaml").write_text(written(profile), encoding="utf-8")
    profiles_written = [read_profile(out / f"{device}.yaml") for device in content]
    (out / "index.csv").write_text(index(profiles_written), encoding="utf-8")
    return len(content)


def _of_campaigns(folder: Path) -> dict[str, Facts]:
    """Read the profiles of machines that were measured for the catalog."""
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        profile = read_profile(path)
        found[profile.id] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found
