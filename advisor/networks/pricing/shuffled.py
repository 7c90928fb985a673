"""Price GhostNets and ShuffleNetV2s without building them."""

import math
from functools import lru_cache

from advisor.networks.blueprints.axes import make_divisible
from advisor.networks.blueprints.shuffled import GHOST_STAGES, GhostPlan, ShufflePlan
from advisor.networks.pricing.residual import classify
from advisor.networks.pricing.tape import Block, Plane, Tape, Tensor

_KEPT = 1 << 16


def ghost_chain(plan: GhostPlan, x: Plane) -> list[Block]:
    """Return the blocks of a GhostNet in order."""

    def scaled(channels: int) -> int:
        return make_divisible(channels * plan.width, 4)

    blocks = [_stem(x, scaled(16), pooled=False)]
    bottlenecks = [block for stage in GHOST_STAGES for block in stage]
    for kernel, middle, channels, se, stride in bottlenecks:
        widths = (scaled(middle), scaled(channels))
        blocks.append(_ghost(blocks[-1].output, kernel, widths, se, stride))
    blocks.append(_ghost_head(blocks[-1].output, scaled(bottlenecks[-1][1])))
    return blocks


def shuffle_chain(plan: ShufflePlan, x: Plane) -> list[Block]:
    """Return the blocks of a ShuffleNetV2 in order."""
    blocks = [_stem(x, plan.channels[0], pooled=True)]
    for repeats, channels in zip(plan.repeats, plan.channels[1:4], strict=True):
        for place in range(repeats):
            blocks.append(_unit(blocks[-1].output, channels, 2 if place == 0 else 1))
    blocks.append(_shuffle_last(blocks[-1].output, plan.channels[4]))
    blocks.append(classify(blocks[-1].output, 1000, adaptive=False))
    return blocks


@lru_cache(maxsize=_KEPT)
def _stem(x: Plane, channels: int, *, pooled: bool) -> Block:
    tape = Tape(x)
    y = tape.act(tape.norm(tape.conv(tape.start, channels, 3, 2, stem=True)), "relu")
    return tape.end(tape.pool(y, "max_pool2d_with_indices", 3) if pooled else y)


def _ghost_module(tape: Tape, x: Tensor, channels: int, act: str) -> Tensor:
    """Half of the channels by convolution, the others by a cheap one of those (section 3.1)."""
    half = math.ceil(channels / 2)
    first = tape.act(tape.norm(tape.conv(x, half)), act)
    cheap = tape.act(tape.norm(tape.conv(first, half, 3, groups=half)), act)
    return tape.concat(first, cheap)._replace(channels=channels)


@lru_cache(maxsize=_KEPT)
def _ghost(x: Plane, kernel: int, channels: tuple[int, int], se: float, stride: int) -> Block:
    tape = Tape(x)
    middle, outputs = channels
    y = _ghost_module(tape, tape.start, middle, "relu")
    if stride > 1:
        y = tape.norm(tape.conv(y, middle, kernel, stride, groups=middle))
    if se:
        reduced = make_divisible(middle * se, 4)
        gate = tape.act(tape.conv(tape.mean(y), reduced, bias=True), "relu")
        gate = tape.act(tape.conv(gate, middle, bias=True), "hardsigmoid", inplace=False)
        y = tape.scale(y, gate)
    y = _ghost_module(tape, y, outputs, "")
    shortcut = tape.start
    if stride > 1 or x.channels != outputs:
        narrow = tape.conv(shortcut, x.channels, kernel, stride, groups=x.channels)
        shortcut = tape.norm(tape.conv(tape.norm(narrow), outputs))
    return tape.end(tape.add(y, shortcut, inplace=True))


@lru_cache(maxsize=_KEPT)
def _ghost_head(x: Plane, channels: int) -> Block:
    tape = Tape(x)
    y = tape.act(tape.norm(tape.conv(tape.start, channels)), "relu")
    y = tape.conv(tape.mean(y, adaptive=True), 1280, bias=True)
    return tape.end(tape.linear(tape.act(y, "relu"), 1000))


def _branch(tape: Tape, x: Tensor, channels: int, stride: int) -> Tensor:
    y = tape.act(tape.norm(tape.conv(x, channels)), "relu")
    y = tape.norm(tape.conv(y, channels, 3, stride, groups=channels))
    return tape.act(tape.norm(tape.conv(y, channels)), "relu")


@lru_cache(maxsize=_KEPT)
def _unit(x: Plane, channels: int, stride: int) -> Block:
    """Split, convolve one half, join and shuffle (figure 3 of the ShuffleNetV2 paper)."""
    tape = Tape(x)
    half = channels // 2
    if stride == 1:
        side = tape.start._replace(channels=half)
        kept = side
    else:
        side = tape.start
        narrow = tape.norm(tape.conv(side, x.channels, 3, stride, groups=x.channels))
        kept = tape.act(tape.norm(tape.conv(narrow, half)), "relu")
    return tape.end(tape.shuffle(tape.concat(kept, _branch(tape, side, half, stride))))


@lru_cache(maxsize=_KEPT)
def _shuffle_last(x: Plane, channels: int) -> Block:
    tape = Tape(x)
    return tape.end(tape.act(tape.norm(tape.conv(tape.start, channels)), "relu"))
