"""Records are dataclasses in everything but how their methods come about."""

from dataclasses import FrozenInstanceError, asdict, field, replace
from functools import cached_property

import pytest

from advisor.core.frozen_record import Record


class Point(Record):
    """A record with every kind of field."""

    x: float
    y: float = 0.0
    names: list[str] = field(default_factory=list)
    seen: int = field(default=0, compare=False, repr=False)

    @cached_property
    def sum(self) -> float:
        """Sum of the coordinates."""
        return self.x + self.y


class Named(Point):
    """A record of a record."""

    name: str


def test_fields_that_are_not_given_have_their_defaults() -> None:
    assert asdict(Point(x=1.0)) == {"x": 1.0, "y": 0.0, "names": [], "seen": 0}
    assert Point(x=1.0).names is not Point(x=1.0).names


@pytest.mark.parametrize("given", [{}, {"x": 1.0, "z": 2.0}])
def test_missing_and_unknown_fields_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(TypeError, match=r"Point: missing or unknown fields: [xz]$"):
        Point(**given)  # type: ignore[arg-type]


def test_records_are_equal_by_what_they_hold_and_by_their_kind() -> None:
    assert Point(x=1.0, seen=1) == Point(x=1.0, seen=2)
    assert Point(x=1.0) != Point(x=2.0)
    assert Point(x=1.0) != Named(x=1.0, name="")
    assert hash(Named(x=1.0, names=(), name="a")) == hash(Named(x=1.0, names=(), name="a"))  # type: ignore[arg-type]


def test_a_record_shows_the_call_that_makes_it() -> None:
    assert repr(Named(x=1.0, name="a")) == "Named(x=1.0, y=0.0, names=[], name='a')"


def test_a_record_is_changed_by_a_copy_alone() -> None:
    point = Point(x=1.0, y=1.0)
    with pytest.raises(FrozenInstanceError):
        point.x = 2.0  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del point.x
    assert replace(point, x=2.0) == Point(x=2.0, y=1.0)


def test_a_record_keeps_what_it_has_computed() -> None:
    point = Point(x=1.0, y=2.0)
    assert point.sum == 3.0
    assert point.sum is point.sum
    assert replace(point, x=2.0).sum == 4.0
