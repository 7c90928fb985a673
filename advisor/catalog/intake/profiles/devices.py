"""Puts the profile of each device together from its figures and its measured lanes."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from advisor.catalog.intake.profiles import evidence, facts
from advisor.catalog.intake.profiles.facts import Facts, present
from advisor.catalog.intake.profiles.identity import (
    Row,
    aliases_of,
    chip_of,
    cleaned,
    described,
    device_of,
    figures_of,
)
from advisor.catalog.intake.rows import RawRow
from advisor.hardware.profile import LaneEvidence

_LOWER = {"high": "medium", "medium": "low", "low": "low", "unknown": "unknown"}
_UNIT_ORDER = ("gpu", "npu", "tpu", "dla", "cpu")
_NAMED = {
    "macbook-pro-intel": "MacBook Pro 15-inch 2019 (Core i7)",
    "hyper-v-guest-i7-11800h": "Hyper-V Linux guest (Core i7-11800H, RTX 3070 Laptop)",
    "hyper-v-guest-i7-7700k": "Hyper-V Linux guest (Core i7-7700K, GTX 1050 Ti)",
}


def profiles(figures: Iterable[Row], measurements: Iterable[RawRow]) -> dict[str, Facts]:
    """Return the content of each profile file by device id, sorted."""
    by_device: dict[str, list[Row]] = defaultdict(list)
    for row in figures:
        device = figures_of(row["device_id"])
        if device is not None:
            by_device[device].append(row)
    measured: dict[str, list[RawRow]] = defaultdict(list)
    for taken in measurements:
        device = device_of(taken)
        if device is not None:
            measured[device].append(taken)
    ids = sorted({*by_device, *measured})
    chips = {device: _chip(by_device[device], measured[device]) for device in ids}
    donors = _donors(by_device, chips)
    names = _names(by_device, measured, ids)
    return {
        device: {
            **_profile(device, by_device[device], measured[device], chips[device], donors),
            "name": names[device],
        }
        for device in ids
    }


_Donors = dict[tuple[str, str], tuple[str, Row]]


def _donors(by_device: dict[str, list[Row]], chips: dict[str, str | None]) -> _Donors:
    """Return for each (chip, unit) the first device whose figures of that unit are known.

    The figures of programmable logic belong to its configuration, not to the chip.
    """
    donors: _Donors = {}
    for device in sorted(by_device):
        for row in by_device[device]:
            chip, peaks = chips[device], row["peak_gflops_fp32"] or row["peak_gops_int8"]
            if chip and peaks and "vitis-ai" not in row["runtimes"]:
                donors.setdefault((chip, row["unit"]), (device, row))
    return donors


def _chip(figures: list[Row], measured: list[RawRow]) -> str | None:
    raw = Counter(row.raw["chip"] for row in measured)
    texts = [text for text, _ in sorted(raw.items(), key=lambda item: (-item[1], item[0]))]
    names = [row["name"] for row in figures] + [row["unit_name"] for row in figures]
    sold_as = sorted({row.raw["device"] for row in measured})
    return chip_of([*texts, *names, *sold_as]) or described(texts)


def _profile(
    device: str, figures: list[Row], measured: list[RawRow], chip: str | None, donors: _Donors
) -> Facts:
    lanes = evidence.gathered(measured, device)
    kinds = {row["unit"] for row in figures} | {row.raw["unit"] for row in measured}
    ordered = [kind for kind in _UNIT_ORDER if kind in kinds]
    known = _Known(figures=figures, measured=measured, lanes=lanes, chip=chip, donors=donors)
    units = [_unit(kind, known) for kind in ordered]
    return present(
        {
            "id": device,
            "name": device,
            "aliases": aliases_of(device, measured),
            "vendor": figures[0]["vendor"] if figures else None,
            "chip": chip,
            "units": units,
            **(_groups(figures) if figures else {}),
            "default_lane": _default(lanes, units),
            "lanes": [_lane(lane) for lane in lanes],
        }
    )


def _names(
    by_device: dict[str, list[Row]], measured: dict[str, list[RawRow]], ids: list[str]
) -> dict[str, str]:
    """Name each device; figures that share a name are told apart by what was measured."""
    stated = {device: by_device[device][0]["name"] for device in ids if by_device[device]}
    shared = Counter(stated.values())
    unique = {
        device: name
        for device, name in stated.items()
        if shared[name] == 1 or name.lower().replace(" ", "-") == device
    }
    names = {}
    for device in ids:
        seen = _measured_name(device, measured[device])
        names[device] = _NAMED.get(device) or unique.get(device) or seen or stated[device]
    return names


def _measured_name(device: str, measured: list[RawRow]) -> str | None:
    own = [row for row in measured if row.raw["device_id"] == device] or measured
    names = Counter(row.raw["device"] for row in own)
    best = min(names.items(), key=lambda item: (-item[1], item[0]), default=None)
    return cleaned(best[0]) if best else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """All that the tables hold of one device."""

    figures: list[Row]
    measured: list[RawRow]
    lanes: list[LaneEvidence]
    chip: str | None
    donors: _Donors


def _unit(kind: str, known: _Known) -> Facts:
    seen = sorted({row.raw["runtime"] for row in known.measured if row.raw["unit"] == kind})
    own = next((row for row in known.figures if row["unit"] == kind), None)
    if own is not None:
        return _figured(own, seen, known.lanes)
    donor = known.donors.get((known.chip or "", kind))
    if donor is not None:
        other, row = donor
        unit = _figured(row, seen, known.lanes)
        unit["source"] = f"same chip as {other}: {unit['source']}"
        unit["confidence"] = _LOWER[unit["confidence"]]
        unit["runtimes"] = seen
        unit.pop("runtime_limits", None)
        return present(unit)
    return _bare(kind, known.measured, seen)


def _figured(row: Row, seen: list[str], lanes: list[LaneEvidence]) -> Facts:
    sources = facts.sources(row["source_ref"])
    listed, limits = facts.runtimes(row["runtimes"])
    clusters = [int(part) for part in row["cores"].split("+")] if row["cores"] else []
    used = {lane.precision for lane in lanes if lane.unit == row["unit"]}
    barred = {name: why for name, why in _unsupported(row).items() if name not in used}
    return present(
        {
            "kind": row["unit"],
            "name": row["unit_name"],
            "cores": sum(clusters) or None,
            "clock_ghz": facts.number(row["clock_ghz"]),
            "peak_gflops": present(
                {
                    "fp32": facts.number(row["peak_gflops_fp32"]),
                    "fp16": facts.number(row["peak_gflops_fp16"]),
                }
            ),
            "peak_gops": present({"int8": facts.number(row["peak_gops_int8"])}),
            "int8_path": row["int8_path"] if row["int8_path"] != "none" else None,
            "on_chip_mb": facts.number(row["on_chip_sram_mb"]),
            "link_gb_s": _link(row),
            "unsupported": barred,
            "storage_only": _storage_only(row),
            "runtimes": list(dict.fromkeys([*listed, *seen])),
            "runtime_limits": limits,
            "source": sources.get("compute", "not stated"),
            "confidence": row["conf_compute"] or "unknown",
            "runtimes_source": sources.get("runtimes", "published measurements"),
        }
    )


def _link(row: Row) -> float | int | None:
    """Bandwidth of a row that is a link's: an accelerator without memory behind USB or PCIe."""
    linked = row["unit"] == "tpu" and row["memory_gb"].startswith(("0 ", "1 (host"))
    return facts.number(row["mem_bandwidth_gbs"]) if linked else None


def _unsupported(row: Row) -> dict[str, str]:
    """Say what the unit cannot compute. A CPU computes int8 in scalar code whatever it lacks."""
    label = _label(row)
    reasons = {}
    if row["supports_fp16"] == "no":
        reasons["fp16"] = f"no fp16 arithmetic on the {label}"
        if row["unit"] == "gpu":
            reasons["amp"] = reasons["fp16"]
    if row["supports_int8"] == "no" and row["unit"] != "cpu" and not _weights_only(row):
        reasons["int8"] = f"no int8 arithmetic on the {label}"
    if row["unit"] in ("npu", "tpu", "dla") and not row["peak_gflops_fp32"]:
        if row["supports_fp16"] == "no":
            reasons["fp32"] = f"the {label} computes integers only"
        elif row["supports_fp16"] == "yes":
            reasons["fp32"] = f"the {label} computes fp16 at most"
    return dict(sorted(reasons.items()))


def _label(row: Row) -> str:
    """Shorten ``Maxwell 128 CUDA cores (GM20B, sm_53)`` to ``Maxwell GPU (GM20B, sm_53)``."""
    name = re.sub(r" \d+ CUDA cores", " GPU", row["unit_name"])
    return re.sub(r", \d+ .*$", "", name) if "(" not in name else name


def _weights_only(row: Row) -> bool:
    return row["int8_path"].startswith("weights only")


def _storage_only(row: Row) -> list[str]:
    fp16 = ["fp16"] if row["supports_fp16"] == "storage" else []
    return [*fp16, *(["int8"] if _weights_only(row) else [])]


def _bare(kind: str, measured: list[RawRow], seen: list[str]) -> Facts:
    """Describe a unit of which only measurements are known."""
    mine = Counter(row.raw["chip"] for row in measured if row.raw["unit"] == kind)
    text = min(mine.items(), key=lambda item: (-item[1], item[0]))[0]
    name = _GRAPHICS.sub("", text.rpartition(" | ")[2]) if kind == "cpu" else _adapter(text)
    known = described([name]) is not None
    cores, clock = _clusters(name) if kind == "cpu" else ([], None)
    return present(
        {
            "kind": kind,
            "name": cleaned(name) if known else kind.upper(),
            "cores": sum(cores) or None,
            "clock_ghz": clock,
            "runtimes": seen,
            "source": "as named in published measurements",
            "confidence": "low",
            "runtimes_source": "published measurements",
        }
    )


_GRAPHICS = re.compile(r"(?: [+/]|,| &&) (?:Adreno|Mali|Radeon|NVIDIA|PowerVR|BXM|Arm Immortal).*$")
_CLUSTER = re.compile(r"([\d.]+) ?([GM])Hz\)? ?[x×*] ?(\d+)", re.IGNORECASE)


def _adapter(text: str) -> str:
    """Return the accelerator of ``Mali-G72 | (Cortex-A73 …)`` or ``Kirin 980 / Mali-G76``."""
    first = text.partition(" | ")[0]
    direct3d = re.search(r"Direct3D12 \((.*)\)", first)
    return direct3d[1] if direct3d else re.split(r" / |, (?=Adreno|Mali)", first)[-1]


def _clusters(text: str) -> tuple[list[int], float | int | None]:
    """Return cores by cluster and the fastest clock in GHz, where all clusters state both."""
    parts = [part for part in text.split("+") if re.search(r"GHz|MHz| x ?\d", part, re.IGNORECASE)]
    found = [match for part in parts if (match := _CLUSTER.search(part))]
    if not found or len(found) < len(parts):
        return [], None
    clocks = [float(match[1]) * (1 if match[2].upper() == "G" else 1e-3) for match in found]
    return [int(match[3]) for match in found], facts.number(f"{max(clocks):g}")


def _groups(rows: list[Row]) -> Facts:
    return {
        "memory": _memory(rows),
        "power": _power(rows),
        "price": _price(rows),
        "lifecycle": _lifecycle(rows),
    }


def _origin(row: Row, group: str) -> Facts:
    source = facts.sources(row["source_ref"]).get(group, "not stated")
    return {"source": source, "confidence": row[f"conf_{group}"] or "unknown"}


def _memory(rows: list[Row]) -> Facts | None:
    row = next((row for row in rows if _link(row) is None), rows[0])
    sized = next((other for other in rows if facts.memory(other["memory_gb"])), row)
    bandwidth = facts.number(row["mem_bandwidth_gbs"]) if _link(row) is None else None
    found = present({**facts.memory(sized["memory_gb"]), "bandwidth_gb_s": bandwidth})
    return {**found, **_origin(row, "memory")} if found else None


def _power(rows: list[Row]) -> Facts | None:
    row = next((r for r in rows if r["tdp_w_or_typical_w"] or r["power_modes"]), rows[0])
    partial = any(other["tdp_w_or_typical_w"] != row["tdp_w_or_typical_w"] for other in rows)
    found = present(
        {
            "typical_w": facts.number(row["tdp_w_or_typical_w"]),
            "idle_w": facts.number(row["idle_w"]),
            "modes": facts.modes(row["power_modes"]),
        }
    )
    if not found:
        return None
    kind = facts.power_kind(row["source_ref"].partition("power: ")[2].partition(" | ")[0])
    # A wall figure is of the whole machine, in whichever row of the table it stands.
    covers = row["unit"] if partial and kind != "wall" else "device"
    return {"kind": kind, "covers": covers, **found, **_origin(row, "power")}


def _price(rows: list[Row]) -> Facts | None:
    found: Facts = next(filter(None, (facts.prices(dict(row)) for row in rows)), {})
    return {**found, **_origin(rows[0], "price")} if found else None


def _lifecycle(rows: list[Row]) -> Facts | None:
    row = next((row for row in rows if row["lifecycle"]), rows[0])
    found = facts.lifecycle(row["lifecycle"])
    return {**found, **_origin(row, "lifecycle")} if found else None


def _lane(item: LaneEvidence) -> Facts:
    plain = present(asdict(item))
    return {**plain, "batch": item.batch, "networks": item.networks}


def _default(lanes: list[LaneEvidence], units: list[Facts]) -> Facts:
    chosen = evidence.default_lane(lanes)
    if chosen is not None:
        lane = _lane(chosen)
        return {key: lane[key] for key in lane if key not in ("rows", "networks")}
    return _assumed(units)


def _assumed(units: list[Facts]) -> Facts:
    """Take the lane to start from on a device that nobody measured."""
    ready = [unit for unit in units if unit.get("runtimes")] or units
    usual = [unit for unit in ready if evidence.is_deployed(unit["kind"], unit["runtimes"])]
    slow = [unit for unit in ready if unit["kind"] == "cpu"]
    unit = next(iter([*usual, *slow, *ready]))
    runtime = evidence.deployed_first(unit["kind"], unit.get("runtimes", []))
    order = ["fp32"] if unit["kind"] == "cpu" else ["fp16", "int8", "fp32"]
    barred = {*unit.get("unsupported", {}), *unit.get("storage_only", [])}
    precision: Any = next((name for name in order if name not in barred), "fp32")
    return {"unit": unit["kind"], "runtime": runtime, "precision": precision, "batch": 1}
