"""The conditions of a measurement: machine, clocks, governor, load, temperature, versions."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from advisor.measuring import cpu
from advisor.measuring.stability import Machine

BUSY = (0, 1, 2, 5, 6)
"""Columns of /proc/stat that are work: user, nice, system and interrupts."""
SYS = Path("/sys")
PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is read from the machine at one time."""

    steal: float
    """Ticks of CPU time taken by the host, all CPUs together."""
    ticks: float
    """Ticks of all kinds, all CPUs together."""
    busy: float
    """Seconds of CPU time that processes of this machine used, all CPUs together."""
    own: float
    """Seconds of CPU time that this process used."""
    wall: float
    """Seconds on a clock that never jumps."""
    load: float
    """Load average over the last minute."""
    clock: float | None
    """Median clock of the CPUs in Hz; None where it is not readable."""
    temperature: float | None
    """Highest degrees Celsius; None where no sensor is readable."""


def moment(proc: Path = PROC, sys: Path = SYS) -> Moment:
    """Read the state of the machine now."""
    ticks = _ticks(proc / "stat")
    return Moment(
        steal=ticks[7] if len(ticks) > 7 else 0.0,
        ticks=sum(ticks[:8]) or 1.0,
        busy=sum(ticks[i] for i in BUSY if i < len(ticks)) / os.sysconf("SC_CLK_TCK"),
        own=time.process_time(),
        wall=time.perf_counter(),
        load=_number(proc / "loadavg") or 0.0,
        clock=_clock(sys),
        temperature=_temperature(sys),
    )


def machine_between(before: Moment, after: Moment) -> Machine:
    """Sum up what the machine did between two moments of one process."""
    temperatures = [t for t in (before.temperature, after.temperature) if t is not None]
    ticks = max(after.ticks - before.ticks, 1.0)
    others = (after.busy - before.busy) - (after.own - before.own)
    return Machine(
        steal=(after.steal - before.steal) / ticks,
        load=max(others / max(after.wall - before.wall, 1e-3), 0.0),
        governor=governor(),
        temperature=max(temperatures, default=None),
        clock_ratio=after.clock / before.clock if before.clock and after.clock else None,
    )


def governor(sys: Path = SYS) -> str:
    """Clock governor of the first CPU; empty where the machine has none."""
    return _text(sys / "devices/system/cpu/cpu0/cpufreq/scaling_governor")


def capture(packages: dict[str, str], cpus: Iterable[int]) -> dict[str, object]:
    """Everything about this machine that a figure can depend on, as it is stored."""
    now = moment()
    return {
        "cpu": cpu.name(),
        "cpus": os.cpu_count(),
        "pinned_to": list(cpus),
        "flags": sorted(flag for needed in cpu.FEATURES.values() for flag in needed & cpu.flags()),
        "memory_bytes": memory_bytes(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "governor": governor(),
        "clock_hz": now.clock,
        "load": now.load,
        "temperature_c": now.temperature,
        "virtual": "hypervisor" in cpu.flags(),
        "packages": packages,
    }


def memory_bytes() -> int:
    """Bytes of main memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def machine_id() -> str:
    """Digest of what makes figures of two machines unlike: CPU, number of CPUs, memory."""
    text = f"{cpu.name()}|{os.cpu_count()}|{memory_bytes() >> 30}|{sorted(cpu.flags())}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _ticks(path: Path) -> list[float]:
    first = _text(path).partition("\n")[0].split()
    return [float(word) for word in first[1:]] if first[:1] == ["cpu"] else []


def _clock(sys: Path) -> float | None:
    pattern = "devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq"
    found = [f for f in map(_number, sys.glob(pattern)) if f is not None]
    return median(found) * 1e3 if found else None


def _temperature(sys: Path) -> float | None:
    zones = (_number(path) for path in sys.glob("class/thermal/thermal_zone*/temp"))
    found = [zone / 1e3 for zone in zones if zone is not None]
    return max((t for t in found if 0 < t < 150), default=None)


def _number(path: Path) -> float | None:
    words = _text(path).split()
    try:
        return float(words[0]) if words else None
    except ValueError:
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
