"""Read a user's file of measurements with what the catalog and the device's profile know."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from advisor.answering.evidence import Evidence
from advisor.core.lane import BULK, Lane
from advisor.core.request import LaneRequest
from advisor.hardware.lanes import LARGE_BATCH, lane_of_row, lane_of_timing
from advisor.hardware.profile import DeviceProfile
from advisor.measuring.reading import Reading, Settled, read_table


def read_own(
    path: Path, profile: DeviceProfile, asked: LaneRequest, settled: Settled, evidence: Evidence
) -> Reading:
    """Read and screen a table or log of measurements of one device.

    ``asked`` states the lane where a row does not. Raises MeasurementError and UsageError as
    ``read_table``.
    """
    lane_of_timing(profile, asked)

    def named(text: str) -> tuple[str, int | None]:
        candidate = evidence.named(text)
        return candidate.network, candidate.resolution

    return read_table(
        path,
        partial(_lane, profile, asked),
        evidence.table.networks,
        network_of=named,
        settled=settled,
    )


def _lane(profile: DeviceProfile, asked: LaneRequest, stated: LaneRequest) -> Lane:
    """Lane of a row; a large batch joins the device's lane of large batches where it has one."""
    lane = lane_of_row(profile, stated, asked)
    same = {
        one.batch
        for one in profile.lanes
        if (one.unit, one.runtime, one.precision) == (lane.unit, lane.runtime, lane.precision)
    }
    if lane.batch >= LARGE_BATCH and lane.batch not in same and BULK in same:
        return replace(lane, batch=BULK)
    return lane
