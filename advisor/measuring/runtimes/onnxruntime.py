"""ONNX Runtime on the CPU; int8 through its own static quantiser (QDQ, per channel)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from advisor.core.extras import absent
from advisor.errors import MeasurementError
from advisor.measuring.exports import take_in
from advisor.measuring.runtimes.lines import first_line

if TYPE_CHECKING:
    from advisor.measuring.runtimes import Images, Settings
    from advisor.measuring.runtimes.source import Source

MODEL = "model.onnx"


class OnnxEngine:
    """An inference session with its input bound."""

    def __init__(self, path: Path, threads: int) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._name = self._session.get_inputs()[0].name
        self._feed: dict[str, Images] = {}
        self._output: Any = None

    def load(self, images: Images) -> None:
        """Keep a batch as the feed of the session."""
        self._feed = {self._name: np.ascontiguousarray(images)}

    def run(self) -> None:
        """Run one pass."""
        self._output = self._session.run(None, self._feed)

    def result(self) -> Images:
        """Return the first output."""
        return np.asarray(self._output[0], dtype=np.float32)


class OnnxRuntime:
    """The CPU execution provider."""

    runtime = "onnxruntime"
    unit = "cpu"
    packages: tuple[str, ...] = ("onnxruntime", "onnx")
    modules: tuple[str, ...] = ("onnxruntime",)

    def missing(self) -> str | None:
        """Name the extra that brings it."""
        return absent("measuring with ONNX Runtime", "onnxruntime", "onnx")

    def refusal(self, settings: Settings) -> str | None:
        """Half precisions are converted to fp32 on CPUs."""
        if settings.precision in ("fp32", "int8"):
            return None
        return f"ONNX Runtime on a CPU computes in fp32 and int8, not in {settings.precision}"

    def convert(self, source: Source, settings: Settings, folder: Path) -> None:
        """Export to ONNX and quantise where asked."""
        exported = source.onnx_file()
        if settings.precision == "int8":
            quantise(exported, folder / MODEL, source.calibration)
        else:
            take_in(exported, folder / MODEL)

    def open(self, folder: Path, settings: Settings) -> OnnxEngine:
        """Load the file into a session."""
        return OnnxEngine(folder / MODEL, settings.threads)


class _Reader:
    """Hands calibration batches to the quantiser one by one."""

    def __init__(self, name: str, batches: tuple[Images, ...]) -> None:
        self._feeds: Iterator[dict[str, Images]] = iter([{name: batch} for batch in batches])

    def get_next(self) -> dict[str, Images] | None:
        """Return the next feed; None at the end."""
        return next(self._feeds, None)


def quantise(model: Path, target: Path, batches: tuple[Images, ...]) -> None:
    """Quantise an ONNX file statically; MeasurementError in one line where it cannot be done."""
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    CalibrationDataReader.register(_Reader)
    logging.getLogger().setLevel(logging.ERROR)  # the quantiser writes hints to the root logger
    simplified = target.with_suffix(".simplified.onnx")
    try:
        quant_pre_process(str(model), str(simplified), skip_symbolic_shape=True)
        quantize_static(
            str(simplified),
            str(target),
            _Reader(_input_name(model), batches),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    except Exception as error:
        raise MeasurementError(f"ONNX Runtime cannot quantise it: {first_line(error)}") from error
    finally:
        simplified.unlink(missing_ok=True)


def _input_name(model: Path) -> str:
    import onnx

    return str(onnx.load(str(model), load_external_data=False).graph.input[0].name)
