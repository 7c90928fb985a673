"""Classifiers: networks with one output for each of the user's classes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor, nn

from advisor.core.candidate import Candidate
from advisor.errors import NetworkError, TrialError
from advisor.networks.building import build
from advisor.trials.weights import inherit, load_weights

Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """How pixels become numbers: per channel, (pixel ÷ 255 - mean) ÷ spread."""

    mean: Triple = IMAGENET_DEFAULT_MEAN
    spread: Triple = IMAGENET_DEFAULT_STD


def scaling_of(candidate: Candidate, *, trained: bool) -> Scaling:
    """Return the scaling that the weights were trained with; ImageNet's for random ones."""
    name = candidate.architecture
    if not trained or not timm.is_model(name):
        return Scaling()
    spelled = f"{name}.{candidate.tag}" if candidate.tag else name
    config = timm.get_pretrained_cfg(spelled, allow_unregistered=True)
    if config is None or config.mean is None or config.std is None:
        return Scaling()
    return Scaling(mean=config.mean, spread=config.std)


def classifier(
    candidate: Candidate, resolution: int, classes: int, *, seed: int, weights: Path | None
) -> nn.Module:
    """Build a candidate with ``classes`` outputs; the last layer always starts afresh.

    Without ``weights`` all layers are random, drawn from ``seed``.
    """
    torch.manual_seed(seed)
    network = build(candidate, resolution, device="cpu")
    if weights is not None:
        load_weights(network, weights)
    torch.manual_seed(seed + 1)  # the same last layer, whatever was drawn before
    replace_head(network, classes)
    return network


def inheriting_classifier(
    candidate: Candidate,
    resolution: int,
    classes: int,
    *,
    seed: int,
    stock: Candidate,
    weights: Path,
) -> tuple[nn.Module, float]:
    """Build a variant that starts from its stock network's weights; return their share of it."""
    torch.manual_seed(seed)
    parent = build(stock, resolution, device="cpu")
    load_weights(parent, weights)
    network = classifier(candidate, resolution, classes, seed=seed, weights=None)
    return network, inherit(network, parent, without=head_of(network))


def replace_head(network: nn.Module, classes: int) -> None:
    """Give a network a new last layer."""
    reset: Callable[[int], None] | None = getattr(network, "reset_classifier", None)
    if reset is not None:
        reset(classes)
        return
    name, head = _last_layer(network)
    fresh: nn.Module
    if isinstance(head, nn.Linear):
        fresh = nn.Linear(head.in_features, classes, bias=head.bias is not None)
    else:
        fresh = nn.Conv2d(head.in_channels, classes, 1)
    parent, _, own = name.rpartition(".")
    setattr(network.get_submodule(parent), own, fresh)


def head_of(network: nn.Module) -> nn.Module:
    """Return the last layer, whose input are the features."""
    get: Callable[[], Any] | None = getattr(network, "get_classifier", None)
    if get is not None:
        head = get()
        head = head[0] if isinstance(head, tuple | list) else head
        if isinstance(head, nn.Module) and not isinstance(head, nn.Identity):
            return head
    return _last_layer(network)[1]


def _last_layer(network: nn.Module) -> tuple[str, nn.Linear | nn.Conv2d]:
    found = [
        (name, module)
        for name, module in network.named_modules()
        if isinstance(module, nn.Linear)
        or (isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1))
    ]
    if not found:
        raise NetworkError(f"{type(network).__name__} has no last layer to put classes on")
    return found[-1]


@contextmanager
def features_of(network: nn.Module) -> Iterator[list[Tensor]]:
    """Collect what the last layer is given, flattened, while the network runs."""
    collected: list[Tensor] = []

    def keep(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        collected.append(inputs[0].detach().flatten(1))

    handle = head_of(network).register_forward_pre_hook(keep)
    try:
        yield collected
    finally:
        handle.remove()


def set_head(network: nn.Module, weight: Tensor, bias: Tensor) -> bool:
    """Put a probe's weights on the last layer; False where that layer is of another form."""
    head = head_of(network)
    if not isinstance(head, nn.Linear) or head.weight.shape != weight.shape or head.bias is None:
        return False
    with torch.no_grad():
        head.weight.copy_(weight)
        head.bias.copy_(bias)
    return True


def check_finite(values: Tensor, what: str) -> None:
    """Raise TrialError where a training ran away."""
    if not torch.isfinite(values).all():
        raise TrialError(f"{what}: the loss is no longer finite; try a lower learning rate")
