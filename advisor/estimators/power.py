"""Power of a device under load, by what the figure is of: the chip alone, or the board at the wall.

A vendor's figure of a chip is no figure of a board: memory, regulators and peripherals draw too.
"""

from dataclasses import replace

from advisor.core.conditions import is_mode
from advisor.core.estimate import Estimate, Gap, Interval, Origin, Provenance
from advisor.core.quantity import Metric
from advisor.hardware.profile import DeviceProfile, PowerKind, PowerProfile

LEAST_LOAD = 0.5
"""Share of a design power that a network draws at least …"""
MOST_LOAD = 1.15
"""… and at most; the same of a figure measured under another load."""
BESIDE = (0.5, 2.5, 6.0)
"""Watts that a board draws beside its chip: least, usual, most. A Coral board with a chip of 1.2 W
was measured at 4.8 W."""
LOSS = 1.1
"""What regulators and a supply add to all of it."""
_KIND = {
    PowerKind.TDP: "design power",
    PowerKind.RAIL: "power behind the supply",
    PowerKind.WALL: "power at the socket",
    PowerKind.UNKNOWN: "power of unknown kind",
}
WHOLE = frozenset({"card", "server", "desktop", "laptop", "phone", "tablet", "mini-pc"})
"""Forms whose design power is taken as that of the whole thing."""


def powers(
    profile: DeviceProfile, unit: str, level: float, mode: str | None = None
) -> list[Estimate | Gap]:
    """Return the power of the board and of the chip while a network runs on ``unit``.

    In a power ``mode`` that is named for its watts, these are the design power.

    Board and chip are two metrics, so that a limit on one is never kept by a figure of the other.
    """
    known = _in_mode(profile.power, mode)
    if known is None or known.typical is None:
        reason = f"no power figure for {profile.id}"
        return [Gap(metric=m, reason=reason) for m in (Metric.POWER, Metric.CHIP_POWER)]
    if known.covers not in ("device", unit):
        reason = f"the power figure of {profile.id} is of its {known.covers}"
        return [Gap(metric=m, reason=reason) for m in (Metric.POWER, Metric.CHIP_POWER)]
    if _is_of_board(known, profile):
        reason = f"the power figure of {profile.id} is of the whole board"
        return [_drawn(Metric.POWER, known, level), Gap(metric=Metric.CHIP_POWER, reason=reason)]
    chip = _drawn(Metric.CHIP_POWER, known, level)
    return [_of_board(chip, level), chip]


def kind_of(profile: DeviceProfile, unit: str) -> str:
    """Name what the power figure of a profile is of and what runs: figures of one kind err alike.

    Empty where there is no figure.
    """
    known = profile.power
    if known is None or known.typical is None or known.covers not in ("device", unit):
        return ""
    whole = "board" if _is_of_board(known, profile) else "chip"
    return f"{known.kind} of the {whole}, {'cpu' if unit == 'cpu' else 'accelerator'}"


def _is_of_board(known: PowerProfile, profile: DeviceProfile) -> bool:
    """Whether a figure is of everything behind one supply."""
    return known.kind is PowerKind.WALL or (known.covers == "device" and profile.form in WHOLE)


def _in_mode(known: PowerProfile | None, mode: str | None) -> PowerProfile | None:
    """Take the watts of a power mode, where the profile states them, as the typical ones."""
    if known is None or mode is None:
        return known
    watts = next((m.power for m in known.modes if is_mode(mode, m.name) and m.power), None)
    return known if watts is None else replace(known, typical=watts)


def _drawn(metric: Metric, known: PowerProfile, level: float) -> Estimate:
    """The figure itself as what is drawn under load."""
    assert known.typical is not None
    low = LEAST_LOAD * known.typical
    if known.idle is not None:
        low = max(low, min(known.idle, known.typical))
    return Estimate(
        metric=metric,
        value=known.typical,
        interval=Interval(low=low, high=MOST_LOAD * known.typical, level=level),
        provenance=Provenance(
            origin=Origin.ANALYTIC,
            source=f"profile: {known.origin.source}",
            caveats=(f"{_KIND[known.kind]} of the {known.covers}, not measured with a network",),
        ),
    )


def _of_board(chip: Estimate, level: float) -> Estimate:
    """Add what a board draws beside its chip."""
    least, usual, most = BESIDE
    return Estimate(
        metric=Metric.POWER,
        value=LOSS * (chip.value + usual),
        interval=Interval(
            low=chip.interval.low + least, high=LOSS * (chip.interval.high + most), level=level
        ),
        provenance=Provenance(
            origin=Origin.ANALYTIC,
            source=chip.provenance.source,
            caveats=(
                "of the chip or module, and what a board usually draws beside it",
                *chip.provenance.caveats,
            ),
        ),
    )
