"""The process in which a user's own network is built and counted: SPELLING SIDE FOLDER.

Writes the workload, or one line about what is wrong, into FOLDER.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from advisor.core.workload import Workload
from advisor.core.workload_table import WorkloadTable, write
from advisor.errors import NetworkError
from advisor.networks.counting import count, cross_check

USUAL_CHANNELS = 3
DEVICES = ("meta", "cpu")
"""Where a network is built and run: without arithmetic first, for real where data decide."""


def main(argv: list[str]) -> int:
    """Count the network of SPELLING; whatever the user's code does ends here."""
    spelling, side, folder = argv[0], int(argv[1]), Path(argv[2])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            workload = counted(spelling, side)
    except Exception as error:
        known = isinstance(error, NetworkError)
        line = str(error) if known else f"{spelling} cannot be counted: {_first_line(error)}"
        (folder / "error").write_text(line, encoding="utf-8")
        return 1
    (folder / "half").mkdir()
    write(WorkloadTable.of([workload]), folder / "half")
    (folder / "half").rename(folder / "workload")
    return 0


def counted(spelling: str, side: int) -> Workload:
    """Build and count a network, on the meta device or, where data decide, on the CPU."""
    reasons = []
    for device in DEVICES:
        try:
            network = _built(spelling, device)
            workload = _run(network, spelling, side, device)
        except NetworkError as error:
            reasons.append(str(error))
            continue
        if device == "cpu":
            caveat = "what its data decide was counted for one random image"
            return replace(workload, caveats=(*workload.caveats, caveat))
        return workload
    raise NetworkError(reasons[-1])


def _built(spelling: str, device: str) -> nn.Module:
    module_name, _, factory_name = spelling.partition(":")
    try:
        factory = getattr(importlib.import_module(module_name), factory_name)
        with torch.device(device):
            network = factory()
    except SystemExit as error:
        raise NetworkError(f"{spelling} leaves by sys.exit({error.code!r})") from None
    except Exception as error:
        raise NetworkError(f"cannot build {spelling}: {_first_line(error)}") from error
    if not isinstance(network, nn.Module):
        raise NetworkError(f"{spelling} returned {type(network).__name__}, not a torch module")
    return network


def _run(network: nn.Module, spelling: str, side: int, device: str) -> Workload:
    """Count one pass, with the first form of input that the network takes."""
    scripted = isinstance(network, torch.jit.ScriptModule)
    if scripted and device == "meta":
        raise NetworkError(f"{spelling} is scripted")
    first = ""
    for image in _inputs(network, side, device):
        try:
            _materialise(network, image)
            workload = count(network, name=spelling, resolution=side, image=image)
        except NetworkError as error:
            first = first or str(error)
            continue
        except SystemExit as error:
            raise NetworkError(f"{spelling} leaves by sys.exit({error.code!r})") from None
        plain = device == "meta" and isinstance(image, torch.Tensor) and image.shape[1] == 3
        usual = plain and image.dtype is torch.float32
        return cross_check(network, workload) if usual else workload
    hint = "; give the module before torch.jit.script" if scripted else ""
    raise NetworkError(f"{first} (tried as one image, as a mapping and as a list of images){hint}")


def _inputs(network: nn.Module, side: int, device: str) -> Iterator[Any]:
    """The image as a batch, under any key of a mapping, and as a list of single images."""
    image = torch.rand(1, _channels(network), side, side, device="cpu").to(device)
    image = image.to(_dtype(network))
    yield image
    yield _AnyKey(image)
    yield [image[0]]


class _AnyKey(dict[str, Any]):
    """A mapping that holds the same image under every key."""

    def __init__(self, image: torch.Tensor) -> None:
        super().__init__(image=image)
        self._image = image

    def __missing__(self, name: str) -> torch.Tensor:
        return self._image


def _materialise(network: nn.Module, image: Any) -> None:
    """Run a lazy network once, so that its parameters have their sizes."""
    if any(isinstance(p, UninitializedParameter) for p in network.parameters()):
        try:
            with torch.no_grad():
                network.eval()(image)
        except Exception as error:
            raise NetworkError(f"a lazy network cannot be run: {_first_line(error)}") from error


def _channels(network: nn.Module) -> int:
    """Channels that the first convolution reads."""
    for module in network.modules():
        weight = getattr(module, "weight", None)
        lazy = isinstance(weight, UninitializedParameter)
        if isinstance(weight, torch.Tensor) and not lazy and weight.dim() == 4:
            return int(weight.shape[1]) * int(getattr(module, "groups", 1))
    return USUAL_CHANNELS


def _dtype(network: nn.Module) -> torch.dtype:
    return next((p.dtype for p in network.parameters() if p.is_floating_point()), torch.float32)


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
