"""Where figures of devices are from and how far they can be trusted."""

from dataclasses import dataclass
from enum import StrEnum


class Confidence(StrEnum):
    """How far the sources of a group of figures can be trusted."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """Where a group of figures is from."""

    source: str
    """Publications, separated by semicolons."""
    confidence: Confidence
