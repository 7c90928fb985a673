"""PyTorch in eager mode, on the CPU or a CUDA device."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from advisor.core.extras import absent
from advisor.errors import MeasurementError
from advisor.measuring.cpu import supports
from advisor.measuring.runtimes.lines import first_line

if TYPE_CHECKING:
    import torch

    from advisor.measuring.runtimes import Images, Settings
    from advisor.measuring.runtimes.source import Source

STATE, CALIBRATION, NETWORK = "state.pt", "calibration.npy", "network.json"


class TorchEngine:
    """A module and the batch it runs on."""

    def __init__(self, network: Any, dtype: torch.dtype, device: str = "cpu") -> None:
        self._network, self._dtype, self._device = network, dtype, device
        self._input: Any = None
        self._output: Any = None

    def load(self, images: Images) -> None:
        """Copy a batch to the device."""
        import torch

        made = torch.from_numpy(np.ascontiguousarray(images))
        self._input = made.to(device=self._device, dtype=self._dtype)

    def run(self) -> None:
        """Run one pass; wait for the device where it works on its own."""
        import torch

        with torch.inference_mode():
            self._output = self._network(self._input)
        if self._device != "cpu":
            torch.cuda.synchronize()

    def result(self) -> Images:
        """Return the first output as float32."""
        made = self._output[0] if isinstance(self._output, tuple | list) else self._output
        array: Images = made.detach().float().cpu().numpy()
        return array


class TorchEager:
    """Eager PyTorch on the CPU; int8 through FX graph quantisation."""

    runtime = "pytorch"
    unit = "cpu"
    packages: tuple[str, ...] = ("torch",)
    modules: tuple[str, ...] = ("torch", "timm")

    def missing(self) -> str | None:
        """Name the extra that brings PyTorch."""
        return absent("measuring in PyTorch", "torch", "timm")

    def refusal(self, settings: Settings) -> str | None:
        """Refuse fp16, which CPUs convert, and bf16 where the CPU lacks the arithmetic."""
        if settings.precision == "bf16" and not supports("bf16"):
            return "this CPU has no bf16 arithmetic (avx512_bf16, amx_bf16 or bf16)"
        if settings.precision in ("fp32", "bf16", "int8"):
            return None
        return f"PyTorch on a CPU is measured in fp32, bf16 and int8, not in {settings.precision}"

    def convert(self, source: Source, settings: Settings, folder: Path) -> None:
        """Keep the weights, and the calibration images where a quantiser will need them."""
        import torch

        network = source.module(self.runtime)
        torch.save(network.state_dict(), folder / STATE)
        facts = {"name": source.name, "resolution": int(source.example.shape[-1])}
        (folder / NETWORK).write_text(json.dumps(facts), encoding="utf-8")
        if settings.precision == "int8":
            np.save(folder / CALIBRATION, np.stack(source.calibration), allow_pickle=False)

    def open(self, folder: Path, settings: Settings) -> TorchEngine:
        """Build the network again, load its weights and quantise it where asked."""
        import torch

        torch.set_num_threads(settings.threads)
        network = restored(folder)
        if settings.precision == "int8":
            return TorchEngine(_quantised(network, calibration_of(folder)), torch.float32)
        dtype = torch.bfloat16 if settings.precision == "bf16" else torch.float32
        return TorchEngine(network.to(dtype), dtype)


class TorchCuda(TorchEager):
    """Eager PyTorch on an NVIDIA GPU."""

    unit = "gpu"

    def missing(self) -> str | None:
        """Say that there is no usable CUDA device."""
        absent = super().missing()
        if absent:
            return absent
        import torch

        if torch.cuda.is_available():
            return None
        return "PyTorch sees no CUDA device: install the driver and a CUDA build of torch"

    def refusal(self, settings: Settings) -> str | None:
        """Eager PyTorch computes in floats on a GPU."""
        if settings.precision in ("fp32", "fp16", "bf16"):
            return None
        return f"PyTorch on a GPU is measured in fp32, fp16 and bf16, not in {settings.precision}"

    def open(self, folder: Path, settings: Settings) -> TorchEngine:
        """Load onto the GPU; fp32 means fp32, so TensorFloat-32 is off."""
        import torch

        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = True
        dtype = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
        chosen = dtype[settings.precision]
        return TorchEngine(restored(folder).to("cuda", chosen), chosen, "cuda")


def restored(folder: Path) -> Any:
    """Build the network of an export and load its weights."""
    from advisor.measuring.runtimes.preparation import prepared

    facts = json.loads((folder / NETWORK).read_text(encoding="utf-8"))
    return prepared(facts["name"], facts["resolution"], weights=folder / STATE).requires_grad_(
        False
    )


def calibration_of(folder: Path) -> Images:
    """Calibration batches of an export, stacked."""
    batches: Images = np.load(folder / CALIBRATION, allow_pickle=False)
    return batches


def _quantised(network: Any, batches: Images) -> Any:
    """Quantise statically by FX graph mode; MeasurementError where the graph cannot be traced."""
    import torch
    from torch.ao.quantization import get_default_qconfig_mapping
    from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

    torch.backends.quantized.engine = "x86"
    example = (torch.from_numpy(batches[0]),)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            observed = prepare_fx(network, get_default_qconfig_mapping("x86"), example)
            for batch in batches:
                observed(torch.from_numpy(batch))
            return convert_fx(observed)
        except Exception as error:
            reason = first_line(error)
            raise MeasurementError(f"PyTorch cannot quantise it statically: {reason}") from error
