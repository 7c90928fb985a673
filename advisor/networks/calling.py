"""How a user's own network may be called: with one image, several inputs, a mapping or a list."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from advisor.networks import InputSizes

USUAL_CHANNELS = 3
MOST_CHANNELS = 4
"""Last size up to which an image is taken to have its channels there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallForm:
    """One way to call a network, and the image that it is counted for."""

    positional: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)
    height: int
    width: int
    is_plain: bool = False
    """Whether it is one colour image in full precision."""

    @property
    def is_square(self) -> bool:
        """Whether the image is as wide as it is high."""
        return self.height == self.width

    def call(self, network: nn.Module) -> object:
        """Run one pass."""
        return network(*self.positional, **self.named)


def call_forms(
    network: nn.Module, sides: tuple[int, int], inputs: InputSizes, device: str
) -> Iterator[CallForm]:
    """Yield the ways in which a network may take its inputs, the likeliest first.

    Without ``inputs`` that is one image of ``sides``. Sizes are tried as those of one sample, then
    as they are written; inputs of one size as numbers, then as indices.
    """
    if not inputs:
        yield from _with_image(network, sides, device)
        return
    height, width = _plane(inputs)
    for batch in (True, False):
        if not batch and not any(sizes[0] == 1 for sizes in inputs.values()):
            continue
        for indices in (False, True):
            tensors = {
                name: _tensor(sizes, batch, indices, _dtype(network), device)
                for name, sizes in inputs.items()
            }
            for positional, named in _arrangements(network, tensors):
                yield CallForm(positional=positional, named=named, height=height, width=width)


def needed(network: nn.Module, inputs: InputSizes) -> str:
    """Say what was tried, and what to state of a network that could not be called."""
    names = _required(network)
    if len(names) > 1 and set(names) != set(inputs):
        return f"it takes {', '.join(names)}; state their sizes by --input " + ",".join(
            f"{name}=3x224x224" if place == 0 else f"{name}=SIZES"
            for place, name in enumerate(names)
        )
    if inputs:
        return "tried by name, in order, as a mapping and as a list"
    return ("tried as one image, as a mapping and as a list of images; state other inputs by "
            "--input image=3x224x224,meta=4")  # fmt: skip


def _with_image(network: nn.Module, sides: tuple[int, int], device: str) -> Iterator[CallForm]:
    """The image as a batch, under any key of a mapping, and as a list of single images."""
    height, width = sides
    channels = _channels(network)
    image = torch.rand(1, channels, height, width, device="cpu").to(device).to(_dtype(network))
    usual = channels == USUAL_CHANNELS and image.dtype is torch.float32 and height == width
    for place, form in enumerate((image, _AnyKey(image), [image[0]])):
        yield CallForm(
            positional=(form,), height=height, width=width, is_plain=usual and place == 0
        )


def _arrangements(
    network: nn.Module, tensors: dict[str, torch.Tensor]
) -> Iterator[tuple[tuple[Any, ...], Mapping[str, Any]]]:
    values = tuple(tensors.values())
    if set(tensors) <= set(_parameters(network)):
        yield (), tensors
    yield values, {}
    yield (_AnyKey(values[0]) if "" in tensors else dict(tensors),), {}
    yield (list(values),), {}
    yield ([value[0] for value in values],), {}


def _tensor(
    sizes: tuple[int, ...], batch: bool, indices: bool, dtype: torch.dtype, device: str
) -> torch.Tensor:
    shape = (1, *sizes) if batch else sizes
    if indices and len(sizes) == 1:
        return torch.zeros(shape, dtype=torch.int64, device=device)
    return torch.rand(shape, device="cpu").to(device).to(dtype)


def _plane(inputs: InputSizes) -> tuple[int, int]:
    """Height and width of the first image; of other inputs the largest size."""
    for sizes in inputs.values():
        if len(sizes) >= 3:
            last = sizes[-1] <= MOST_CHANNELS < sizes[-3]
            return (sizes[-3], sizes[-2]) if last else (sizes[-2], sizes[-1])
    largest = max(max(sizes) for sizes in inputs.values())
    return largest, largest


class _AnyKey(dict[str, Any]):
    """A mapping that holds the same image under every key."""

    def __init__(self, image: torch.Tensor) -> None:
        super().__init__(image=image)
        self._image = image

    def __missing__(self, name: str) -> torch.Tensor:
        return self._image


def _parameters(network: nn.Module) -> dict[str, bool]:
    """Names of what ``forward`` takes, and whether each has to be given."""
    if isinstance(network, torch.jit.ScriptModule):
        forward: Any = network.forward
        taken = forward.schema.arguments[1:]
        return {one.name: not one.has_default_value() for one in taken}
    signature = inspect.signature(network.forward).parameters.values()
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {one.name: one.default is one.empty for one in signature if one.kind in plain}


def _required(network: nn.Module) -> list[str]:
    return [name for name, required in _parameters(network).items() if required]


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
