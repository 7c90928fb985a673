"""Lanes that publications measured, and the one that stands for a device."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from advisor.catalog.caveats import status
from advisor.catalog.intake.rows import RawRow
from advisor.core.lane import BULK, Lane
from advisor.hardware.profile import LaneEvidence

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


_ENOUGH = 3
"""Exactly matching networks from which on a lane can stand for a device."""


@dataclass(slots=True)
class _Tally:
    rows: int = 0
    networks: set[str] = field(default_factory=set)


def lane_of(row: RawRow, device: str) -> Lane:
    """Return the lane that a measurement belongs to.

    A batch that is not stated differs from row to row, as that of bulk figures does.
    """
    _, unit, runtime, precision, threads, batch, variant = row.lane
    return Lane(
        device=device,
        unit=unit,
        runtime=runtime,
        precision=precision,
        threads=int(threads) if threads else None,
        batch=int(batch) if batch else BULK,
        variant=variant,
    )


def gathered(rows: Iterable[RawRow], device: str) -> list[LaneEvidence]:
    """Count usable rows and exactly matching networks by lane; most networks first."""
    tallies: dict[Lane, _Tally] = defaultdict(_Tally)
    for row in rows:
        if status(row.slugs) == "left_out":
            continue
        tally = tallies[lane_of(row, device)]
        tally.rows += 1
        if row.match == "exact" and row.network:
            tally.networks.add(row.network)
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
    device has an accelerator, the runtime with which people deploy to it; then the plain variant,
    most networks, full precision on a CPU, most threads.
    """
    bulk = [item for item in lanes if item.batch == BULK and item.networks >= 100]
    if bulk:
        return min(bulk, key=_order)
    single = [item for item in lanes if item.batch == 1] or lanes
    # Under NNAPI the phone picks the unit itself, so that lane stands for none.
    deployed = [
        item for item in single if item.runtime in _DEPLOYED[item.unit] and item.variant != "NNAPI"
    ]
    return min(deployed or single, key=_preference, default=None)


def _preference(item: LaneEvidence) -> tuple[object, ...]:
    enough = item.networks >= _ENOUGH
    return (
        not enough,
        item.variant != "",
        item.unit not in ("cpu", "npu", "tpu") and item.runtime not in _DEPLOYED[item.unit],
        item.unit == "cpu" and item.precision == "int8",
        -item.networks if enough else 0,
        -item.rows,
        -(item.threads or 0),
        *_order(item),
    )


def is_deployed(unit: str, runtimes: list[str]) -> bool:
    """Whether people deploy to that unit with one of the runtimes."""
    return any(name in runtimes for name in _DEPLOYED[unit])


def deployed_first(unit: str, runtimes: list[str]) -> str | None:
    """Return the runtime with which people would start on a unit without measurements."""
    usual = [name for name in _DEPLOYED[unit] if name in runtimes]
    return next(iter([*usual, *runtimes]), None)
