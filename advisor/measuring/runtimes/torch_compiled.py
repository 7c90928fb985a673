"""PyTorch compiled by Inductor on the CPU; int8 through torchao's export quantisation."""

from __future__ import annotations

import logging
import os
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.core.extras import absent
from advisor.errors import MeasurementError
from advisor.hardware.library import advisor_home
from advisor.measuring.runtimes.lines import first_line
from advisor.measuring.runtimes.torch_eager import TorchEager, TorchEngine, calibration_of, restored

if TYPE_CHECKING:
    from advisor.measuring.runtimes import Images, Settings


class TorchCompiled(TorchEager):
    """``torch.compile`` with the default backend, weights frozen."""

    runtime = "torch-inductor"
    packages: tuple[str, ...] = ("torch", "torchao")

    def missing(self) -> str | None:
        """Inductor writes C++ and needs a compiler for it."""
        absent = super().missing()
        if absent:
            return absent
        if not any(shutil.which(name) for name in ("g++", "clang++", "c++")):
            return "torch.compile needs a C++ compiler: apt install g++"
        return None

    def refusal(self, settings: Settings) -> str | None:
        """As eager PyTorch; int8 needs torchao."""
        lacking = absent("int8 with torch.compile", "torchao")
        if settings.precision == "int8" and lacking:
            return lacking
        return super().refusal(settings)

    def open(self, folder: Path, settings: Settings) -> TorchEngine:
        """Build, quantise where asked, and compile at the first pass; machine code is kept."""
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(advisor_home() / "inductor"))
        import torch
        import torch._inductor.config as inductor

        torch.set_num_threads(settings.threads)
        logging.getLogger("torch").setLevel(logging.ERROR)
        inductor.freezing = True
        network = restored(folder)
        if settings.precision == "int8":
            network = _quantised(network, calibration_of(folder))
        dtype = torch.bfloat16 if settings.precision == "bf16" else torch.float32
        if settings.precision == "bf16":
            network = network.to(dtype)
        torch._dynamo.reset()
        return TorchEngine(torch.compile(network), dtype)


def _quantised(network: Any, batches: Images) -> Any:
    """Quantise an exported graph with the quantiser that Inductor's x86 kernels expect."""
    import torch
    from torchao.quantization.pt2e import move_exported_model_to_eval
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
    from torchao.quantization.pt2e.quantizer.x86_inductor_quantizer import (
        X86InductorQuantizer,
        get_default_x86_inductor_quantization_config,
    )

    quantizer = X86InductorQuantizer()
    quantizer.set_global(get_default_x86_inductor_quantization_config())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            graph = torch.export.export(network, (torch.from_numpy(batches[0]),)).module()
            observed = prepare_pt2e(graph, quantizer)
            for batch in batches:
                observed(torch.from_numpy(batch))
            converted = convert_pt2e(observed)
            move_exported_model_to_eval(converted)
        except Exception as error:
            raise MeasurementError(f"torchao cannot quantise it: {first_line(error)}") from error
    return converted
