"""Price ResNets, ResNets for CIFAR and RegNets without building them."""

from functools import lru_cache

from advisor.networks.blueprints.residual import CifarPlan, RegNetPlan, ResNetPlan
from advisor.networks.pricing.tape import Block, Plane, Tape, Tensor

_KEPT = 1 << 16
_STEM = 64


def resnet_chain(plan: ResNetPlan, x: Plane) -> list[Block]:
    """Return the blocks of a ResNet in order."""
    blocks = [_resnet_stem(x, plan.deep)]
    stages = zip(plan.layers, plan.channels, (1, 2, 2, 2), strict=True)
    for layers, channels, first in stages:
        for place in range(layers):
            stride = first if place == 0 else 1
            x = blocks[-1].output
            blocks.append(_residual(x, channels, stride, plan.bottleneck, plan.deep))
    blocks.append(classify(blocks[-1].output, 1000))
    return blocks


def cifar_chain(plan: CifarPlan, x: Plane) -> list[Block]:
    """Return the blocks of a ResNet for CIFAR in order."""
    channels = [max(1, round(c * plan.width)) for c in (16, 32, 64)]
    blocks = [_cifar_stem(x, channels[0])]
    for stage, outputs in enumerate(channels):
        for place in range((plan.depth - 2) // 6):
            stride = 2 if stage > 0 and place == 0 else 1
            blocks.append(_cifar_block(blocks[-1].output, outputs, stride))
    blocks.append(classify(blocks[-1].output, 10, adaptive=False))
    return blocks


def regnet_chain(plan: RegNetPlan, x: Plane) -> list[Block]:
    """Return the blocks of a RegNet in order."""
    blocks = [_regnet_stem(x)]
    for channels, depth, group in plan.stages:
        for place in range(depth):
            stride = 2 if place == 0 else 1
            blocks.append(_regnet_block(blocks[-1].output, channels, stride, group, plan.se))
    blocks.append(classify(blocks[-1].output, 1000))
    return blocks


@lru_cache(maxsize=_KEPT)
def classify(x: Plane, classes: int, *, adaptive: bool = True) -> Block:
    """Return the block that pools the plane and classifies."""
    tape = Tape(x)
    return tape.end(tape.linear(tape.mean(tape.start, adaptive=adaptive), classes))


@lru_cache(maxsize=_KEPT)
def _resnet_stem(x: Plane, deep: bool) -> Block:
    tape = Tape(x)
    if deep:
        y = tape.act(tape.norm(tape.conv(tape.start, _STEM // 2, 3, 2, stem=True)), "relu")
        y = tape.act(tape.norm(tape.conv(y, _STEM // 2, 3)), "relu")
        y = tape.conv(y, _STEM, 3)
    else:
        y = tape.conv(tape.start, _STEM, 7, 2, stem=True)
    y = tape.act(tape.norm(y), "relu")
    return tape.end(tape.pool(y, "max_pool2d_with_indices", 3))


@lru_cache(maxsize=_KEPT)
def _residual(x: Plane, channels: int, stride: int, bottleneck: bool, deep: bool) -> Block:
    tape = Tape(x)
    outputs = 4 * channels if bottleneck else channels
    if bottleneck:
        y = tape.act(tape.norm(tape.conv(tape.start, channels)), "relu")
        y = tape.act(tape.norm(tape.conv(y, channels, 3, stride)), "relu")
        y = tape.norm(tape.conv(y, outputs))
    else:
        y = tape.act(tape.norm(tape.conv(tape.start, channels, 3, stride)), "relu")
        y = tape.norm(tape.conv(y, channels, 3))
    shortcut = _shortcut(tape, outputs, stride, deep)
    return tape.end(tape.act(tape.add(y, shortcut, inplace=True), "relu"))


def _shortcut(tape: Tape, outputs: int, stride: int, deep: bool) -> Tensor:
    x = tape.start
    if stride == 1 and x.channels == outputs:
        return x
    if deep and stride == 2:
        x = tape.pool(x, "avg_pool2d", 2)
        stride = 1
    return tape.norm(tape.conv(x, outputs, 1, stride))


@lru_cache(maxsize=_KEPT)
def _cifar_stem(x: Plane, channels: int) -> Block:
    tape = Tape(x)
    y = tape.norm(tape.conv(tape.start, channels, 3, stem=True))
    return tape.end(tape.act(y, "relu", inplace=False))


@lru_cache(maxsize=_KEPT)
def _cifar_block(x: Plane, channels: int, stride: int) -> Block:
    tape = Tape(x)
    y = tape.norm(tape.conv(tape.start, channels, 3, stride))
    y = tape.norm(tape.conv(tape.act(y, "relu", inplace=False), channels, 3))
    shortcut = _shortcut(tape, channels, stride, deep=False)
    return tape.end(tape.act(tape.add(y, shortcut), "relu", inplace=False))


@lru_cache(maxsize=_KEPT)
def _regnet_stem(x: Plane) -> Block:
    tape = Tape(x)
    y = tape.norm(tape.conv(tape.start, 32, 3, 2, stem=True))
    return tape.end(tape.act(y, "relu"))


@lru_cache(maxsize=_KEPT)
def _regnet_block(x: Plane, channels: int, stride: int, group: int, se: float) -> Block:
    """X block, or Y block with squeeze-and-excitation (section 3.3 and figure 4 of the paper)."""
    tape = Tape(x)
    y = tape.act(tape.norm(tape.conv(tape.start, channels)), "relu")
    y = tape.conv(y, channels, 3, stride, groups=channels // group)
    y = tape.act(tape.norm(y), "relu")
    if se:
        reduced = round(x.channels * se)
        gate = tape.act(tape.conv(tape.mean(y), reduced, bias=True), "relu")
        gate = tape.act(tape.conv(gate, channels, bias=True), "sigmoid", inplace=False)
        y = tape.scale(y, gate)
    y = tape.norm(tape.conv(y, channels))
    joined = tape.add(y, _shortcut(tape, channels, stride, deep=False))
    return tape.end(tape.act(joined, "relu", inplace=False))
