"""Lanes as the estimator sees them: the facts that decide their speed, and how alike two are.

Two lanes are alike by what they share (the runtime, the chip, the design of its cores …) and by
facts that move the time evenly (a peak, the threads, the year). A fact that nobody knows is taken
from the nearest kin: units of the same design, else of its family, else of its kind.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.core.frozen_record import Record
from advisor.core.lane import Lane
from advisor.hardware.cores import core_rate, core_rates, peak, thread_efficiency
from advisor.hardware.profile import DeviceProfile, UnitKind, UnitProfile
from advisor.hardware.silicon import Silicon

Floats = NDArray[np.float64]
NaN = float("nan")

BULK_BATCH = 128
"""Images that stand for the large batches of bulk lanes, which differ from figure to figure."""
_HALF = frozenset({"fp16", "amp", "bf16", "w8a16", "w8a16_mixed_int16", "int16"})
_EIGHT_BITS = ("int8", "w8a8", "int4")
_NO_HALVES = ("armv7", "32-bit")
"""Variants whose instruction set has no arithmetic of halves."""
_ACCELERATORS = frozenset({UnitKind.NPU, UnitKind.TPU, UnitKind.DLA})
_SMALL_CORES = "little cores"
_ALL_THREADS = "multi-thread"
_FAMILIES_OF_CORES = ("Cortex-A", "Cortex-X")
"""Families that one chip may hold several of, by how the names of their cores begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFacts:
    """A lane with what its device's profile says about it; NaN or "" where nothing is known."""

    lane: Lane
    chip: str = ""
    """The die of the unit."""
    family: str = ""
    """Family of the unit's design, such as ``Hexagon`` or ``Cortex-A``."""
    design: str = ""
    """The design itself, such as ``Hexagon v73`` or ``Cortex-A76``."""
    peak: float = NaN
    """FLOP/s or op/s at the lane's precision; of a CPU the geometric mean of what an even split
    over the threads reaches, where all wait for the slowest core, and of the sum of the cores
    used, where the faster ones take over work; less what threads cost one another."""
    threads: float = NaN
    """Cores used, also where the lane does not say how many; of a CPU only."""
    core: float = NaN
    """FLOP/s of the fastest core used."""
    balance: float = NaN
    """The slowest core used, times the threads, over the sum of all: 1 where they are equal."""
    bandwidth: float = NaN
    """Bytes a second."""
    year: float = NaN
    """First availability of the chip."""
    odd: float = 0.0
    """Log seconds by which the lane is slower than its kin lead to expect, where that is more than
    they can explain; such a lane tells its kin less."""

    @property
    def kind(self) -> str:
        """Unit and whether the figures are of single passes: what shares unit costs."""
        return f"{self.lane.unit}{' bulk' if self.lane.is_bulk else ''}"

    @property
    def images(self) -> int:
        """Images of one pass."""
        return BULK_BATCH if self.lane.is_bulk else self.lane.batch


def facts_of(lane: Lane, profile: DeviceProfile | None) -> LaneFacts:
    """Read the facts of a lane from its device's profile, where there is one."""
    unit = profile.unit(lane.unit) if profile else None
    if profile is None or unit is None:
        return LaneFacts(lane=lane)
    bandwidth = profile.bandwidth(lane.unit)
    facts = LaneFacts(lane=lane, bandwidth=NaN if bandwidth is None else bandwidth)
    silicon = unit.silicon
    if silicon is not None:
        family, design = _design_used(silicon, lane)
        facts = replace(
            facts,
            chip=silicon.chip_id or "",
            family=family,
            design=design,
            year=NaN if silicon.year is None else float(silicon.year),
        )
    return _with_speed(facts, unit)


def _design_used(silicon: Silicon, lane: Lane) -> tuple[str, str]:
    """Return what a lane runs on, family and design: the unit, an overlay or its small cores."""
    family, design = silicon.ip_family or "", silicon.microarchitecture or ""
    overlay = silicon.overlay(lane.variant)
    if overlay is not None:
        return family, overlay.microarchitecture or design
    if _SMALL_CORES not in lane.variant or not silicon.clusters:
        return family, design
    small = silicon.clusters[-1].core
    return next((one for one in _FAMILIES_OF_CORES if small.startswith(one)), family), small


def _with_speed(facts: LaneFacts, unit: UnitProfile) -> LaneFacts:
    """Add what the cores that a lane uses reach, else the unit's peak."""
    rates = _used_rates(unit, facts.lane)
    if not rates:
        return replace(facts, peak=_unit_peak(unit, facts.lane))
    even, most = rates[-1] * len(rates), sum(rates)
    efficiency = thread_efficiency(unit.silicon, len(rates)) if unit.silicon else 1.0
    return replace(
        facts,
        peak=math.sqrt(even * most) * efficiency,
        threads=float(len(rates)),
        core=rates[0],
        balance=even / most,
    )


def _used_rates(unit: UnitProfile, lane: Lane) -> list[float]:
    """Return the rates of the cores of a CPU that a lane uses, fastest first."""
    halves = lane.precision in _HALF and not any(word in lane.variant for word in _NO_HALVES)
    precision = "fp16" if halves else "int8" if _is_narrow(lane) else "fp32"
    rates = sorted(core_rates(unit, precision), reverse=True)
    if not rates:
        one = core_rate(unit, precision)
        return [] if one is None else [one] * (lane.threads or 0)
    if _SMALL_CORES in lane.variant:
        rates = [rate for rate in rates if rate == rates[-1]]
    return rates[: lane.threads or _usual_threads(unit, lane, rates)]


def _usual_threads(unit: UnitProfile, lane: Lane, rates: Sequence[float]) -> int:
    """Guess the threads of a lane that does not say: the fastest cores, all where it says so.

    A single fastest core is not left alone: runtimes take those of the next cluster as well.
    """
    if _ALL_THREADS in lane.variant or unit.silicon is None:
        return len(rates)
    first, *rest = (cluster.cores for cluster in unit.silicon.clusters)
    return first + sum(rest[:1]) if first == 1 else first


def _unit_peak(unit: UnitProfile, lane: Lane) -> float:
    """Return the peak at the precision, else at the nearest one; of the threads or cores used.

    Of accelerators it is that of int8 at any precision, as few state another: what a precision
    costs there is left to the lanes of one design or family.
    """
    overlay = unit.silicon.overlay(lane.variant) if unit.silicon else None
    if overlay is not None:
        return NaN if overlay.peak is None else overlay.peak * _share_used(unit, lane)
    order = ("fp32", "fp16", "int8")
    if unit.kind in _ACCELERATORS:
        order = ("int8", "fp16", "fp32")
    elif lane.precision in _HALF:
        order = ("fp16", "fp32", "int8")
    elif _is_narrow(lane):
        order = ("int8", "fp16", "fp32")
    known = [one.rate for name in order if (one := peak(unit, name)) is not None]
    if not known:
        return NaN
    return known[0] * _share_used(unit, lane)


def _share_used(unit: UnitProfile, lane: Lane) -> float:
    """Return the share of a unit's cores that one pass runs on."""
    if not unit.cores:
        return 1.0
    if unit.kind is UnitKind.CPU:
        return min(1.0, (lane.threads or unit.cores) / unit.cores)
    of_one_pass = unit.silicon.cores_used if unit.silicon else None
    return 1.0 if lane.is_bulk else min(1.0, (of_one_pass or unit.cores) / unit.cores)


def _is_narrow(lane: Lane) -> bool:
    return lane.precision.startswith(_EIGHT_BITS)


class LaneSet(Record):
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
        """Name of each lane's group, by the way of grouping."""
        keys = [group_keys(one) for one in self.facts]
        return {name: np.array([one[name] for one in keys]) for name in GROUPINGS}

    def codes(self, grouping: str) -> NDArray[np.uint64]:
        """Return the group of each lane as a number, which compares faster than its name."""
        if grouping not in self._codes:
            code = np.zeros(len(self), np.uint64)
            for part in GROUPINGS[grouping]:
                code = code * _MIXING ^ self._hashes(part)
            self._codes[grouping] = code
        return self._codes[grouping]

    def _hashes(self, part: str) -> NDArray[np.uint64]:
        """Return a hash of one part of the lanes' group names."""
        if part not in self._parts:
            part_of = PARTS[part]
            hashes = np.array([hash(part_of(one)) for one in self.facts], np.int64)
            self._parts[part] = hashes.astype(np.uint64)
        return self._parts[part]

    @cached_property
    def _codes(self) -> dict[str, NDArray[np.uint64]]:
        return {}

    @cached_property
    def _parts(self) -> dict[str, NDArray[np.uint64]]:
        return {}

    @cached_property
    def kinds(self) -> list[str]:
        """Kind of each lane."""
        return [one.kind for one in self.facts]

    @cached_property
    def kin(self) -> list[tuple[str, ...]]:
        """Groups whose typical facts stand for those of each lane, the nearest first."""
        found: dict[tuple[str, ...], tuple[str, ...]] = {}
        keys = []
        for kind, one in zip(self.kinds, self.facts, strict=True):
            known = (kind, one.lane.unit, one.design or one.lane.device,
                     one.family or one.lane.device)  # fmt: skip
            if known not in found:
                found[known] = tuple(f"{name}:{group_key(one, name)}" for name in _KIN)
            keys.append(found[known])
        return keys

    @cached_property
    def steps(self) -> "dict[str, tuple[LaneScale, Floats]]":
        """Centred facts by their name, as far as they were asked, with the scale they are of."""
        return {}

    def logs(self, name: str) -> Floats:
        """Return a fact, its logarithm where it is a rate or a count; NaN where unknown."""
        facts = np.array([getattr(one, name) for one in self.facts], np.float64)
        return facts if name in _PLAIN else np.log(facts)

    @cached_property
    def odd(self) -> Floats:
        """Return how odd each lane is."""
        return np.array([one.odd for one in self.facts], np.float64)

    def with_odd(self, odd: Floats) -> "LaneSet":
        """Return the lanes with what makes them odd."""
        pairs = zip(self.facts, odd.tolist(), strict=True)
        return LaneSet(facts=tuple(replace(one, odd=value) for one, value in pairs))

    def take(self, rows: Sequence[int]) -> "LaneSet":
        """Return some of the lanes."""
        return LaneSet(facts=tuple(self.facts[row] for row in rows))


PARTS: Mapping[str, Callable[[LaneFacts], str]] = {
    "kind": lambda one: one.kind,
    "unit": lambda one: one.lane.unit,
    "precision": lambda one: one.lane.precision,
    "runtime": lambda one: one.lane.runtime,
    "variant": lambda one: one.lane.variant,
    "device": lambda one: one.lane.device,
    "chip": lambda one: one.chip or one.lane.device,
    "design": lambda one: one.design or one.lane.device,
    "family": lambda one: one.family or one.lane.device,
    "name": lambda one: one.lane.name,
}
"""What the names of groups are put together from; a device without facts of its silicon stands
for its own chip and design."""
GROUPINGS: Mapping[str, tuple[str, ...]] = {
    "all": (),
    "unit": ("kind",),
    "precision": ("kind", "precision"),
    "runtime": ("kind", "runtime"),
    "runtime_precision": ("kind", "runtime", "precision"),
    "runtime_variant": ("kind", "runtime", "variant"),
    "device": ("unit", "device"),
    "device_runtime": ("unit", "device", "runtime"),
    "device_precision": ("unit", "device", "precision"),
    "chip": ("unit", "chip"),
    "design": ("unit", "design"),
    "design_runtime": ("unit", "design", "runtime"),
    "design_precision": ("unit", "design", "precision"),
    "family": ("unit", "family"),
    "family_runtime": ("unit", "family", "runtime"),
    "family_precision": ("unit", "family", "precision"),
    "lane": ("device", "name"),
}
"""Ways of grouping lanes, with the parts that lanes of one group have in common."""
_MIXING = np.uint64(0x9E3779B97F4A7C15)
"""Odd multiplier that keeps the order of the parts apart."""


def group_key(one: LaneFacts, grouping: str) -> str:
    """Name the group that a lane belongs to by one way of grouping; ``/`` separates parts."""
    return "/".join(PARTS[part](one) for part in GROUPINGS[grouping])


@lru_cache(maxsize=1 << 14)
def group_keys(one: LaneFacts) -> Mapping[str, str]:
    """Name the groups that a lane belongs to, by the way of grouping."""
    return {grouping: group_key(one, grouping) for grouping in GROUPINGS}


ODD = "chip:odd"
_PLAIN = frozenset({"year"})
SLOPES: Mapping[str, float] = {
    "peak": 1.5,
    "threads": 1.0,
    "core": 1.0,
    "balance": 0.5,
    "bandwidth": 1.5,
    "year": 2.5,
    "images": 2.0,
}
"""Facts along which the time may rise or fall evenly, with the width that counts as one step."""
FILLED = ("peak", "threads", "core", "balance", "bandwidth", "year", "images")
_KIN = ("design", "family", "unit")
"""Whose typical value stands for a fact that is unknown: the first of these that has one."""


class LaneScale(Record):
    """What is typical of the fitted lanes: means of facts by design, family and unit."""

    typical: Mapping[str, Mapping[str, float]]
    """Fact -> ``grouping:group`` -> mean over the devices of the group."""

    @staticmethod
    def of(lanes: LaneSet) -> "LaneScale":
        """Average the facts of some lanes, every device counting once."""
        devices = np.array([one.lane.device for one in lanes.facts])
        found: dict[str, dict[str, float]] = {}
        for name in FILLED:
            values = lanes.logs(name)
            by_group: dict[str, float] = {}
            for grouping in _KIN:
                keys = lanes.keys[grouping]
                for key in np.unique(keys):
                    mine = (keys == key) & ~np.isnan(values)
                    of_device = [values[mine & (devices == d)].mean() for d in set(devices[mine])]
                    if of_device:
                        by_group[f"{grouping}:{key}"] = round(float(np.mean(of_device)), 4)
            found[name] = by_group
        return LaneScale(typical=found)

    def filled(self, lanes: LaneSet, name: str) -> Floats:
        """Return a fact of each lane, that of its nearest kin where it is unknown, else 0."""
        values, known = lanes.logs(name), self.typical.get(name, {})
        for row in np.flatnonzero(np.isnan(values)).tolist():
            values[row] = next((known[key] for key in lanes.kin[row] if key in known), 0.0)
        return values

    def of_unit(self, lanes: LaneSet, name: str) -> Floats:
        """Return what is typical of a fact on each lane's kind of unit, 0 where nothing is."""
        known = self.typical.get(name, {})
        of_kind = {kind: known.get(f"unit:{kind}", 0.0) for kind in set(lanes.kinds)}
        return np.array([of_kind[kind] for kind in lanes.kinds])

    def centred(self, lanes: LaneSet, name: str) -> Floats:
        """Return a fact of each lane in steps from what is typical of its unit."""
        scale, steps = lanes.steps.get(name, (None, None))
        if scale is not self or steps is None:
            steps = (self.filled(lanes, name) - self.of_unit(lanes, name)) / SLOPES[name]
            lanes.steps[name] = (self, steps)
        return steps


def relations(
    a: LaneSet, b: LaneSet, scale: LaneScale, names: Sequence[str]
) -> dict[str, NDArray[np.float32]]:
    """Return how alike the lanes of ``a`` and ``b`` are: (a, b) by the name of the relation.

    ``design`` is 1 where the lanes are of one design, else 0; ``design:peak`` is a slope along the
    peak that lanes of one design share: the product of both centred facts. ``ODD`` is what odd
    lanes of one chip have in common.
    """
    return {name: _relation(a, b, scale, name) for name in names}


def _relation(a: LaneSet, b: LaneSet, scale: LaneScale, name: str) -> NDArray[np.float32]:
    grouping, _, fact = name.partition(":")
    same: NDArray[np.float32] = (a.codes(grouping)[:, None] == b.codes(grouping)).astype(np.float32)
    if not fact:
        return same
    if name == ODD:
        along = np.outer(a.odd, b.odd)
    else:
        along = np.outer(scale.centred(a, fact), scale.centred(b, fact))
    sloped: NDArray[np.float32] = same * along.astype(np.float32)
    return sloped


_NUMBERS = tuple(f.name for f in fields(LaneFacts) if f.type is float or f.type == "float")
_NAMES = ("chip", "family", "design")
_OF_LANE = ("device", "unit", "runtime", "precision", "threads", "batch", "variant")
_STORED = (*_NAMES, *(name for name in _NUMBERS if name != "threads"))
"""Facts that files hold by their own names; ``threads`` is the lane's there, that of the facts
``cores``."""


def lane_document(one: LaneFacts) -> dict[str, object]:
    """Write a lane's facts as plain data; unknown facts are left out."""
    lane = one.lane
    document: dict[str, object] = {name: getattr(lane, name) for name in _OF_LANE}
    names = {name: getattr(one, name) for name in _NAMES if getattr(one, name)}
    known = {name: getattr(one, name) for name in _NUMBERS}
    numbers = {n: float(f"{v:.6g}") for n, v in known.items() if v and not math.isnan(v)}
    facts = names | {("cores" if n == "threads" else n): v for n, v in numbers.items()}
    return document | facts


def lanes_from(documents: Sequence[dict[str, Any]]) -> LaneSet:
    """Read the lanes that ``lane_document`` wrote."""
    return LaneSet(facts=tuple(_lane_from(document) for document in documents))


def _lane_from(document: Mapping[str, Any]) -> LaneFacts:
    known = {name: document[name] for name in _STORED if name in document}
    if "cores" in document:
        known["threads"] = document["cores"]
    return LaneFacts(lane=Lane(**{name: document[name] for name in _OF_LANE}), **known)
