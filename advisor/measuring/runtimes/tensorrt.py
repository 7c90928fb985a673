"""TensorRT on an NVIDIA GPU, through its Python package and torch's CUDA memory."""

from __future__ import annotations

from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from advisor.errors import MeasurementError

if TYPE_CHECKING:
    from advisor.measuring.runtimes import Images, Settings
    from advisor.measuring.runtimes.source import Source

PLAN = "model.plan"


class TensorRtEngine:
    """An execution context with its buffers on the GPU."""

    def __init__(self, path: Path) -> None:
        import tensorrt as trt
        import torch

        runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
        engine = runtime.deserialize_cuda_engine(path.read_bytes())
        if engine is None:
            raise MeasurementError(f"TensorRT cannot load {path}")
        self._keep = (runtime, engine)
        self._context: Any = engine.create_execution_context()
        self._stream: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
        self._buffers = {
            name: torch.empty(
                tuple(engine.get_tensor_shape(name)), dtype=torch.float32, device="cuda"
            )
            for name in names
        }
        for name, buffer in self._buffers.items():
            self._context.set_tensor_address(name, buffer.data_ptr())
        self._input, self._output = names[0], names[-1]

    def load(self, images: Images) -> None:
        """Copy a batch to the GPU."""
        import torch

        self._buffers[self._input].copy_(torch.from_numpy(np.ascontiguousarray(images)))
        torch.cuda.synchronize()

    def run(self) -> None:
        """Run one pass and wait for it."""
        self._context.execute_async_v3(self._stream.cuda_stream)
        self._stream.synchronize()

    def result(self) -> Images:
        """Copy the output back."""
        array: Images = self._buffers[self._output].cpu().numpy()
        return array


class TensorRt:
    """Engines built from ONNX on the GPU at hand."""

    runtime = "tensorrt"
    unit = "gpu"
    packages: tuple[str, ...] = ("tensorrt", "torch")
    modules: tuple[str, ...] = ("tensorrt", "torch")

    def missing(self) -> str | None:
        """Say that the package or the GPU is missing."""
        if util.find_spec("tensorrt") is None:
            return "tensorrt is missing: pip install tensorrt"
        import torch

        return None if torch.cuda.is_available() else "there is no CUDA device to run TensorRT on"

    def refusal(self, settings: Settings) -> str | None:
        """Floats; int8 plans come from an explicitly quantised ONNX file."""
        if settings.precision in ("fp32", "fp16"):
            return None
        return f"TensorRT is measured in fp32 and fp16, not in {settings.precision}"

    def convert(self, source: Source, settings: Settings, folder: Path) -> None:
        """Build a plan from the ONNX file."""
        import tensorrt as trt

        logger = trt.Logger(trt.Logger.ERROR)
        builder = trt.Builder(logger)
        network = builder.create_network(0)
        parser = trt.OnnxParser(network, logger)
        if not parser.parse(source.onnx_file().read_bytes()):
            raise MeasurementError(f"TensorRT cannot read the ONNX file: {parser.get_error(0)}")
        config = builder.create_builder_config()
        config.clear_flag(trt.BuilderFlag.TF32)
        if settings.precision == "fp16":
            config.set_flag(trt.BuilderFlag.FP16)
        plan = builder.build_serialized_network(network, config)
        if plan is None:
            raise MeasurementError("TensorRT cannot build a plan for this GPU")
        (folder / PLAN).write_bytes(plan)

    def open(self, folder: Path, settings: Settings) -> TensorRtEngine:
        """Load the plan."""
        return TensorRtEngine(folder / PLAN)
