"""Lanes: the facts of a lane that decide its speed, and how alike two lanes are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from advisor.core.lane import Lane
from advisor.hardware.profile import DeviceProfile, UnitKind, UnitProfile

Floats = NDArray[np.float64]
NaN = float("nan")

RELATIONS = (
    "all",
    "unit",
    "runtime",
    "runtime_precision",
    "precision",
    "device",
    "device_runtime",
    "device_precision",
    "device_runtime_precision",
    "runtime_variant",
    "lane",
    "threads",
    "device_threads",
    "peak",
    "bandwidth",
    "clock",
    "chip",
)
"""Ways in which two lanes can be alike; each gives a positive semi-definite matrix."""
_HALF = frozenset({"fp16", "amp", "bf16", "w8a16", "w8a16_mixed_int16", "int16"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFacts:
    """A lane with what its device's profile says about it; NaN where nothing is known."""

    lane: Lane
    peak: float = NaN
    """FLOP/s or op/s at the lane's precision and threads."""
    bandwidth: float = NaN
    """Bytes a second."""
    clock: float = NaN
    """Hz."""

    @property
    def kind(self) -> str:
        """Unit and whether the figures are of single passes: what shares unit costs."""
        return f"{self.lane.unit}{' bulk' if self.lane.is_bulk else ''}"


def facts_of(lane: Lane, profile: DeviceProfile | None) -> LaneFacts:
    """Read the facts of a lane from its device's profile, where there is one."""
    unit = profile.unit(lane.unit) if profile else None
    if profile is None or unit is None:
        return LaneFacts(lane=lane)
    bandwidth = profile.bandwidth(lane.unit)
    return LaneFacts(
        lane=lane,
        peak=_peak(unit, lane),
        bandwidth=NaN if bandwidth is None else bandwidth,
        clock=NaN if unit.clock is None else unit.clock,
    )


def _peak(unit: UnitProfile, lane: Lane) -> float:
    """Return the peak at the precision, else the nearest one; of the threads used."""
    order = ("fp32", "fp16", "int8")
    if lane.precision in _HALF:
        order = ("fp16", "fp32", "int8")
    elif lane.precision.startswith(("int8", "w8a8", "int4")):
        order = ("int8", "fp16", "fp32")
    known = [rate for name in order if (rate := unit.peak.get(name)) is not None]
    if not known:
        return NaN
    if unit.kind == UnitKind.CPU and lane.threads and unit.cores:
        return known[0] * min(1.0, lane.threads / unit.cores)
    return known[0]


@dataclass(frozen=True, kw_only=True)
class LaneSet:
    """Facts of several lanes in columns."""

    facts: tuple[LaneFacts, ...]

    def __len__(self) -> int:
        return len(self.facts)

    @cached_property
    def index(self) -> dict[Lane, int]:
        """Position of each lane."""
        return {one.lane: position for position, one in enumerate(self.facts)}

    @cached_property
    def keys(self) -> dict[str, NDArray[np.str_]]:
        """What has to be equal for each relation of equality."""
        columns: dict[str, list[str]] = {}
        for one in self.facts:
            for name, key in group_keys(one).items():
                columns.setdefault(name, []).append(key)
        return {name: np.array(keys) for name, keys in columns.items()}

    def logs(self, name: str) -> Floats:
        """Return the logarithm of a fact, NaN where unknown."""
        facts: Floats = np.log(np.array([getattr(one, name) for one in self.facts], np.float64))
        return facts

    @cached_property
    def threads(self) -> Floats:
        """Logarithm of the threads; 0 where unknown."""
        return np.log(np.array([one.lane.threads or 1 for one in self.facts], np.float64))


def group_keys(one: LaneFacts) -> dict[str, str]:
    """Name the groups that a lane belongs to, by relation; ``/`` separates parts."""
    lane, kind = one.lane, one.kind
    return {
        "all": "",
        "unit": kind,
        "precision": f"{kind}/{lane.precision}",
        "runtime": f"{kind}/{lane.runtime}",
        "runtime_precision": f"{kind}/{lane.runtime}/{lane.precision}",
        "runtime_variant": f"{kind}/{lane.runtime}/{lane.variant}",
        "device": f"{kind}/{lane.device}",
        "device_runtime": f"{kind}/{lane.device}/{lane.runtime}",
        "device_precision": f"{kind}/{lane.device}/{lane.precision}",
        "device_runtime_precision": f"{kind}/{lane.device}/{lane.runtime}/{lane.precision}",
        "lane": f"{lane.device}/{lane.name}",
    }


@dataclass(frozen=True, kw_only=True)
class LaneScale:
    """Where the facts of lanes are centred: medians over the fitted lanes."""

    peak: float
    bandwidth: float
    clock: float
    typical_peak: dict[str, float]
    """Median log peak by unit, which stands in where a peak is unknown."""

    @staticmethod
    def of(lanes: LaneSet) -> "LaneScale":
        """Take the medians over some lanes."""
        peaks = lanes.logs("peak")
        units = np.array([one.lane.unit for one in lanes.facts])
        known = {u: peaks[(units == u) & ~np.isnan(peaks)] for u in sorted(set(units.tolist()))}
        return LaneScale(
            peak=_median(peaks),
            bandwidth=_median(lanes.logs("bandwidth")),
            clock=_median(lanes.logs("clock")),
            typical_peak={u: float(np.median(v)) for u, v in known.items() if len(v)},
        )

    def log_peak(self, lanes: LaneSet) -> Floats:
        """Return the log peak, the unit's typical one where unknown."""
        typical = [self.typical_peak.get(one.lane.unit, self.peak) for one in lanes.facts]
        peaks = lanes.logs("peak")
        filled: Floats = np.where(np.isnan(peaks), np.array(typical), peaks)
        return filled


def _median(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else 0.0


def relations(a: LaneSet, b: LaneSet, scale: LaneScale) -> dict[str, NDArray[np.float32]]:
    """Return how alike the lanes of ``a`` and ``b`` are: (a, b) per relation.

    Equality relations are 1 or 0; ``threads``, ``peak``, ``bandwidth`` and ``clock`` are products
    of centred logarithms (a linear dependence), ``chip`` falls with the distance of the profiles.
    """

    def equal(name: str) -> NDArray[np.float32]:
        same: NDArray[np.float32] = (a.keys[name][:, None] == b.keys[name][None]).astype(np.float32)
        return same

    found = {name: equal(name) for name in group_keys(LaneFacts(lane=_ANY))}
    unit, device = found["unit"], found["device"]
    threads = (np.outer(a.threads, b.threads) / 4).astype(np.float32)
    found["threads"], found["device_threads"] = unit * threads, device * threads
    for name, center, width in (
        ("peak", scale.peak, 1.5),
        ("bandwidth", scale.bandwidth, 1.5),
        ("clock", scale.clock, 0.5),
    ):
        near, far = (_centred(x.logs(name), center, width) for x in (a, b))
        found[name] = (unit * np.outer(near, far)).astype(np.float32)
    found["chip"] = (unit * _chip(a, b, scale, device)).astype(np.float32)
    return found


_ANY = Lane(device="", unit="", runtime="", precision="")


def _centred(logs: Floats, center: float, width: float) -> Floats:
    filled: Floats = np.where(np.isnan(logs), 0.0, (logs - center) / width)
    return filled


def _chip(
    a: LaneSet, b: LaneSet, scale: LaneScale, device: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Squared-exponential likeness of peak, bandwidth and their ratio; the device if unknown."""
    left, right = _chip_place(a, scale), _chip_place(b, scale)
    distance = ((left[:, None] - right[None]) ** 2).sum(axis=-1)
    likeness = np.exp(-0.5 * distance)
    return np.where(np.isnan(likeness), device, likeness).astype(np.float32)


def _chip_place(lanes: LaneSet, scale: LaneScale) -> Floats:
    peak = lanes.logs("peak") - scale.peak
    bandwidth = lanes.logs("bandwidth") - scale.bandwidth
    return np.stack([peak - bandwidth, peak / 1.5, bandwidth / 1.5], axis=1)


def lane_document(one: LaneFacts) -> dict[str, object]:
    """Write a lane's facts as plain data; unknown facts are left out."""
    lane = one.lane
    document: dict[str, object] = {
        name: getattr(lane, name)
        for name in ("device", "unit", "runtime", "precision", "threads", "batch", "variant")
    }
    known = {n: getattr(one, n) for n in ("peak", "bandwidth", "clock")}
    return document | {name: value for name, value in known.items() if not math.isnan(value)}


def lanes_from(documents: Sequence[dict[str, object]]) -> LaneSet:
    """Read the lanes that ``lane_document`` wrote."""
    facts = []
    for document in documents:
        known = {n: float(str(document.get(n, "nan"))) for n in ("peak", "bandwidth", "clock")}
        threads = document["threads"]
        lane = Lane(
            device=str(document["device"]),
            unit=str(document["unit"]),
            runtime=str(document["runtime"]),
            precision=str(document["precision"]),
            threads=None if threads is None else int(str(threads)),
            batch=int(str(document["batch"])),
            variant=str(document["variant"]),
        )
        facts.append(LaneFacts(lane=lane, **known))
    return LaneSet(facts=tuple(facts))
