"""Read a user's file of measurements with what the catalog and the device's profile know."""

from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from advisor.answering.evidence import USUAL_RESOLUTION, Evidence
from advisor.core.lane import BULK, Lane
from advisor.core.request import LaneRequest
from advisor.hardware.lanes import LARGE_BATCH, lane_of_row, lane_of_timing
from advisor.hardware.profile import DeviceProfile
from advisor.measuring.reading import Reading, Settled, read_table


def read_own(
    path: Path,
    profile: DeviceProfile,
    asked: LaneRequest,
    settled: Settled,
    evidence: Evidence,
    *,
    every: bool = False,
) -> Reading:
    """Read and screen a table or log of measurements of one device.

    ``asked`` states the lane where a row does not. Rows of other devices are left out unless
    ``every`` row counts as one of this device. Raises MeasurementError and UsageError as
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
        sides=_other_sides(evidence),
        elsewhere=None if every else cache(partial(_elsewhere, profile, evidence)),
        settled=settled,
    )


def _other_sides(evidence: Evidence) -> dict[str, int]:
    """Return the largest input of each network that was not counted at the usual one."""
    index = evidence.table.index
    others = [one for one in sorted(index) if (one[0], USUAL_RESOLUTION) not in index]
    return dict(others)


def _elsewhere(profile: DeviceProfile, evidence: Evidence, named: str, devices: int) -> str:
    """Say why a row is none of this device; a lone name that nobody knows may be its nickname."""
    meant = [entry.id for entry in evidence.profiles.meaning(named).devices] if named else []
    if not named or profile.id in meant or (not meant and devices == 1):
        return ""
    if not meant:
        return f"device {named!r} is unknown; --force takes it for {profile.id}"
    return (
        f"device {named!r} is {' or '.join(meant[:3])}, not {profile.id}; take its rows in by "
        f"--device {meant[0]}, or by --force as of {profile.id}"
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
