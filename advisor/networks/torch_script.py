"""What of a TorchScript module is hidden from the one who counts it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

_DECIDING = {"prim::If": ("branch", "branches"), "prim::Loop": ("loop", "loops")}
_ATTENTION = "aten::scaled_dot_product_attention"
_COMPUTED = ("aten", "prim")
"""Namespaces of operators that are seen when they run."""


def constants_of(network: nn.Module) -> list[torch.Tensor]:
    """Return the weights that a frozen module holds as constants of its graph, each once."""
    found: dict[int, torch.Tensor] = {}
    for node in _nodes(network):
        is_tensor = node.kind() == "prim::Constant" and node.hasAttribute("value")
        if is_tensor and node.kindOf("value") == "t":
            tensor = node.t("value")
            if tensor.dim() and tensor.is_floating_point():
                found.setdefault(tensor.data_ptr(), tensor)
    return list(found.values())


def opaque_parts(network: nn.Module) -> tuple[str, ...]:
    """Say what one pass of a scripted module does not show; () for any other module."""
    kinds = Counter(node.kind() for node in _nodes(network))
    if not kinds:
        return ()
    deciding = [
        f"{kinds[kind]} {words[kinds[kind] > 1]}"
        for kind, words in _DECIDING.items()
        if kinds[kind]
    ]
    parts = [f"{' and '.join(deciding)} as that image takes them"] if deciding else []
    if kinds[_ATTENTION]:
        parts.append("attention as plain matrix products")
    parts += [
        f"not counted: {kind} ×{n}"
        for kind, n in sorted(kinds.items())
        if kind.partition("::")[0] not in _COMPUTED
    ]
    return (", ".join(("TorchScript, counted for one random image", *parts)),)


def _nodes(network: nn.Module) -> Iterator[Any]:
    """All operators of a scripted module, also those inside branches and loops."""
    if isinstance(network, torch.jit.ScriptModule):
        graph = network.inlined_graph  # its nodes live as long as it does
        yield from _inside(graph)


def _inside(block: Any) -> Iterator[Any]:
    for node in block.nodes():
        yield node
        for inner in node.blocks():
            yield from _inside(inner)
