"""Lanes that publications measured, and the one that stands for a device."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from advisor.lane import BULK, Lane
from advisor.profile import LaneEvidence
from advisor.profile_import.identity import Row

_DEPLOYED = {
    "gpu": ("tensorrt",),
    "npu": (
        "qnn", "coreml", "rknn", "hailort", "vitis-ai", "tidl", "stedgeai", "drp-ai", "openvx",
        "tflite",
    ),
    "tpu": ("edgetpu", "tflite"),
    "cpu": (),
    "dla": (),
}  # fmt: skip
"""Runtimes with which people put networks on an accelerator; other lanes there are trials."""


@dataclass(slots=True)
class _Tally:
    rows: int = 0
    networks: set[str] = field(default_factory=set)


def lane_of(row: Row, device: str) -> Lane:
    """Return the lane that a measurement belongs to."""
    return Lane(
        device=device,
        unit=row["unit"],
        runtime=row["runtime"],
        precision=row["precision"],
        threads=int(row["threads"]) if row["threads"] else None,
        batch=_batch(row),
        variant=_variant(row),
    )


def _batch(row: Row) -> int:
    """Batches that are not stated, and those of throughput lists, differ from row to row."""
    if row["source"] == "timm-benchmark" and row["unit"] == "gpu":
        return BULK
    return int(row["batch"]) if row["batch"] else BULK


_MARKS = (
    (r"powersave=1\b", "powersave 1"),
    (r"powersave=2\b", "powersave 2"),
    (r"\barmv7\b", "armv7"),
    (r"\bsparse\b", "sparse"),
    (r"performance mode", "performance mode"),
    (r"DLA", "with DLA"),
)


def _variant(row: Row) -> str:
    marks = [name for pattern, name in _MARKS if re.search(pattern, row["runtime_opts"])]
    if re.search("overclock", f"{row['device']} {row['chip']}", re.IGNORECASE):
        marks.append("overclocked")
    if row["unit"] == "gpu" and re.search(
        r"Intel.*Graphics[^|]*\|.*(?:Radeon|GeForce)", row["chip"]
    ):
        marks.append("integrated graphics")
    return ", ".join(marks)


def gathered(rows: Iterable[Row], device: str) -> list[LaneEvidence]:
    """Count rows and exactly matching networks by lane; most networks first."""
    tallies: dict[Lane, _Tally] = defaultdict(_Tally)
    for row in rows:
        tally = tallies[lane_of(row, device)]
        tally.rows += 1
        if row["match"] == "exact" and row["timm_name"]:
            tally.networks.add(row["timm_name"])
    found = [
        LaneEvidence(
            unit=lane.unit,
            runtime=lane.runtime,
            precision=lane.precision,
            batch=lane.batch,
            threads=lane.threads,
            variant=lane.variant,
            rows=tally.rows,
            networks=len(tally.networks),
        )
        for lane, tally in tallies.items()
    ]
    return sorted(found, key=_order)


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


def default_lane(lanes: list[LaneEvidence]) -> LaneEvidence | None:
    """Pick the lane that stands for the device; None where nothing was measured.

    A list of bulk figures of a desktop GPU wins by its size. Otherwise batch 1 and, where the
    device has an accelerator, the runtime with which people deploy to it; then most networks,
    the plain variant, most threads.
    """
    bulk = [item for item in lanes if item.batch == BULK and item.networks >= 100]
    if bulk:
        return min(bulk, key=_order)
    single = [item for item in lanes if item.batch == 1] or lanes
    deployed = [item for item in single if item.runtime in _DEPLOYED[item.unit]]
    known = [item for item in deployed if item.networks] or deployed
    return min(known or single, key=_preference, default=None)


def _preference(item: LaneEvidence) -> tuple[object, ...]:
    return (
        -item.networks,
        item.variant != "",
        -item.rows,
        -(item.threads or 0),
        *_order(item),
    )


def deployed_first(unit: str, runtimes: list[str]) -> str | None:
    """Return the runtime with which people would start on a unit without measurements."""
    usual = [name for name in _DEPLOYED[unit] if name in runtimes]
    return next(iter([*usual, *runtimes]), None)
