"""Energy from the counters of the processor or the sensors of a board, where they are readable."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """One RAPL domain that counts microjoules and wraps around."""

    path: Path
    wraps_at: float
    """Joules."""

    def joules(self) -> float:
        """Read the counter."""
        return float((self.path / "energy_uj").read_text()) * 1e-6


def counters(root: Path = POWERCAP) -> list[Counter]:
    """Package domains that this user may read; none on most virtual machines."""
    found = []
    for path in sorted(root.glob("*-rapl:*")):
        try:
            if not (path / "name").read_text().startswith("package"):
                continue
            span = float((path / "max_energy_range_uj").read_text()) * 1e-6
            counter = Counter(path=path, wraps_at=span)
            counter.joules()
        except (OSError, ValueError):
            continue
        found.append(counter)
    return found


class Meter:
    """Joules that all readable domains count from its making to each reading."""

    def __init__(self, found: list[Counter]) -> None:
        self._counters = found
        self._last = [counter.joules() for counter in found]
        self._total = 0.0

    def read(self) -> float | None:
        """Joules so far; None where nothing is readable. Call it before a counter wraps twice."""
        if not self._counters:
            return None
        for i, counter in enumerate(self._counters):
            now = counter.joules()
            step = now - self._last[i]
            self._total += step if step >= 0 else step + counter.wraps_at
            self._last[i] = now
        return self._total
