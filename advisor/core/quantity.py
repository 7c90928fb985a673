"""Metrics, their units, and quantities as people write and read them.

Inside the program every quantity is SI: seconds, bytes, joules, watts, counts, fractions 0-1.
Units appear here, in column suffixes of files, and nowhere else.
"""

import math
import re
from decimal import Decimal
from enum import StrEnum

from advisor.core.frozen_record import Record
from advisor.errors import UsageError

SMALLEST, LARGEST = 1e-18, 1e18
"""Range of what can be asked for, in SI; the product of any two stays a number."""


class Unit(StrEnum):
    """The SI unit in which a metric is kept."""

    SECOND = "s"
    PER_SECOND = "1/s"
    BYTE = "B"
    JOULE = "J"
    WATT = "W"
    FRACTION = "fraction"
    COUNT = "count"
    USD = "USD"


class Metric(StrEnum):
    """What can be asked of a candidate, in the order in which tables show it."""

    LATENCY = "latency"
    THROUGHPUT = "throughput"
    TOP1 = "top1"
    TOP5 = "top5"
    PEAK_MEMORY = "peak_memory"
    WEIGHTS = "weights"
    FLASH = "flash"
    ENERGY = "energy"
    POWER = "power"
    CHIP_POWER = "chip_power"
    PARAMETERS = "parameters"
    MACS = "macs"

    @property
    def unit(self) -> Unit:
        """SI unit of the metric's values."""
        return _UNIT[self]

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value is the better one."""
        return self in _HIGHER_IS_BETTER

    @property
    def is_logarithmic(self) -> bool:
        """Whether values compare by ratio instead of by difference: all but fractions."""
        return self not in _SHARES

    @property
    def label(self) -> str:
        """The metric's name in front of people."""
        return _LABEL[self]


_UNIT = {
    Metric.LATENCY: Unit.SECOND,
    Metric.THROUGHPUT: Unit.PER_SECOND,
    Metric.TOP1: Unit.FRACTION,
    Metric.TOP5: Unit.FRACTION,
    Metric.PEAK_MEMORY: Unit.BYTE,
    Metric.WEIGHTS: Unit.BYTE,
    Metric.FLASH: Unit.BYTE,
    Metric.ENERGY: Unit.JOULE,
    Metric.POWER: Unit.WATT,
    Metric.CHIP_POWER: Unit.WATT,
    Metric.PARAMETERS: Unit.COUNT,
    Metric.MACS: Unit.COUNT,
}
_SHARES = frozenset(metric for metric, unit in _UNIT.items() if unit is Unit.FRACTION)
_HIGHER_IS_BETTER = {Metric.THROUGHPUT, Metric.TOP1, Metric.TOP5}
_LABEL = {
    Metric.LATENCY: "Latency",
    Metric.THROUGHPUT: "Throughput",
    Metric.TOP1: "Top-1",
    Metric.TOP5: "Top-5",
    Metric.PEAK_MEMORY: "Peak memory",
    Metric.WEIGHTS: "Weights",
    Metric.FLASH: "Flash",
    Metric.ENERGY: "Energy",
    Metric.POWER: "Board power",
    Metric.CHIP_POWER: "Chip power",
    Metric.PARAMETERS: "Parameters",
    Metric.MACS: "MACs",
}


class UnitScale(Record):
    """One way to write a unit: ``1 symbol = factor`` in SI."""

    symbol: str
    factor: float


_SCALES: dict[Unit, tuple[UnitScale, ...]] = {
    Unit.SECOND: tuple(
        UnitScale(symbol=s, factor=f)
        for s, f in (
            ("s", 1.0),
            ("ms", 1e-3),
            ("us", 1e-6),
            ("µs", 1e-6),
            ("μs", 1e-6),  # the Greek letter, which keyboards have beside the micro sign
            ("min", 60.0),
            ("h", 3600.0),
        )
    ),
    Unit.PER_SECOND: tuple(
        UnitScale(symbol=s, factor=f)
        for s, f in (("/s", 1.0), ("fps", 1.0), ("Hz", 1.0), ("ips", 1.0))
    ),
    Unit.BYTE: tuple(
        UnitScale(symbol=s, factor=f)
        for s, f in (
            ("B", 1.0),
            ("kB", 1e3),
            ("KB", 1e3),
            ("MB", 1e6),
            ("GB", 1e9),
            ("KiB", 2.0**10),
            ("MiB", 2.0**20),
            ("GiB", 2.0**30),
        )
    ),
    Unit.JOULE: tuple(
        UnitScale(symbol=s, factor=f)
        for s, f in (("J", 1.0), ("mJ", 1e-3), ("uJ", 1e-6), ("µJ", 1e-6), ("μJ", 1e-6))
    ),
    Unit.WATT: tuple(
        UnitScale(symbol=s, factor=f) for s, f in (("W", 1.0), ("mW", 1e-3), ("kW", 1e3))
    ),
    Unit.FRACTION: (UnitScale(symbol="%", factor=0.01),),
    Unit.COUNT: tuple(
        UnitScale(symbol=s, factor=f) for s, f in (("k", 1e3), ("M", 1e6), ("G", 1e9))
    ),
    Unit.USD: (UnitScale(symbol="USD", factor=1.0),),
}
_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S*)\s*")


def parse(text: str, unit: Unit, *, option: str) -> float:
    """Read ``"10ms"`` as 0.01 for ``Unit.SECOND``; the unit has to be written.

    The result is the float nearest to the decimal that was written: ``70%`` is 0.7. Raises
    UsageError naming ``option``, the text and the accepted units.
    """
    accepted = ", ".join(scale.symbol for scale in _SCALES[unit])
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{option}: cannot read {text!r} as a quantity; accepted units: {accepted}"
        )
    number, symbol = match[1], match[2]
    for scale in _SCALES[unit]:
        if scale.symbol == symbol:
            return _checked(_scaled(number, scale), text, unit, option)
    what = f"unknown unit {symbol!r}" if symbol else "the unit is missing"
    raise UsageError(f"{option}: {what} in {text!r}; write a number with one of: {accepted}")


def _scaled(number: str, scale: UnitScale) -> float:
    """Multiply in decimals, which are exact; infinity where no float is that large."""
    try:
        return float(Decimal(number) * Decimal(repr(scale.factor)))
    except ArithmeticError:
        return math.inf


_SPELLED: dict[Unit, UnitScale] = {
    Unit.SECOND: UnitScale(symbol="ms", factor=1e-3),
    Unit.PER_SECOND: UnitScale(symbol="/s", factor=1.0),
    Unit.BYTE: UnitScale(symbol="MB", factor=1e6),
    Unit.JOULE: UnitScale(symbol="mJ", factor=1e-3),
    Unit.WATT: UnitScale(symbol="W", factor=1.0),
    Unit.FRACTION: UnitScale(symbol="%", factor=0.01),
    Unit.COUNT: UnitScale(symbol="M", factor=1e6),
    Unit.USD: UnitScale(symbol="USD", factor=1.0),
}
"""The way of writing each unit that commands and request files take."""


def spell(value: float, unit: Unit) -> str:
    """Write a quantity so that ``parse`` reads back the very same number: ``10ms``."""
    scale = _SPELLED[unit]
    number = (Decimal(repr(float(value))) / Decimal(repr(scale.factor))).normalize()
    plain = f"{number:f}"
    return f"{plain if len(plain) <= 20 else number}{scale.symbol}"


def _checked(value: float, text: str, unit: Unit, option: str) -> float:
    if not (value == 0 or SMALLEST <= value <= LARGEST):
        raise UsageError(
            f"{option}: {text!r} is out of range; allowed: 0, or {SMALLEST:g} to {LARGEST:g} in SI"
        )
    if unit is Unit.FRACTION and value > 1:
        raise UsageError(f"{option}: {text!r} is out of range; at most 100%")
    return value


def significant(value: float, digits: int = 3) -> str:
    """Write a number with a fixed count of significant digits, without exponent."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, decimals)
    decimals = digits - 1 - math.floor(math.log10(abs(rounded)))
    return f"{rounded:,.{max(decimals, 0)}f}"


_STEPS: dict[Unit, tuple[tuple[float, str], ...]] = {
    Unit.SECOND: ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
    Unit.PER_SECOND: ((1.0, "/s"),),
    Unit.BYTE: ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")),
    Unit.JOULE: ((1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ")),
    Unit.WATT: ((1.0, "W"), (1e-3, "mW")),
    Unit.COUNT: ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")),
    Unit.USD: ((1.0, "USD"),),
}


def human(value: float, unit: Unit, *, like: float | None = None) -> str:
    """Write a value for people: three significant digits and the fitting unit.

    ``like`` picks the unit by another value, so that both ends of an interval share it.
    """
    if unit is Unit.FRACTION:
        return f"{100 * value:.1f} %"
    steps = _STEPS[unit]
    size = abs(value if like is None else like)
    factor, symbol = next((s for s in steps if size >= s[0]), steps[-1])
    return f"{significant(value / factor)} {symbol}".rstrip()


def human_interval(low: float, high: float, unit: Unit, *, like: float) -> str:
    """Write ``9.8–12.8 ms``: both ends in the unit that ``like`` calls for."""
    if unit is Unit.FRACTION:
        return f"{100 * low:.1f}–{100 * high:.1f} %"
    top = human(high, unit, like=like)
    symbol = top.rpartition(" ")[2] if " " in top else ""
    bottom = human(low, unit, like=like)
    return f"{bottom.removesuffix(symbol).rstrip() if symbol else bottom}–{top}"
