"""Import raw measurements: names, variants and caveats by rule; one file per device."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from advisor.catalog.caveats import CAVEATS, status
from advisor.catalog.intake.comparing import compare
from advisor.catalog.intake.configurations import set_variants
from advisor.catalog.intake.rows import RawRow
from advisor.catalog.intake.screening import screen
from advisor.catalog.measurements import COLUMNS, SEPARATOR
from advisor.catalog.naming import catalog_name
from advisor.catalog.tables import Table, write_table
from advisor.errors import CatalogError

_SAME = (
    *("unit", "runtime", "threads", "batch", "latency_ms", "latency_min_ms", "latency_max_ms"),
    *("throughput_ips", "power_w", "energy_mj", "memory_mb", "top1", "date", "source"),
    *("source_ref", "model_raw"),
)
RAW_COLUMNS = (
    *("source", "source_ref", "date", "device", "device_id", "chip", "unit", "runtime"),
    *("runtime_opts", "precision", "threads", "model_raw", "timm_name", "match", "input_h"),
    *("input_w", "batch", "latency_ms", "latency_min_ms", "latency_max_ms", "throughput_ips"),
    *("power_w", "energy_mj", "memory_mb", "top1", "top5", "notes"),
)
"""Columns of a raw table of measurements."""
CAMPAIGNS = "campaigns"
"""Folder of the catalog with raw tables of what was measured for it, and the devices' profiles."""
_SPLITS = (
    # Raw ids under which several machines hide, told apart by their chip.
    ("macbook-pro", re.compile(r"\bM1\b"), "macbook-pro-m1"),
    ("macbook-pro", re.compile(r"Intel Core i7|UHD Graphics 630"), "macbook-pro-intel"),
    ("hyper-v-linux-guest-with-gpu-pv-enabled", re.compile(r"11800H"), "hyper-v-guest-i7-11800h"),
    ("hyper-v-linux-guest-with-gpu-pv-enabled", re.compile(r"7700K"), "hyper-v-guest-i7-7700k"),
)
SAME_DEVICE = {
    "coral-dev-board-cpu": "coral-dev-board",
    "host-plus-coral-usb-accelerator": "coral-usb-accelerator",
    "iphone": "iphone-13",
    "qcs6490": "dragonwing-rb3-gen-2-vision-kit",
    "rockchip-rk3588": "rk3588",
}
"""Raw ids that name a device of another id: they become aliases of its profile."""


def read_raw(path: Path, columns: Sequence[str] = ()) -> list[dict[str, str]]:
    """Read a raw CSV file; raises CatalogError where it or one of ``columns`` is missing."""
    return [record for _, record in Table(path, columns).records()]


def device_of(raw: dict[str, str]) -> str:
    """Return the catalog's device id; splits raw ids that mix machines, joins those of one."""
    for mixed, pattern, device in _SPLITS:
        if raw["device_id"] == mixed and pattern.search(raw["chip"]):
            return device
    return SAME_DEVICE.get(raw["device_id"], raw["device_id"])


def unsupported(raw_devices: Iterable[dict[str, str]]) -> set[tuple[str, str, str]]:
    """Collect (device, unit, precision) that the devices' own figures rule out."""
    found = set()
    for raw in raw_devices:
        for precision in ("int8", "fp16"):
            if raw[f"supports_{precision}"] == "no":
                found.add((raw["device_id"], raw["unit"], precision))
    return found


def _named(raw: dict[str, str]) -> RawRow:
    row = RawRow(raw=raw, device=device_of(raw), precision=raw["precision"])
    row.network, row.match = raw["timm_name"], raw["match"]
    if not row.network:
        row.network, row.match = catalog_name(row.source, raw["model_raw"]) or ("", "none")
    return row


def screened(raws: Iterable[dict[str, str]], lacking: set[tuple[str, str, str]]) -> list[RawRow]:
    """Return the rows with network, variant and caveats; ``lacking`` as from ``unsupported``."""
    rows = [_named(raw) for raw in raws]
    set_variants(rows)
    for row in rows:
        screen(row)
        if (row.raw["device_id"], row.raw["unit"], row.precision) in lacking:
            # Cores without fp16 arithmetic still run fp16 weights; other units cannot at all.
            cpu_halves = row.raw["unit"] == "cpu" and row.precision == "fp16"
            row.slugs.add("fp16-weights-only" if cpu_halves else "precision-not-supported")
    compare(rows)
    return rows


def _record(row: RawRow) -> dict[str, str]:
    options = row.raw["runtime_opts"].partition("; context:")[0]
    return {
        **{name: row.raw[name] for name in _SAME},
        "precision": row.precision,
        "variant": row.variant,
        "network": row.network,
        "resolution": row.raw["input_h"],
        "match": row.match,
        "options": options,
        "status": status(row.slugs),
        "caveats": SEPARATOR.join(sorted(row.slugs)),
    }


def raw_tables(raw_dir: Path, campaigns: Path) -> list[Path]:
    """Return the raw tables of measurements, published ones and those of own campaigns."""
    return sorted((raw_dir / "measurements").glob("*.csv")) + sorted(campaigns.glob("*.csv"))


def import_measurements(raw_dir: Path, out: Path) -> list[RawRow]:
    """Write ``measurements/*.csv``, the caveats and the device aliases; return the rows."""
    paths = raw_tables(raw_dir, out / CAMPAIGNS)
    raws = [raw for path in paths for raw in read_raw(path, RAW_COLUMNS)]
    if not raws:
        raise CatalogError(f"no measurements in {raw_dir / 'measurements'}; it needs *.csv files")
    rows = screened(raws, unsupported(read_raw(raw_dir / "devices.csv")))
    by_device: dict[str, list[RawRow]] = defaultdict(list)
    for row in rows:
        by_device[row.device].append(row)
    folder = out / "measurements"
    for stale in folder.glob("*.csv"):
        stale.unlink()
    for device, mine in sorted(by_device.items()):
        write_table(folder / f"{device}.csv", COLUMNS, map(_record, mine))
    write_caveats(out / "caveats.yaml")
    _write_aliases(out / "device_aliases.csv", rows)
    return rows


def write_caveats(path: Path) -> None:
    """Write one ``slug: "sentence"`` a line; JSON strings are YAML strings."""
    lines = [f"{slug}: {json.dumps(CAVEATS[slug].text)}" for slug in sorted(CAVEATS)]
    path.write_text(
        "\n".join(
            [
                "# Sentences of advisor/catalog/caveats.py; advisor catalog add writes them.",
                *lines,
                "",
            ]
        )
    )


def _write_aliases(path: Path, rows: list[RawRow]) -> None:
    pairs = {(r.raw["device_id"], r.device) for r in rows if r.raw["device_id"] != r.device}
    columns = ("raw_device_id", "device")
    write_table(path, columns, [dict(zip(columns, p, strict=True)) for p in sorted(pairs)])
