"""Blueprints of residual networks: ResNet, ResNet for CIFAR, RegNet."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from advisor.errors import NetworkError
from advisor.networks.blueprints.axes import Axis, Base, make_divisible, multiplier, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class ResNetPlan:
    """ResNet (He et al. 2015, arXiv 1512.03385), with the D stem and shortcut of He et al. 2018."""

    layers: tuple[int, ...]
    """Blocks of each of the four stages."""
    channels: tuple[int, ...]
    """Channels inside the blocks of each stage; the stem keeps its 64, as in timm."""
    bottleneck: bool
    deep: bool
    """Three 3×3 convolutions as stem, and pooling on the shortcuts (the D variant)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CifarPlan:
    """ResNet for 32×32 images (He et al. 2015, section 4.2)."""

    depth: int
    """Layers, 6n+2."""
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RegNetPlan:
    """RegNet (Radosavovic et al. 2020, arXiv 2003.13678) by its own parameters."""

    depth: int
    w0: int
    wa: float
    wm: float
    group: int
    """Channels of a group."""
    se: float
    """Squeeze-and-excitation channels as a share of the block's input: 0.25 in RegNetY."""
    stages: tuple[tuple[int, int, int], ...]
    """(channels, blocks, channels of a group) of each stage."""


def _resnet(bottleneck: bool, deep: bool, settings: Mapping[str, float]) -> ResNetPlan:
    width = settings["width"]
    return ResNetPlan(
        layers=tuple(int(settings[f"stage{n}"]) for n in range(1, 5)),
        channels=tuple(make_divisible(c * width) for c in (64, 128, 256, 512)),
        bottleneck=bottleneck,
        deep=deep,
    )


def _resnet_base(layers: tuple[int, ...], *, bottleneck: bool, deep: bool) -> Base[ResNetPlan]:
    axes = {f"stage{n}": whole(blocks, 1, 64) for n, blocks in enumerate(layers, 1)}
    axes["width"] = multiplier()
    return Base(resolution=224, axes=axes, make=partial(_resnet, bottleneck, deep))


def _cifar(settings: Mapping[str, float]) -> CifarPlan:
    return CifarPlan(depth=6 * int(settings["blocks"]) + 2, width=settings["width"])


def _cifar_base(depth: int) -> Base[CifarPlan]:
    axes = {"blocks": whole((depth - 2) // 6, 1, 200), "width": multiplier(16.0)}
    return Base(resolution=32, axes=axes, make=_cifar)


def regnet_stages(
    depth: int, w0: float, wa: float, wm: float, group: int
) -> tuple[tuple[int, int, int], ...]:
    """Return (channels, blocks, group) of each stage (section 3.3 of the paper, as timm rounds)."""
    exact = np.arange(depth, dtype=np.float32) * np.float32(wa) + np.float32(w0)
    powers = np.round(np.log(exact / np.float32(w0)) / np.float32(np.log(wm)))
    widths = np.round(w0 * np.power(np.float32(wm), powers) / 8) * 8
    distinct, blocks = np.unique(widths.astype(np.int64), return_counts=True)
    stages = []
    for width, count in zip(distinct.tolist(), blocks.tolist(), strict=True):
        own = min(group, width)
        stages.append((int(round(width / own) * own), count, own))
    return tuple(stages)


def _regnet(se: float, settings: Mapping[str, float]) -> RegNetPlan:
    depth, group = int(settings["depth"]), int(settings["group"])
    w0, wa, wm = int(settings["w0"]), settings["wa"], settings["wm"]
    if w0 % 8:
        raise NetworkError(f"RegNet: w0={w0} has to be a multiple of 8")
    stages = regnet_stages(depth, w0, wa, wm, group)
    if len(stages) != 4:
        raise NetworkError(
            f"RegNet: depth={depth}, w0={w0}, wa={wa:g}, wm={wm:g} gives {len(stages)} stages; "
            "the design space has 4"
        )
    return RegNetPlan(depth=depth, w0=w0, wa=wa, wm=wm, group=group, se=se, stages=stages)


def _regnet_base(own: tuple[int, float, float, int, int], se: float) -> Base[RegNetPlan]:
    w0, wa, wm, group, depth = own
    axes = {
        "depth": whole(depth, 4, 64),
        "group": whole(group, 1, 512),
        "w0": whole(w0, 8, 1024),
        "wa": Axis(default=wa, low=1.0, high=512.0),
        "wm": Axis(default=wm, low=1.1, high=4.0),
    }
    return Base(resolution=224, axes=axes, make=partial(_regnet, se))


_LAYERS = {
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
    "resnet152": (3, 8, 36, 3),
}
_REGNET = {
    "regnetx_002": (24, 36.44, 2.49, 8, 13),
    "regnetx_004": (24, 24.48, 2.54, 16, 22),
    "regnetx_006": (48, 36.97, 2.24, 24, 16),
    "regnetx_008": (56, 35.73, 2.28, 16, 16),
    "regnetx_016": (80, 34.01, 2.25, 24, 18),
    "regnetx_032": (88, 26.31, 2.25, 48, 25),
    "regnetx_040": (96, 38.65, 2.43, 40, 23),
    "regnetx_064": (184, 60.83, 2.07, 56, 17),
    "regnety_002": (24, 36.44, 2.49, 8, 13),
    "regnety_004": (48, 27.89, 2.09, 8, 16),
    "regnety_006": (48, 32.54, 2.32, 16, 15),
    "regnety_008": (56, 38.84, 2.4, 16, 14),
    "regnety_016": (48, 20.71, 2.65, 24, 27),
    "regnety_032": (80, 42.63, 2.66, 24, 21),
    "regnety_040": (96, 31.41, 2.24, 64, 22),
    "regnety_064": (112, 33.22, 2.27, 72, 25),
}
"""w0, wa, wm, group and depth of the published RegNets (tables 5 and 6 of the paper)."""

RESNETS: Mapping[str, Base[ResNetPlan]] = {
    name + suffix: _resnet_base(
        layers, bottleneck=name not in ("resnet18", "resnet34"), deep=bool(suffix)
    )
    for name, layers in _LAYERS.items()
    for suffix in ("", "d")
}
CIFAR_RESNETS: Mapping[str, Base[CifarPlan]] = {
    f"cifar_resnet{depth}": _cifar_base(depth) for depth in (20, 32, 44, 56, 110)
}
REGNETS: Mapping[str, Base[RegNetPlan]] = {
    name: _regnet_base(own, se=0.25 if name.startswith("regnety") else 0.0)
    for name, own in _REGNET.items()
}
