"""Requests of the commands that name candidates and devices but set no limits."""

from collections.abc import Sequence
from typing import Any

from advisor.cli.options import fraction, lane_fields, words
from advisor.core.document import Request
from advisor.errors import UsageError
from advisor.hardware.profile import LaneRequest


def lane_requests(devices: Sequence[str], options: dict[str, Any]) -> list[Request]:
    """Build one request per device from the lane options."""
    return [
        Request(
            device=device,
            **lane_fields(options),
            confidence=fraction(options["confidence"], option="--confidence"),
            published=not options["no_published"],
        )
        for device in devices
    ]


def lane_request(options: dict[str, Any], several: str) -> LaneRequest:
    """Read the lane options of a command that takes one lane.

    ``several`` says what is wrong with more than one precision.
    """
    precisions = words(options["precision"])
    if len(precisions) > 1:
        raise UsageError(f"--precision: {several}")
    return LaneRequest(
        unit=options["unit"],
        runtime=options["runtime"],
        precision=next(iter(precisions), None),
        batch=options["batch"],
        threads=options["threads"],
    )
