"""Limits that nobody has to state: what the device itself can hold."""

from dataclasses import dataclass

from advisor.core.constraint import OF_DEVICE, Constraint, Verdict
from advisor.core.estimate import Estimate, Gap
from advisor.core.quantity import Metric, human
from advisor.hardware.profile import DeviceProfile
from advisor.hardware.room import is_microcontroller, room


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLimit(Constraint):
    """A limit that follows from the device's profile."""

    of: str
    """What sets it, such as ``RAM of stm32h747i-disco``."""
    at_best: float | None = None
    """The limit of the largest version sold, where there are several."""

    @property
    def name(self) -> str:
        """Key of its verdict, apart from a limit that is asked for on the same metric."""
        return f"{OF_DEVICE}{self.metric}"

    def verdict(self, estimate: Estimate | Gap, confidence: float) -> Verdict:
        """Judge by the smallest version sold; what fits the largest one is not turned away."""
        found = Constraint.verdict(self, estimate, confidence)
        if found is not Verdict.VIOLATED or self.at_best is None:
            return found
        largest = Constraint(metric=self.metric, at_most=self.at_best)
        fits = largest.verdict(estimate, confidence) is not Verdict.VIOLATED
        return Verdict.UNCERTAIN if fits else found

    @property
    def text(self) -> str:
        """The limit for people: ``Peak memory ≤ 3.42 GB (memory of jetson-nano)``."""
        return f"{self.metric.label} ≤ {human(self.bound, self.metric.unit)} ({self.of})"


def device_limits(profile: DeviceProfile) -> tuple[DeviceLimit, ...]:
    """Return the limits that every network keeps that runs on the device at all."""
    left = room(profile)
    kind = "RAM" if is_microcontroller(profile) else "memory"
    found = (
        (Metric.PEAK_MEMORY, left.memory, left.most_memory, f"{kind} of {profile.id}"),
        (Metric.FLASH, left.flash, None, f"flash of {profile.id}"),
    )
    return tuple(
        DeviceLimit(metric=metric, at_most=bound, at_best=most, of=of)
        for metric, bound, most, of in found
        if bound is not None
    )
