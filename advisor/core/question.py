"""Question: reads a request from stated options and writes it back as options, file or command."""

import math
import shlex
from collections.abc import Collection, Iterator, Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, ClassVar, Self

from advisor.core.filed import Document
from advisor.core.frozen_record import Record
from advisor.core.option import Option, Written
from advisor.errors import UsageError, unknown_name


class Stated(Record):
    """Options as somebody wrote them, by key; None and () state nothing."""

    options: Mapping[str, object]
    origin: str = ""
    """Where they were written, such as a file; empty for Python."""
    typed: bool = False
    """Whether they were typed as options of the command line."""

    def given(self) -> Iterator[tuple[str, object]]:
        """Yield what is stated, by key."""
        for name, value in self.options.items():
            if value is not None and value != ():
                yield str(name).replace("-", "_").removesuffix("_"), value

    def where(self, key: str) -> str:
        """Name an option in a message as its writer knows it."""
        if self.typed:
            return "--" + key.replace("_", "-")
        return f"{self.origin}: {key}" if self.origin else key


class OptionPlace(Record):
    """An option and the field that it fills."""

    key: str
    field: str
    option: Option
    default: Any
    required: bool


class Question(Document):
    """A request: its fields are filled by the options that stand beside them."""

    COMMAND: ClassVar[str]
    """Command that answers it."""

    def __init__(self, **values: Any) -> None:
        """Fill the fields; UsageError for a number that is not finite."""
        super().__init__(**values)
        for name, value in self:
            for number in value.values() if isinstance(value, dict) else (value,):
                if isinstance(number, float) and not math.isfinite(number):
                    raise UsageError(f"{self.COMMAND}: {name}: {number} is no finite number")

    @classmethod
    def read(cls, *layers: Stated) -> Self:
        """Build the request from stated options; later layers win.

        Raises UsageError for unknown keys, values that cannot be read and missing options.
        """
        found = _merged(cls, layers)
        values: dict[str, Any] = {}
        for key, place in options_of(cls).items():
            if key not in found:
                continue
            stated, where = found[key]
            value = place.option.form.read(stated, where)
            earlier = values.get(place.field, ())
            values[place.field] = (*earlier, value) if place.option.form.part else value
        for place in options_of(cls).values():
            if place.required and values.get(place.field, ()) == ():
                raise UsageError(f"{cls.COMMAND} needs {_spelled(place)}: {place.option.help}")
        return cls(**values)

    def stated(self, beside: Collection[str] = ()) -> dict[str, Written]:
        """Write the request as a request file holds it, defaults left out.

        ``beside`` are keys that a preset states, too: they are written whatever they are.
        """
        found: dict[str, Written] = {}
        for key, place in options_of(type(self)).items():
            value = getattr(self, place.field)
            overridden = {key, *place.option.excludes} & set(beside)
            if value == place.default and not place.required and not overridden:
                continue
            written = place.option.form.write(value)
            if written is not None:
                found[key] = written
        return found

    def command(self, beside: Collection[str] = ()) -> str:
        """Write the command line that asks for the same."""
        arguments: list[str] = []
        words: list[str] = []
        table = options_of(type(self))
        for key, written in self.stated(beside).items():
            items = written if isinstance(written, list) else [str(written)]
            if table[key].option.argument:
                arguments += items
            elif isinstance(written, bool):
                words += [_spelled(table[key])] if written else []
            else:
                words += [_spelled(table[key]), ",".join(items)]
        return shlex.join(["advisor", *self.COMMAND.split(), *arguments, *words])


@cache
def options_of(kind: type[Question]) -> dict[str, OptionPlace]:
    """Return the options of a kind of request by key, in the order of its fields."""
    found = {}
    for one in fields(kind):
        required = one.default is MISSING and one.default_factory is MISSING
        default = None if one.default is MISSING else one.default
        if one.default_factory is not MISSING:
            default = one.default_factory()
        for option in _options_beside(one.type):
            place = OptionPlace(key=option.key(one.name), field=one.name, option=option,
                                default=default, required=required)  # fmt: skip
            found[place.key] = place
    return found


def _options_beside(annotation: object) -> Iterator[Option]:
    """Yield the options in an annotation, which stand alone or as tuples of several."""
    for beside in getattr(annotation, "__metadata__", ()):
        group = beside if isinstance(beside, tuple) else (beside,)
        yield from (option for option in group if isinstance(option, Option))


def _spelled(place: OptionPlace) -> str:
    if place.option.argument:
        return place.key.upper()
    return "--" + place.key.replace("_", "-")


def _unknown(kind: type[Question], layer: Stated, key: str) -> UsageError:
    """Name a key that is none of the options, spelled as its writer spells them."""
    names = list(options_of(kind))
    if any("-" in str(name) for name in layer.options):
        key, names = key.replace("_", "-"), [name.replace("_", "-") for name in names]
    what = f"key in {layer.origin}:" if layer.origin else "option"
    return unknown_name(what, key, names, f"advisor {kind.COMMAND} --help")


def _merged(kind: type[Question], layers: Collection[Stated]) -> dict[str, tuple[object, str]]:
    """Return what is stated by key, and where; an option replaces those that it excludes."""
    table = options_of(kind)
    found: dict[str, tuple[object, str]] = {}
    for layer in layers:
        own = dict(layer.given())
        for key in own:
            if key not in table:
                raise _unknown(kind, layer, key)
            other = next((one for one in table[key].option.excludes if one in own), None)
            if other is not None:
                raise UsageError(f"give {layer.where(key)} or {layer.where(other)}, not both")
        replaced = {other for key in own for other in table[key].option.excludes}
        found = {key: one for key, one in found.items() if key not in replaced}
        found |= {key: (value, layer.where(key)) for key, value in own.items()}
    return found
