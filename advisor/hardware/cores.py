"""CPU cores: what one core computes in a cycle, and what several of them reach together.

The facts of cores are ``profiles/cpu_cores.csv``; a profile names its clusters of cores. From
both follow the rate of each core and, where a profile states no peak, the peak of the unit.
"""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from advisor.core.frozen_record import Record
from advisor.errors import ProfileError
from advisor.hardware.library import PACKAGE, profiles_directory
from advisor.hardware.origin import Confidence, Sourced
from advisor.hardware.profile import UnitKind, UnitProfile
from advisor.hardware.silicon import Silicon

TABLE = "cpu_cores.csv"
COLUMNS = (
    *("core", "fp32_flop_per_cycle", "fp16_flop_per_cycle", "int8_op_per_cycle"),
    *("out_of_order", "simd_bits", "simd_units", "size_class", "year", "confidence", "source"),
)
BIG_X86 = frozenset({"Core", "Zen"})
"""Families whose many-threaded runs lose most to the memory they share."""
THREADING = {"usual": (0.07, 0.005), "big x86": (0.18, 0.004), "narrow memory": (0.20, 0.01)}
"""(a, b) of n threads' efficiency 1 / (1 + a (n - 1) + b n (n - 1)), by kind of machine; chosen
once over 48 devices with published figures of one and of several threads."""


class CpuCore(Record):
    """One design of a core. An operation is half a multiply-add."""

    name: str
    fp32_flop_per_cycle: float | None
    """What runtimes reach: RISC-V cores run mostly scalar code, whatever their vectors."""
    fp16_flop_per_cycle: float | None
    """None where the core has no fp16 arithmetic that runtimes use."""
    int8_op_per_cycle: float | None
    """By its dot-product or matrix instructions where it has them."""
    out_of_order: bool
    simd_bits: int
    """Bits of one vector unit that multiplies and adds floats; 32 is scalar."""
    simd_units: int
    size_class: int
    """0 small in-order, 1 middle, 2 large out-of-order."""
    year: int
    origin: Sourced

    @property
    def simd_width(self) -> int:
        """Bits of floats that all vector units multiply and add in a cycle."""
        return self.simd_bits * self.simd_units

    def per_cycle(self, precision: str) -> float | None:
        """Operations of one cycle; halves without fp16 arithmetic are computed in fp32."""
        if precision == "int8":
            return self.int8_op_per_cycle
        if precision == "fp16":
            return self.fp16_flop_per_cycle or self.fp32_flop_per_cycle
        return self.fp32_flop_per_cycle if precision == "fp32" else None


@cache
def cpu_cores(folder: Path | None = None) -> Mapping[str, CpuCore]:
    """Read the cores by name from ``cpu_cores.csv`` of ``folder``, else of the shipped profiles.

    Raises ProfileError for a cell that cannot be read.
    """
    places = (folder or profiles_directory(), PACKAGE / "data" / "profiles",
              PACKAGE.parent / "profiles")  # fmt: skip
    path = next((p / TABLE for p in places if (p / TABLE).is_file()), None)
    if path is None:
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise ProfileError(f"{path}:1: missing columns {', '.join(missing)}")
        cores = [_core(path, reader.line_num, row) for row in reader]
    return {core.name: core for core in cores}


def _core(path: Path, line: int, row: Mapping[str, str]) -> CpuCore:
    try:
        return CpuCore(
            name=row["core"],
            fp32_flop_per_cycle=_positive(row["fp32_flop_per_cycle"]),
            fp16_flop_per_cycle=_positive(row["fp16_flop_per_cycle"]),
            int8_op_per_cycle=_positive(row["int8_op_per_cycle"]),
            out_of_order={"yes": True, "no": False}[row["out_of_order"]],
            simd_bits=int(row["simd_bits"]),
            simd_units=int(row["simd_units"]),
            size_class=int(row["size_class"]),
            year=int(row["year"]),
            origin=Sourced(source=row["source"], confidence=Confidence(row["confidence"])),
        )
    except (ValueError, KeyError) as error:
        raise ProfileError(f"{path}:{line}: {row['core']}: cannot read {error}") from None


def _positive(text: str) -> float | None:
    if not text:
        return None
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(f"{text!r}; allowed: a positive number, or nothing where unknown")
    return value


class Peak(Record):
    """Most operations a second of one unit in one precision, dense; a multiply-add is two."""

    rate: float
    origin: Sourced
    computed: bool
    """Whether it is cores x clock x operations per cycle and stands in no profile."""


def peak(unit: UnitProfile, precision: str) -> Peak | None:
    """The stated peak of a unit, else, of a CPU, the sum over all its cores; None where unknown.

    No runtime reaches the sum over unlike clusters: see ``core_rates``.
    """
    stated = unit.peak.get(precision)
    if stated is not None:
        return Peak(rate=stated, origin=unit.compute, computed=False)
    rates = core_rates(unit, precision)
    if not rates:
        return None
    origin = Sourced(
        source="computed: cores x clock x operations per cycle of profiles/cpu_cores.csv",
        confidence=Confidence.LOW if _doubtful(unit) else Confidence.MEDIUM,
    )
    return Peak(rate=sum(rates), origin=origin, computed=True)


def core_rates(unit: UnitProfile, precision: str) -> tuple[float, ...]:
    """Operations a second of every core of a CPU, fastest cluster first; () where unknown.

    ``precision`` is fp32, fp16 or int8; fp16 on cores that only store halves is their fp32 rate.
    ``min(rates[:threads])`` gates an even split over ``threads``.
    """
    if unit.kind is not UnitKind.CPU or unit.silicon is None:
        return ()
    rates: list[float] = []
    for cluster in unit.silicon.clusters:
        rate = _rate(cluster.core, cluster.clock, precision)
        if rate is None:
            return ()
        rates += [rate] * cluster.cores
    return tuple(rates)


def core_rate(unit: UnitProfile, precision: str) -> float | None:
    """Operations a second of one fast core, also of a CPU whose count of cores nobody states."""
    rates = core_rates(unit, precision)
    if rates:
        return max(rates)
    silicon = unit.silicon
    if unit.kind is not UnitKind.CPU or silicon is None or silicon.clusters:
        return None
    return _rate(silicon.microarchitecture or "", unit.clock, precision)


def _rate(name: str, clock: float | None, precision: str) -> float | None:
    """Operations a second of a core by its name in the table; None where that or a clock lacks."""
    core = cpu_cores().get(name)
    work = core.per_cycle(precision) if core else None
    return None if work is None or clock is None else work * clock


def unknown_cores(unit: UnitProfile) -> tuple[str, ...]:
    """Cores that the unit's clusters name and the table of cores lacks: no peak follows."""
    clusters = unit.silicon.clusters if unit.silicon else ()
    return tuple(sorted({cluster.core for cluster in clusters} - set(cpu_cores())))


def thread_efficiency(silicon: Silicon, threads: int) -> float:
    """Share of their speed that ``threads`` keep beside each other; 1 for a single one."""
    a, b = THREADING[_kind_of_machine(silicon)]
    return 1 / (1 + a * (threads - 1) + b * threads * (threads - 1))


def _kind_of_machine(silicon: Silicon) -> str:
    if silicon.narrow_memory:
        return "narrow memory"
    return "big x86" if silicon.ip_family in BIG_X86 else "usual"


def _doubtful(unit: UnitProfile) -> bool:
    silicon = unit.silicon
    if silicon is None:
        return True
    names = {cluster.core for cluster in silicon.clusters}
    origins = [silicon.origin, *(cpu_cores()[name].origin for name in names)]
    return any(origin.confidence in (Confidence.LOW, Confidence.UNKNOWN) for origin in origins)
