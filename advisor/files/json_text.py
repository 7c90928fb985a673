"""JSON as a file or a line of one holds it; what is ambiguous or no number is refused."""

import json
import math
from collections import Counter
from typing import Any, Never

from advisor.errors import AdvisorError


class NumberText(str):
    """A number as it is written, which may be no finite one."""

    __slots__ = ()


def json_value(
    text: str, origin: str, error: type[AdvisorError], *, numbers_as_text: bool = False
) -> Any:
    """Return what a text of JSON holds.

    ``numbers_as_text`` keeps numbers, NaN among them, as they are written, for whom judges each
    by itself. Raises ``error`` that names ``origin`` for text that is not JSON, numbers that are
    not finite, a field that appears twice, and a nesting that nobody writes.
    """
    try:
        return json.loads(
            text,
            parse_float=NumberText if numbers_as_text else _finite,
            parse_int=NumberText if numbers_as_text else int,
            parse_constant=NumberText if numbers_as_text else _no_number,
            object_pairs_hook=_once,
        )
    except RecursionError:
        raise error(f"{origin}: is not JSON that can be read: it is nested too deeply") from None
    except ValueError as problem:
        raise error(f"{origin}: is not JSON: {_reason(problem)}") from None


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _no_number(text: str) -> Never:
    raise ValueError(f"{text} is no number; a figure that is not known is left out")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON keeps the last of two equal fields; a figure that silently wins is refused here."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, times in Counter(n for n, _ in pairs).items() if times > 1)
        raise ValueError(f"field {twice!r} appears twice; allowed: once")
    return found


def _reason(problem: ValueError) -> str:
    return "a number has too many digits" if "digits" in str(problem) else str(problem)
