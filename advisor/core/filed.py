"""Document: the base of everything that is kept in a file as JSON.

Documents are frozen dataclasses, so that an answer at the terminal pays for no schema. Pydantic
reads and writes files by the same annotations, and is imported when the first file is.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import (
    MISSING,
    Field,
    FrozenInstanceError,
    dataclass,
    field,
    fields,
    replace,
)
from functools import cache
from itertools import pairwise
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Literal,
    Self,
    TypeVar,
    dataclass_transform,
    get_args,
)

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Kind = TypeVar("Kind", bound="Document")
SMALLEST, LARGEST = 1e-40, 1e40
"""Range of a figure other than 0, in SI; nothing that is measured or counted lies beyond it."""
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a value in a file has to keep, beside its type; told by an annotation."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    min_length: int | None = None
    pattern: str | None = None
    strict: bool | None = None
    """Whether no value of another type is taken for it, such as text that reads like a number."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> dict[str, Any]:
        """Add the rule to the schema of the type."""
        stated = {one.name: getattr(self, one.name) for one in fields(self)}
        return {**handler(source), **{n: value for n, value in stated.items() if value is not None}}


class Listed:
    """Annotates a sequence whose items may be made when they are read; files hold a list."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> dict[str, Any]:
        """Read a tuple, write any sequence as one."""
        from pydantic_core.core_schema import wrap_serializer_function_ser_schema

        (item,) = get_args(source)
        schema = handler(tuple[item, ...])
        written = wrap_serializer_function_ser_schema(
            lambda held, write: write(tuple(held)), schema=schema
        )
        return {**schema, "serialization": written}


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Recorded(type):
    """Makes a dataclass of every document, without generating methods for each of them."""

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        """Collect the fields of the class."""
        super().__init__(name, bases, namespace)
        dataclass(init=False, repr=False, eq=False, match_args=False)(cls)  # type: ignore[arg-type]


class Document(metaclass=Recorded):
    """A frozen record; in a file unknown fields, NaN and infinity are refused."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "allow_inf_nan": False}

    def __init__(self, **values: Any) -> None:
        """Fill all fields; those that are not given have their defaults."""
        known = fields_of(type(self))
        made = {**known.defaults, **values}
        for name, factory in known.factories.items():
            if name not in made:
                made[name] = factory()
        if made.keys() != known.names:
            wrong = ", ".join(sorted(made.keys() ^ known.names))
            raise TypeError(f"{type(self).__name__}: missing or unknown fields: {wrong}")
        vars(self).update(made)

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse; a document is changed by a copy."""
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        """Refuse."""
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Yield fields and their values."""
        return ((name, getattr(self, name)) for name in field_names(type(self)))

    def __eq__(self, other: object) -> bool:
        """Whether another document is of the same kind and holds the same."""
        return type(other) is type(self) and all(
            value == getattr(other, name) for name, value in self
        )

    def __hash__(self) -> int:
        """Hash of all values."""
        return hash(tuple(value for _, value in self))

    def __repr__(self) -> str:
        """Write the call that makes it."""
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self)})"

    @classmethod
    def model_validate(cls, content: object) -> Self:
        """Read plain values, such as those of a file; raises pydantic's ValidationError."""
        found: Self = schema_of(cls).validate_python(content)
        return found

    @classmethod
    def model_validate_json(cls, text: str | bytes) -> Self:
        """Read JSON; raises pydantic's ValidationError."""
        found: Self = schema_of(cls).validate_json(text)
        return found

    @classmethod
    def model_json_schema(
        cls, mode: Literal["validation", "serialization"] = "validation"
    ) -> dict[str, Any]:
        """Return the JSON Schema of the document, as it is read or as it is written."""
        return schema_of(cls).json_schema(mode=mode)

    def model_dump(self, mode: Literal["python", "json"] = "python") -> dict[str, Any]:
        """Return the fields as plain values; those of ``json`` as a file holds them."""
        found: dict[str, Any] = schema_of(type(self)).dump_python(self, mode=mode)
        return found

    def model_dump_json(self, *, indent: int | None = None, exclude: set[str] | None = None) -> str:
        """Return the document as JSON."""
        written = schema_of(type(self)).dump_json(self, indent=indent, exclude=exclude)
        return written.decode()

    def model_copy(self, *, update: Mapping[str, Any]) -> Self:
        """Return the document with other values of some fields."""
        return replace(self, **update)

    def contradictions(self, where: str = "") -> Iterator[str]:
        """Yield what its numbers say against each other or cannot be, with the field.

        A file may have been edited by hand; what the advisor writes has none.
        """
        yield from (f"field {where!r}: {said}" for said in self.said_against_itself())
        for name, value in self:
            yield from _inside(value, f"{where}.{name}" if where else name)

    def said_against_itself(self) -> Iterator[str]:
        """Yield the contradictions of its own fields; here those of a value with an interval."""
        held = {name: getattr(self, name, None) for name in ("low", "value", "median", "high")}
        ends = [one for one in held.values() if isinstance(one, float)]
        if any(0 < abs(one) < SMALLEST for one in ends):
            yield f"{', '.join(map(str, ends))}: a number is smaller than any figure"
        if any(b - a < -_ROUNDING * abs(a) for a, b in pairwise(ends)):
            yield f"{', '.join(map(str, ends))}: not in order; a value lies between low and high"
        least, most = self._range
        if any(not least <= one <= most for one in ends):
            yield f"{', '.join(map(str, ends))}: out of range; allowed: {least:g} to {most:g}"
        level = getattr(self, "level", None)
        if isinstance(level, float) and not 0 < level <= 1:
            yield f"level {level} is none; allowed: above 0, at most 1"

    @property
    def _range(self) -> tuple[float, float]:
        """Least and most that its value can be; a quantity is never less than nothing."""
        return 0.0, LARGEST


@dataclass(frozen=True, slots=True)
class FieldSet:
    """Fields of a kind of document, and what fills those that are not given."""

    names: frozenset[str]
    defaults: Mapping[str, Any]
    factories: Mapping[str, Callable[[], Any]]


@cache
def fields_of(kind: type[Document]) -> FieldSet:
    """Return what a kind of document is made of."""
    every = fields(kind)
    return FieldSet(
        names=frozenset(one.name for one in every),
        defaults={one.name: one.default for one in every if one.default is not MISSING},
        factories={
            one.name: one.default_factory for one in every if one.default_factory is not MISSING
        },
    )


@cache
def field_names(kind: type[Document]) -> tuple[str, ...]:
    """Names of the fields of a kind of document, in their order."""
    return tuple(one.name for one in fields(kind))


@cache
def schema_of(kind: type[Kind]) -> "TypeAdapter[Kind]":
    """Return what reads and writes a kind of document, made when it is first needed."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _inside(value: Any, where: str) -> Iterator[str]:
    if isinstance(value, Document):
        yield from value.contradictions(where)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _inside(one, f"{where}.{key}")
    elif isinstance(value, tuple | list):
        for place, one in enumerate(value):
            yield from _inside(one, f"{where}.{place}")
    elif isinstance(value, int) and not 0 <= value <= LARGEST:
        yield f"field {where!r}: {value} is no count"
    elif isinstance(value, float) and not abs(value) <= LARGEST:
        yield f"field {where!r}: {value} is larger than any figure"
