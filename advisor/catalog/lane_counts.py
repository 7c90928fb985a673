"""Lanes that the catalog has figures of: counted from the measurements into ``lanes.csv``.

The table is small, so that a profile is read with its measured lanes without its measurements.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from advisor.catalog.measurements import Measurement, device_ids, read_device
from advisor.catalog.tables import write_table
from advisor.core.lane import Lane
from advisor.hardware.library import LANE_COLUMNS, LANES
from advisor.hardware.profile import LaneEvidence


@dataclass(slots=True)
class _Tally:
    rows: int = 0
    networks: set[str] = field(default_factory=set)


def counted(rows: Iterable[Measurement]) -> list[LaneEvidence]:
    """Count usable rows and exactly matching networks by lane of one device; most first."""
    tallies: dict[Lane, _Tally] = defaultdict(_Tally)
    for row in rows:
        if row.status == "left_out":
            continue
        tally = tallies[row.lane]
        tally.rows += 1
        if row.match == "exact" and row.network:
            tally.networks.add(row.network)
    return sorted((_evidence(lane, tally) for lane, tally in tallies.items()), key=_order)


def _evidence(lane: Lane, tally: _Tally) -> LaneEvidence:
    return LaneEvidence(
        **asdict(lane),
        rows=tally.rows,
        networks=len(tally.networks),
    )


def _order(item: LaneEvidence) -> tuple[object, ...]:
    return (
        -item.networks,
        -item.rows,
        item.variant,
        item.unit,
        item.runtime,
        item.precision,
        -item.batch,
        -(item.threads or 0),
    )


def write_lanes(root: Path) -> int:
    """Write ``lanes.csv`` of the catalog under ``root``; return how many lanes it has."""
    records = [
        {"device": device, **{name: _cell(item, name) for name in LANE_COLUMNS[1:]}}
        for device in device_ids(root)
        for item in counted(read_device(root, device))
    ]
    write_table(root / LANES, LANE_COLUMNS, records)
    return len(records)


def _cell(item: LaneEvidence, name: str) -> str:
    value = getattr(item, name)
    return "" if value is None else str(value)
