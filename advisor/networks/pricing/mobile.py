"""Price the networks of block strings, MobileNets to EfficientNets, without building them."""

from functools import lru_cache
from typing import NamedTuple

from advisor.networks.blueprints.axes import make_divisible
from advisor.networks.blueprints.mobile import BlockSpec, MobilePlan
from advisor.networks.pricing.tape import Block, Plane, Tape, Tensor

_KIND = {"relu": "relu", "relu6": "hardtanh", "silu": "silu", "hard_swish": "hardswish"}
"""Operation that each of timm's activations runs."""
_KEPT = 1 << 16


class _Style(NamedTuple):
    """What all blocks of a network share."""

    act: str
    same: bool
    """Whether strided convolutions pad as TensorFlow does."""
    v3: bool
    """Whether squeeze-and-excitation and head are MobileNetV3's."""


def chain(plan: MobilePlan, x: Plane) -> list[Block]:
    """Return the blocks of a network in order."""
    style = _Style(_KIND[plan.act], plan.same_padding, plan.builder == "MobileNetV3")
    blocks = [_stem(x, plan.stem, style)]
    for stage in plan.stages:
        stride = stage[0].stride
        for spec in stage:
            own = style._replace(act="relu") if spec.relu else style
            for _ in range(spec.repeats):
                blocks.append(_block(blocks[-1].output, spec, stride, own))
                stride = 1
    last = _late_head if style.v3 else _head
    blocks.append(last(blocks[-1].output, plan.features, style.act))
    return blocks


@lru_cache(maxsize=_KEPT)
def _stem(x: Plane, channels: int, style: _Style) -> Block:
    tape = Tape(x)
    y = _strided(tape, tape.start, channels, 3, same=style.same, stem=not style.same)
    return tape.end(tape.act(tape.norm(y), style.act))


@lru_cache(maxsize=_KEPT)
def _head(x: Plane, features: int, act: str) -> Block:
    tape = Tape(x)
    y = tape.start
    if features:
        y = tape.act(tape.norm(tape.conv(y, features)), act)
    return tape.end(tape.linear(tape.mean(y, adaptive=True), 1000))


@lru_cache(maxsize=_KEPT)
def _late_head(x: Plane, features: int, act: str) -> Block:
    """MobileNetV3's head: pool first, then widen (Howard et al. 2019, section 5.1)."""
    tape = Tape(x)
    pooled = tape.mean(tape.start, adaptive=True)
    widened = tape.act(tape.conv(pooled, features, bias=True), act)
    return tape.end(tape.linear(widened, 1000))


@lru_cache(maxsize=_KEPT)
def _block(x: Plane, spec: BlockSpec, stride: int, style: _Style) -> Block:
    tape = Tape(x)
    y = _BODY[spec.kind](tape, spec, stride, style)
    fits = stride == 1 and x.channels == spec.channels
    if spec.kind == "cn":
        joined = fits and spec.skip == "skip"
    else:
        joined = fits and spec.skip != "noskip" and spec.kind != "dsa"
    return tape.end(tape.add(y, tape.start) if joined else y)


def _strided(
    tape: Tape,
    x: Tensor,
    channels: int,
    kernel: int,
    *,
    stride: int = 2,
    groups: int = 1,
    same: bool = False,
    stem: bool = False,
) -> Tensor:
    """Convolve; TensorFlow's padding is an operation of its own before a strided convolution."""
    if not same or stride == 1:
        return tape.conv(x, channels, kernel, stride, groups=groups, stem=stem)
    outputs = -(-x.side // stride)
    pixels = max((outputs - 1) * stride + kernel - x.side, 0)
    return tape.conv(tape.pad(x, pixels), channels, kernel, stride, groups=groups, padded=False)


def _squeeze(tape: Tape, x: Tensor, reduced: int, act: str, gate: str) -> Tensor:
    squeezed = tape.act(tape.conv(tape.mean(x), reduced, bias=True), act)
    excited = tape.conv(squeezed, x.channels, bias=True)
    return tape.scale(x, tape.act(excited, gate, inplace=False))


def _attend(tape: Tape, x: Tensor, spec: BlockSpec, style: _Style) -> Tensor:
    if not spec.se:
        return x
    if style.v3:
        return _squeeze(tape, x, make_divisible(x.channels * spec.se), "relu", "hardsigmoid")
    return _squeeze(tape, x, round(x.channels * (spec.se / spec.expand)), style.act, "sigmoid")


def _depthwise(tape: Tape, x: Tensor, spec: BlockSpec, stride: int, style: _Style) -> Tensor:
    kernel, groups = spec.kernel, x.channels
    return _strided(tape, x, groups, kernel, stride=stride, groups=groups, same=style.same)


def _inverted(tape: Tape, spec: BlockSpec, stride: int, style: _Style) -> Tensor:
    """Inverted residual (MobileNetV2, Sandler et al. 2018, arXiv 1801.04381)."""
    middle = make_divisible(tape.start.channels * spec.expand)
    x = tape.act(tape.norm(tape.conv(tape.start, middle)), style.act)
    x = _depthwise(tape, x, spec, stride, style)
    x = _attend(tape, tape.act(tape.norm(x), style.act), spec, style)
    return tape.norm(tape.conv(x, spec.channels))


def _separable(tape: Tape, spec: BlockSpec, stride: int, style: _Style) -> Tensor:
    """Depthwise-separable convolution (MobileNetV1, Howard et al. 2017, arXiv 1704.04861)."""
    x = _depthwise(tape, tape.start, spec, stride, style)
    x = _attend(tape, tape.act(tape.norm(x), style.act), spec, style)
    x = tape.norm(tape.conv(x, spec.channels))
    return tape.act(x, style.act if spec.kind == "dsa" else "")


def _fused(tape: Tape, spec: BlockSpec, stride: int, style: _Style) -> Tensor:
    """Fused inverted residual (EfficientNetV2, Tan & Le 2021, arXiv 2104.00298)."""
    middle = make_divisible(tape.start.channels * spec.expand)
    x = _strided(tape, tape.start, middle, spec.kernel, stride=stride, same=style.same)
    x = _attend(tape, tape.act(tape.norm(x), style.act), spec, style)
    return tape.norm(tape.conv(x, spec.channels))


def _plain(tape: Tape, spec: BlockSpec, stride: int, style: _Style) -> Tensor:
    x = _strided(tape, tape.start, spec.channels, spec.kernel, stride=stride, same=style.same)
    return tape.act(tape.norm(x), style.act)


_BODY = {"ir": _inverted, "ds": _separable, "dsa": _separable, "er": _fused, "cn": _plain}
