"""From a request to an order of measurements, and from what was measured to a document.

Joins the measurers with the evidence: neither knows of the other.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from advisor import __version__
from advisor.answering.evidence import Evidence
from advisor.answering.write import now
from advisor.core.candidate import Candidate
from advisor.core.document import EstimateEntry, Estimates, Figure, LaneRecord
from advisor.core.lane import Lane
from advisor.core.measuring_request import MeasureRequest
from advisor.core.quantity import Metric
from advisor.errors import MeasurementError, UsageError
from advisor.measuring.cpu import usable
from advisor.measuring.exports import digest_of
from advisor.measuring.order import Order, Way, Wish
from advisor.measuring.own_figures import OwnFigures
from advisor.measuring.runtimes import Settings, find, load
from advisor.measuring.session import MeasuredOutcome, Measuring, Tell
from advisor.measuring.store import MeasurementStore
from advisor.networks import FACTORY_RESOLUTION, is_foreign

METRICS = (Metric.LATENCY, Metric.THROUGHPUT, Metric.PEAK_MEMORY, Metric.ENERGY)


def wishes(
    patterns: Sequence[str], evidence: Evidence, *, weights: Path | None = None
) -> tuple[Wish, ...]:
    """Resolve what the user named to networks that can be measured.

    Weights of one architecture run alike, so each network and input size is measured once.
    """
    found: dict[tuple[str, int], Wish] = {}
    for pattern in patterns:
        if is_foreign(pattern):
            wish = _foreign(pattern)
            found.setdefault((wish.network, wish.resolution), wish)
            continue
        for candidate in evidence.candidates([pattern]):
            wish = of_candidate(candidate, evidence)
            found.setdefault((wish.network, wish.resolution), wish)
    if weights is not None and len(found) != 1:
        raise UsageError(f"--weights is for one network, not {len(found)}")
    given = str(weights.absolute()) if weights else ""
    return tuple(replace(wish, weights=given) for wish in found.values())


def of_candidate(candidate: Candidate, evidence: Evidence) -> Wish:
    """A network of the catalog, or a variant of one, with random weights."""
    resolution = candidate.resolution or evidence.default_resolution(candidate)
    return Wish(spelling=candidate.network, network=candidate.network, resolution=resolution)


def _foreign(spelling: str) -> Wish:
    """A user's own network: its content decides whether it was measured before."""
    name, _, side = spelling.rpartition("@")
    bare, resolution = (name, int(side)) if name and side.isdigit() else (spelling, 0)
    path = Path(bare)
    if path.suffix.lower() == ".onnx":
        return Wish(
            spelling=spelling,
            network=str(path),
            resolution=resolution or _onnx_side(path),
            onnx_file=str(path.absolute()),
            content=digest_of(path),
        )
    return Wish(
        spelling=bare,
        network=bare,
        resolution=resolution or FACTORY_RESOLUTION,
        content=_code(bare),
    )


def _onnx_side(path: Path) -> int:
    from advisor.networks import describe_spelling

    return describe_spelling(str(path)).resolution


def _code(factory: str) -> str:
    """Digest of the file that a factory is written in."""
    module = factory.partition(":")[0]
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        raise MeasurementError(f"cannot find module {module!r} of {factory}")
    return digest_of(Path(spec.origin))


def ways(
    runtimes: Iterable[str], precisions: Iterable[str], *, unit: str, threads: int, batch: int
) -> tuple[Way, ...]:
    """Cross the runtimes with the precisions; UsageError for an unknown runtime."""
    found = []
    for runtime in runtimes:
        name = find(runtime, unit)
        measurer = load(name)
        for precision in precisions:
            settings = Settings(precision=precision, threads=threads, batch=batch)
            found.append(
                Way(
                    name=name,
                    runtime=measurer.runtime,
                    unit=measurer.unit,
                    packages=tuple(measurer.packages),
                    settings=settings,
                )
            )
    return tuple(found)


def order_of(request: MeasureRequest, evidence: Evidence) -> Order:
    """Return the order that a request leads to.

    Raises UsageError for unknown networks and runtimes, and for more threads than there are here.
    """
    if not request.host and request.threads > len(usable()):
        raise UsageError(
            f"--threads {request.threads}: this process may use {len(usable())} CPUs, allowed: 1 "
            f"to {len(usable())}"
        )
    weights = Path(request.weights) if request.weights else None
    return Order(
        device=request.device,
        wishes=wishes(request.candidates, evidence, weights=weights),
        ways=ways(
            request.runtimes,
            request.precisions,
            unit=request.unit,
            threads=request.threads,
            batch=request.batch,
        ),
        sessions=request.sessions,
        pause=request.pause,
        budget=request.budget,
        repeats=request.repeats,
        calibration=Path(request.images) if request.images else None,
        labelled=Path(request.labelled) if request.labelled else None,
        memory=request.memory,
        pin=request.pin,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredAnswer:
    """What was measured, and whether everything was."""

    document: Estimates
    complete: bool
    """Whether nothing failed and no row of a board was left out."""
    interrupted: bool = False


def measure(
    request: MeasureRequest,
    evidence: Evidence,
    *,
    note: Callable[[str], None],
    warn: Callable[[str], None],
    tell: Tell = lambda _: None,
) -> MeasuredAnswer:
    """Time what a request names, here or over ssh, and return what is then known.

    Raises MeasurementError where nothing was measured.
    """
    order = order_of(request, evidence)
    if request.host:
        failures = _over_ssh(order, request.host, note)
        interrupted = False
    else:
        outcome = carried_out(order, resume=request.resume, tell=tell)
        failures = [failure.line for failure in outcome.failures]
        interrupted = outcome.interrupted
    for line in failures:
        warn(line)
    found = document(order, request.command())
    if not found.estimates and not interrupted:
        raise MeasurementError(f"nothing was measured; {'; '.join(failures) or 'no reason known'}")
    return MeasuredAnswer(document=found, complete=not failures, interrupted=interrupted)


def carried_out(
    order: Order, *, resume: bool = False, tell: Tell = lambda _: None
) -> MeasuredOutcome:
    """Carry out an order and keep the samples."""
    with MeasurementStore() as store:
        return Measuring(order=order, store=store, tell=tell).run(resume=resume)


def _over_ssh(order: Order, host: str, note: Callable[[str], None]) -> list[str]:
    """Measure on a board; return what was left out."""
    from advisor.measuring.kit.remote import measure_over_ssh

    with MeasurementStore() as store:
        return list(measure_over_ssh(order, host, store, say=note).refused)


def document(order: Order, command: str, *, level: float = 0.9) -> Estimates:
    """Write what is stored of an order's networks and lanes as a document."""
    own = OwnFigures(device=order.device)
    lanes = [way.lane(order.device) for way in order.ways]
    entries = [
        entry
        for wish in order.wishes
        for lane in lanes
        if (entry := _entry(own, lane, wish, level)) is not None
    ]
    return Estimates(
        advisor_version=__version__,
        created=now(),
        command=command,
        lanes=tuple(_record(own, lane) for lane in lanes),
        estimates=tuple(entries),
    )


def _entry(own: OwnFigures, lane: Lane, wish: Wish, level: float) -> EstimateEntry | None:
    found = {
        metric: estimate
        for metric in METRICS
        if (estimate := own.estimate(metric, lane, wish.network, wish.resolution, level=level))
    }
    if not found:
        return None
    gaps = {
        Metric.PEAK_MEMORY: "it was not weighed",
        Metric.ENERGY: "no energy counter of this machine is readable",
    }
    return EstimateEntry(
        candidate=f"{wish.network}@{wish.resolution}",
        device=lane.device,
        lane=lane.name,
        precision=lane.precision,
        resolution=wish.resolution,
        metrics={metric: Figure.of(estimate) for metric, estimate in found.items()},
        gaps={metric: reason for metric, reason in gaps.items() if metric not in found},
    )


def _record(own: OwnFigures, lane: Lane) -> LaneRecord:
    return LaneRecord.of(
        lane,
        device_name=lane.device,
        is_default=False,
        published=own.networks(lane),
        others=own.lanes(),
    )
