"""The CPU this process runs on: its name, its cores and what it computes in."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
FEATURES = {
    "bf16": frozenset({"avx512_bf16", "amx_bf16", "bf16"}),
    "fp16": frozenset({"avx512_fp16", "amx_fp16", "asimdhp"}),
    "int8": frozenset({"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"}),
}
"""Flags of which one suffices, by precision."""


@cache
def facts(path: Path = CPUINFO) -> dict[str, str]:
    """First processor's lines of /proc/cpuinfo; empty where there is none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.split("\n\n")[0].splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def name() -> str:
    """Model name, as the kernel or the platform knows it."""
    known = facts()
    return known.get("model name") or known.get("Model") or platform.processor() or "unknown CPU"


def flags() -> frozenset[str]:
    """Instruction-set flags."""
    known = facts()
    return frozenset((known.get("flags") or known.get("Features") or "").split())


def supports(precision: str) -> bool:
    """Tell whether the CPU has arithmetic for a precision, beyond converting to fp32."""
    return bool(FEATURES.get(precision, frozenset()) & flags())


def usable() -> list[int]:
    """Numbers of the CPUs that this process may run on, sorted."""
    return sorted(os.sched_getaffinity(0))


def chosen(threads: int) -> list[int]:
    """CPUs to pin ``threads`` to: the last ones, because interrupts prefer the first."""
    return usable()[-threads:]
