"""Quantisation-aware fine-tuning: a network learns while its numbers are rounded to int8.

Weights per output channel, symmetric; what a layer is given per tensor, with a moving average of
its range; gradients pass as if nothing was rounded (Jacob et al. 2018, arXiv 1712.05877). The
rounding is PyTorch's own. After the training it goes, and the float network is quantised like
any other: a batch norm scales whole channels, so the grid of the weights stays the same.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

FOLLOWS = 0.1
"""Share of a batch's range in the moving average."""
_LEAST = 1e-8
_Layer = nn.Conv2d | nn.Linear


class RoundedWeights(nn.Module):
    """Weights as int8 keeps them."""

    def forward(self, weight: Tensor) -> Tensor:
        """Round each output channel to 255 steps about zero."""
        reach = weight.detach().abs().flatten(1).amax(dim=1)
        scale = (reach / 127).clamp(min=_LEAST)
        zero = torch.zeros_like(scale, dtype=torch.int32)
        return torch.fake_quantize_per_channel_affine(weight, scale, zero, 0, -127, 127)


def learn_rounding(network: nn.Module, images: Tensor) -> None:
    """Let every convolution and linear layer compute as in int8, gradients passing through.

    The first ranges are those of ``images``.
    """
    for layer in _layers(network):
        layer.register_buffer("input_range", torch.full((2,), torch.nan))
        layer.register_forward_pre_hook(_round_input)
        parametrize.register_parametrization(layer, "weight", RoundedWeights())
    was = network.training
    with torch.no_grad():
        network.eval()(images)
    network.train(was)


def forget_rounding(network: nn.Module) -> None:
    """Return to float: the weights that were learnt, not rounded."""
    for layer in _layers(network):
        if not parametrize.is_parametrized(layer):
            continue
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
        del layer.input_range
        hooks = layer._forward_pre_hooks
        for key in [key for key, hook in hooks.items() if hook is _round_input]:
            del hooks[key]


def _layers(network: nn.Module) -> Iterator[_Layer]:
    return (module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear))


def _round_input(layer: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Round what a layer is given to 256 steps over the range that it has seen."""
    values: Tensor = inputs[0]
    held = layer.input_range
    assert isinstance(held, Tensor)
    if layer.training or held.isnan().any():
        with torch.no_grad():
            low, high = torch.aminmax(values.detach())
            seen = torch.stack([low.clamp(max=0.0), high.clamp(min=0.0)])
            held.copy_(seen if held.isnan().any() else held.lerp(seen, FOLLOWS))
    low, high = held[0], held[1]
    scale = ((high - low) / 255).clamp(min=_LEAST)
    zero = (-low / scale).round().to(torch.int32)
    return (torch.fake_quantize_per_tensor_affine(values, scale, zero, 0, 255), *inputs[1:])
