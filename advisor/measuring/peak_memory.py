"""Peak resident memory of the process that runs a network."""

from __future__ import annotations

from pathlib import Path

STATUS = Path("/proc/self/status")


def peak_resident(path: Path = STATUS) -> int | None:
    """Bytes of the largest resident set so far; None where the kernel does not say."""
    return _field(path, "VmHWM")


def resident(path: Path = STATUS) -> int | None:
    """Bytes that are resident now."""
    return _field(path, "VmRSS")


def _field(path: Path, name: str) -> int | None:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith(f"{name}:")), None)
    return int(found.split()[1]) * 1024 if found else None
