"""Build variants of networks from their blueprints: timm's, torchvision's or our own modules."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import timm
from timm.layers import get_act_layer
from timm.models.efficientnet import (
    EfficientNet,
    SqueezeExcite,
    decode_arch_def,
    round_channels,
)
from timm.models.ghostnet import GhostNet
from timm.models.mobilenetv3 import MobileNetV3
from timm.models.regnet import RegNet, RegNetCfg
from torch import nn

from advisor.core.candidate import Candidate
from advisor.networks.blueprints.shuffled import GHOST_STAGES
from advisor.networks.blueprints.stock import (
    Blueprint,
    CifarPlan,
    GhostPlan,
    MobilePlan,
    RegNetPlan,
    ResNetPlan,
    ShufflePlan,
    blueprint,
)
from advisor.networks.cifar_resnet import CifarResNet


def build_variant(candidate: Candidate) -> nn.Module:
    """Build the network of a candidate with axes, with random weights.

    Raises NetworkError where an axis or its value cannot be, UsageError where it has none.
    """
    plan = blueprint(candidate)
    return _BUILDERS[type(plan)](candidate, plan)


def _mobile(_: Candidate, plan: MobilePlan) -> nn.Module:
    own: dict[str, Any] = {}
    make = EfficientNet
    if plan.builder == "MobileNetV3":
        make = MobileNetV3
        own["se_layer"] = partial(
            SqueezeExcite,
            gate_layer="hard_sigmoid",
            force_act_layer=nn.ReLU,
            rd_round_fn=round_channels,
        )
    network: nn.Module = make(
        block_args=decode_arch_def(plan.strings),
        stem_size=plan.stem,
        fix_stem=True,
        num_features=plan.features,
        act_layer=get_act_layer(plan.act),
        pad_type="same" if plan.same_padding else "",
        **own,
    )
    return network


def _resnet(candidate: Candidate, plan: ResNetPlan) -> nn.Module:
    network: nn.Module = timm.create_model(
        candidate.architecture, layers=plan.layers, channels=plan.channels
    )
    return network


def _cifar(_: Candidate, plan: CifarPlan) -> nn.Module:
    return CifarResNet(plan.depth, width=plan.width)


def _regnet(_: Candidate, plan: RegNetPlan) -> nn.Module:
    config = RegNetCfg(
        depth=plan.depth,
        w0=plan.w0,
        wa=plan.wa,
        wm=plan.wm,
        group_size=plan.group,
        se_ratio=plan.se,
    )
    network: nn.Module = RegNet(config)
    return network


def _ghost(_: Candidate, plan: GhostPlan) -> nn.Module:
    stages = [[list(block) for block in stage] for stage in GHOST_STAGES]
    network: nn.Module = GhostNet(stages, width=plan.width)
    return network


def _shuffle(_: Candidate, plan: ShufflePlan) -> nn.Module:
    from torchvision.models import ShuffleNetV2

    network: nn.Module = ShuffleNetV2(list(plan.repeats), list(plan.channels))
    return network


_BUILDERS: dict[type[Blueprint], Callable[[Candidate, Any], nn.Module]] = {
    MobilePlan: _mobile,
    ResNetPlan: _resnet,
    CifarPlan: _cifar,
    RegNetPlan: _regnet,
    GhostPlan: _ghost,
    ShufflePlan: _shuffle,
}
