"""Command lines that give an answer again, or that would settle what is uncertain."""

from collections.abc import Sequence
from typing import Any

from advisor.answering.use_cases import defaults
from advisor.core.candidate import Candidate
from advisor.core.lane import Lane
from advisor.core.measuring_request import CalibrateRequest, KitRequest, MeasureRequest
from advisor.core.request import Request

SCRIPTED = ("tensorrt", "onnxruntime", "ncnn", "tflite")
"""Runtimes that the script of a kit can drive on a board."""


def recommend_command(request: Request) -> str:
    """Write the command that gives the same recommendation."""
    return request.command(beside=defaults(request.use_case) if request.use_case else ())


def measure_command(candidate: Candidate, lane: Lane) -> str:
    """Write the command that would measure a candidate on its lane."""
    return timing_command([candidate.name], lane)


def measuring_command(names: Sequence[str], lane: Lane) -> str:
    """Write the command that measures networks in exactly this lane.

    Empty where the script of a kit cannot drive the lane's runtime.
    """
    return timing_command(names, lane) if lane.device == "host" or is_scripted(lane) else ""


def is_scripted(lane: Lane) -> bool:
    """Whether the script of a kit can drive the lane's runtime."""
    return lane.runtime in SCRIPTED


def timing_command(names: Sequence[str], lane: Lane) -> str:
    """Write the command that times networks: here, or on a board by a kit."""
    if lane.device == "host":
        asked = MeasureRequest(
            candidates=tuple(names),
            runtimes=(lane.runtime,),
            precisions=(lane.precision,),
            unit=lane.unit,
            threads=lane.threads or 1,
            batch=max(lane.batch, 1),
        )
        return asked.command()
    kit = KitRequest(device=lane.device, models=tuple(names), **_exactly(lane))
    return f"{kit.command()} -o kit.tar.gz"


def calibrate_command(lane: Lane) -> str:
    """Write the command that takes in what was measured in a lane; a kit's table names its lane."""
    if lane.device == "host":
        return CalibrateRequest(device=lane.device).command()
    named = {} if is_scripted(lane) else _exactly(lane)
    return CalibrateRequest(device=lane.device, measurements="measurements.csv", **named).command()


def _exactly(lane: Lane) -> dict[str, Any]:
    """Name a lane whatever the device's defaults are; a timing has one batch, never a bulk."""
    return {
        "unit": lane.unit,
        "runtime": lane.runtime,
        "precisions": (lane.precision,),
        "threads": lane.threads,
        "batch": None if lane.is_bulk else lane.batch,
    }
