"""Document: the base of everything that is kept in a file as JSON.

Documents are records, so that an answer at the terminal pays for no schema. Pydantic reads and
writes files by the same annotations, and is imported when the first file is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from functools import cache
from itertools import pairwise
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeVar, get_args

from advisor.core.frozen_record import Record

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Kind = TypeVar("Kind", bound="Document")
SMALLEST, LARGEST = 1e-40, 1e40
"""Range of a figure other than 0, in SI; nothing that is measured or counted lies beyond it."""
_ROUNDING = 1e-9


class Rule(Record):
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


Fraction = Annotated[float, Rule(ge=0.0, le=1.0)]
"""A share or a probability."""
NotNegative = Annotated[float, Rule(ge=0.0)]
AboveZero = Annotated[float, Rule(gt=0.0)]


class Listed:
    """Annotates a sequence whose items may be made when they are read; files hold a list."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> dict[str, Any]:
        """Read a tuple, write any sequence as one."""
        from pydantic_core.core_schema import wrap_serializer_function_ser_schema

        (item,) = get_args(source)
        schema = handler(GenericAlias(tuple, (item, ...)))
        written = wrap_serializer_function_ser_schema(
            lambda held, write: write(tuple(held)), schema=schema
        )
        return {**schema, "serialization": written}


class Document(Record):
    """A record that files hold; unknown fields, NaN and infinity are refused in them."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "allow_inf_nan": False}

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Yield fields and their values."""
        return ((name, getattr(self, name)) for name in field_names(type(self)))

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
        """Yield what its numbers say against each other or cannot be, with the field; parts first.

        A file may have been edited by hand; what the advisor writes has none.
        """
        for name, value in self:
            yield from _inside(value, f"{where}.{name}" if where else name)
        place = f"field {where!r}: " if where else ""
        yield from (f"{place}{said}" for said in self.said_against_itself())

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
