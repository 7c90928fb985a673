"""Axis: one number that makes a variant of a network; Base: a network with such axes."""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from advisor.core.candidate import Candidate
from advisor.core.frozen_record import Record
from advisor.errors import NetworkError

P_co = TypeVar("P_co", covariant=True)


class Axis(Record):
    """What an axis may be set to."""

    default: float
    """Value of the stock network."""
    low: float
    high: float
    whole: bool = False
    """Whether only whole numbers make sense."""
    allowed: tuple[float, ...] = ()
    """The only values possible, where it is a choice."""

    def problem(self, value: float) -> str:
        """Say what is wrong with a value; empty where nothing is."""
        if self.allowed and value not in self.allowed:
            return "one of " + ", ".join(f"{v:g}" for v in self.allowed)
        if self.whole and value != int(value):
            return "a whole number"
        if not self.low <= value <= self.high:
            return f"within {self.low:g} to {self.high:g}"
        return ""


def choice(default: float, *allowed: float) -> Axis:
    """Return an axis with a few values only."""
    return Axis(default=default, low=min(allowed), high=max(allowed), allowed=allowed)


def whole(default: int, low: int, high: int) -> Axis:
    """Return an axis of whole numbers."""
    return Axis(default=default, low=low, high=high, whole=True)


def multiplier(high: float = 8.0) -> Axis:
    """Return an axis that multiplies channels or layers."""
    return Axis(default=1.0, low=0.05, high=high)


class Base(Record, Generic[P_co]):
    """A stock network and the variants that its axes make of it."""

    resolution: int
    """Side of the input in pixels where none is given."""
    axes: Mapping[str, Axis]
    make: Callable[[Mapping[str, float]], P_co]
    """From a value of every axis to the blueprint."""
    resolution_of: Callable[[Mapping[str, float]], int] | None = None
    """Side of the input that goes with the axes, where they decide it."""

    def settings(self, candidate: Candidate) -> dict[str, float]:
        """Return a value for every axis; raises NetworkError for one that cannot be."""
        values = {name: axis.default for name, axis in self.axes.items()}
        for name, value in candidate.axes:
            axis = self.axes.get(name)
            if axis is None:
                known = ", ".join(sorted(self.axes))
                raise NetworkError(f"{candidate.name} has no axis {name!r}; it has {known}")
            problem = axis.problem(value)
            if problem:
                raise NetworkError(f"{candidate.name}: {name}={value:g} has to be {problem}")
            values[name] = value
        return values


def make_divisible(
    value: float, divisor: int = 8, *, least: int = 0, round_limit: float = 0.9
) -> int:
    """Round to a multiple of ``divisor``, never below ``round_limit`` of the value."""
    rounded = max(least or divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < round_limit * value else rounded
