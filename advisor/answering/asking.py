"""Asking: builds a request from what was stated, presets and files included."""

from collections.abc import Collection
from pathlib import Path
from typing import TypeVar

from advisor.answering import use_cases
from advisor.answering.evidence import Evidence, evidence_with
from advisor.core.question import Question, Stated, options_of
from advisor.errors import UsageError
from advisor.hardware.library import read_mapping

Kind = TypeVar("Kind", bound=Question)
PRESET = "use_case"
"""Option that names a preset of others."""
PRINTED = ("format", "output")
"""Keys of a request file that say how the command line prints."""


def request_from(kind: type[Kind], *layers: Stated) -> Kind:
    """Build a request from stated options; later layers win, and every layer wins over a preset."""
    named = [value for layer in layers for key, value in layer.given() if key == PRESET]
    if not named or PRESET not in options_of(kind):
        return kind.read(*layers)
    return kind.read(preset(str(named[-1])), *layers)


def preset(name: str) -> Stated:
    """Return the options that a use case sets."""
    return Stated(options=use_cases.defaults(name), origin=f"use case {name}")


def request_file(path: Path, beside: Collection[str] = ()) -> Stated:
    """Read a request file; ``beside`` are keys in it that are none of the request's."""
    options = {key: value for key, value in file_options(path).items() if key not in beside}
    return Stated(options=options, origin=str(path))


def file_options(path: Path) -> dict[str, object]:
    """Return what a request file states, by key; UsageError where a key appears twice."""
    found: dict[str, object] = {}
    for name, value in read_mapping(path).items():
        key = str(name).replace("-", "_")
        if key in found:
            raise UsageError(f"{path}: {key} appears twice; allowed: once")
        found[key] = value
    return found


def evidence_for(profiles_dir: str) -> Evidence:
    """Return the shipped evidence with the profiles of a folder, if one is named, before it."""
    return evidence_with(Path(profiles_dir) if profiles_dir else None)
