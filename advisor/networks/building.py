"""Build networks as torch modules: timm's, torchvision's, and those that neither has.

On the meta device nothing is allocated; no weights are ever downloaded here.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import timm
import torch
from timm.models import efficientnet as timm_efficientnet
from timm.models import mobilenetv3 as timm_mobilenetv3
from torch import nn

from advisor.core.candidate import Candidate
from advisor.core.workload import Workload
from advisor.errors import NetworkError
from advisor.networks.blueprints.stock import BASES, resolution_of
from advisor.networks.cifar_resnet import CifarResNet
from advisor.networks.counting import count, cross_check
from advisor.networks.deployment import deployed, has_training_form
from advisor.networks.scaled import build_variant
from advisor.networks.shufflenet_v1 import ShuffleNetV1

TORCHVISION = (
    "alexnet",
    "googlenet",
    "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0",
    "shufflenet_v2_x1_5",
    "shufflenet_v2_x2_0",
    "squeezenet1_0",
    "squeezenet1_1",
)
"""Networks taken from torchvision because timm has none of them."""
CIFAR_DEPTHS = (8, 20, 32, 44, 56, 110)


def _proxylessnas_mobile() -> nn.Module:
    """ProxylessNAS for mobile CPUs (Cai et al. 2019, arXiv 1812.00332, Figure 4)."""
    blocks = [
        ["ds_r1_k3_s1_c16_noskip"],
        ["ir_r1_k5_s2_e3_c24", "ir_r1_k3_s1_e3_c24"],
        ["ir_r1_k7_s2_e3_c40", "ir_r1_k3_s1_e3_c40", "ir_r2_k5_s1_e3_c40"],
        ["ir_r1_k7_s2_e6_c80", "ir_r3_k5_s1_e3_c80"],
        ["ir_r1_k5_s1_e6_c96", "ir_r3_k5_s1_e3_c96"],
        ["ir_r2_k7_s2_e6_c192", "ir_r2_k7_s1_e3_c192"],
        ["ir_r1_k7_s1_e6_c320"],
    ]
    network: nn.Module = timm_efficientnet.EfficientNet(
        block_args=timm_efficientnet.decode_arch_def(blocks),
        stem_size=32,
        num_features=1280,
        act_layer=nn.ReLU6,
    )
    return network


def _torchvision(name: str) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        import torchvision

        options = {"init_weights": False} if name == "googlenet" else {}
        network: nn.Module = torchvision.models.get_model(name, weights=None, **options)
        return network

    return make


def _cifar(depth: int) -> Callable[[], nn.Module]:
    return lambda: CifarResNet(depth)


def _stock_variant(name: str) -> Callable[[], nn.Module]:
    return lambda: build_variant(Candidate(architecture=name))


OWN: dict[str, Callable[[], nn.Module]] = {
    **{name: _torchvision(name) for name in TORCHVISION},
    **{f"cifar_resnet{depth}": _cifar(depth) for depth in CIFAR_DEPTHS},
    "shufflenet_v1_g3": lambda: ShuffleNetV1(groups=3),
    "proxylessnas_mobile": _proxylessnas_mobile,
    "ofa_mobilenetv3": _stock_variant("ofa_mobilenetv3"),
}
"""Networks that timm lacks, by catalog name."""

WIDTH: dict[str, Callable[[float], nn.Module]] = {
    "mobilenet_edgetpu_100": lambda w: timm_efficientnet._gen_mobilenet_edgetpu(
        "mobilenet_edgetpu_100", w, 1.0
    ),
    "lcnet_100": lambda w: timm_mobilenetv3._gen_lcnet("lcnet_100", w),
}
"""Published widths of networks that the search has no family of."""


def architectures() -> list[str]:
    """List every architecture that can be built: timm's and our own."""
    return sorted([*timm.list_models(), *OWN])


def default_resolution(architecture: str) -> int:
    """Return the side of the input that the architecture's default weights were tested at."""
    if architecture.startswith("cifar_"):
        return 32
    if architecture in OWN:
        return 224
    config = timm.get_pretrained_cfg(architecture)
    size = (config.test_input_size or config.input_size) if config else (3, 224, 224)
    return int(size[-1])


def build(candidate: Candidate, resolution: int, *, device: str = "meta") -> nn.Module:
    """Build a candidate for inputs of ``resolution`` pixels, with random weights.

    Raises NetworkError where the name, an axis or the resolution is not one that can be built.
    """
    with warnings.catch_warnings(), torch.device(device):
        warnings.simplefilter("ignore")
        try:
            return _build(candidate, resolution).eval()
        except NetworkError:
            raise
        except Exception as error:
            raise NetworkError(f"cannot build {candidate.name}: {_first_line(error)}") from error


def _build(candidate: Candidate, resolution: int) -> nn.Module:
    name = candidate.architecture
    if name in WIDTH and [axis for axis, _ in candidate.axes] == ["width"]:
        return WIDTH[name](candidate.axis("width"))
    if candidate.axes:
        return build_variant(candidate)
    if name in OWN:
        return OWN[name]()
    if not timm.is_model(name):
        raise NetworkError(f"unknown architecture {name!r} ('advisor models ls' lists all)")
    return _build_timm(name, resolution)


def _build_timm(name: str, resolution: int) -> nn.Module:
    """Build a timm network; those with position tables or windows are told the input's size."""
    try:
        network: nn.Module = timm.create_model(
            name, pretrained=False, num_classes=1000, img_size=resolution
        )
    except TypeError:
        network = timm.create_model(name, pretrained=False, num_classes=1000)
    return network


def _own_resolution(candidate: Candidate) -> int:
    if candidate.axes and candidate.architecture in BASES:
        return resolution_of(candidate)
    return default_resolution(candidate.architecture)


def describe(candidate: Candidate, *, check: bool = True, training_form: bool = False) -> Workload:
    """Build a candidate and count it; ``check`` asks two further counters.

    Counted is the form that is deployed. ``training_form`` counts the branches that training
    keeps apart, for what training costs.
    """
    resolution = candidate.resolution or _own_resolution(candidate)
    network = build(candidate, resolution)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if has_training_form(network) and not training_form:
            network = deployed(build(candidate, resolution, device="cpu")).to("meta")
        workload = count(network, name=candidate.network, resolution=resolution)
        return cross_check(network, workload) if check else workload


def describe_all(
    wanted: list[tuple[str, int]],
) -> Iterator[tuple[str, int, Workload | NetworkError]]:
    """Count (network, resolution) pairs one after another; a failure is yielded, not raised."""
    for network, resolution in wanted:
        parsed = Candidate.parse(network)
        candidate = Candidate(
            architecture=parsed.architecture, resolution=resolution, axes=parsed.axes
        )
        try:
            yield network, resolution, describe(candidate)
        except NetworkError as error:
            yield network, resolution, error


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"
