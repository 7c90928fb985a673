"""The file format of device profiles: documents in file units, converted to SI.

Only this module knows the field names of ``profiles/*.yaml``. Field suffixes give the unit:
``_ghz``, ``_mb`` and ``_gb`` (10^6, 10^9), ``_kib`` and ``_mib`` (2^10, 2^20), ``_gb_s``, ``_w``,
``_usd``, ``peak_gflops``, ``peak_gops``.
"""

from collections.abc import Mapping
from dataclasses import field, fields
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from advisor.core.filed import Document, Rule
from advisor.core.lane import MOST_BATCH, MOST_THREADS, Lane
from advisor.hardware.origin import Confidence, Sourced
from advisor.hardware.profile import (
    DeviceProfile,
    Lifecycle,
    LifecycleEvent,
    LifecycleStatus,
    MemoryProfile,
    PeakRates,
    PowerKind,
    PowerMode,
    PowerProfile,
    Price,
    PriceProfile,
    UnitKind,
    UnitProfile,
)
from advisor.hardware.silicon import Cluster, Overlay, Silicon

Positive = Annotated[float, Rule(strict=True, ge=1e-9, le=1e12)]
"""In the units of the files nothing real is smaller or larger by far."""
Whole = Annotated[int, Rule(strict=True)]
Count = Annotated[Whole, Rule(ge=1, le=1_000_000)]
Truth = Annotated[bool, Rule(strict=True)]
Plain = Annotated[str, Rule(strict=True)]
Text = Annotated[Plain, Rule(min_length=1)]
Day = Annotated[Plain, Rule(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]
Name = Annotated[Plain, Rule(pattern=r"^[a-z0-9][a-z0-9.+_\-]*$")]
Alias = Annotated[Text, Rule(pattern=r"^[^;]+$")]
Form = Literal[
    "sbc", "module", "phone", "laptop", "tablet", "desktop", "mini-pc", "server", "card", "mcu",
    "eval-board",
]  # fmt: skip


class _SourcedFigures(Document):
    source: Text
    confidence: Confidence

    def origin(self) -> Sourced:
        return Sourced(source=self.source, confidence=self.confidence)


class _Cluster(Document):
    cores: Annotated[Whole, Rule(ge=1, le=MOST_THREADS)]
    core: Text
    clock_ghz: Positive | None = None

    def convert(self) -> Cluster:
        return Cluster(cores=self.cores, core=self.core, clock=_scaled(self.clock_ghz, 1e9))


class _Overlay(Document):
    variant: Plain
    microarchitecture: Text | None = None
    peak_gops: Positive | None = None

    def convert(self) -> Overlay:
        return Overlay(
            variant=self.variant,
            microarchitecture=self.microarchitecture,
            peak=_scaled(self.peak_gops, 1e9),
        )


class _Silicon(_SourcedFigures):
    chip_id: Name | None = None
    bin: Name | None = None
    host_chip_id: Name | None = None
    year: Annotated[Whole, Rule(ge=1970, le=2100)] | None = None
    vendor: Text | None = None
    ip_family: Text | None = None
    related_family: Text | None = None
    microarchitecture: Text | None = None
    generation: Positive | None = None
    brand: Text | None = None
    clusters: list[_Cluster] = field(default_factory=list)
    narrow_memory: Truth = False
    l2_mib: Positive | None = None
    l2_shared_by: Count | None = None
    l3_mib: Positive | None = None
    cores_used: Count | None = None
    overlays: list[_Overlay] = field(default_factory=list)
    note: Text | None = None

    def convert(self) -> Silicon:
        """Return it in SI."""
        return Silicon(
            chip_id=self.chip_id,
            bin=self.bin,
            host_chip_id=self.host_chip_id,
            year=self.year,
            vendor=self.vendor,
            ip_family=self.ip_family,
            related_family=self.related_family,
            microarchitecture=self.microarchitecture,
            generation=self.generation,
            brand=self.brand,
            clusters=tuple(cluster.convert() for cluster in self.clusters),
            narrow_memory=self.narrow_memory,
            l2=_scaled(self.l2_mib, 2**20),
            l2_shared_by=self.l2_shared_by,
            l3=_scaled(self.l3_mib, 2**20),
            cores_used=self.cores_used,
            overlays=tuple(overlay.convert() for overlay in self.overlays),
            note=self.note,
            origin=self.origin(),
        )


class _Unit(_SourcedFigures):
    kind: UnitKind
    name: Text
    cores: Count | None = None
    clock_ghz: Positive | None = None
    silicon: _Silicon | None = None
    peak_gflops: dict[Name, Positive] = field(default_factory=dict)
    peak_gops: dict[Name, Positive] = field(default_factory=dict)
    int8_path: Text | None = None
    on_chip_mb: Positive | None = None
    link_gb_s: Positive | None = None
    unsupported: dict[Name, Text] = field(default_factory=dict)
    storage_only: list[Name] = field(default_factory=list)
    runtimes: list[Name] = field(default_factory=list)
    runtime_limits: dict[Name, Text] = field(default_factory=dict)
    runtimes_source: Text
    runtimes_confidence: Confidence = Confidence.UNKNOWN

    def convert(self) -> UnitProfile:
        rates = [*self.peak_gflops.items(), *self.peak_gops.items()]
        return UnitProfile(
            kind=self.kind,
            name=self.name,
            cores=self.cores,
            clock=_scaled(self.clock_ghz, 1e9),
            silicon=self.silicon.convert() if self.silicon else None,
            peak=PeakRates(rates=tuple((name, rate * 1e9) for name, rate in rates)),
            int8_path=self.int8_path,
            on_chip_memory=_scaled(self.on_chip_mb, 1e6),
            link_bandwidth=_scaled(self.link_gb_s, 1e9),
            unsupported=tuple(self.unsupported.items()),
            storage_only=tuple(self.storage_only),
            runtimes=tuple(self.runtimes),
            runtime_limits=tuple(self.runtime_limits.items()),
            compute=self.origin(),
            software=Sourced(source=self.runtimes_source, confidence=self.runtimes_confidence),
        )


class _Memory(_SourcedFigures):
    capacity_gb: Positive | None = None
    capacity_max_gb: Positive | None = None
    shared: Truth | None = None
    bandwidth_gb_s: Positive | None = None
    flash_kib: Positive | None = None
    ram_kib: Positive | None = None

    def convert(self) -> MemoryProfile:
        return MemoryProfile(
            capacity=_scaled(self.capacity_gb, 1e9),
            capacity_max=_scaled(self.capacity_max_gb, 1e9),
            shared=self.shared,
            bandwidth=_scaled(self.bandwidth_gb_s, 1e9),
            flash=_scaled(self.flash_kib, 2**10),
            ram=_scaled(self.ram_kib, 2**10),
            origin=self.origin(),
        )


class _PowerMode(Document):
    name: Text
    power_w: Positive | None = None
    clocks_ghz: dict[Name, Positive] = field(default_factory=dict)

    def convert(self) -> PowerMode:
        clocks = tuple((unit, 1e9 * clock) for unit, clock in self.clocks_ghz.items())
        return PowerMode(name=self.name, power=self.power_w, clocks=clocks)


class _Power(_SourcedFigures):
    kind: PowerKind
    covers: Name = "device"
    typical_w: Positive | None = None
    idle_w: Positive | None = None
    modes: list[_PowerMode] = field(default_factory=list)

    def convert(self) -> PowerProfile:
        return PowerProfile(
            kind=self.kind,
            covers=self.covers,
            typical=self.typical_w,
            idle=self.idle_w,
            modes=tuple(mode.convert() for mode in self.modes),
            origin=self.origin(),
        )


class _Price(Document):
    amount_usd: Positive
    date: Day | None = None
    item: Text | None = None
    quantity: Count | None = None
    approximate: Truth = False

    def convert(self) -> Price:
        return Price(
            amount=self.amount_usd,
            date=self.date,
            item=self.item,
            quantity=self.quantity,
            approximate=self.approximate,
        )


class _Prices(_SourcedFigures):
    launch: _Price | None = None
    recent: _Price | None = None
    hourly_usd: Positive | None = None

    def convert(self) -> PriceProfile:
        return PriceProfile(
            launch=self.launch.convert() if self.launch else None,
            recent=self.recent.convert() if self.recent else None,
            hourly=self.hourly_usd,
            origin=self.origin(),
        )


class _Event(Document):
    event: Name
    date: Day
    item: Text | None = None

    def convert(self) -> LifecycleEvent:
        return LifecycleEvent(event=self.event, date=self.date, item=self.item)


class _Lifecycle(_SourcedFigures):
    status: LifecycleStatus
    events: list[_Event] = field(default_factory=list)
    last_software: Text | None = None
    note: Text | None = None

    def convert(self) -> Lifecycle:
        return Lifecycle(
            status=self.status,
            events=tuple(event.convert() for event in self.events),
            last_software=self.last_software,
            note=self.note,
            origin=self.origin(),
        )


class _LaneKey(Document):
    unit: UnitKind
    runtime: Name
    precision: Name
    batch: Annotated[Whole, Rule(ge=0, le=MOST_BATCH)] = 1
    threads: Annotated[Whole, Rule(ge=1, le=MOST_THREADS)] | None = None
    variant: Plain = ""

    def on(self, device: str) -> dict[str, Any]:
        """Return the fields of the lane, by name."""
        return {**dict(self), "unit": self.unit.value, "device": device}


class ProfileFile(Document):
    """One file of ``profiles/``."""

    id: Name
    name: Text
    aliases: list[Alias] = field(default_factory=list)
    vendor: Text | None = None
    chip: Text | None = None
    chip_aliases: list[Alias] = field(default_factory=list)
    form: Form | None = None
    units: Annotated[list[_Unit], Rule(min_length=1)]
    memory: _Memory | None = None
    power: _Power | None = None
    price: _Prices | None = None
    lifecycle: _Lifecycle | None = None
    default_lane: _LaneKey

    def convert(self) -> DeviceProfile:
        """Return the profile in SI."""
        return DeviceProfile(
            id=self.id,
            name=self.name,
            aliases=tuple(self.aliases),
            vendor=self.vendor,
            chip=self.chip,
            chip_aliases=tuple(self.chip_aliases),
            form=self.form,
            units=tuple(unit.convert() for unit in self.units),
            memory=self.memory.convert() if self.memory else None,
            power=self.power.convert() if self.power else None,
            price=self.price.convert() if self.price else None,
            lifecycle=self.lifecycle.convert() if self.lifecycle else None,
            default_lane=Lane(**self.default_lane.on(self.id)),
        )


def field_names(path: tuple[str | int, ...]) -> list[str]:
    """Return the fields allowed in the mapping at ``path`` of a profile file."""
    kind: type[Document] = ProfileFile
    for key in path:
        kind = document_in(_annotations(kind).get(str(key))) or kind
    return sorted(_annotations(kind))


def document_in(annotation: Any) -> type[Document] | None:
    """Return the document that a field holds, alone or in a list; None where it holds none."""
    if isinstance(annotation, type) and issubclass(annotation, Document):
        return annotation
    found = (document_in(argument) for argument in get_args(annotation))
    return next((kind for kind in found if kind is not None), None)


@cache
def _annotations(kind: type[Document]) -> Mapping[str, Any]:
    return {one.name: one.type for one in fields(kind)}


Kind = TypeVar("Kind", bound=Document)


def of_checked(kind: type[Kind], content: Mapping[str, Any]) -> Kind:
    """Build a part of a profile file of values that were checked when its index was written."""
    known = _annotations(kind)
    return kind(**{name: _checked(known[name], value) for name, value in content.items()})


def _checked(annotation: Any, value: Any) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        found = _checked(arguments[0], value)
    elif origin in (Union, UnionType):
        inner = next(one for one in arguments if one is not NoneType)
        found = None if value is None else _checked(inner, value)
    elif origin is list:
        found = [_checked(arguments[0], one) for one in value]
    elif origin is dict:
        found = {key: _checked(arguments[1], one) for key, one in value.items()}
    elif origin is None and issubclass(annotation, Document):
        found = of_checked(annotation, value)
    elif annotation is float or (origin is None and issubclass(annotation, Enum)):
        found = annotation(value)
    else:
        found = value
    return found


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
