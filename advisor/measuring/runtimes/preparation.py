"""Prepare networks with random weights so that they run like trained ones.

timm initialises the last batch norm of every residual branch to zero. Exporters fold such a
branch away, and what is timed then is another network. Batch norms therefore get a weight of one
and statistics from a few random batches.
"""

from __future__ import annotations

import hashlib
import importlib
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from advisor.core.candidate import Candidate
from advisor.errors import MeasurementError, NetworkError
from advisor.measuring.runtimes.lines import first_line
from advisor.networks.building import build
from advisor.networks.deployment import deployed

SEED = 0
BATCHES = 4
"""Random batches that give the batch norms their statistics."""
IMAGES = 2
"""Images of each; the fewest that a batch norm accepts."""


def prepared(spelling: str, resolution: int, *, weights: Path | None = None) -> nn.Module:
    """Build a network on the CPU, in the form that is deployed, ready to be exported and timed.

    With ``weights`` the file's state dict is loaded and nothing is randomised. Raises
    NetworkError where the network cannot be built and MeasurementError for unreadable weights.
    """
    torch.manual_seed(SEED)
    network = _built(spelling, resolution)
    if weights is not None:
        _load(network, weights)
    else:
        revive(network)
        settle(network, resolution)
    return deployed(network.eval()).requires_grad_(False)


def revive(network: nn.Module) -> int:
    """Set normalisation weights that are all zero to one; return how many there were."""
    count = 0
    for module in network.modules():
        weight = getattr(module, "weight", None)
        if not isinstance(weight, nn.Parameter) or weight.ndim != 1:
            continue
        if not weight.detach().any():
            nn.init.ones_(weight)
            count += 1
    return count


def settle(network: nn.Module, resolution: int) -> None:
    """Give the batch norms the statistics of a few random batches."""
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    norms = [norm for norm in norms if norm.track_running_stats]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the average over the batches instead of a moving one
    network.train()
    with torch.no_grad():
        for _ in range(BATCHES):
            network(torch.randn(IMAGES, 3, resolution, resolution))
    network.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def fingerprint(network: nn.Module) -> str:
    """Return a digest of structure and weights."""
    digest = hashlib.sha256(str(network).encode())
    for name, tensor in network.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _built(spelling: str, resolution: int) -> nn.Module:
    if ":" in spelling and "=" not in spelling:
        return _from_factory(spelling)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build(Candidate.parse(spelling), resolution, device="cpu")


def _from_factory(spelling: str) -> nn.Module:
    module, _, factory = spelling.partition("@")[0].partition(":")
    try:
        made: Any = getattr(importlib.import_module(module), factory)()
    except Exception as error:
        raise NetworkError(f"cannot build {spelling}: {first_line(error)}") from error
    if not isinstance(made, nn.Module):
        raise NetworkError(f"{spelling} returned {type(made).__name__}, not a torch module")
    return made.eval()


def _load(network: nn.Module, weights: Path) -> None:
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        network.load_state_dict(state.get("state_dict", state))
    except (OSError, RuntimeError, AttributeError, ValueError) as error:
        raise MeasurementError(f"cannot load {weights}: {first_line(error)}") from error
    except Exception as error:  # torch raises the unpickler's own errors for a foreign file
        raise MeasurementError(f"{weights} is no state dict: {first_line(error)}") from error
