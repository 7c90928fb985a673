"""The process in which a user's own network is built and counted.

Called as ``SPELLING HEIGHT WIDTH INPUTS FOLDER``, inputs as JSON. Writes the workload, or one line
about what is wrong, into FOLDER.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import warnings
from dataclasses import replace
from functools import partial, reduce
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from advisor.core.workload import Workload
from advisor.core.workload_table import WorkloadTable, write
from advisor.errors import NetworkError
from advisor.networks import NO_INPUTS, InputSizes
from advisor.networks.calling import CallForm, call_forms, needed
from advisor.networks.counting import count, cross_check
from advisor.networks.torch_script import constants_of, opaque_parts

DEVICES = ("meta", "cpu")
"""Where a network is built and run: without arithmetic first, for real where data decide."""


def main(argv: list[str]) -> int:
    """Count the network of SPELLING; whatever the user's code does ends here."""
    spelling, height, width, folder = argv[0], int(argv[1]), int(argv[2]), Path(argv[4])
    inputs = {name: tuple(sizes) for name, sizes in json.loads(argv[3]).items()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            workload = counted(spelling, height, width, inputs)
    except Exception as error:
        known = isinstance(error, NetworkError)
        line = str(error) if known else f"{spelling} cannot be counted: {_first_line(error)}"
        (folder / "error").write_text(line, encoding="utf-8")
        return 1
    (folder / "half").mkdir()
    write(WorkloadTable.of([workload]), folder / "half")
    (folder / "half").rename(folder / "workload")
    return 0


def counted(
    spelling: str, height: int, width: int | None = None, inputs: InputSizes = NO_INPUTS
) -> Workload:
    """Build and count a network, on the meta device or, where data decide, on the CPU."""
    reasons = []
    for device in DEVICES:
        try:
            network = _built(spelling, device)
            workload = _run(network, spelling, (height, width or height), inputs, device)
        except NetworkError as error:
            reasons.append(str(error))
            continue
        caveats = opaque_parts(network)
        if device == "cpu" and not caveats:
            caveats = ("what its data decide was counted for one random image",)
        return replace(workload, caveats=(*workload.caveats, *caveats))
    raise NetworkError(reasons[-1])


def _built(spelling: str, device: str) -> nn.Module:
    place, _, name = spelling.rpartition(":")
    try:
        found = reduce(getattr, name.split("."), _module(place))
        with torch.device(device):
            network = _unwrapped(found if isinstance(found, nn.Module) else found())
    except SystemExit as error:
        raise NetworkError(f"{spelling} leaves by sys.exit({error.code!r})") from None
    except Exception as error:
        line = _first_line(error)
        hint = "; name a function without arguments that calls it" if "required pos" in line else ""
        raise NetworkError(f"cannot build {spelling}: {line}{hint}") from error
    if not isinstance(network, nn.Module):
        raise NetworkError(f"{spelling} returned {type(network).__name__}, not a torch module")
    return _moved(network, device)


def _moved(network: nn.Module, device: str) -> nn.Module:
    """Move what was built elsewhere, such as a network that the module holds ready."""
    lazy = any(isinstance(p, UninitializedParameter) for p in network.parameters())
    scripted = isinstance(network, torch.jit.ScriptModule)
    return network if lazy or scripted else network.to(device)


def _module(place: str) -> Any:
    """Import a module by its name, or from a file."""
    if not place.lower().endswith(".py"):
        return importlib.import_module(place)
    path = Path(place)
    sys.path.insert(0, str(path.absolute().parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{place} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _unwrapped(found: Any) -> Any:
    """The module inside what compiles, exports or spreads one."""
    if isinstance(found, torch.export.ExportedProgram):
        return found.module()
    if isinstance(found, nn.DataParallel):
        return _unwrapped(found.module)
    return getattr(found, "_orig_mod", found)


def _run(
    network: nn.Module, spelling: str, sides: tuple[int, int], inputs: InputSizes, device: str
) -> Workload:
    """Count one pass, called in the first way that the network takes."""
    scripted = isinstance(network, torch.jit.ScriptModule)
    if scripted and device == "meta":
        raise NetworkError(f"{spelling} is scripted")
    constants = constants_of(network)
    first = ""
    for way in call_forms(network, sides, inputs, device):
        try:
            _materialise(network, way)
            workload = count(
                network,
                name=spelling if way.is_square else f"{spelling}@{way.height}x{way.width}",
                resolution=way.height,
                call=partial(way.call, network),
                constants=constants,
            )
        except NetworkError as error:
            first = first or str(error)
            continue
        except SystemExit as error:
            raise NetworkError(f"{spelling} leaves by sys.exit({error.code!r})") from None
        return cross_check(network, workload) if device == "meta" and way.is_plain else workload
    raise NetworkError(f"{first} ({needed(network, inputs)})")


def _materialise(network: nn.Module, way: CallForm) -> None:
    """Run a lazy network once, so that its parameters have their sizes."""
    if any(isinstance(p, UninitializedParameter) for p in network.parameters()):
        try:
            with torch.no_grad():
                network.eval()
                way.call(network)
        except Exception as error:
            raise NetworkError(f"a lazy network cannot be run: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
