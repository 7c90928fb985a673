"""Command lines that give an answer again, or that would settle what is uncertain."""

import shlex
from collections.abc import Sequence

from advisor.core.candidate import Candidate
from advisor.core.document import Limit, Request
from advisor.core.lane import Lane
from advisor.core.quantity import Metric, Unit

SCRIPTED = ("tensorrt", "onnxruntime", "ncnn", "tflite")
"""Runtimes that the script of a kit can drive on a board."""
_OPTION = {
    Metric.LATENCY: "--max-latency",
    Metric.THROUGHPUT: "--min-throughput",
    Metric.PEAK_MEMORY: "--max-memory",
    Metric.WEIGHTS: "--max-weights",
    Metric.PARAMETERS: "--max-params",
    Metric.MACS: "--max-macs",
    Metric.ENERGY: "--max-energy",
    Metric.POWER: "--max-power",
    Metric.TOP1: "--min-top1",
}
_SYMBOL = {
    Unit.SECOND: ("ms", 1e3),
    Unit.PER_SECOND: ("/s", 1.0),
    Unit.BYTE: ("MB", 1e-6),
    Unit.JOULE: ("mJ", 1e3),
    Unit.WATT: ("W", 1.0),
    Unit.FRACTION: ("%", 100.0),
    Unit.COUNT: ("M", 1e-6),
    Unit.USD: ("USD", 1.0),
}


def quantity(limit: Limit) -> str:
    """Write a limit as the option and the quantity that read back as the same number."""
    symbol, factor = _SYMBOL[limit.metric.unit]
    bound = limit.at_most if limit.at_most is not None else limit.at_least
    return f"{_OPTION[limit.metric]} {(bound or 0.0) * factor:.12g}{symbol}"


def recommend_command(request: Request) -> str:
    """Write the command that gives the same recommendation."""
    words = ["advisor recommend", *_lane(request), *map(quantity, request.limits)]
    if request.confidence != 0.9:
        words.append(f"--confidence {100 * request.confidence:g}%")
    if len(request.weights) > 1:
        weights = ",".join(f"{metric}={weight:g}" for metric, weight in request.weights.items())
        words.append(f"--weights {weights}")
    elif set(request.weights) != {Metric.TOP1}:
        words.append(f"--rank-by {next(iter(request.weights))}")
    for option, values in (
        ("--models", request.models),
        ("--exclude", request.exclude),
        ("--license", request.licenses),
    ):
        words += [f"{option} {shlex.quote(','.join(values))}"] if values else []
    words += ["--all-weights"] if request.all_weights else []
    words += [] if request.published else ["--no-published"]
    words += [f"--search {request.search}"] if request.search else []
    words += [f"--measure {request.measure}"] if request.measure else []
    if request.accuracy_from:
        words.append(f"--accuracy-from {shlex.quote(request.accuracy_from)}")
    words += [f"--seed {request.seed}"] if request.seed else []
    words += [f"--top {request.top}"] if request.top != 10 else []
    return " ".join(words)


def estimate_command(candidates: Sequence[Candidate], requests: Sequence[Request]) -> str:
    """Write the command that gives the same estimates."""
    names = [shlex.quote(candidate.name) for candidate in candidates]
    devices = [f"--device {request.device}" for request in requests]
    lane = _lane(requests[0])[1:] if requests else []
    published = requests and not requests[0].published
    flags = ["--no-published"] if published else []
    return " ".join(["advisor estimate", *names, *devices, *lane, *flags])


def measure_command(candidate: Candidate, lane: Lane) -> str:
    """Write the command that would measure a candidate on its lane."""
    if lane.device == "host":
        words = [
            "advisor measure",
            shlex.quote(candidate.name),
            f"--runtime {lane.runtime}",
            f"--precision {lane.precision}",
            f"--threads {lane.threads or 1}",
            *([f"--batch {lane.batch}"] if lane.batch > 1 else []),
        ]
        return " ".join(words)
    words = [
        "advisor kit",
        f"--device {lane.device}",
        f"--models {shlex.quote(candidate.name)}",
        f"--runtime {lane.runtime}",
        f"--precision {lane.precision}",
        "-o kit.tar.gz",
    ]
    return " ".join(words)


def measuring_command(names: Sequence[str], lane: Lane) -> str:
    """Write the command that measures networks in exactly this lane.

    Empty where the script of a kit cannot drive the lane's runtime.
    """
    spelled = [shlex.quote(name) for name in names]
    if lane.device == "host":
        return " ".join(["advisor measure", *spelled, *_exactly(lane)])
    if lane.runtime not in SCRIPTED:
        return ""
    models = ["--models", ",".join(spelled)]
    words = ["advisor kit", f"--device {lane.device}", *models, *_exactly(lane), "-o kit.tar.gz"]
    return " ".join(words)


def calibrate_command(lane: Lane) -> str:
    """Write the command that takes in what was measured in a lane; a kit's table names its lane."""
    words = ["advisor calibrate", lane.device]
    if lane.device == "host":
        return " ".join(words)
    words.append("--measurements measurements.csv")
    return " ".join(words if lane.runtime in SCRIPTED else [*words, *_exactly(lane)])


def _exactly(lane: Lane) -> list[str]:
    """The options that name a lane whatever the defaults are."""
    return [
        f"--unit {lane.unit}",
        f"--runtime {lane.runtime}",
        f"--precision {lane.precision}",
        *([f"--threads {lane.threads}"] if lane.threads else []),
        *([f"--batch {lane.batch}"] if lane.batch > 1 else []),
    ]


def _lane(request: Request) -> list[str]:
    words = [f"--device {request.device}"]
    for option, value in (
        ("--unit", request.unit),
        ("--runtime", request.runtime),
        ("--precision", ",".join(request.precisions) or None),
        ("--batch", request.batch),
        ("--threads", request.threads),
    ):
        words += [f"{option} {value}"] if value is not None else []
    return words
