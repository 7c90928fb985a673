"""LiteRT (TensorFlow Lite) on the CPU, through XNNPACK."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from advisor.core.extras import absent
from advisor.errors import MeasurementError
from advisor.measuring.runtimes.lines import first_line

if TYPE_CHECKING:
    from advisor.measuring.runtimes import Images, Settings
    from advisor.measuring.runtimes.source import Source

MODEL = "model.tflite"


class LiteRtEngine:
    """An interpreter with its tensors allocated."""

    def __init__(self, path: Path, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_path=str(path), num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def load(self, images: Images) -> None:
        """Copy a batch, with channels last where the file was converted so."""
        expected = tuple(self._input["shape"])
        if images.shape != expected and images.transpose(0, 2, 3, 1).shape == expected:
            images = images.transpose(0, 2, 3, 1)
        self._interpreter.set_tensor(self._input["index"], np.ascontiguousarray(images))

    def run(self) -> None:
        """Run one pass."""
        self._interpreter.invoke()

    def result(self) -> Images:
        """Copy the output."""
        return np.array(self._interpreter.get_tensor(self._output), dtype=np.float32)


class LiteRt:
    """The LiteRT interpreter."""

    runtime = "litert"
    unit = "cpu"
    packages: tuple[str, ...] = ("ai-edge-litert", "litert-torch")
    modules: tuple[str, ...] = ("ai_edge_litert.interpreter",)

    def missing(self) -> str | None:
        """Name the extra that brings interpreter and converter."""
        line = absent("measuring with LiteRT", "ai_edge_litert", "litert_torch")
        hint = "the converter asks for an older torch; use an environment of its own"
        return f"{line} ({hint})" if line else None

    def refusal(self, settings: Settings) -> str | None:
        """Float only: the converter's quantiser is a package of its own."""
        if settings.precision == "fp32":
            return None
        return f"LiteRT is measured in fp32, not in {settings.precision}"

    def convert(self, source: Source, settings: Settings, folder: Path) -> None:
        """Convert from PyTorch."""
        import litert_torch
        import torch

        network = source.module("litert_torch")
        example = torch.from_numpy(np.ascontiguousarray(source.example))
        try:
            litert_torch.convert(network, (example,)).export(str(folder / MODEL))
        except Exception as error:
            raise MeasurementError(
                f"litert_torch cannot convert it: {first_line(error)}"
            ) from error

    def open(self, folder: Path, settings: Settings) -> LiteRtEngine:
        """Load the file."""
        return LiteRtEngine(folder / MODEL, settings.threads)
