"""Conditions: what a question states of how a device runs, beside the lane.

Publications name power modes and versions as they like: ``15 W``, ``10W (MAXN)``, ``2.5.0``.
"""

import re

from advisor.core.frozen_record import Record

_PARTS = re.compile(r"[(),]")
_POWER = re.compile(r"\d+(?:\.\d+)?\s*W\b")


class Conditions(Record):
    """A power mode and a version of the runtime; None where nothing is stated."""

    power_mode: str | None = None
    version: str | None = None

    def __bool__(self) -> bool:
        """Whether anything is stated."""
        return bool(self.power_mode or self.version)

    def hold(self, *, power_mode: str, version: str) -> bool:
        """Whether a figure states everything that is asked for."""
        return (self.power_mode is None or is_mode(self.power_mode, power_mode)) and (
            self.version is None or is_version(self.version, version)
        )


def is_mode(asked: str, stated: str) -> bool:
    """Whether two texts name one power mode: ``15W`` is ``15 W``, ``MAXN`` is ``MAXN (60W)``."""
    return bool(_names(asked) & _names(stated)) and _plain(asked) != ""


def _names(text: str) -> set[str]:
    """Return the spellings of a mode: the whole, its parts, and its power apart from its name."""
    parts = [part.strip() for part in _PARTS.split(text)]
    apart = [_POWER.sub("", part) for part in parts] + _POWER.findall(text)
    return {_plain(one) for one in (text, *parts, *apart)} - {""}


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9.]", "", text.lower())


def is_version(asked: str, stated: str) -> bool:
    """Whether a stated version is the one asked for, or a release of it: 2.5 holds for 2.5.1."""
    wanted, found = asked.lower().removeprefix("v").split("."), stated.lower().split(".")
    return bool(stated) and found[: len(wanted)] == wanted


def mode_in(variant: str, asked: str) -> bool:
    """Whether the variant of a lane ends with a power mode, as ``ruy nvpmodel 2`` does."""
    words = variant.split()
    return any(is_mode(asked, " ".join(words[start:])) for start in range(len(words)))
