"""A profile of the machine at hand, from what the kernel says and two short micro-benchmarks.

The peak is what a large matrix product reaches and the bandwidth what a large copy reaches, on
all CPUs at once: what networks can come close to, not what a data sheet promises.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from advisor.core.extras import require
from advisor.files.saving import save
from advisor.hardware.library import THIS_MACHINE, advisor_home, read_profile
from advisor.hardware.profile import DeviceProfile
from advisor.hardware.profile_text import written
from advisor.measuring import cpu, environment
from advisor.measuring.runtimes import lack, names

HEADER = "# Written by: advisor devices detect\n"
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
MATRIX = 1536
"""Rows of the matrices that are multiplied: enough to reach the peak."""
COPY_BYTES = 256 << 20
"""Bytes copied by each thread: far more than any cache holds."""
TRIES = 5
CONVOLUTIONS = 30
INT8_GAIN = {
    "amx_int8": 16.0,
    "avx512_vnni": 4.0,
    "avx_vnni": 4.0,
    "i8mm": 8.0,
    "asimddp": 4.0,
}
"""int8 over fp32 operations of one instruction, by the flag of the instruction."""
RANKED = ("openvino", "onnxruntime", "pytorch")
"""Runtimes of a CPU, fastest first."""
BF16 = frozenset(("amx_bf16", "avx512_bf16"))
"""Flags of CPUs that multiply bfloat16 faster than fp32."""
NOT_MEASURED = "micro-benchmarks on this machine; int8 computed from its instructions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What the micro-benchmarks found."""

    flops: float
    """fp32 FLOP/s on all CPUs together; a multiply-add counts as two."""
    bandwidth: float
    """Bytes a second read and written by copies on all CPUs together."""


Benchmark = Callable[[], Rates]


def rates() -> Rates:
    """Measure peak and bandwidth of all usable CPUs; takes about two seconds."""
    threads = len(cpu.usable())
    flops = max(_best(_product, threads), _convolutions(threads))
    return Rates(flops=flops, bandwidth=_best(_copy, threads))


def _best(work: Callable[[], tuple[Callable[[], object], float]], threads: int) -> float:
    """Rate of the best of some tries: whatever disturbs can only make it slower."""
    prepared = [work() for _ in range(threads)]
    amount = sum(size for _, size in prepared)
    found = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(TRIES):
            begin = time.perf_counter()
            list(pool.map(lambda one: one[0](), prepared))
            found.append(amount / (time.perf_counter() - begin))
    return max(found)


def _product() -> tuple[Callable[[], object], float]:
    left = np.ones((MATRIX, MATRIX), dtype=np.float32)
    out = np.empty_like(left)
    return lambda: np.matmul(left, left, out=out), 2.0 * MATRIX**3


def _convolutions(threads: int) -> float:
    """Rate of PyTorch's convolutions, whose kernels use instructions that NumPy's may not."""
    require("measuring this machine", "torch")
    import torch

    torch.set_num_threads(threads)
    images, kernel = torch.ones(1, 128, 56, 56), torch.ones(128, 128, 3, 3)
    amount = 2.0 * 56 * 56 * 128 * 128 * 9
    best = 0.0
    with torch.inference_mode():
        for _ in range(CONVOLUTIONS):
            begin = time.perf_counter()
            torch.nn.functional.conv2d(images, kernel, padding=1)
            best = max(best, amount / (time.perf_counter() - begin))
    return best


def _copy() -> tuple[Callable[[], object], float]:
    source = np.ones(COPY_BYTES, dtype=np.uint8)
    target = np.empty_like(source)
    return lambda: np.copyto(target, source), 2.0 * COPY_BYTES


def detect(device: str = THIS_MACHINE, benchmark: Benchmark = rates) -> Path:
    """Write the profile of this machine into the user's own profiles; return the file.

    Raises AdvisorError where the folder cannot be written.
    """
    folder = advisor_home() / "profiles"
    path = folder / f"{device}.yaml"
    text = HEADER + written(facts(device, benchmark()))
    save(path, text, fresh_folder=True)
    read_profile(path)
    return path


def fastest_lane(profile: DeviceProfile) -> tuple[str, str] | None:
    """Runtime and precision that are fastest on a machine of this kind, of those that are here.

    OpenVINO before ONNX Runtime before PyTorch, as in the campaign behind the catalog's own
    figures; bfloat16 where the CPU multiplies it, int8 where it has instructions for that. None
    where that is the default lane.
    """
    here = next((name for name in RANKED if name in profile.units[0].runtimes), None)
    if here is None:
        return None
    flags = cpu.flags()
    precision = "fp32"
    if here == "openvino" and not BF16.isdisjoint(flags):
        precision = "bf16"
    elif here != "pytorch" and not INT8_GAIN.keys().isdisjoint(flags):
        precision = "int8"
    default = profile.default_lane
    return None if (here, precision) == (default.runtime, default.precision) else (here, precision)


def detected(device: str = THIS_MACHINE) -> DeviceProfile:
    """The profile of this machine, detected now where it was not before."""
    path = advisor_home() / "profiles" / f"{device}.yaml"
    return read_profile(path if path.is_file() else detect(device))


def facts(device: str, found: Rates) -> dict[str, Any]:
    """Fields of the profile, in the units of the file format."""
    runtimes = [name for name in names() if "-gpu" not in name and lack(name) is None]
    return {
        "id": device,
        "name": f"This machine ({cpu.name()})",
        "chip": cpu.name(),
        "units": [{**_unit(found), "runtimes": runtimes, "runtimes_source": "installed here"}],
        "memory": {
            "capacity_gb": _round(environment.memory_bytes() / 1e9),
            "shared": False,
            "bandwidth_gb_s": _round(found.bandwidth / 1e9),
            "source": NOT_MEASURED,
            "confidence": "medium",
        },
        "default_lane": {
            "unit": "cpu",
            "runtime": "onnxruntime" if "onnxruntime" in runtimes else "pytorch",
            "precision": "fp32",
            "batch": 1,
            "threads": 1,
        },
    }


def _unit(found: Rates) -> dict[str, Any]:
    unit: dict[str, Any] = {
        "kind": "cpu",
        "name": f"{cpu.name()} x{os.cpu_count()}",
        "cores": len(cpu.usable()),
        "peak_gflops": {"fp32": _round(found.flops / 1e9)},
        "source": NOT_MEASURED,
        "confidence": "medium",
    }
    clock = _clock()
    if clock:
        unit["clock_ghz"] = _round(clock / 1e9)
    flag = next((flag for flag in INT8_GAIN if flag in cpu.flags()), None)
    if flag:
        unit["peak_gops"] = {"int8": _round(INT8_GAIN[flag] * found.flops / 1e9)}
        unit["int8_path"] = flag
    cache = last_level_cache()
    if cache:
        unit["on_chip_mb"] = _round(cache / 1e6)
    return unit


def _clock() -> float | None:
    """Clock of the first CPU in Hz, by its driver or by the kernel's list."""
    driven = environment.moment().clock
    listed = cpu.facts().get("cpu MHz")
    return driven or (float(listed) * 1e6 if listed else None)


def last_level_cache(folder: Path = CACHES) -> float | None:
    """Bytes of the largest cache of the first CPU; None where the kernel does not say."""
    sizes = []
    for path in folder.glob("index*/size"):
        text = path.read_text(encoding="utf-8").strip()
        factor = {"K": 1024, "M": 1024**2}.get(text[-1:], 1)
        sizes.append(float(text.rstrip("KM")) * factor)
    return max(sizes, default=None)


def _round(value: float) -> float:
    """Three significant digits: a micro-benchmark knows no more."""
    return float(f"{value:.3g}")
