"""Record: frozen data whose class takes no time to make.

A dataclass has half a dozen methods written and compiled for each class, which was a tenth of what
a short command takes. Records share theirs. What is made by the thousand is a dataclass with slots
all the same: its own ``__init__`` is quicker than the one that all records share.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from functools import cache
from typing import Any, ClassVar, NamedTuple, dataclass_transform


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Recorded(type):
    """Makes a dataclass of every record, without generating methods for each of them."""

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        """Collect the fields of the class."""
        super().__init__(name, bases, namespace)
        dataclass(init=False, repr=False, eq=False, match_args=False)(cls)  # type: ignore[arg-type]


class Record(metaclass=Recorded):
    """A frozen record; its fields are given by keyword."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init__(self, **values: Any) -> None:
        """Fill all fields; those that are not given have their defaults."""
        known = fields_of(type(self))
        if values.keys() != known.names:
            values = known.filled(values, type(self).__name__)
        vars(self).update(values)

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse; a record is changed by a copy."""
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        """Refuse."""
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        """Whether another record is of the same kind and holds the same."""
        return type(other) is type(self) and all(
            getattr(self, name) == getattr(other, name) for name in fields_of(type(self)).compared
        )

    def __hash__(self) -> int:
        """Hash of all values."""
        return hash(tuple(getattr(self, name) for name in fields_of(type(self)).compared))

    def __repr__(self) -> str:
        """Write the call that makes it."""
        shown = (f"{name}={getattr(self, name)!r}" for name in fields_of(type(self)).shown)
        return f"{type(self).__name__}({', '.join(shown)})"


class FieldSet(NamedTuple):
    """Fields of a kind of record, and what fills those that are not given."""

    names: frozenset[str]
    compared: tuple[str, ...]
    """Names of those that make two records differ."""
    shown: tuple[str, ...]
    defaults: Mapping[str, Any]
    factories: Mapping[str, Callable[[], Any]]

    def filled(self, values: Mapping[str, Any], kind: str) -> dict[str, Any]:
        """Add what is not given; TypeError for a field that is missing or unknown."""
        made = {**self.defaults, **values}
        for name, factory in self.factories.items():
            if name not in made:
                made[name] = factory()
        if made.keys() != self.names:
            wrong = ", ".join(sorted(made.keys() ^ self.names))
            raise TypeError(f"{kind}: missing or unknown fields: {wrong}")
        return made


@cache
def fields_of(kind: type[Record]) -> FieldSet:
    """Return what a kind of record is made of."""
    every = fields(kind)
    return FieldSet(
        names=frozenset(one.name for one in every),
        compared=tuple(one.name for one in every if one.compare),
        shown=tuple(one.name for one in every if one.repr),
        defaults={one.name: one.default for one in every if one.default is not MISSING},
        factories={
            one.name: one.default_factory for one in every if one.default_factory is not MISSING
        },
    )
