"""Room: the memory that a device leaves to a network, which nobody has to state as a limit."""

from advisor.core.frozen_record import Record
from advisor.hardware.profile import DeviceProfile

SYSTEM = 0.2e9
"""Bytes that an operating system without a desktop takes …"""
SHARE = 0.9
"""… and the share of the rest that one process may fill before the system starts to swap."""
OF_A_PHONE = 0.5
"""Share of a phone's memory that one app may take before it is ended."""
OF_A_CARD = 0.95
"""Share of a card's own memory: its driver takes the rest."""
HANDHELD = frozenset({"phone", "tablet"})


class Room(Record):
    """Bytes that a network may take on a device; None where the profile does not tell."""

    memory: float | None
    """For activations, and for the weights where these are not in flash; of the smallest version
    sold."""
    most_memory: float | None = None
    """The same of the largest version sold; None where there is one version."""
    flash: float | None = None
    """For the weights of a microcontroller."""


def room(profile: DeviceProfile) -> Room:
    """Return what a device leaves to a network.

    A microcontroller has no system beside it: all of its RAM and flash count.
    """
    memory = profile.memory
    if memory is None:
        return Room(memory=None)
    if is_microcontroller(profile):
        return Room(memory=memory.ram or memory.capacity, flash=memory.flash)
    return Room(
        memory=_left(memory.capacity, profile), most_memory=_left(memory.capacity_max, profile)
    )


def _left(capacity: float | None, profile: DeviceProfile) -> float | None:
    """Bytes that one process may take of a device's memory."""
    if capacity is None:
        return None
    if profile.memory is not None and profile.memory.shared is False:
        return OF_A_CARD * capacity
    if profile.form in HANDHELD:
        return OF_A_PHONE * capacity
    return SHARE * max(capacity - SYSTEM, 0.0)


def is_microcontroller(profile: DeviceProfile) -> bool:
    """Whether networks run from flash in static RAM, without an operating system."""
    return profile.form == "mcu" or (profile.memory is not None and profile.memory.ram is not None)
