"""Deployment: the form in which a network runs, with the branches of its training merged.

MobileOne, RepVGG, RepViT, FastViT, RepGhost and others train several parallel branches that add
up to one convolution; what is deployed and measured is that convolution.
"""

from __future__ import annotations

import timm.utils
from torch import nn

from advisor.errors import NetworkError

_MERGING = ("fuse", "reparameterize", "switch_to_deploy")
"""Methods by which timm's modules merge their branches."""


def has_training_form(network: nn.Module) -> bool:
    """Tell whether any part of the network is built otherwise for training than for deployment."""
    return any(hasattr(part, name) for part in network.modules() for name in _MERGING)


def deployed(network: nn.Module) -> nn.Module:
    """Return the network with its branches merged; it has to hold real weights, not meta ones.

    A network without a training form is returned as it is. Raises NetworkError where merging
    fails.
    """
    if not has_training_form(network):
        return network
    try:
        merged: nn.Module = timm.utils.reparameterize_model(network.eval())
    except Exception as error:
        raise NetworkError(
            f"cannot merge the branches of {type(network).__name__}: "
            f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        ) from error
    return merged.eval()
