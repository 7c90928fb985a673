"""Judge a session: was the machine quiet, did the network settle, what would help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from advisor.core.spread import relative_width

FULL = 0.95
"""Share of the expected CPU time below which a pass was interrupted."""
ENOUGH = 15
"""Passes that were left alone, from which their median stands for the session."""
MANY = 0.1
"""Share of interrupted passes that is remarked on."""
STEAL = 0.02
"""Share of the machine's time taken by its host that is remarked on."""
TREND = 0.05
"""Relative change from the first to the second half of a session."""
WIDE = 0.05
"""Half the relative width of the median's interval that is remarked on."""
BUSY = 0.2
"""CPUs kept busy by other processes that are remarked on."""
HOT = 90.0
"""Degrees Celsius from which processors slow down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassTiming:
    """One timed pass as the judgment sees it."""

    turn: int
    wall: float
    cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the machine did during a session."""

    steal: float = 0.0
    """Share of CPU time that the host took."""
    load: float = 0.0
    """CPUs that other processes kept busy."""
    governor: str = ""
    temperature: float | None = None
    """Highest degrees Celsius; None where no sensor is readable."""
    clock_ratio: float | None = None
    """CPU clock after the session over the clock before; None where it is not readable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgment:
    """What a session is worth."""

    median: float
    """Seconds of one pass: over those that were not interrupted, else of CPU time."""
    passes: int
    disturbed: float
    """Share of interrupted passes."""
    cpu_share: float
    """Median of CPU time over wall time and threads."""
    reasons: tuple[str, ...] = ()
    """What speaks against the figure, each with its remedy; empty where nothing does."""

    @property
    def stable(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


def judge(
    samples: Sequence[PassTiming], threads: int | None, machine: Machine, *, settled: bool = True
) -> Judgment:
    """Judge one network's passes of one session.

    ``threads`` is None where the CPU only waits for another unit: its time tells nothing then.
    Where hardly a pass was left alone on one thread, the figure is CPU time: it leaves out what
    other processes took, which wall time on a busy machine multiplies.
    """
    ratios = [s.cpu / s.wall / threads if threads else 1.0 for s in samples]
    whole = _upper(ratios) if threads and threads > 1 else 1.0
    kept = [s for s, ratio in zip(samples, ratios, strict=True) if ratio >= FULL * whole]
    disturbed = 1 - len(kept) / len(samples)
    alone = len(kept) >= min(ENOUGH, len(samples) / 2)
    if not alone:
        kept = [replace(s, wall=s.cpu) for s in samples] if threads == 1 else list(samples)
    reasons = [
        *_of_machine(machine),
        *_of_samples(kept, disturbed, by_cpu=not alone and threads == 1),
        *([] if settled else ["warm-up did not settle: give a larger --budget"]),
    ]
    return Judgment(
        median=median(s.wall for s in kept),
        passes=len(samples),
        disturbed=disturbed,
        cpu_share=median(ratios),
        reasons=tuple(reasons),
    )


def _upper(ratios: Sequence[float]) -> float:
    """CPU share of undisturbed passes on several threads: they are never all busy all the time."""
    return sorted(ratios)[int(0.75 * (len(ratios) - 1))]


def _of_machine(machine: Machine) -> list[str]:
    found = []
    if machine.steal > STEAL:
        found.append(
            f"the host took {100 * machine.steal:.0f} % of the CPU time: measure at another time "
            "or on a machine of its own"
        )
    if machine.load > BUSY:
        found.append(
            f"other processes kept {machine.load:.1f} CPUs busy: stop them and measure again"
        )
    if machine.governor and machine.governor not in ("performance", "schedutil"):
        found.append(
            f"the clock governor is {machine.governor!r}: cpupower frequency-set -g performance"
        )
    if machine.temperature is not None and machine.temperature >= HOT:
        found.append(
            f"the processor reached {machine.temperature:.0f} °C: let it cool, or measure with "
            "--pause 60s"
        )
    if machine.clock_ratio is not None and machine.clock_ratio < 0.9:
        found.append(
            f"the CPU clock fell by {100 * (1 - machine.clock_ratio):.0f} %: it throttles; "
            "let it cool or fix the clock"
        )
    return found


def _of_samples(samples: Sequence[PassTiming], disturbed: float, *, by_cpu: bool) -> list[str]:
    found = []
    if disturbed > MANY:
        how = "; the figure is CPU time" if by_cpu else ""
        found.append(
            f"{100 * disturbed:.0f} % of the passes were interrupted by other work{how}: stop it "
            "and measure again"
        )
    turns = _turn_medians(samples)
    if len(turns) < 6:
        found.append(f"only {len(turns)} turns fitted into the time: give a larger --budget")
        return found
    width = relative_width(turns)
    if width > WIDE:
        found.append(
            f"the median is known to ±{100 * width:.0f} % only: give a larger --budget or stop "
            "other work"
        )
    half = len(turns) // 2
    trend = median(turns[half:]) / median(turns[:half]) - 1
    if abs(trend) > TREND:
        found.append(
            f"it became {100 * abs(trend):.0f} % {'slower' if trend > 0 else 'faster'} during the "
            "session: the clock or the load changed; measure again"
        )
    return found


def _turn_medians(samples: Sequence[PassTiming]) -> list[float]:
    turns: dict[int, list[float]] = {}
    for sample in samples:
        turns.setdefault(sample.turn, []).append(sample.wall)
    return [median(walls) for _, walls in sorted(turns.items())]
