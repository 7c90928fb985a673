"""DeviceProfile: what is known of one device, every group of figures with source and confidence.

All quantities are SI. A figure that nobody published is None, never 0. ``resolve_lane`` turns
what a user asked for into one lane of the device, or refuses it with the reason.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from advisor.core.frozen_record import Record
from advisor.core.lane import BULK, Lane
from advisor.core.request import LaneRequest
from advisor.errors import UsageError
from advisor.hardware.origin import Sourced
from advisor.hardware.silicon import Silicon

PRECISIONS = ("fp32", "fp16", "bf16", "amp", "int8", "int16", "w8a16", "int4")
"""Precisions a lane may be asked for; publications add mixed ones such as ``w8a16_mixed_int16``."""


class UnitKind(StrEnum):
    """What executes the network."""

    CPU = "cpu"
    GPU = "gpu"
    NPU = "npu"
    TPU = "tpu"
    DLA = "dla"


class PowerKind(StrEnum):
    """What a power figure is of: these are different quantities and never mixed."""

    TDP = "tdp"
    """Thermal design power of the chip or module, as the vendor states it."""
    RAIL = "rail"
    """Measured or computed on the supply of the chip alone."""
    WALL = "wall"
    """Measured at the input of the whole board or machine."""
    UNKNOWN = "unknown"


class LifecycleStatus(StrEnum):
    """Whether the device can still be bought new."""

    ACTIVE = "active"
    EOL_ANNOUNCED = "eol_announced"
    EOL = "eol"
    UNKNOWN = "unknown"


class PeakRates(Record):
    """Most operations a second by precision; a multiply-add counts as two; dense."""

    rates: tuple[tuple[str, float], ...] = ()
    """(precision, FLOP/s or op/s), in the order fp32, fp16, int8."""

    def get(self, precision: str) -> float | None:
        """Rate in FLOP/s or op/s; None where nobody published one."""
        return dict(self.rates).get(precision)

    def __bool__(self) -> bool:
        """Whether any rate is known."""
        return bool(self.rates)


class UnitProfile(Record):
    """One compute unit of a device."""

    kind: UnitKind
    name: str
    cores: int | None = None
    """Cores of all clusters together; ``silicon.clusters`` tells them apart."""
    clock: float | None = None
    """Clock of the fastest cluster in Hz."""
    silicon: Silicon | None = None
    """What the unit is made of: the facts by which kin devices are found."""
    peak: PeakRates
    """As published. ``advisor.hardware.cores.peak`` fills a CPU's from its cores."""
    int8_path: str | None = None
    """How the unit multiplies int8, such as ``sdot`` or ``tensor core``."""
    on_chip_memory: float | None = None
    """Bytes of SRAM or last-level cache."""
    link_bandwidth: float | None = None
    """Bytes a second between the unit and the memory it works from, where a link limits it."""
    unsupported: tuple[tuple[str, str], ...] = ()
    """(precision, reason) for what the unit cannot compute."""
    storage_only: tuple[str, ...] = ()
    """Precisions in which the unit keeps numbers but does not compute."""
    runtimes: tuple[str, ...] = ()
    runtime_limits: tuple[tuple[str, str], ...] = ()
    """(runtime, version limit), such as ``("tensorrt", "<=8.2")``."""
    compute: Sourced
    """Source of cores, clock, peaks and on-chip memory."""
    software: Sourced
    """Source of the runtimes."""

    def reason_against(self, precision: str) -> str | None:
        """Why the unit cannot compute in ``precision``; None where nothing is known against it."""
        return dict(self.unsupported).get(precision)


class MemoryProfile(Record):
    """Main memory of the device, or of its card."""

    capacity: float | None = None
    """Bytes of the smallest version sold."""
    capacity_max: float | None = None
    """Bytes of the largest version sold, where there are several."""
    shared: bool | None = None
    """Whether CPU and accelerator share it."""
    bandwidth: float | None = None
    """Theoretical bytes a second; copies reach a fraction of it."""
    flash: float | None = None
    """Bytes of program memory of a microcontroller, where the weights lie."""
    ram: float | None = None
    """Bytes of static RAM of a microcontroller, where the activations lie."""
    origin: Sourced


class PowerMode(Record):
    """A mode the device can be set to."""

    name: str
    power: float | None = None
    """Watts that the mode is named for."""
    clocks: tuple[tuple[str, float], ...] = ()
    """(unit, Hz) of the units whose highest clock in the mode is known."""

    @property
    def text(self) -> str:
        """The mode for people: ``5W: cpu 0.918 GHz, gpu 0.64 GHz``."""
        clocks = ", ".join(f"{unit} {clock / 1e9:g} GHz" for unit, clock in self.clocks)
        return f"{self.name}: {clocks}" if clocks else self.name


class PowerProfile(Record):
    """What the device draws; ``kind`` says which quantity the figures are."""

    kind: PowerKind
    covers: str
    """``device`` or the unit that the figure is of."""
    typical: float | None = None
    """Watts under load, or the TDP."""
    idle: float | None = None
    """Watts."""
    modes: tuple[PowerMode, ...] = ()
    origin: Sourced


class Price(Record):
    """One price on one date."""

    amount: float
    """US dollars."""
    date: str | None = None
    """YYYY, YYYY-MM or YYYY-MM-DD."""
    item: str | None = None
    """What is sold: ``developer kit``, ``module``, ``phone``."""
    quantity: int | None = None
    """Least quantity at this price; None where the publication does not say."""
    approximate: bool = False


class PriceProfile(Record):
    """What the device costs."""

    launch: Price | None = None
    recent: Price | None = None
    hourly: float | None = None
    """US dollars an hour where the device is rented."""
    origin: Sourced


class LifecycleEvent(Record):
    """One dated fact about availability."""

    event: str
    """eol_announced, available_until, last_time_buy, last_ship or software_end."""
    date: str
    """YYYY, YYYY-MM or YYYY-MM-DD."""
    item: str | None = None
    """Version of the device, where the fact is of one."""


class Lifecycle(Record):
    """Whether and until when the device can be bought."""

    status: LifecycleStatus
    events: tuple[LifecycleEvent, ...] = ()
    last_software: str | None = None
    note: str | None = None
    """Terse fact that has no date, such as ``consumer phone``."""
    origin: Sourced


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneEvidence(Lane):
    """A lane that publications measured."""

    rows: int
    """Published figures."""
    networks: int
    """Different networks of the catalog among them that match exactly."""


class DeviceProfile(Record):
    """Everything known of one device."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    """Other names of this device; one that several devices carry is refused as ambiguous."""
    vendor: str | None = None
    chip: str | None = None
    chip_aliases: tuple[str, ...] = ()
    """Other names of its chip, which devices with this chip share."""
    form: str | None = None
    """sbc, module, phone, laptop, tablet, desktop, mini-pc, server, card, mcu or eval-board."""
    units: tuple[UnitProfile, ...]
    memory: MemoryProfile | None = None
    power: PowerProfile | None = None
    price: PriceProfile | None = None
    lifecycle: Lifecycle | None = None
    lanes: tuple[LaneEvidence, ...] = ()
    """Measured lanes, most networks first, as the catalog counts them; no profile states them."""
    default_lane: Lane

    def unit(self, kind: str) -> UnitProfile | None:
        """The unit of that kind; None where the device has none."""
        return next((unit for unit in self.units if unit.kind == kind), None)

    def bandwidth(self, kind: str) -> float | None:
        """Bytes a second that feed the unit: its link where one limits it, else the memory."""
        unit = self.unit(kind)
        if unit is not None and unit.link_bandwidth is not None:
            return unit.link_bandwidth
        return self.memory.bandwidth if self.memory else None

    def evidence(self, lane: Lane) -> LaneEvidence | None:
        """What was published for the lane; None where nothing was."""
        return next((item for item in self.lanes if item.lane == lane), None)


class LaneChoice(Record):
    """The lane that a request leads to."""

    lane: Lane
    evidence: LaneEvidence | None
    """What was published for it; None where it can only be predicted from other lanes."""

    @property
    def caveats(self) -> tuple[str, ...]:
        """What the reader of an answer has to know about the lane."""
        if self.evidence is None:
            return (f"no published measurement of {self.lane.device} in lane {self.lane.name}",)
        return ()


def resolve_lane(
    profile: DeviceProfile, request: LaneRequest, *, known_runtimes: Collection[str] = ()
) -> LaneChoice:
    """Return the lane of ``profile`` that fits the request best.

    ``known_runtimes`` are those that any device has evidence for; the profile's own are always
    known. Raises UsageError for an unknown name and for a precision that the unit lacks.
    """
    _check_names(profile, request, known_runtimes)
    unit = _unit_for(profile, request)
    if request.precision is not None:
        _check_precision(profile, unit, request.precision)
    fitting = [item for item in profile.lanes if item.unit == unit.kind and request.fits(item)]
    default = profile.default_lane
    if default.unit == unit.kind and request.fits(default):
        lane = default
    elif fitting:
        lane = min(fitting, key=lambda item: _distance(item, profile)).lane
    else:
        lane = _unmeasured(profile, unit, request)
        _check_precision(profile, unit, lane.precision)
    return LaneChoice(lane=lane, evidence=profile.evidence(lane))


def _check_names(
    profile: DeviceProfile, request: LaneRequest, known_runtimes: Collection[str]
) -> None:
    if request.unit is not None and profile.unit(request.unit) is None:
        units = [str(unit.kind) for unit in profile.units]
        raise _refusal(profile, "unit", request.unit, units)
    if request.runtime is not None:
        runtimes = {*known_runtimes, *_own_runtimes(profile)}
        if request.runtime not in runtimes:
            raise _refusal(profile, "runtime", request.runtime, runtimes)
    if request.precision is not None:
        precisions = {*PRECISIONS, *(item.precision for item in profile.lanes)}
        if request.precision not in precisions:
            raise _refusal(profile, "precision", request.precision, precisions)
    if request.batch is not None and request.batch < BULK:
        raise UsageError(f"batch {request.batch} is negative; allowed: 1 or more, 0 for bulk")
    if request.threads is not None and request.threads < 1:
        raise UsageError(f"threads {request.threads} is out of range; allowed: 1 or more")


def _refusal(profile: DeviceProfile, kind: str, value: str, allowed: Iterable[str]) -> UsageError:
    names = sorted(allowed)
    from difflib import get_close_matches

    near = get_close_matches(value, names, n=2, cutoff=0.7)
    hint = f"; did you mean {' or '.join(repr(name) for name in near)}?" if near else ""
    listing = ", ".join(names)
    return UsageError(f"{profile.id}: unknown {kind} {value!r}{hint} (allowed: {listing})")


def _own_runtimes(profile: DeviceProfile) -> set[str]:
    listed = {runtime for unit in profile.units for runtime in unit.runtimes}
    return listed | {item.runtime for item in profile.lanes}


def _unit_for(profile: DeviceProfile, request: LaneRequest) -> UnitProfile:
    """Pick the unit: the one asked for, else the default, else one that has the runtime."""
    default = _existing(profile, request.unit or profile.default_lane.unit)
    if request.unit is not None or request.runtime is None:
        return default
    with_runtime = [item.unit for item in profile.lanes if item.runtime == request.runtime]
    listed = [unit.kind for unit in profile.units if request.runtime in unit.runtimes]
    if default.kind in with_runtime or (not with_runtime and default.kind in listed):
        return default
    other = next(iter([*with_runtime, *listed]), default.kind)
    return _existing(profile, other)


def _existing(profile: DeviceProfile, kind: str) -> UnitProfile:
    unit = profile.unit(kind)
    if unit is None:
        raise UsageError(f"{profile.id} has no {kind}")
    return unit


def _check_precision(profile: DeviceProfile, unit: UnitProfile, precision: str) -> None:
    reason = unit.reason_against(precision)
    if reason is None:
        return
    able = sorted({item.precision for item in profile.lanes if item.unit == unit.kind})
    others = sorted(
        {f"--unit {o.kind}" for o in profile.units if o is not unit}
        & {f"--unit {item.unit}" for item in profile.lanes if item.precision == precision}
    )
    ways = [f"precisions measured there: {', '.join(able)}"] if able else []
    ways += [f"or {' or '.join(others)}"] if others else []
    hint = f" ({'; '.join(ways)})" if ways else ""
    raise UsageError(f"{profile.id} {unit.kind}: no {precision}: {reason}{hint}")


def _distance(item: LaneEvidence, profile: DeviceProfile) -> tuple[object, ...]:
    """Order lanes by closeness to the default lane, then by how much is known of them."""
    default = profile.default_lane
    return (
        item.batch != default.batch,
        item.runtime != default.runtime,
        item.precision != default.precision,
        -item.networks,
        -item.rows,
        item.variant != default.variant,
    )


def _unmeasured(profile: DeviceProfile, unit: UnitProfile, request: LaneRequest) -> Lane:
    """Build a lane without evidence: what was asked, the rest as on the closest known lane."""
    same = [item for item in profile.lanes if item.unit == unit.kind]
    closest = min(
        same,
        key=lambda item: (item.runtime != request.runtime, _distance(item, profile)),
        default=None,
    )
    runtime = request.runtime or (closest.runtime if closest else next(iter(unit.runtimes), None))
    if runtime is None:
        raise UsageError(f"{profile.id} {unit.kind}: no runtime is known; name one by --runtime")
    precision = request.precision or (closest.precision if closest else first_precision(unit))
    fallback_batch = closest.batch if closest and closest.runtime == runtime else 1
    return Lane(
        device=profile.id,
        unit=unit.kind,
        runtime=runtime,
        precision=precision,
        threads=request.threads if unit.kind == UnitKind.CPU else None,
        batch=fallback_batch if request.batch is None else request.batch,
    )


def first_precision(unit: UnitProfile) -> str:
    """Precision to assume on a unit without evidence: the first common one that it computes in.

    Where the profile states peak rates, one that has a rate comes before one that has none: an
    accelerator of which only int8 is published is asked in int8.
    """
    common = ("fp32",) if unit.kind == UnitKind.CPU else ("fp16", "int8", "fp32")
    order = sorted(common, key=lambda one: bool(unit.peak) and unit.peak.get(one) is None)
    usable = (p for p in order if unit.reason_against(p) is None and p not in unit.storage_only)
    return next(usable, "fp32")
