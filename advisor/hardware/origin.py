"""Where figures of devices are from and how far they can be trusted."""

from enum import StrEnum

from advisor.core.frozen_record import Record


class Confidence(StrEnum):
    """How far the sources of a group of figures can be trusted."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNKNOWN = "unknown"


class Sourced(Record):
    """Where a group of figures is from."""

    source: str
    """Publications, separated by semicolons."""
    confidence: Confidence
