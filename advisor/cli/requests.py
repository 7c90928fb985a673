"""Requests of the commands that name candidates and devices but set no limits."""

from collections.abc import Sequence
from typing import Any

from advisor.cli.options import fraction, words
from advisor.recommendation import Request


def lane_requests(devices: Sequence[str], options: dict[str, Any]) -> list[Request]:
    """Build one request per device from the lane options."""
    return [
        Request(
            device=device,
            unit=options["unit"],
            runtime=options["runtime"],
            precisions=words(options["precision"]),
            batch=options["batch"],
            threads=options["threads"],
            confidence=fraction(options["confidence"], option="--confidence"),
            published=not options["no_published"],
        )
        for device in devices
    ]
