"""ncnn on the CPU, converted by pnnx; int8 where ncnn's own tools are on the PATH."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from advisor.core.extras import absent
from advisor.errors import MeasurementError
from advisor.measuring.runtimes.lines import first_line

if TYPE_CHECKING:
    from advisor.measuring.runtimes import Images, Settings
    from advisor.measuring.runtimes.source import Source

PARAM, WEIGHTS = "model.param", "model.bin"
LONGEST = 1800.0
"""Seconds that pnnx may take."""


class NcnnEngine:
    """A network and the image it runs on; ncnn takes one image a pass."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        import ncnn

        self._ncnn = ncnn
        self._net = ncnn.Net()
        option = self._net.opt
        option.num_threads = settings.threads
        option.use_vulkan_compute = False
        for name in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
            setattr(option, f"use_{name}", False)
        option.use_bf16_packed = option.use_bf16_storage = settings.precision == "bf16"
        failed = self._net.load_param(str(folder / PARAM)) or self._net.load_model(
            str(folder / WEIGHTS)
        )
        if failed:
            raise MeasurementError(f"ncnn cannot load {folder / PARAM}")
        self._input = self._net.input_names()[0]
        self._output = self._net.output_names()[0]
        self._found: Any = None

    def load(self, images: Images) -> None:
        """Copy one image into ncnn's memory."""
        self._image = self._ncnn.Mat(np.ascontiguousarray(images[0])).clone()

    def run(self) -> None:
        """Run one pass; an extractor is made for each, as ncnn's own benchmark does."""
        extractor = self._net.create_extractor()
        extractor.input(self._input, self._image)
        failed, self._found = extractor.extract(self._output)
        if failed:
            raise MeasurementError(f"ncnn stopped with code {failed}")

    def result(self) -> Images:
        """Return the output as one row."""
        return np.array(self._found, dtype=np.float32).reshape(1, -1)


class Ncnn:
    """The CPU path of ncnn's Python wheel."""

    runtime = "ncnn"
    unit = "cpu"
    packages: tuple[str, ...] = ("ncnn", "pnnx")
    modules: tuple[str, ...] = ("ncnn",)

    def missing(self) -> str | None:
        """Name the extra that brings it."""
        return absent("measuring with ncnn", "ncnn", "pnnx")

    def refusal(self, settings: Settings) -> str | None:
        """Refuse batches, which ncnn has none of, and precisions it does not compute in."""
        if settings.batch != 1:
            return f"ncnn runs one image a pass, not {settings.batch}"
        if settings.precision in ("fp32", "int8"):
            return None
        return f"ncnn on this CPU is measured in fp32 and int8, not in {settings.precision}"

    def convert(self, source: Source, settings: Settings, folder: Path) -> None:
        """Convert by pnnx and quantise where asked."""
        import torch

        network = source.module("pnnx")
        example = torch.from_numpy(np.ascontiguousarray(source.example))
        traced = folder / "network.pt"
        try:
            made: Any = torch.jit.trace  # left untyped by torch
            made(network, example, check_trace=False).save(str(traced))
        except Exception as error:
            raise MeasurementError(f"it cannot be traced for pnnx: {first_line(error)}") from error
        _convert(traced, source.example.shape)
        for made, kept in (("network.ncnn.param", PARAM), ("network.ncnn.bin", WEIGHTS)):
            if not (folder / made).is_file():
                raise MeasurementError("pnnx wrote no ncnn network; it lacks one of its operators")
            shutil.move(folder / made, folder / kept)
        lacking = foreign_operators((folder / PARAM).read_text(encoding="utf-8"))
        if lacking:
            raise MeasurementError(f"ncnn has no {', '.join(lacking)}, which pnnx left in place")
        for left in folder.glob("network*"):
            left.unlink()
        if settings.precision == "int8":
            from advisor.measuring.runtimes.ncnn_int8 import quantise

            quantise(folder / PARAM, folder / WEIGHTS, source.calibration)

    def open(self, folder: Path, settings: Settings) -> NcnnEngine:
        """Load the network."""
        return NcnnEngine(folder, settings)


def foreign_operators(param: str) -> list[str]:
    """Name the operators of a param file that are PyTorch's: pnnx found no layer of ncnn for them.

    PyTorch's names hold a dot or a colon (``torch.unbind``, ``aten::roll``), ncnn's do not.
    """
    types = {line.split()[0] for line in param.splitlines()[2:] if line.strip()}
    return sorted(name for name in types if "." in name or "::" in name)


def _convert(traced: Path, shape: tuple[int, ...]) -> None:
    """Run pnnx; its own Python wrapper would also import the code that pnnx writes."""
    import pnnx

    sides = ",".join(map(str, shape))
    command = [pnnx.EXEC_PATH, traced.name, f"inputshape=[{sides}]f32", "fp16=0"]
    done = subprocess.run(
        command, cwd=traced.parent, capture_output=True, timeout=LONGEST, check=False
    )
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise MeasurementError(f"pnnx ended with {done.returncode}: {lines[-1][:200]}")
