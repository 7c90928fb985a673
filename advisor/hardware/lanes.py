"""Which lanes of a device answer a request."""

from collections.abc import Collection
from dataclasses import replace

from advisor.core.conditions import mode_in
from advisor.core.lane import BULK, Lane
from advisor.core.quantity import Metric
from advisor.core.request import LaneRequest, Request
from advisor.errors import UsageError
from advisor.hardware.profile import DeviceProfile, resolve_lane

LARGE_BATCH = 16
"""Images from which a batch counts as large: the time per image hardly falls further."""


def lanes_for(profile: DeviceProfile, request: Request) -> list[Lane]:
    """Return the lanes that compete: one per precision asked for, else the device's default.

    A limit on the latency means the latency of one image: where the default lane holds figures of
    large batches only, batch 1 is taken instead.
    """
    batch = request.batch
    if batch is None and profile.default_lane.is_bulk:
        timed = any(limit.metric is Metric.LATENCY for limit in request.limits)
        batch = 1 if timed else None
    wanted = request.model_copy(update={"batch": batch})
    asked = [wanted.with_precision(precision) for precision in request.precisions or (None,)]
    known = {e.runtime for e in profile.lanes} | KNOWN_RUNTIMES
    lanes = [_lane(profile, one, known) for one in asked]
    if request.power_mode is not None:
        lanes = [_in_mode(profile, wanted, lane, request.power_mode) for lane in lanes]
    if request.variant is not None:
        lanes = [replace(lane, variant=request.variant) for lane in lanes]
    return list(dict.fromkeys(lanes))


def _in_mode(profile: DeviceProfile, asked: LaneRequest, lane: Lane, mode: str) -> Lane:
    """Return the lane that was measured in a power mode, of the same runtime and precision.

    ``lane`` itself where nobody measured one.
    """
    taken = [
        one
        for one in profile.lanes
        if (one.unit, one.runtime, one.precision) == (lane.unit, lane.runtime, lane.precision)
        and one.batch == lane.batch
        and asked.threads in (None, one.threads)
        and mode_in(one.variant, mode)
    ]
    usual = lane.variant
    best = max(taken, key=lambda one: (usual and usual in one.variant, one.networks), default=None)
    return lane if best is None else best.lane


def _lane(profile: DeviceProfile, asked: LaneRequest, known: Collection[str]) -> Lane:
    """Resolve one lane; a large batch without figures of its own is answered by a bulk lane."""
    batch = asked.batch
    if batch is not None and 0 < batch < LARGE_BATCH:
        return _small(profile, asked, batch, known)
    choice = resolve_lane(profile, asked, known_runtimes=known)
    if choice.evidence is None and (asked.batch or 0) >= LARGE_BATCH:
        bulk = resolve_lane(profile, asked.with_batch(BULK), known_runtimes=known)
        if bulk.evidence is not None:
            return bulk.lane
    return choice.lane


def _small(profile: DeviceProfile, asked: LaneRequest, batch: int, known: Collection[str]) -> Lane:
    """Resolve a lane of few images: all of them run as the default's batch does.

    A few figures of one batch in another runtime do not change what runs there: more images would
    take less time where the next batch is answered by the first runtime.
    """
    usual = profile.default_lane.batch or 1
    home = resolve_lane(profile, asked.with_batch(usual), known_runtimes=known)
    if home.evidence is None:
        return resolve_lane(profile, asked, known_runtimes=known).lane
    return replace(home.lane, batch=batch)


def lane_of_timing(profile: DeviceProfile, asked: LaneRequest) -> Lane:
    """Return the lane that timings of one known batch belong to: resolved as a request's is.

    Never a bulk lane, which such a figure cannot join: one image where no batch is stated.
    """
    lane = resolve_lane(profile, asked, known_runtimes=KNOWN_RUNTIMES).lane
    if not lane.is_bulk:
        return lane
    return resolve_lane(profile, asked.with_batch(1), known_runtimes=KNOWN_RUNTIMES).lane


def lane_of_row(profile: DeviceProfile, stated: LaneRequest, asked: LaneRequest) -> Lane:
    """Return the lane of a measured row: what it states itself, else what was asked.

    A row that names unit, runtime and precision is taken at its word, also where the profile
    knows them not. Raises UsageError where they have to be resolved and cannot be.
    """
    unit, runtime, precision = stated.unit, stated.runtime, stated.precision
    one = asked.filled_by(stated)
    if one.unit not in (None, "cpu"):
        one = one.model_copy(update={"threads": None})
    try:
        return lane_of_timing(profile, one)
    except UsageError:
        if unit is None or runtime is None or precision is None:
            raise
        named = Lane(device=profile.id, unit=unit, runtime=runtime, precision=precision)
        return replace(named, threads=one.threads, batch=one.batch or 1)


def images_of(lane: Lane, request: Request) -> int:
    """Images of one pass: the lane's batch, or the one asked for where the lane leaves it open."""
    return (request.batch or 1) if lane.is_bulk else lane.batch


KNOWN_RUNTIMES = frozenset(
    {
        "coreml",
        "edgetpu",
        "executorch",
        "hailort",
        "litert",
        "mnn",
        "ncnn",
        "onnxruntime",
        "openvino",
        "paddle-lite",
        "pytorch",
        "qnn",
        "rknn",
        "tensorrt",
        "tflite",
        "tidl",
        "tnn",
        "torch-inductor",
        "vitis-ai",
        "xnnpack",
    }
)
"""Runtimes that may be asked for on any device, with or without evidence there."""
