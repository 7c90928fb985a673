"""Document: the base of everything that is kept in a file as JSON."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ConfigDict

SMALLEST, LARGEST = 1e-40, 1e40
"""Range of a figure other than 0, in SI; nothing that is measured or counted lies beyond it."""
_ROUNDING = 1e-9


class Document(BaseModel):
    """A frozen record; unknown fields, NaN and infinity are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, allow_inf_nan=False)

    def contradictions(self, where: str = "") -> Iterator[str]:
        """Yield what its numbers say against each other or cannot be, with the field.

        A file may have been edited by hand; what the advisor writes has none.
        """
        yield from (f"field {where!r}: {said}" for said in self.said_against_itself())
        for name in type(self).model_fields:
            yield from _inside(getattr(self, name), f"{where}.{name}" if where else name)

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
