"""Blueprints of the networks that timm builds from block strings: MobileNets to EfficientNets.

The stage tables are those of the papers, spelled as timm spells them. Channels round to
multiples of 8, never below 90 % of the exact value, as the papers' reference code does.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from advisor.core.frozen_record import Record
from advisor.networks.blueprints.axes import Axis, Base, choice, make_divisible, multiplier

ALPHA, BETA, GAMMA = 1.2, 1.1, 1.15
"""Growth of depth, width and resolution with φ (EfficientNet, Tan & Le 2019, section 3.3)."""
Builder = Literal["EfficientNet", "MobileNetV3"]
_STRING = re.compile(
    r"(?P<kind>[a-z]+)_r(?P<repeats>\d+)_k(?P<kernel>\d)_s(?P<stride>\d)"
    r"(?:_e(?P<expand>[\d.]+))?_c(?P<channels>\d+)(?:_se(?P<se>[\d.]+))?"
    r"(?:_n(?P<act>re))?(?:_(?P<skip>skip|noskip))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSpec:
    """``repeats`` blocks of one kind; only the first of a stage has a stride."""

    kind: str
    """ir: inverted residual, ds: depthwise separable, dsa: that with a last activation,
    er: fused inverted residual, cn: convolution."""
    repeats: int
    kernel: int
    stride: int
    expand: float
    channels: int
    se: float = 0.0
    """Squeeze-and-excitation channels as a share; 0 for none."""
    relu: bool = False
    """Whether it uses ReLU where the network uses another activation."""
    skip: str = ""
    """``skip`` or ``noskip`` where the kind's own rule does not hold."""

    @property
    def text(self) -> str:
        """The block string that timm decodes."""
        expand = "" if self.kind in ("ds", "dsa") else f"_e{self.expand:g}"
        se = f"_se{self.se:g}" if self.se else ""
        act = "_nre" if self.relu else ""
        skip = f"_{self.skip}" if self.skip else ""
        shape = f"{self.kind}_r{self.repeats}_k{self.kernel}_s{self.stride}"
        return f"{shape}{expand}_c{self.channels}{se}{act}{skip}"


def _parse(text: str) -> BlockSpec:
    match = _STRING.fullmatch(text)
    assert match is not None, text
    return BlockSpec(
        kind=match["kind"],
        repeats=int(match["repeats"]),
        kernel=int(match["kernel"]),
        stride=int(match["stride"]),
        expand=float(match["expand"] or 1),
        channels=int(match["channels"]),
        se=float(match["se"] or 0),
        relu=match["act"] is not None,
        skip=match["skip"] or "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MobilePlan:
    """A network of block strings with every number decided."""

    builder: Builder
    """timm's class: EfficientNet, or MobileNetV3 with its head behind the pooling."""
    stem: int
    """Channels of the first convolution."""
    stages: tuple[tuple[BlockSpec, ...], ...]
    features: int
    """Channels before the classifier; 0 where the last block's are used."""
    act: str
    """timm's name of the activation."""
    same_padding: bool = False
    """Whether strided convolutions pad as TensorFlow does."""

    @property
    def strings(self) -> list[list[str]]:
        """Stages as block strings."""
        return [[spec.text for spec in stage] for stage in self.stages]


class _Stock(Record):
    """Stage table of a paper, and how its ends scale."""

    stages: tuple[str, ...]
    """Block strings; several of one stage are parted by a space."""
    stem: int
    features: int
    act: str
    builder: Builder = "EfficientNet"
    grow: Literal["fixed", "scaled", "never less"] = "fixed"
    """How the features before the classifier follow the width."""
    fixed_stem_below: float = 0.0
    """Width under which the stem keeps its channels."""
    fixed_ends: bool = False
    """Whether stem and the depths of the first and last stage stay as they are."""
    round_limit: float = 0.9
    same_padding: bool = False


_MOBILENETV1 = _Stock(
    stages=(
        "dsa_r1_k3_s1_c64",
        "dsa_r2_k3_s2_c128",
        "dsa_r2_k3_s2_c256",
        "dsa_r6_k3_s2_c512",
        "dsa_r2_k3_s2_c1024",
    ),
    stem=32,
    features=0,
    act="relu6",
)
_MOBILENETV2 = _Stock(
    stages=(
        "ds_r1_k3_s1_c16",
        "ir_r2_k3_s2_e6_c24",
        "ir_r3_k3_s2_e6_c32",
        "ir_r4_k3_s2_e6_c64",
        "ir_r3_k3_s1_e6_c96",
        "ir_r3_k3_s2_e6_c160",
        "ir_r1_k3_s1_e6_c320",
    ),
    stem=32,
    features=1280,
    act="relu6",
    grow="never less",
)
_MOBILENETV3_LARGE = _Stock(
    builder="MobileNetV3",
    stages=(
        "ds_r1_k3_s1_c16_nre",
        "ir_r1_k3_s2_e4_c24_nre ir_r1_k3_s1_e3_c24_nre",
        "ir_r3_k5_s2_e3_c40_se0.25_nre",
        "ir_r1_k3_s2_e6_c80 ir_r1_k3_s1_e2.5_c80 ir_r2_k3_s1_e2.3_c80",
        "ir_r2_k3_s1_e6_c112_se0.25",
        "ir_r3_k5_s2_e6_c160_se0.25",
        "cn_r1_k1_s1_c960",
    ),
    stem=16,
    features=1280,
    act="hard_swish",
    fixed_stem_below=0.75,
)
_MOBILENETV3_SMALL = replace(
    _MOBILENETV3_LARGE,
    stages=(
        "ds_r1_k3_s2_c16_se0.25_nre",
        "ir_r1_k3_s2_e4.5_c24_nre ir_r1_k3_s1_e3.67_c24_nre",
        "ir_r1_k5_s2_e4_c40_se0.25 ir_r2_k5_s1_e6_c40_se0.25",
        "ir_r2_k5_s1_e3_c48_se0.25",
        "ir_r3_k5_s2_e6_c96_se0.25",
        "cn_r1_k1_s1_c576",
    ),
    features=1024,
)
_MNASNET_B1 = _Stock(
    stages=(
        "ds_r1_k3_s1_c16_noskip",
        "ir_r3_k3_s2_e3_c24",
        "ir_r3_k5_s2_e3_c40",
        "ir_r3_k5_s2_e6_c80",
        "ir_r2_k3_s1_e6_c96",
        "ir_r4_k5_s2_e6_c192",
        "ir_r1_k3_s1_e6_c320_noskip",
    ),
    stem=32,
    features=1280,
    act="relu",
)
_MNASNET_A1 = replace(
    _MNASNET_B1,
    stages=(
        "ds_r1_k3_s1_c16_noskip",
        "ir_r2_k3_s2_e6_c24",
        "ir_r3_k5_s2_e3_c40_se0.25",
        "ir_r4_k3_s2_e6_c80",
        "ir_r2_k3_s1_e6_c112_se0.25",
        "ir_r3_k5_s2_e6_c160_se0.25",
        "ir_r1_k3_s1_e6_c320",
    ),
)
_EFFICIENTNET_LITE = _Stock(
    stages=(
        "ds_r1_k3_s1_c16",
        "ir_r2_k3_s2_e6_c24",
        "ir_r2_k5_s2_e6_c40",
        "ir_r3_k3_s2_e6_c80",
        "ir_r3_k5_s1_e6_c112",
        "ir_r4_k5_s2_e6_c192",
        "ir_r1_k3_s1_e6_c320",
    ),
    stem=32,
    features=1280,
    act="relu6",
    fixed_ends=True,
)
_EFFICIENTNET = replace(
    _EFFICIENTNET_LITE,
    stages=tuple(f"{stage}_se0.25" for stage in _EFFICIENTNET_LITE.stages),
    act="silu",
    grow="scaled",
    fixed_ends=False,
)
_EFFICIENTNETV2_B = _Stock(
    stages=(
        "cn_r1_k3_s1_e1_c16_skip",
        "er_r2_k3_s2_e4_c32",
        "er_r2_k3_s2_e4_c48",
        "ir_r3_k3_s2_e4_c96_se0.25",
        "ir_r5_k3_s1_e6_c112_se0.25",
        "ir_r8_k3_s2_e6_c192_se0.25",
    ),
    stem=32,
    features=1280,
    act="silu",
    grow="scaled",
    round_limit=0.0,
    same_padding=True,
)
_EFFICIENTNETV2_S = replace(
    _EFFICIENTNETV2_B,
    stages=(
        "cn_r2_k3_s1_e1_c24_skip",
        "er_r4_k3_s2_e4_c48",
        "er_r4_k3_s2_e4_c64",
        "ir_r6_k3_s2_e4_c128_se0.25",
        "ir_r9_k3_s1_e6_c160_se0.25",
        "ir_r15_k3_s2_e6_c256_se0.25",
    ),
    stem=24,
    round_limit=0.9,
    same_padding=False,
)
_OFA_CHANNELS = (24, 40, 80, 112, 160)
_OFA_STRIDES = (2, 2, 2, 1, 2)


def _repeats(specs: Sequence[BlockSpec], depth: float) -> list[int]:
    """Share out a stage's blocks after scaling, from the last spec to the first, as timm does."""
    left = sum(spec.repeats for spec in specs)
    scaled = math.ceil(left * depth)
    repeats = []
    for spec in reversed(specs):
        own = max(1, round(spec.repeats / left * scaled))
        repeats.append(own)
        left -= spec.repeats
        scaled -= own
    return repeats[::-1]


def _plan(stock: _Stock, settings: Mapping[str, float]) -> MobilePlan:
    phi = settings.get("phi", 0.0)
    width = settings["width"] * BETA**phi
    depth = settings["depth"] * ALPHA**phi

    def scaled(channels: int) -> int:
        return make_divisible(channels * width, round_limit=stock.round_limit)

    stages = []
    for place, text in enumerate(stock.stages):
        specs = [_parse(block) for block in text.split()]
        kept = stock.fixed_ends and place in (0, len(stock.stages) - 1)
        repeats = _repeats(specs, 1.0 if kept else depth)
        pairs = zip(specs, repeats, strict=True)
        stages.append(tuple(replace(s, repeats=n, channels=scaled(s.channels)) for s, n in pairs))
    features = {
        "fixed": stock.features,
        "scaled": scaled(stock.features),
        "never less": max(stock.features, scaled(stock.features)),
    }
    kept_stem = stock.fixed_ends or width < stock.fixed_stem_below
    return MobilePlan(
        builder=stock.builder,
        stem=stock.stem if kept_stem else scaled(stock.stem),
        stages=tuple(stages),
        features=features[stock.grow],
        act=stock.act,
        same_padding=stock.same_padding,
    )


def _once_for_all(settings: Mapping[str, float]) -> MobilePlan:
    """MobileNetV3 blocks whose kernel, expansion, depth and SE are free in each of five stages.

    The space of Once-for-All (Cai et al. 2020, arXiv 1908.09791), chosen per stage.
    """
    stages: list[tuple[BlockSpec, ...]] = [(_parse("ds_r1_k3_s1_c16_nre"),)]
    for place, (channels, stride) in enumerate(zip(_OFA_CHANNELS, _OFA_STRIDES, strict=True), 1):
        spec = BlockSpec(
            kind="ir",
            repeats=int(settings[f"stage{place}"]),
            kernel=int(settings[f"kernel{place}"]),
            stride=stride,
            expand=settings[f"expand{place}"],
            channels=make_divisible(channels * settings["width"]),
            se=0.25 if settings[f"se{place}"] else 0.0,
            relu=place <= 2,
        )
        stages.append((spec,))
    last = make_divisible(960 * settings["width"])
    stages.append((replace(_parse("cn_r1_k1_s1_c960"), channels=last),))
    return MobilePlan(
        builder="MobileNetV3",
        stem=make_divisible(16 * settings["width"]),
        stages=tuple(stages),
        features=make_divisible(1280 * settings["width"]),
        act="hard_swish",
    )


def _once_for_all_axes() -> dict[str, Axis]:
    axes = {"width": multiplier(4.0)}
    for place in range(1, 6):
        axes[f"kernel{place}"] = choice(3 if place in (1, 3, 4) else 5, 3, 5, 7)
        axes[f"expand{place}"] = choice(6, 3, 4, 6)
        axes[f"stage{place}"] = choice(3, 2, 3, 4)
        axes[f"se{place}"] = choice(float(place in (2, 4, 5)), 0, 1)
    return axes


def _scaled_resolution(settings: Mapping[str, float]) -> int:
    """Side that goes with φ, to the nearest multiple of 8."""
    return 8 * round(224 * math.pow(GAMMA, settings["phi"]) / 8)


def _base(stock: _Stock, resolution: int = 224, *, compound: bool = False) -> Base[MobilePlan]:
    axes = {"width": multiplier(), "depth": multiplier()}
    if compound:
        axes["phi"] = Axis(default=0.0, low=0.0, high=10.0)
    return Base(
        resolution=resolution,
        axes=axes,
        make=partial(_plan, stock),
        resolution_of=_scaled_resolution if compound else None,
    )


BASES: Mapping[str, Base[MobilePlan]] = {
    "mobilenetv1_100": _base(_MOBILENETV1),
    "mobilenetv2_100": _base(_MOBILENETV2),
    "mobilenetv3_large_100": _base(_MOBILENETV3_LARGE),
    "mobilenetv3_small_100": _base(_MOBILENETV3_SMALL),
    "mnasnet_100": _base(_MNASNET_B1),
    "semnasnet_100": _base(_MNASNET_A1),
    "efficientnet_b0": _base(_EFFICIENTNET, compound=True),
    "efficientnet_lite0": _base(_EFFICIENTNET_LITE, compound=True),
    "tf_efficientnetv2_b0": _base(_EFFICIENTNETV2_B),
    "efficientnetv2_s": _base(_EFFICIENTNETV2_S, 288),
    "ofa_mobilenetv3": Base(resolution=224, axes=_once_for_all_axes(), make=_once_for_all),
}
"""Stock networks by name: timm's, and the once-for-all space that timm lacks."""
