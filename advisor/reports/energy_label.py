"""Energy label: how a model's energy compares with the others of its report, as a class A to E."""

from bisect import bisect_left
from collections.abc import Sequence

from advisor.core.document import Entry, Figure
from advisor.core.frozen_record import Record
from advisor.core.quantity import Metric, human

CLASSES = "ABCDE"
"""Fifths of the report's models by energy; A takes least."""
FEWEST = len(CLASSES)
"""Models below which fifths say nothing."""
SURE = 2
"""Classes that an interval may span before the label says so."""
MEANING = (
    "fifth of this report's recommended models by energy, A the least; another report gives other "
    "classes. A range such as A–C says that the interval spans it. Where all energies rest on one "
    "power figure, the classes compare the models, and the joules are as uncertain as that figure"
)


class EnergyLabel(Record):
    """The class of one model with the figure and the pool it rests on."""

    name: str
    """One class, or the range of classes that the interval spans: ``A–C``."""
    energy: str
    """Energy of one image, for people."""
    basis: str
    """What the class is relative to and what it rests on."""

    @property
    def text(self) -> str:
        """The label in a few words: ``class B, 69.8 mJ an image``."""
        noun = "classes" if len(self.name) > 1 else "class"
        return f"{noun} {self.name}, {self.energy} an image"


def energy_labels(entries: Sequence[Entry]) -> tuple[EnergyLabel | None, ...]:
    """Label each candidate by its fifth of their energies; None where it has no figure.

    ``entries`` are the candidates that meet every limit. Too few of them get no labels.
    """
    pool = [entry for entry in entries if Metric.ENERGY in entry.metrics]
    if len(pool) < FEWEST:
        return (None,) * len(entries)
    shared = _shared_power(pool)
    ordered = sorted(entry.metrics[Metric.ENERGY].value for entry in pool)
    basis = _basis(len(pool), shared)
    return tuple(
        _label(entry, ordered, basis, shared=shared is not None)
        if Metric.ENERGY in entry.metrics
        else None
        for entry in entries
    )


def energy_class(value: float, low: float, high: float, ordered: Sequence[float]) -> str:
    """Return the class of a value among sorted values, or a range where its interval spans more.

    ``ordered`` holds the value itself. Equal values share a class.
    """
    best = _fifth(bisect_left(ordered, low), ordered)
    own = _fifth(bisect_left(ordered, value), ordered)
    worst = _fifth(bisect_left(ordered, high) - (value < high), ordered)
    if worst - best < SURE:
        return CLASSES[own]
    return f"{CLASSES[best]}–{CLASSES[worst]}"


def _fifth(below: int, ordered: Sequence[float]) -> int:
    """Place of a class by how many of the others take less."""
    return len(CLASSES) * below // len(ordered)


def _label(entry: Entry, ordered: Sequence[float], basis: str, *, shared: bool) -> EnergyLabel:
    figure = entry.metrics[Metric.ENERGY]
    low, high = figure.low, figure.high
    if shared:
        latency = entry.metrics[Metric.LATENCY]
        low = figure.value * latency.low / latency.value
        high = figure.value * latency.high / latency.value
    return EnergyLabel(
        name=energy_class(figure.value, low, high, ordered),
        energy=human(figure.value, figure.unit),
        basis=basis,
    )


def _shared_power(pool: Sequence[Entry]) -> Figure | None:
    """Return the power that all energies were computed with; None where they have no such one.

    What is not known of a power that all share makes none of them better than another, so only
    the latency's interval counts between them.
    """
    powers = [entry.metrics.get(Metric.POWER) for entry in pool]
    first = powers[0]
    if first is None or any(power != first for power in powers):
        return None
    computed = all(
        entry.metrics[Metric.ENERGY].source == first.source and Metric.LATENCY in entry.metrics
        for entry in pool
    )
    return first if computed else None


def _basis(count: int, shared: Figure | None) -> str:
    relative = f"A takes least, E most of this report's {count:,} models that meet every limit"
    if shared is None:
        return f"{relative}; no other report has the same classes"
    power = human(shared.value, shared.unit)
    caveats = f", {'; '.join(shared.caveats)}" if shared.caveats else ""
    return f"{relative}; rests on the profile's power figure ({power}{caveats})"
