"""Structured pruning: whole channels go, so the network really becomes smaller.

torch-pruning (Fang et al. 2023, arXiv 2301.12900) keeps the shapes of layers that depend on each
other consistent; channels with the smallest norm of their group go first.
"""

import copy
from collections.abc import Sequence

import torch
import torch_pruning
from torch import nn

from advisor.errors import TrialError
from advisor.trials.classifiers import head_of

ROUND_TO = 8
"""Channels stay a multiple of this: vector units take as long for what lies between."""


def prune(network: nn.Module, side: int, share: float | Sequence[float]) -> nn.Module:
    """Return a copy without a share of the channels of every layer; the classes stay.

    Several shares are of as many groups of layers, from the input to the classes. Raises
    TrialError where the network's layers cannot be followed.
    """
    pruned = copy.deepcopy(network).eval()
    for parameter in pruned.parameters():
        parameter.requires_grad_(True)
    example = torch.zeros(1, 3, side, side)
    shares = (share,) if isinstance(share, float) else tuple(share)
    try:
        pruner = torch_pruning.pruner.BasePruner(
            pruned,
            example,
            importance=torch_pruning.importance.GroupMagnitudeImportance(p=2),
            pruning_ratio=shares[-1],
            pruning_ratio_dict=_by_layer(pruned, shares),
            ignored_layers=[head_of(pruned)],
            round_to=ROUND_TO,
        )
        pruner.step()
        with torch.no_grad():
            pruned(example)
    except Exception as error:  # tracing fails in whatever way the network's code does
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise TrialError(f"{type(network).__name__} cannot be pruned: {first}") from error
    return pruned


def _by_layer(network: nn.Module, shares: Sequence[float]) -> dict[nn.Module, float]:
    """Give each layer the share of its group; groups hold about as many layers."""
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    count = len(shares)
    return {layer: shares[place * count // len(layers)] for place, layer in enumerate(layers)}


def parameters_of(network: nn.Module) -> int:
    """Count parameters."""
    return sum(parameter.numel() for parameter in network.parameters())
