"""Option: one setting of a request, as people write it and as it is written back.

An option stands beside the field that it fills (``advisor.core.request``). The command line,
request files, the Python API and the command that a result records all read and write it here.
A form reads what was stated and writes a value back, so that reading it again gives the same.
"""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from typing import Any

from advisor.core.constraint import Constraint
from advisor.core.frozen_record import Record
from advisor.core.quantity import LARGEST, Metric, Unit, parse, spell
from advisor.errors import UsageError

LEAST_LEVEL, MOST_LEVEL = 0.001, 0.999999
"""Probabilities that can be asked for; beyond them a spread says nothing."""
Written = str | bool | list[str] | None
"""An option as a request file holds it; None where another option says it."""


class Form(Record):
    """How a value is written: here as one word; the forms below say what else there is."""

    metavar: str = "TEXT"
    many: bool = False
    """Whether several may be given, separated by commas or one by one."""
    flag: bool = False
    """Whether it is given without a value."""
    part: bool = False
    """Whether several options fill one field, each with a part of it."""

    def read(self, stated: object, where: str) -> Any:
        """Return the value; UsageError says ``where``, what was stated and what is allowed."""
        return one_word(stated, where)

    def write(self, value: Any) -> Written:
        """Write a value so that ``read`` gives it back."""
        return None if value is None else str(value)


def one_word(stated: object, where: str) -> str:
    """Return a single word or number as text."""
    if isinstance(stated, list | tuple | dict | set):
        raise UsageError(f"{where}: {stated!r} is not one value; this option takes a single one")
    if isinstance(stated, bool) or not isinstance(stated, str | int | float | os.PathLike):
        raise UsageError(f"{where}: {stated!r} is not a word; put it in quotes")
    return without_zero(str(stated), where)


def without_zero(text: str, where: str) -> str:
    """Return a text that no name of a file, nor of anything else, makes impossible."""
    if "\0" in text:
        raise UsageError(f"{where}: {text!r} holds a zero byte; leave it out")
    return text


def words(stated: object, where: str, separator: str = ",") -> tuple[str, ...]:
    """Return the words of ``a,b``, or of a list of such."""
    items = stated if isinstance(stated, list | tuple | set | frozenset) else [stated]
    if isinstance(stated, dict) or not all(_is_word(item) for item in items):
        raise UsageError(f"{where}: {stated!r} is not a list of words; write [a, b] or a,b")
    texts = [without_zero(str(item), where) for item in items]
    parts = [part.strip() for text in texts for part in re.split(separator, text)]
    found = tuple(part for part in parts if part)
    if texts and not found:
        raise UsageError(f"{where}: {', '.join(texts)!r} names nothing; name one, or leave it out")
    return found


def _is_word(item: object) -> bool:
    return isinstance(item, str | int | float | os.PathLike) and not isinstance(item, bool)


def number(stated: object, where: str) -> float:
    """Return a finite number."""
    text = one_word(stated, where)
    try:
        value = float(text)
    except ValueError:
        raise UsageError(f"{where}: {text!r} is not a number") from None
    if math.isnan(value):
        raise UsageError(f"{where}: {text!r} is not a number")
    if abs(value) > LARGEST:
        raise UsageError(f"{where}: {text!r} is out of range; allowed: at most {LARGEST:g}")
    return value


def plain(value: float) -> str:
    """Write a number in the fewest digits that read back the same."""
    return repr(float(value)).removesuffix(".0")


def metric(stated: object, where: str) -> Metric:
    """Return the metric of a name."""
    name = one_word(stated, where)
    try:
        return Metric(name.strip().replace("-", "_"))
    except ValueError:
        raise UsageError(
            f"{where}: unknown metric {name!r}; allowed: {', '.join(Metric)}"
        ) from None


class Whole(Form):
    """A whole number."""

    metavar: str = "INTEGER"
    least: int = 0
    most: int = 10**9

    def read(self, stated: object, where: str) -> int:
        """Return the number, which has to lie within the range."""
        text = one_word(stated, where)
        try:
            value = int(text)
        except ValueError:
            raise UsageError(f"{where}: {text!r} is not a whole number") from None
        if not self.least <= value <= self.most:
            raise UsageError(
                f"{where}: {text} is out of range; allowed: {self.least} to {self.most}"
            )
        return value


class Positive(Form):
    """A number above zero."""

    metavar: str = "NUMBER"

    def read(self, stated: object, where: str) -> float:
        """Return the number."""
        value = number(stated, where)
        if value <= 0:
            raise UsageError(f"{where}: {stated!r} is out of range; it must be above 0")
        return value

    def write(self, value: Any) -> Written:
        """Write the number."""
        return None if value is None else plain(value)


class Flag(Form):
    """Given or not; ``sets`` is what giving it means."""

    flag: bool = True
    sets: bool = True

    def read(self, stated: object, where: str) -> bool:
        """Return the value of the field."""
        if not isinstance(stated, bool):
            raise UsageError(f"{where}: {stated!r} is neither true nor false")
        return stated is self.sets

    def write(self, value: Any) -> Written:
        """Write whether it is given."""
        return bool(value) is self.sets


class Words(Form):
    """Several words."""

    metavar: str = "TEXT,…"
    many: bool = True
    separator: str = ","
    """Pattern between the words of one text."""

    def read(self, stated: object, where: str) -> tuple[str, ...]:
        """Return the words."""
        return words(stated, where, self.separator)

    def write(self, value: Any) -> Written:
        """Write them as a list."""
        return [str(one) for one in value]


class Metrics(Form):
    """Several metrics."""

    metavar: str = "METRIC,…"
    many: bool = True

    def read(self, stated: object, where: str) -> tuple[Metric, ...]:
        """Return the metrics."""
        return tuple(metric(name, where) for name in words(stated, where))

    def write(self, value: Any) -> Written:
        """Write their names."""
        return [str(one) for one in value]


class Quantity(Form):
    """A number with its unit."""

    metavar: str = "QUANTITY"
    unit: Unit

    def read(self, stated: object, where: str) -> float:
        """Return it in SI."""
        return parse(one_word(stated, where), self.unit, option=where)

    def write(self, value: Any) -> Written:
        """Write it with the unit."""
        return None if value is None else spell(value, self.unit)


class Probability(Form):
    """A probability, as ``90%`` or ``0.9``; neither impossible nor certain."""

    metavar: str = "PERCENT"

    def read(self, stated: object, where: str) -> float:
        """Return it as a fraction."""
        text = one_word(stated, where).strip()
        exact = text.removesuffix("%").strip()
        value = number(exact, where)
        value = float(Decimal(exact) / 100) if text.endswith("%") else value
        if not LEAST_LEVEL <= value <= MOST_LEVEL:
            raise UsageError(
                f"{where}: {text!r} is out of range; allowed: {spell(LEAST_LEVEL, Unit.FRACTION)} "
                f"to {spell(MOST_LEVEL, Unit.FRACTION)}, or as 0.9"
            )
        return value

    def write(self, value: Any) -> Written:
        """Write it in percent."""
        return None if value is None else spell(value, Unit.FRACTION)


class LimitForm(Form):
    """A limit on a metric."""

    metavar: str = "QUANTITY"
    part: bool = True
    metric: Metric
    side: str
    """at_most or at_least."""

    def read(self, stated: object, where: str) -> Constraint:
        """Return the limit in SI."""
        bound = parse(one_word(stated, where), self.metric.unit, option=where)
        return Constraint(metric=self.metric, **{self.side: bound})

    def write(self, value: Any) -> Written:
        """Write the limit of this metric and side, where there is one."""
        own = [one for one in value if one.metric is self.metric]
        bounds = [getattr(one, self.side) for one in own if getattr(one, self.side) is not None]
        return spell(bounds[0], self.metric.unit) if bounds else None


class ScopedLimit(Form):
    """An upper limit whose metric depends on what it is of, such as ``3W:chip``."""

    metavar: str = "QUANTITY[:SCOPE]"
    part: bool = True
    scopes: Mapping[str, Metric]
    """Metric by scope; the first is meant where none is said, and the first name is written."""

    def read(self, stated: object, where: str) -> Constraint:
        """Return the limit in SI."""
        text, colon, scope = one_word(stated, where).partition(":")
        scope = scope.strip() if colon else next(iter(self.scopes))
        if scope not in self.scopes:
            allowed = ", ".join(self.scopes)
            raise UsageError(f"{where}: {scope!r} is nothing to limit; allowed: {allowed}")
        of = self.scopes[scope]
        return Constraint(metric=of, at_most=parse(text, of.unit, option=where))

    def write(self, value: Any) -> Written:
        """Write the limit of one of the metrics, where there is one."""
        default = next(iter(self.scopes.values()))
        for one in value:
            scope = next((name for name, of in self.scopes.items() if of is one.metric), None)
            if scope is not None and one.at_most is not None:
                bound = spell(one.at_most, one.metric.unit)
                return bound if one.metric is default else f"{bound}:{scope}"
        return None


class OneMetric(Form):
    """The only objective."""

    metavar: str = "METRIC"

    def read(self, stated: object, where: str) -> dict[Metric, float]:
        """Return it with the weight 1."""
        return {metric(stated, where): 1.0}

    def write(self, value: Any) -> Written:
        """Write it where it is the only one."""
        return str(next(iter(value))) if len(value) == 1 and 1.0 in value.values() else None


class MetricWeights(Form):
    """Objectives and how much each counts."""

    metavar: str = "METRIC=W,…"
    many: bool = True

    def read(self, stated: object, where: str) -> dict[Metric, float]:
        """Return the weight of each."""
        found = {metric(name, where): weight for name, weight in pairs(stated, where).items()}
        if any(weight < 0 for weight in found.values()) or not sum(found.values()) > 0:
            given = ", ".join(f"{name}={plain(weight)}" for name, weight in found.items())
            raise UsageError(f"{where}: {given}: weights must not be negative or all zero")
        return found

    def write(self, value: Any) -> Written:
        """Write them where there are several."""
        if OneMetric().write(value) is not None:
            return None
        return [f"{name}={plain(weight)}" for name, weight in value.items()]


class Needs(Form):
    """Values of metrics beyond which more has no value."""

    metavar: str = "METRIC=QUANTITY,…"
    many: bool = True

    def read(self, stated: object, where: str) -> dict[Metric, float]:
        """Return the need of each metric, SI."""
        items = stated.items() if isinstance(stated, Mapping) else self._pairs(stated, where)
        found: dict[Metric, float] = {}
        for name, value in items:
            of = metric(str(name), where)
            found[of] = parse(one_word(value, where), of.unit, option=where)
            if found[of] <= 0:
                raise UsageError(f"{where}: {name}={value}: a need is above zero")
        return found

    @staticmethod
    def _pairs(stated: object, where: str) -> list[tuple[str, str]]:
        found: dict[str, str] = {}
        for item in words(stated, where):
            name, sign, value = (part.strip() for part in item.partition("="))
            if not sign or not name or name in found:
                twice = "appears twice" if name in found else "is not METRIC=QUANTITY"
                raise UsageError(f"{where}: {item!r} {twice}, such as latency=20ms")
            found[name] = value
        return list(found.items())

    def write(self, value: Any) -> Written:
        """Write the needs."""
        return [f"{name}={spell(need, Metric(name).unit)}" for name, need in value.items()]


class ExchangeRates(Form):
    """US dollars for one unit of other currencies."""

    metavar: str = "CUR=USD,…"
    many: bool = True

    def read(self, stated: object, where: str) -> dict[str, float]:
        """Return the rate of each currency."""
        return pairs(stated, where, unit="USD")

    def write(self, value: Any) -> Written:
        """Write the rates."""
        return [f"{name}={plain(rate)}" for name, rate in value.items()]


def pairs(stated: object, where: str, unit: str = "") -> dict[str, float]:
    """Read ``a=1,b=2``, a list of such, or a mapping; no name may appear twice."""
    if isinstance(stated, Mapping):
        return {str(name): number(value, where) for name, value in stated.items()}
    found: dict[str, float] = {}
    for item in words(stated, where):
        name, sign, value = (part.strip() for part in item.partition("="))
        if not sign or not name or name in found:
            twice = "appears twice" if name in found else "is not NAME=NUMBER"
            raise UsageError(f"{where}: {item!r} {twice}")
        found[name] = number(value.removesuffix(unit), where)
    return found


class Choice(Form):
    """One of some names."""

    metavar: str = "NAME"
    names: tuple[str, ...]

    def read(self, stated: object, where: str) -> str:
        """Return the name."""
        name = one_word(stated, where)
        if name not in self.names:
            raise UsageError(f"{where}: {name!r} is unknown; allowed: {', '.join(self.names)}")
        return name


class Factors(Form):
    """Numbers above zero."""

    metavar: str = "NUMBER,…"
    many: bool = True

    def read(self, stated: object, where: str) -> tuple[float, ...]:
        """Return the numbers."""
        return tuple(Positive().read(word, where) for word in words(stated, where))

    def write(self, value: Any) -> Written:
        """Write the numbers."""
        return [plain(one) for one in value]


class NamedFiles(Form):
    """Files by name."""

    metavar: str = "NAME=FILE"
    many: bool = True

    def read(self, stated: object, where: str) -> dict[str, str]:
        """Return the file of each name."""
        if isinstance(stated, Mapping):
            return {str(name): one_word(file, where) for name, file in stated.items()}
        found = {}
        for item in words(stated, where):
            name, _, file = item.partition("=")
            if not file:
                raise UsageError(f"{where}: {item!r} is no pair; write {self.metavar}")
            found[name] = file
        return found

    def write(self, value: Any) -> Written:
        """Write them as a list."""
        return [f"{name}={file}" for name, file in value.items()]


MOST_ELEMENTS = 10**8
"""Elements of an input, so that a slip does not fill the memory."""


class InputSizes(Form):
    """Sizes of a network's inputs without the batch, by name: ``image=3x224x224,meta=4``."""

    metavar: str = "[NAME=]SIZES,…"
    many: bool = True

    def read(self, stated: object, where: str) -> dict[str, tuple[int, ...]]:
        """Return the sizes of each input; an only input needs no name and has the name ``""``."""
        if isinstance(stated, Mapping):
            named = [(str(name), value) for name, value in stated.items()]
        else:
            parted = [word.rpartition("=") for word in words(stated, where)]
            named = [(name.strip(), sizes) for name, _, sizes in parted]
        found = {name: _sizes(value, where) for name, value in named}
        if len(found) < len(named) or ("" in found and len(found) > 1):
            raise UsageError(f"{where}: {stated!r} names an input twice, or one of several not")
        return found

    def write(self, value: Any) -> Written:
        """Write them as a list."""
        sizes = {name: "x".join(map(str, one)) for name, one in value.items()}
        return [f"{name}={one}" if name else one for name, one in sizes.items()]


def _sizes(stated: object, where: str) -> tuple[int, ...]:
    """Read ``3x224x224``, a number, or a list of numbers."""
    if isinstance(stated, list | tuple):
        parts = [str(one) for one in stated]
    else:
        parts = re.split("[x×]", one_word(stated, where).strip().lower())
    if not all(re.fullmatch(r"0*[1-9]\d{0,8}", part) for part in parts) or (
        not parts or math.prod(map(int, parts)) > MOST_ELEMENTS
    ):
        raise UsageError(
            f"{where}: {str(stated)[:80]!r} are no sizes; write 3x224x224, without the batch, "
            f"at most {MOST_ELEMENTS:,} elements"
        )
    return tuple(map(int, parts))


class Option(Record):
    """One setting: its help, its form, and its name where that is not the field's."""

    help: str
    form: Form = field(default_factory=Form)
    name: str = ""
    """As it is written, without leading dashes; empty takes the name of the field."""
    argument: bool = False
    """Whether the command line takes it without its name."""
    excludes: tuple[str, ...] = ()
    """Keys of options that fill the same field and cannot be given beside it."""

    def key(self, field_name: str) -> str:
        """Its name in request files and in Python: ``max_latency``."""
        return (self.name or field_name).replace("-", "_")


FILE = Form(metavar="FILE")
FOLDER = Form(metavar="FOLDER")
WORDS = Words()
ITEMS = Words(separator=r"(?!)")
"""Words that are given one by one, since they may hold commas."""
CANDIDATES = Words(separator=r",(?![a-z0-9_]+=)")
"""Candidates; the commas between the multipliers of one belong to it."""
SECONDS = Quantity(unit=Unit.SECOND)
