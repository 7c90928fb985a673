"""Count a network's workload by running it once on the meta device, where nothing is computed.

Every ATen operation passes through a dispatch mode that notes shapes, who produced each input and
how long each tensor lives. No weights are allocated and no arithmetic is done.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from advisor.core.workload import Layer, OperatorClass, Workload
from advisor.errors import NetworkError
from advisor.networks.operators import CONVOLUTION, FREE, KNOWN, MATRIX, POOLING, operator_of
from advisor.networks.trace import Call, Trace

DISAGREEMENT = 0.02
"""Relative difference between two counters above which the workload carries a caveat."""


class _AttentionFlag(TorchFunctionMode):
    """Knows whether the running operation belongs to scaled dot-product attention."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not nn.functional.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        before, self.inside = self.inside, True
        try:
            return func(*args, **(kwargs or {}))
        finally:
            self.inside = before


class _Recorder(TorchDispatchMode):
    """Notes each costly operation with its shapes and its place in the data flow."""

    def __init__(self, weights: set[int], attention: _AttentionFlag) -> None:
        super().__init__()
        self.trace = Trace()
        self._weights = weights
        self._attention = attention
        self._writer: dict[int, int] = {}
        self._alive: list[torch.Tensor] = []  # keeps storages, and so their ids, from being reused

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func._schema.name.removeprefix("aten::")
        if name.endswith("_") and not name.endswith("__"):
            name = name[:-1]
        if name in FREE:
            self._alive += [t for t in tree_leaves(result) if isinstance(t, torch.Tensor)]
            return result
        self._note(name, args, kwargs or {}, result)
        return result

    def _note(self, name: str, args: Any, kwargs: Any, result: Any) -> None:
        outputs = [t for t in tree_leaves(result) if isinstance(t, torch.Tensor)]
        tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
        self._alive += outputs + tensors
        if not outputs:
            return
        activations = [t for t in tensors if _storage(t) not in self._weights]
        weights = [t for t in tensors if _storage(t) in self._weights]
        if not activations and name not in MATRIX | CONVOLUTION:
            return  # arithmetic on weights alone is done once, when the network is exported
        reads_image = any(
            _storage(t) not in self._writer and t.dim() >= 3 and t.shape[1] <= 4
            for t in activations
        )
        layer = _layer(name, args, outputs[0], activations, weights)
        if reads_image and layer.operator in (OperatorClass.DENSE, OperatorClass.POINTWISE):
            layer = replace(layer, operator=OperatorClass.STEM)
        if self._attention.inside and layer.operator is not OperatorClass.MOVEMENT:
            layer = replace(layer, operator=OperatorClass.ATTENTION)
        if name not in KNOWN:
            self.trace.uncounted[name] += 1
        buffers = tuple(dict.fromkeys(_storage(t) for t in activations))
        output = _storage(outputs[0])
        for tensor in [*activations, outputs[0]]:
            size = tensor.untyped_storage().nbytes() // max(tensor.element_size(), 1)
            self.trace.sizes.setdefault(_storage(tensor), size)
        producers = tuple(self._writer.get(b, -1) for b in buffers)
        self._writer[output] = len(self.trace.calls)
        self.trace.calls.append(
            Call(layer=layer, inputs=buffers, output=output, producers=producers)
        )


def _storage(tensor: torch.Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _plane(tensor: torch.Tensor) -> tuple[int, int, int]:
    """Channels, height and width; tokens count as height."""
    shape = tensor.shape
    if len(shape) == 4:
        return int(shape[1]), int(shape[2]), int(shape[3])
    if len(shape) == 3:
        return int(shape[2]), int(shape[1]), 1
    if len(shape) == 0:
        return 1, 1, 1
    return int(shape[-1]), math.prod(shape[:-1]) if len(shape) > 1 else 1, 1


def _layer(
    name: str,
    args: Any,
    output: torch.Tensor,
    activations: list[torch.Tensor],
    weights: list[torch.Tensor],
) -> Layer:
    if name in CONVOLUTION:
        return _convolution(args, output)
    if name in MATRIX:
        return _matrix(name, args, output, weights)
    largest = max(activations, key=torch.Tensor.numel)
    in_channels, in_h, in_w = _plane(largest)
    out_channels, out_h, out_w = _plane(output)
    return Layer(
        operator=operator_of(name),
        kind=name,
        in_channels=in_channels,
        out_channels=out_channels,
        kernel_h=_kernel(args)[0],
        kernel_w=_kernel(args)[1],
        stride=max(1, round(in_h / max(out_h, 1))) if name in POOLING else 1,
        in_h=in_h,
        in_w=in_w,
        out_h=out_h,
        out_w=out_w,
        weights=sum(t.numel() for t in weights),
        reads=sum(t.numel() for t in activations),
        writes=output.numel(),
    )


def _kernel(args: Any) -> tuple[int, int]:
    size = args[1] if len(args) > 1 else None
    if isinstance(size, list | tuple) and len(size) == 2 and all(isinstance(s, int) for s in size):
        return abs(int(size[0])), abs(int(size[1]))
    return 1, 1


def _convolution(args: Any, output: torch.Tensor) -> Layer:
    image, weight, _, stride, _, _, transposed, _, groups = args[:9]
    kernel = tuple(int(k) for k in weight.shape[2:])
    out_channels, out_h, out_w = _conv_plane(output)
    in_channels, in_h, in_w = _conv_plane(image)
    positions = (image if transposed else output).numel() // (
        in_channels if transposed else out_channels
    )
    if groups == 1:
        operator = OperatorClass.POINTWISE if math.prod(kernel) == 1 else OperatorClass.DENSE
    elif groups == in_channels:
        operator = OperatorClass.DEPTHWISE
    else:
        operator = OperatorClass.GROUPED
    return Layer(
        operator=operator,
        kind="convolution",
        in_channels=in_channels,
        out_channels=out_channels,
        groups=int(groups),
        kernel_h=kernel[0],
        kernel_w=kernel[-1] if len(kernel) > 1 else 1,
        stride=int(stride[0]),
        in_h=in_h,
        in_w=in_w,
        out_h=out_h,
        out_w=out_w,
        macs=positions * weight.numel(),
        weights=weight.numel() + (out_channels if args[2] is not None else 0),
        reads=image.numel(),
        writes=output.numel(),
    )


def _conv_plane(tensor: torch.Tensor) -> tuple[int, int, int]:
    shape = [int(s) for s in tensor.shape]
    return shape[1], shape[2], shape[3] if len(shape) > 3 else 1


def _matrix(name: str, args: Any, output: torch.Tensor, weights: list[torch.Tensor]) -> Layer:
    operands = [a for a in args if isinstance(a, torch.Tensor)]
    left, right = operands[-2:]
    inner = int(left.shape[-1])
    out_channels = int(output.shape[-1]) if output.dim() > 1 else 1
    rows = output.numel() // max(out_channels, 1)
    by_weight = any(t.numel() == right.numel() for t in weights) or any(
        t.numel() == left.numel() for t in weights
    )
    weight_elements = sum(t.numel() for t in weights)
    return Layer(
        operator=OperatorClass.FULLY_CONNECTED if by_weight else OperatorClass.MATMUL,
        kind=name,
        in_channels=inner,
        out_channels=out_channels,
        groups=int(output.shape[0]) if output.dim() == 3 else 1,
        in_h=rows,
        out_h=rows,
        macs=output.numel() * inner,
        weights=weight_elements,
        reads=left.numel() + right.numel() - (right.numel() if by_weight else 0),
        writes=output.numel(),
    )


def count(
    network: nn.Module,
    *,
    name: str,
    resolution: int,
    channels: int = 3,
    call: Callable[[], object] | None = None,
    constants: Sequence[torch.Tensor] = (),
) -> Workload:
    """Count one forward pass of a network, batch 1.

    ``resolution`` is the side of the square input in pixels. ``call`` runs the pass, by default
    with an image on the meta device. ``constants`` are weights that are no parameters of the
    module, such as those of a frozen one. The network is put in evaluation mode. Raises
    NetworkError where the forward pass fails.
    """
    with suppress(NotImplementedError):  # what torch.export gives knows no modes
        network.eval()
    for parameter in network.parameters():
        parameter.requires_grad = False
    owned = [*network.parameters(), *network.buffers(), *constants]
    attention = _AttentionFlag()
    recorder = _Recorder({_storage(t) for t in owned}, attention)

    def image() -> object:
        return network(torch.empty(1, channels, resolution, resolution, device="meta"))

    try:
        with torch.no_grad(), attention, recorder:
            (call or image)()
    except Exception as error:
        at = "" if call else f" at {resolution} pixels"
        raise NetworkError(f"{name} cannot be run{at}: {_first_line(error)}") from error
    trace = recorder.trace
    return Workload(
        network=name,
        resolution=resolution,
        parameters=sum(p.numel() for p in (*network.parameters(), *constants)),
        buffers=sum(b.numel() for b in network.buffers()),
        peak_activations=trace.peak(),
        layers=trace.layers(),
        uncounted=trace.unknown(),
    )


def cross_check(network: nn.Module, workload: Workload) -> Workload:
    """Return the workload with a caveat for each counter that disagrees by more than 2 %.

    The counters are PyTorch's own (half of its FLOPs) and ptflops' ``aten`` backend.
    """
    caveats = [*workload.caveats]
    for counter, macs in (
        ("torch.utils.flop_counter", _torch_macs(network, workload.resolution)),
        ("ptflops", _ptflops_macs(network, workload.resolution)),
    ):
        if macs is None:
            caveats.append(f"{counter} could not count it")
        elif abs(macs - workload.macs) > DISAGREEMENT * max(workload.macs, 1):
            caveats.append(f"{counter} counts {macs / 1e6:.4g} M MACs")
    return replace(workload, caveats=tuple(caveats))


def _torch_macs(network: nn.Module, resolution: int) -> int | None:
    counter = FlopCounterMode(display=False)
    try:
        with torch.no_grad(), counter:
            network(torch.empty(1, 3, resolution, resolution, device="meta"))
    except Exception:  # a second opinion that fails is recorded, it does not stop the count
        return None
    return int(counter.get_total_flops()) // 2


def _ptflops_macs(network: nn.Module, resolution: int) -> int | None:
    import ptflops

    def image(size: tuple[int, ...]) -> torch.Tensor:
        return torch.empty(1, *size, device="meta")

    try:
        macs, _ = ptflops.get_model_complexity_info(
            network,
            (3, resolution, resolution),
            as_strings=False,
            print_per_layer_stat=False,
            verbose=False,
            backend="aten",
            input_constructor=image,
        )
    except Exception:  # as above
        return None
    return None if macs is None else int(macs)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"
