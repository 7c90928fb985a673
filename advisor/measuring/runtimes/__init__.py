"""Runtimes that time networks on real hardware: the protocol, and the registry of those known.

A runtime is one small class that keeps the ``Measurer`` protocol. The built-in ones are named in
``BUILT_IN`` and keep their names; third parties add theirs under the entry-point group
``advisor.measurers``, the name of the entry point being ``RUNTIME`` or ``RUNTIME-UNIT``.
``advisor.testing.MeasurerContract`` is the test they have to pass.

Importing this package loads no runtime.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from advisor.core.plug_in import blamed, entry_points_of, made
from advisor.errors import AdvisorError, PluginError, unknown_name

if TYPE_CHECKING:
    from advisor.measuring.runtimes.source import Source

Images = NDArray[np.float32]
"""(batch, 3, side, side), normalised as the network expects; or its outputs."""

GROUP = "advisor.measurers"

BUILT_IN = {
    "pytorch": "advisor.measuring.runtimes.torch_eager:TorchEager",
    "torch-inductor": "advisor.measuring.runtimes.torch_compiled:TorchCompiled",
    "onnxruntime": "advisor.measuring.runtimes.onnxruntime:OnnxRuntime",
    "openvino": "advisor.measuring.runtimes.openvino:OpenVino",
    "ncnn": "advisor.measuring.runtimes.ncnn:Ncnn",
    "litert": "advisor.measuring.runtimes.litert:LiteRt",
    "pytorch-gpu": "advisor.measuring.runtimes.torch_eager:TorchCuda",
    "tensorrt-gpu": "advisor.measuring.runtimes.tensorrt:TensorRt",
}
"""Where each built-in runtime is implemented; the name carries the unit where it is not the CPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a network is run."""

    precision: str
    """Numbers that the runtime computes with: fp32, bf16, fp16 or int8."""
    threads: int
    """CPU threads that the runtime may use."""
    batch: int = 1
    """Images of one pass."""


class Engine(Protocol):
    """A loaded network, ready to run; the only thing that is ever timed is ``run``."""

    def load(self, images: Images) -> None:
        """Put one batch where the runtime reads it."""

    def run(self) -> None:
        """Run one pass over the loaded batch; return when its result is there."""

    def result(self) -> Images:
        """Return the output of the last pass, (batch, classes) as float32."""


class Measurer(Protocol):
    """One runtime on one kind of compute unit."""

    runtime: str
    """Name as in lanes: onnxruntime, ncnn …"""
    unit: str
    """cpu, gpu, npu …"""
    packages: tuple[str, ...]
    """Distributions whose versions decide what a figure is of."""
    modules: tuple[str, ...]
    """Modules that belong to the runtime: their memory is not counted as the network's."""

    def missing(self) -> str | None:
        """Say what is missing and the command that brings it; None where the runtime can run."""

    def refusal(self, settings: Settings) -> str | None:
        """Say why these settings cannot be measured; None where they can."""

    def convert(self, source: Source, settings: Settings, folder: Path) -> None:
        """Write what the runtime loads into ``folder``; raise MeasurementError where it cannot."""

    def open(self, folder: Path, settings: Settings) -> Engine:
        """Load what ``convert`` wrote."""


def names() -> list[str]:
    """Names of all registered runtimes, built-in first."""
    return [*BUILT_IN, *sorted(set(_entry_points()) - set(BUILT_IN))]


def where(name: str) -> str:
    """Return ``module:Class`` of a registered runtime, or the name itself where it is one."""
    if ":" in name:
        return name
    if name in BUILT_IN:
        return BUILT_IN[name]
    plugins = _entry_points()
    if name not in plugins:
        raise unknown_name("runtime to measure with", name, names(), "advisor measure --help")
    return plugins[name]


def load(name: str) -> Measurer:
    """Create a runtime by its registered name or by ``module:Class``."""
    found: Measurer = made(f"runtime {name!r}", where(name))
    _check(found, name)
    return found


def lack(name: str) -> str | None:
    """Say in one line why a runtime cannot be used here; None where it can."""
    try:
        with blamed(f"runtime {name!r}"):
            return load(name).missing()
    except AdvisorError as error:
        return str(error)


def find(runtime: str, unit: str = "cpu") -> str:
    """Return the registered name of a runtime on a unit."""
    name = runtime if unit == "cpu" else f"{runtime}-{unit}"
    where(name)
    return name


@functools.cache
def _entry_points() -> Mapping[str, str]:
    return entry_points_of(GROUP)


def _check(made: Any, name: str) -> None:
    needed = ("runtime", "unit", "packages", "modules", "missing", "refusal", "convert", "open")
    lacking = [one for one in needed if not hasattr(made, one)]
    if lacking:
        raise PluginError(f"runtime {name!r} lacks {', '.join(lacking)} of the Measurer protocol")
