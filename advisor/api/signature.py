"""Signature: what a notebook shows of a function: every option as a keyword, with its help."""

import inspect
import keyword
from collections.abc import Callable
from typing import Any, TypeVar

from advisor.core.question import Question, options_of

Function = TypeVar("Function", bound=Callable[..., Any])
CONFIG = "Request file (YAML) with any of these; keywords go before it."


def asks(kind: type[Question]) -> Callable[[Function], Function]:
    """Give a function the signature and the documentation of a kind of request."""

    def decorate(function: Function) -> Function:
        own = inspect.signature(function)
        first = [p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
        given = {parameter.name for parameter in first}
        places = {key: one for key, one in options_of(kind).items() if key not in given}
        keywords = [_keyword(key) for key in (*places, "config")]
        function.__signature__ = own.replace(parameters=[*first, *keywords])  # type: ignore[attr-defined]
        lines = [f"    {_name(key)}: {one.option.help}" for key, one in places.items()]
        function.__doc__ = "\n".join(
            [
                inspect.cleandoc(function.__doc__ or ""),
                "",
                "Keywords:",
                *lines,
                f"    config: {CONFIG}",
            ]
        )
        return function

    return decorate


def _name(key: str) -> str:
    return f"{key}_" if keyword.iskeyword(key) else key


def _keyword(key: str) -> inspect.Parameter:
    return inspect.Parameter(_name(key), inspect.Parameter.KEYWORD_ONLY, default=None)
