"""Evidence classes: what a prediction rests on, which decides how wide its interval has to be."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from advisor.core.estimate import Origin
from advisor.core.lane import Lane


class NetworkKnown(StrEnum):
    """What is known of the network."""

    ELSEWHERE = "network measured in other lanes"
    ARCHITECTURE = "unseen architecture of a known family"
    FAMILY = "unseen family"


class LaneKnown(StrEnum):
    """What is known of the lane."""

    MANY = "15 or more networks measured in this lane"
    SOME = "8 to 14 networks measured in this lane"
    FEW = "3 to 7 networks measured in this lane"
    HARDLY = "1 or 2 networks measured in this lane"
    DEVICE = "other lanes of this device measured"
    PROFILE = "nothing measured on this device"
    OWN_SOME = "8 or more networks that you measured"
    OWN_FEW = "3 to 7 networks that you measured"


LEAST_OF: tuple[tuple[int, LaneKnown], ...] = (
    (15, LaneKnown.MANY),
    (8, LaneKnown.SOME),
    (3, LaneKnown.FEW),
    (1, LaneKnown.HARDLY),
)
_OWN: tuple[tuple[int, LaneKnown], ...] = (
    (8, LaneKnown.OWN_SOME),
    (3, LaneKnown.OWN_FEW),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceClass:
    """What one prediction rests on."""

    network: NetworkKnown
    lane: LaneKnown
    count: int = 0
    """Networks published in the lane."""
    own: int = 0
    """Networks that the user timed in the lane, whatever their inputs."""
    own_beside: int = 0
    """Networks that the user timed in other lanes of the device."""

    unit: str = ""
    """cpu, gpu, npu … of the lane."""
    like: str = ""
    """Designs and runtimes that the answer leans on, where the lane has no figures."""

    @property
    def name(self) -> str:
        """Name of the class, whatever the unit."""
        return f"{self.network.name.lower()}/{self.lane.name.lower()}"

    @property
    def key(self) -> str:
        """Name of the class under which its calibration is kept."""
        return f"{self.name}/{self.unit}"

    @property
    def label(self) -> str:
        """The class in words."""
        lane: str = self.lane
        if self._few_of_yours:
            lane = "1 or 2 networks that you measured"
        elif self._beside_alone:
            lane = "you measured other lanes of this device"
        return f"{self.network}, {lane}"

    @property
    def _beside_alone(self) -> bool:
        """Whether all that is measured on the device are the user's timings of other lanes."""
        return self.own_beside > 0 and not self.own and self.lane is LaneKnown.PROFILE

    @property
    def _few_of_yours(self) -> bool:
        """Whether the user's timings are the lane's only ones, too few for a class of theirs."""
        return self.own > 0 and self.lane in (LaneKnown.PROFILE, LaneKnown.DEVICE)

    @property
    def origin(self) -> Origin:
        """Analytic where nothing was measured on the device, else predicted."""
        nothing = self.lane is LaneKnown.PROFILE and not (self.own or self.own_beside)
        return Origin.ANALYTIC if nothing else Origin.PREDICTED

    @property
    def caveats(self) -> tuple[str, ...]:
        """What a reader has to know before relying on the value."""
        found = []
        like = f", most from {self.like}" if self.like else ""
        if self._few_of_yours:
            networks = f"{self.own} network{'s' * (self.own > 1)}"
            found.append(
                f"only {networks} measured in this lane, by you: inferred from others{like}"
            )
        elif self._beside_alone:
            found.append(
                "nothing measured in this lane: inferred from the device's profile and from what "
                f"you measured in its other lanes{like}"
            )
        elif self.lane is LaneKnown.PROFILE:
            found.append(f"nothing measured on this device: inferred from its profile{like}")
        elif self.lane is LaneKnown.DEVICE:
            found.append(
                f"nothing measured in this lane: inferred from the device's other lanes{like}"
            )
        elif self.lane is LaneKnown.HARDLY:
            found.append(f"only {self.count} network{'s' * (self.count > 1)} measured in this lane")
        if self.network is NetworkKnown.FAMILY:
            found.append("no network of this family was measured anywhere")
        return tuple(found)


def lane_class(networks: int) -> LaneKnown | None:
    """Return the class of a lane with some networks measured; None without any."""
    return next((known for least, known in LEAST_OF if networks >= least), None)


class MeasuredLanes(Protocol):
    """What the fit knows of the lanes that were measured."""

    @property
    def device_units(self) -> frozenset[tuple[str, str]]:
        """(device, unit) with any figure."""

    def networks_in_lane(self, lane: Lane) -> int:
        """Return how many architectures were measured in a lane."""


def known_of_lane(fitted: MeasuredLanes, lane: Lane, own: int) -> tuple[LaneKnown, int]:
    """Return the class of a lane and how many networks are published in it."""
    count = fitted.networks_in_lane(lane)
    published = lane_class(count)
    measured = next((known for least, known in _OWN if own >= least), None)
    if measured is not None and own >= count:
        return measured, count
    if published is not None:
        return published, count
    known_device = (lane.device, lane.unit) in fitted.device_units
    return (LaneKnown.DEVICE if known_device else LaneKnown.PROFILE), 0
