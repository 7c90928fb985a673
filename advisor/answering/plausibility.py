"""Plausibility of figures that are taken in: what the hardware forbids, what nobody would expect.

A figure below the roofline cannot be one of that lane: it is refused. A table most of whose
figures are where one in a thousand would be expected is probably of another unit, batch or
device: it is kept only where the user insists.
"""

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from advisor.answering.batch_ladder import predicted
from advisor.answering.evidence import Evidence
from advisor.core.lane import Lane
from advisor.core.quantity import Unit, human, significant
from advisor.hardware.instruction_set import BY_MACHINE, instruction_set
from advisor.hardware.library import ProfileLibrary
from advisor.hardware.profile import DeviceProfile
from advisor.hardware.roofline import floor
from advisor.measuring.table import ReadRow

EXPECTED = 0.999
"""Level of the intervals in which most of a table's figures have to lie."""
_SLIPS = (
    (1e3, "seconds in a column of milliseconds?"),
    (1e6, "seconds in a column of microseconds?"),
    (1e-3, "microseconds in a column of milliseconds?"),
    (1e-6, "nanoseconds in a column of milliseconds?"),
    (10.0, "a decimal place lost, or the time of several images?"),
    (0.1, "a decimal place too many?"),
)
"""What a time has to be multiplied by to be as expected, and the usual cause."""
_NEAR = math.log(3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plausible:
    """What of a table can be, and how far it is from what was expected."""

    rows: tuple[ReadRow, ...]
    refused: tuple[str, ...]
    """One line for each row that is faster than the hardware."""
    surprise: str = ""
    """Why the table as a whole is doubted; empty where it is as expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a figure may be, in seconds of one pass."""

    least: float
    """By the roofline; 0 where nothing is known."""
    low: float
    value: float
    high: float


def plausible(rows: Sequence[ReadRow], profile: DeviceProfile, evidence: Evidence) -> Plausible:
    """Sort out the figures that the device cannot have, and compare the rest with expectation."""
    expected = _expected(rows, profile, evidence)
    kept: list[tuple[ReadRow, Expected]] = []
    unknown: list[ReadRow] = []
    refused: list[str] = []
    for row in rows:
        one = expected.get((row.lane, row.network, row.resolution))
        if one is None:
            unknown.append(row)
        elif row.latency < one.least:
            refused.append(_too_fast(row, one, profile))
        else:
            kept.append((row, one))
    return Plausible(
        rows=(*(row for row, _ in kept), *unknown),
        refused=tuple(refused),
        surprise=_surprise(kept),
    )


def of_another_device(
    rows: Sequence[ReadRow], profile: DeviceProfile, library: ProfileLibrary
) -> str:
    """Say which other device or chip a table names; empty where it names none."""
    for named in dict.fromkeys(name for row in rows for name in row.named):
        meant = _meant(named, library)
        if meant and profile.id not in meant:
            return f"it names {named!r}, which is {' or '.join(meant[:3])}, not {profile.id}"
    for chip in _chips(rows):
        if chip.lower() in BY_MACHINE:
            told, own = BY_MACHINE[chip.lower()], instruction_set(profile)
            if own not in (None, told):
                return f"it was measured on {chip!r}, and the processor of {profile.id} is {own}"
        elif not _meant(chip, library) and not _alike(chip, profile):
            return f"it was measured on {chip!r}, and nothing says that this is {profile.id}"
    return ""


def uncompared(rows: Sequence[ReadRow], profile: DeviceProfile) -> str:
    """Say what a table tells instead of a chip; empty where it names chips, or none at all.

    Some systems tell no more than their instruction set, which many chips have.
    """
    bare = [chip for chip in _chips(rows) if chip.lower() in BY_MACHINE]
    if not bare:
        return ""
    return (
        f"its chip is stated as {' and '.join(map(repr, bare))}, an instruction set of many chips: "
        f"whether it is that of {profile.id} could not be compared"
    )


def _chips(rows: Sequence[ReadRow]) -> list[str]:
    """Chips that the rows name, each once."""
    return list(dict.fromkeys(row.named[1] for row in rows if len(row.named) > 1))


def _meant(named: str, library: ProfileLibrary) -> list[str]:
    """Devices that a name means, without the revision that a board adds to it."""
    words = named.split()
    for count in range(len(words), min(len(words), 2) - 1, -1):
        devices = library.meaning(" ".join(words[:count])).devices
        if devices:
            return [entry.id for entry in devices]
    return []


def _alike(chip: str, profile: DeviceProfile) -> bool:
    """Whether the name of a chip shares what identifies it with a profile: its numbered words."""
    names = [profile.id, profile.name, *profile.aliases, *profile.chip_aliases]
    own = _words(" ".join([*names, profile.chip or "", *(unit.name for unit in profile.units)]))
    told = _words(chip)
    numbered = {word for word in told if any(sign.isdigit() for sign in word)}
    return bool((numbered or told) & own)


def _words(text: str) -> set[str]:
    return {word for word in re.split(r"[^a-z0-9]+", text.lower()) if len(word) > 2}


def _expected(
    rows: Sequence[ReadRow], profile: DeviceProfile, evidence: Evidence
) -> dict[tuple[Lane, str, int], Expected]:
    """Compute what each figure of the catalog's networks may be, a lane at a time."""
    by_lane: dict[Lane, set[tuple[str, int]]] = defaultdict(set)
    for row in rows:
        if (row.network, row.resolution) in evidence.table.index:
            by_lane[row.lane].add((row.network, row.resolution))
    found = {}
    for lane, networks in by_lane.items():
        names = sorted(networks)
        table = evidence.table.rows([evidence.table.index[name] for name in names])
        least = floor(profile, lane, table, images=max(lane.batch, 1)).least
        guess = predicted(evidence.latency, lane, table, (), level=EXPECTED)
        ends = zip(least, guess.low, guess.value, guess.high, strict=True)
        for name, numbers in zip(names, ends, strict=True):
            fastest, low, value, high = map(float, numbers)
            found[lane, *name] = Expected(
                least=fastest, low=max(low, fastest), value=max(value, fastest), high=high
            )
    return found


def _too_fast(row: ReadRow, one: Expected, profile: DeviceProfile) -> str:
    factor = significant(one.least / row.latency, 2)
    cause = _cause(one.value / row.latency)
    return (
        f"line {row.line}: {row.network} in {human(row.latency, Unit.SECOND)} is {factor} times "
        f"faster than the peak rate of {profile.id} allows"
        + (f"; {cause}" if cause else "; another device, batch or unit of time?")
    )


def _surprise(pairs: Sequence[tuple[ReadRow, Expected]]) -> str:
    """Say by how much a table is off, where most of it lies outside the intervals."""
    outside = [not one.low <= row.latency <= one.high for row, one in pairs]
    if not pairs or sum(outside) <= len(pairs) / 2:
        return ""
    factor = math.exp(median(math.log(row.latency / one.value) for row, one in pairs))
    if abs(math.log(factor)) < _NEAR:  # what another version or clock may well do
        return ""
    much = f"{significant(max(factor, 1 / factor), 2)} times {'slower' if factor > 1 else 'faster'}"
    cause = _cause(1 / factor)
    return (
        f"{sum(outside)} of {len(pairs)} figures lie outside the {100 * EXPECTED:g} % intervals of "
        f"their lane; they are {much} than expected" + (f": {cause}" if cause else "")
    )


def _cause(factor: float) -> str:
    """Name the slip that makes a time too short by ``factor``; empty where none is near."""
    slips = [(abs(math.log(factor / slip)), cause) for slip, cause in _SLIPS]
    distance, cause = min(slips)
    return cause if distance < _NEAR else ""
