"""Adds a publication to the catalog: screens each row beside what is there, then writes it.

The measurement tables are the source: what is added is kept as judged, and a reader may edit it.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from advisor.catalog.caveats import CAVEATS, status
from advisor.catalog.intake.comparing import compare
from advisor.catalog.intake.importing import write_caveats
from advisor.catalog.intake.ledger import IMPORTS, LEDGER_COLUMNS
from advisor.catalog.intake.rows import RawRow
from advisor.catalog.intake.screening import screen
from advisor.catalog.lane_counts import write_lanes
from advisor.catalog.measurements import COLUMNS, SEPARATOR, STATISTICS, TRANSFERS, device_ids
from advisor.catalog.naming import catalog_name
from advisor.catalog.network_names import NetworkNames, read_aliases
from advisor.catalog.tables import Table, write_table
from advisor.core.candidate import Candidate
from advisor.core.workload_table import WorkloadTable, read
from advisor.errors import CatalogError, ProfileError, UsageError
from advisor.hardware.cores import peak
from advisor.hardware.library import ProfileLibrary
from advisor.hardware.profile import PRECISIONS, DeviceProfile, UnitKind

NEEDED = ("device_id", "unit", "runtime", "precision", "source", "source_ref")
"""Columns that a table has to have and every row has to fill."""
OPTIONAL = (
    *("network", "timm_name", "model_raw", "match", "resolution", "input_h", "threads", "batch"),
    *("variant", "latency_ms", "latency_min_ms", "latency_max_ms", "throughput_ips", "power_w"),
    *("energy_mj", "memory_mb", "top1", "date", "options", "runtime_opts", "version"),
    *("power_mode", "transfers", "statistic", "caveats", "notes"),
)
NUMBERS = ("latency_ms", "latency_min_ms", "latency_max_ms", "throughput_ips", "power_w",
           "energy_mj", "memory_mb", "top1")  # fmt: skip
SLACK = 4.0
"""How far above its unit's peak a figure may be: fast convolutions need fewer operations than
they count, and clocks rise above the nominal one."""
_MATCHES = ("exact", "close", "none")
_MOST = {"threads": 10_000, "batch": 100_000, "resolution": 10_000, "input_h": 10_000}
_NAME = re.compile(r"[a-z0-9][a-z0-9.+_-]*")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])(-\d{2})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenedRow:
    """One row of the new table and what the screening thinks of it."""

    line: int
    device: str
    lane: str
    """Lane as people read it, without the device."""
    network: str
    """Network at its input; the source's own name where the catalog has no such network."""
    status: str
    """``kept``, ``caveat``, ``left_out`` or ``known`` for a row that the catalog has already."""
    reasons: tuple[str, ...]
    """Sentences of all caveats, the gravest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """What a table adds to the catalog."""

    rows: tuple[ScreenedRow, ...]
    uncounted: tuple[str, ...]
    """Networks at inputs whose workload ``advisor catalog count`` has still to count."""


def add(table: Path, root: Path, profiles: ProfileLibrary, *, dry_run: bool = False) -> Addition:
    """Judge the rows of ``table`` and write them to the catalog under ``root``.

    Raises CatalogError that names line and column of a cell that cannot be read, and UsageError
    for a device without a profile. With ``dry_run`` nothing is written.
    """
    counts = read(root)
    names = NetworkNames(frozenset(counts.networks), read_aliases(root))
    old = _existing(root)
    precisions = {*PRECISIONS, *(row.precision for row in old)}
    new = [
        _read(table, profiles, names, line, cells) for line, cells in _records(table, precisions)
    ]
    if not new:
        raise CatalogError(f"{table} holds no rows; it needs one line for each figure")
    seen = {_identity(row) for row in old}
    fresh = [one for one in new if _identity(one.row) not in seen]
    devices = {one.row.device: profiles.load(one.row.device) for one in fresh}
    for one in fresh:
        screen(one.row)
        _check_hardware(one.row, devices[one.row.device], counts)
    before = [set(row.slugs) for row in old]
    rows = [*old, *(one.row for one in fresh)]
    compare(rows)
    for row, slugs in zip(old, before, strict=True):
        # What was judged stays judged; only that a second publication disagrees is news.
        row.slugs = slugs | ({"sources-disagree"} & row.slugs)
    if not dry_run:
        _write(root, table, old, [one.row for one in fresh])
    told = {id(one) for one in fresh}
    return Addition(
        rows=tuple(_judged(one, known=id(one) not in told) for one in new),
        uncounted=tuple(
            sorted(
                {
                    f"{one.row.network}@{one.row.raw['input_h']}"
                    for one in fresh
                    if one.row.network
                    and one.row.raw["input_h"]
                    and _counted(one.row) not in counts.index
                }
            )
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _New:
    line: int
    row: RawRow


def _records(path: Path, precisions: Set[str]) -> list[tuple[int, dict[str, str]]]:
    table = Table(path, NEEDED)
    found = []
    for line, cells in table.records():
        for name in NEEDED:
            if not cells[name].strip():
                table.refuse(line, name, "", "every figure needs it")
        _check_numbers(table, line, cells)
        _check_words(table, line, cells, precisions)
        found.append((line, cells))
    return found


def _check_numbers(table: Table, line: int, cells: Mapping[str, str]) -> None:
    for name in NUMBERS:
        table.positive(line, name, cells.get(name, ""))
    for name, most in _MOST.items():
        table.count(line, name, cells.get(name, ""), most)
    if float(cells.get("top1") or 1) > 100:
        table.refuse(line, "top1", cells["top1"], "it is in percent, at most 100")
    if not (cells.get("latency_ms") or cells.get("throughput_ips")):
        table.refuse(line, "latency_ms", "", "latency_ms or throughput_ips is needed")


def _check_words(table: Table, line: int, cells: Mapping[str, str], precisions: Set[str]) -> None:
    for name in ("runtime", "precision", "source"):
        if not _NAME.fullmatch(cells[name].strip()):
            made = "a name is made of small letters, digits, '.', '+', '_' and '-'"
            table.refuse(line, name, cells[name], made)
    lists = {
        "unit": tuple(UnitKind),
        "precision": sorted(precisions),
        "transfers": ("", *TRANSFERS),
        "statistic": ("", *STATISTICS),
        "match": ("", *_MATCHES),
    }
    for name, allowed in lists.items():
        if cells.get(name, "").strip() not in allowed and name in cells:
            choice = ", ".join(word or "nothing" for word in allowed)
            table.refuse(line, name, cells[name], f"allowed: {choice}")
    if cells.get("date") and not _MONTH.fullmatch(cells["date"]):
        table.refuse(line, "date", cells["date"], "write YYYY-MM or YYYY-MM-DD, or nothing")
    for slug in cells.get("caveats", "").split():
        if slug not in CAVEATS:
            table.refuse(line, "caveats", slug, f"allowed: {', '.join(sorted(CAVEATS))}")


def _read(
    path: Path,
    profiles: ProfileLibrary,
    names: NetworkNames,
    line: int,
    cells: Mapping[str, str],
) -> _New:
    raw = {name: cells.get(name, "").strip() for name in (*NEEDED, *OPTIONAL)}
    raw |= {"chip": "", "device": raw["device_id"]}
    raw["input_h"] = raw["input_h"] or raw["resolution"]
    raw["runtime_opts"] = raw["runtime_opts"] or raw["options"]
    name = raw["network"] or raw["timm_name"]
    raw["model_raw"] = raw["model_raw"] or name
    if not raw["model_raw"]:
        raise CatalogError(
            f"{path}, line {line}: no network; fill network (its timm name) or model_raw"
        )
    try:
        profile = profiles.load(raw["device_id"])
    except (UsageError, ProfileError) as error:
        raise CatalogError(f"{path}, line {line}, column device_id: {error}") from None
    if profile.unit(raw["unit"]) is None:
        raise CatalogError(
            f"{path}, line {line}, column unit: {profile.id} has no {raw['unit']}; its profile has "
            f"{', '.join(str(one.kind) for one in profile.units)}: add the unit there first"
        )
    row = RawRow(raw=raw, device=profile.id, precision=raw["precision"], variant=raw["variant"])
    if name:
        found = _network(path, names, line, name)
        row.network = found.network
        raw["input_h"] = _side(path, line, found, raw["input_h"])
        row.match = raw["match"] or "exact"
    else:
        row.network, row.match = catalog_name(row.source, raw["model_raw"]) or ("", "none")
    row.slugs = set(raw["caveats"].split())
    return _New(line=line, row=row)


def _network(path: Path, names: NetworkNames, line: int, name: str) -> Candidate:
    """Return what a name stands for; CatalogError where it is no network or several."""
    meant = names.meaning(name)
    if len(meant) == 1:
        try:
            return Candidate.parse(meant[0])
        except UsageError as error:
            raise CatalogError(f"{path}, line {line}, column network: {error}") from None
    near = ", ".join(meant[:5])
    what = f" may mean {near}" if meant else f": no such network{names.against(name)}"
    raise CatalogError(
        f"{path}, line {line}, column network: {name!r}{what} (write one of the catalog's names, "
        "or leave network empty and put the publication's own name in model_raw)"
    )


def _side(path: Path, line: int, found: Candidate, stated: str) -> str:
    """Return the side of the input by name and column; CatalogError where they differ."""
    if found.resolution and stated and int(stated) != found.resolution:
        raise CatalogError(
            f"{path}, line {line}, column resolution: {stated!r} is not the input of "
            f"{found.network}@{found.resolution}; state one of the two"
        )
    return stated or str(found.resolution or "")


def _existing(root: Path) -> list[RawRow]:
    found = []
    for device in device_ids(root):
        for _, cells in Table(root / "measurements" / f"{device}.csv", COLUMNS).records():
            raw = {**dict.fromkeys(OPTIONAL, ""), **cells}
            raw |= {"input_h": cells["resolution"], "runtime_opts": cells["options"]}
            raw |= {"chip": "", "device": device, "device_id": device}
            found.append(
                RawRow(
                    raw=raw,
                    device=device,
                    network=cells["network"],
                    match=cells["match"],
                    precision=cells["precision"],
                    variant=cells["variant"],
                    slugs=set(cells["caveats"].split()),
                )
            )
    return found


def _identity(row: RawRow) -> tuple[str, ...]:
    """What tells a figure from every other, so that a table may be added twice."""
    raw = row.raw
    return (
        *(row.device, raw["unit"], raw["runtime"], row.precision, raw["threads"], raw["batch"]),
        *(row.variant, row.network or raw["model_raw"], raw["input_h"], raw["latency_ms"]),
        *(raw["throughput_ips"], raw["source"], raw["source_ref"]),
    )


def _check_hardware(row: RawRow, profile: DeviceProfile, counts: WorkloadTable) -> None:
    """Add what the device's profile says against a figure."""
    unit = profile.unit(row.raw["unit"])
    assert unit is not None
    if unit.reason_against(row.precision) is not None:
        # Cores without fp16 arithmetic still run fp16 weights; other units cannot at all.
        halves = unit.kind is UnitKind.CPU and row.precision == "fp16"
        row.slugs.add("fp16-weights-only" if halves else "precision-not-supported")
    most, per_image = peak(unit, row.precision), row.ms_per_image
    place = counts.index.get(_counted(row))
    if most is None or per_image is None or place is None:
        return
    if 2e3 * float(counts.macs[place]) / per_image > SLACK * most.rate:
        row.slugs.add("faster-than-peak")


def _counted(row: RawRow) -> tuple[str, int]:
    return row.network, int(row.raw["input_h"] or 0)


def _write(root: Path, table: Path, old: Sequence[RawRow], new: Sequence[RawRow]) -> None:
    by_device: dict[str, list[RawRow]] = defaultdict(list)
    for row in [*old, *new]:
        by_device[row.device].append(row)
    touched = {row.device for row in new} | {
        row.device for row in old if set(row.raw["caveats"].split()) != row.slugs
    }
    for device in sorted(touched):
        path = root / "measurements" / f"{device}.csv"
        write_table(path, COLUMNS, map(_record, by_device[device]))
    write_caveats(root / "caveats.yaml")
    write_lanes(root)
    _write_import(root / IMPORTS, table, len(new))


def _record(row: RawRow) -> dict[str, str]:
    raw = row.raw
    return {
        **{name: raw.get(name, "") for name in COLUMNS},
        "precision": row.precision,
        "variant": row.variant,
        "network": row.network,
        "resolution": raw["input_h"],
        "match": row.match,
        "options": raw["runtime_opts"],
        "statistic": "minimum" if "noisy-mean" in row.slugs else raw.get("statistic", ""),
        "status": status(row.slugs),
        "caveats": SEPARATOR.join(sorted(row.slugs)),
    }


def _write_import(path: Path, table: Path, rows: int) -> None:
    columns = (*LEDGER_COLUMNS, "added")
    records = (
        [cells for _, cells in Table(path, LEDGER_COLUMNS).records()] if path.is_file() else []
    )
    digest = hashlib.sha256(table.read_bytes()).hexdigest()
    entry = {
        "file": f"measurements/{table.name}",
        "rows": str(rows),
        "sha256": digest,
        "added": f"{datetime.now(UTC):%Y-%m-%d}",
    }
    if rows:
        write_table(path, columns, [*records, entry])


def _judged(one: _New, *, known: bool) -> ScreenedRow:
    row = one.row
    gravest = {"left_out": 0, "caveat": 1, "kept": 2}
    slugs = sorted(row.slugs, key=lambda slug: (gravest[CAVEATS[slug].gravity.value], slug))
    threads = f"{row.raw['threads']} threads" if row.raw["threads"] else ""
    batch = f"batch {row.raw['batch']}" if row.raw["batch"] else "batch not stated"
    parts = (row.raw["unit"], row.raw["runtime"], row.precision, batch, threads, row.variant)
    return ScreenedRow(
        line=one.line,
        device=row.device,
        lane=" ".join(filter(None, parts)),
        network=f"{row.network or row.raw['model_raw']}@{row.raw['input_h'] or '?'}",
        status="known" if known else status(row.slugs),
        reasons=() if known else tuple(CAVEATS[slug].text for slug in slugs),
    )
