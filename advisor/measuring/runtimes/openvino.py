"""OpenVINO on the CPU; int8 through NNCF's post-training quantisation."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from advisor.core.extras import absent
from advisor.errors import MeasurementError
from advisor.measuring.cpu import supports
from advisor.measuring.runtimes.lines import first_line

if TYPE_CHECKING:
    from advisor.measuring.runtimes import Images, Settings
    from advisor.measuring.runtimes.source import Source

MODEL = "model.xml"
HINTS = {"fp32": "f32", "int8": "f32", "bf16": "bf16", "fp16": "f16"}
"""Precision of the float operators; without it OpenVINO takes bf16 where the CPU has it."""


class OpenVinoEngine:
    """A compiled model with one inference request."""

    def __init__(self, path: Path, settings: Settings) -> None:
        import openvino as ov

        options = {
            "INFERENCE_NUM_THREADS": settings.threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": HINTS[settings.precision],
            "ENABLE_CPU_PINNING": False,
        }
        core = ov.Core()
        self._request = core.compile_model(str(path), "CPU", options).create_infer_request()
        self._tensor = ov.Tensor

    def load(self, images: Images) -> None:
        """Share a batch with the request."""
        self._images = np.ascontiguousarray(images)
        self._request.set_input_tensor(self._tensor(self._images, shared_memory=True))

    def run(self) -> None:
        """Run one pass."""
        self._request.infer()

    def result(self) -> Images:
        """Copy the output."""
        return np.array(self._request.get_output_tensor(0).data, dtype=np.float32)


class OpenVino:
    """The CPU plug-in."""

    runtime = "openvino"
    unit = "cpu"
    packages: tuple[str, ...] = ("openvino", "nncf")
    modules: tuple[str, ...] = ("openvino",)

    def missing(self) -> str | None:
        """Name the extra that brings it."""
        return absent("measuring with OpenVINO", "openvino")

    def refusal(self, settings: Settings) -> str | None:
        """Refuse half precisions that the CPU would convert, and int8 without its quantiser."""
        precision = settings.precision
        if precision not in HINTS:
            return f"OpenVINO is measured in {', '.join(HINTS)}, not in {precision}"
        if precision in ("bf16", "fp16") and not supports(precision):
            return f"this CPU has no {precision} arithmetic"
        return absent("int8 with OpenVINO", "nncf") if precision == "int8" else None

    def convert(self, source: Source, settings: Settings, folder: Path) -> None:
        """Read the ONNX file, quantise where asked and write OpenVINO's own format."""
        import openvino as ov

        try:
            model: Any = ov.Core().read_model(str(source.onnx_file()))
            if settings.precision == "int8":
                model = _quantised(model, source.calibration)
            ov.save_model(model, str(folder / MODEL), compress_to_fp16=False)
        except RuntimeError as error:
            raise MeasurementError(f"OpenVINO cannot convert it: {first_line(error)}") from error

    def open(self, folder: Path, settings: Settings) -> OpenVinoEngine:
        """Compile for this CPU."""
        return OpenVinoEngine(folder / MODEL, settings)


def _quantised(model: Any, batches: tuple[Images, ...]) -> Any:
    import nncf

    logging.getLogger("nncf").setLevel(logging.ERROR)
    nncf.set_log_level(logging.ERROR)
    dataset = nncf.Dataset(list(batches))
    return nncf.quantize(model, dataset, subset_size=len(batches))
