"""Aliases: published networks that are variants of a stock network, by their axes."""

from collections.abc import Mapping

from advisor.core.candidate import Candidate
from advisor.networks.blueprints.residual import REGNETS

Axes = Mapping[str, float]

_WIDTHS: Mapping[str, Mapping[str, float]] = {
    "mobilenetv1_100": {"mobilenetv1_125": 1.25},
    "mobilenetv2_100": {
        "mobilenetv2_035": 0.35,
        "mobilenetv2_050": 0.5,
        "mobilenetv2_075": 0.75,
        "mobilenetv2_140": 1.4,
    },
    "mobilenetv3_large_100": {"mobilenetv3_large_075": 0.75},
    "mobilenetv3_small_100": {"mobilenetv3_small_050": 0.5, "mobilenetv3_small_075": 0.75},
    "mnasnet_100": {"mnasnet_050": 0.5, "mnasnet_075": 0.75, "mnasnet_140": 1.4},
    "semnasnet_100": {"semnasnet_050": 0.5, "semnasnet_075": 0.75, "semnasnet_140": 1.4},
    "ghostnet_100": {"ghostnet_050": 0.5, "ghostnet_130": 1.3},
    "shufflenet_v2_x1_0": {
        "shufflenet_v2_x0_5": 0.5,
        "shufflenet_v2_x1_5": 1.5,
        "shufflenet_v2_x2_0": 2.0,
    },
}
_SCALED: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "efficientnet_b0": {
        "efficientnet_b1": (1.0, 1.1),
        "efficientnet_b2": (1.1, 1.2),
        "efficientnet_b3": (1.2, 1.4),
        "efficientnet_b4": (1.4, 1.8),
        "efficientnet_b5": (1.6, 2.2),
    },
    "efficientnet_lite0": {
        "efficientnet_lite1": (1.0, 1.1),
        "efficientnet_lite2": (1.1, 1.2),
        "efficientnet_lite3": (1.2, 1.4),
        "efficientnet_lite4": (1.4, 1.8),
    },
    "tf_efficientnetv2_b0": {
        "tf_efficientnetv2_b1": (1.0, 1.1),
        "tf_efficientnetv2_b2": (1.1, 1.2),
        "tf_efficientnetv2_b3": (1.2, 1.4),
    },
    "efficientnetv2_s": {"efficientnetv2_rw_t": (0.8, 0.9)},
}
"""Width and depth."""
_BLOCKS: Mapping[str, Mapping[str, tuple[int, int, int, int]]] = {
    "resnet18": {"resnet34": (3, 4, 6, 3)},
    "resnet50": {
        "resnet26": (2, 2, 2, 2),
        "resnet101": (3, 4, 23, 3),
        "resnet152": (3, 8, 36, 3),
    },
    "resnet18d": {"resnet34d": (3, 4, 6, 3)},
    "resnet50d": {"resnet26d": (2, 2, 2, 2), "resnet101d": (3, 4, 23, 3)},
}


def _table() -> dict[str, tuple[str, Axes]]:
    found: dict[str, tuple[str, Axes]] = {}
    for base, widths in _WIDTHS.items():
        found |= {name: (base, {"width": width}) for name, width in widths.items()}
    for base, scaled in _SCALED.items():
        found |= {n: (base, {"width": w, "depth": d}) for n, (w, d) in scaled.items()}
    for base, blocks in _BLOCKS.items():
        for name, layers in blocks.items():
            found[name] = (base, {f"stage{n}": count for n, count in enumerate(layers, 1)})
    for name, regnet in REGNETS.items():
        axes = {axis: own.default for axis, own in regnet.axes.items()}
        found[name] = (f"{name.partition('_')[0]}_004", axes)
    return found


ALIASES: Mapping[str, tuple[str, Axes]] = _table()
"""The stock network and the axes of published networks."""


def as_variant(candidate: Candidate) -> Candidate:
    """Return a published network as a variant of its family's stock network, else itself."""
    found = ALIASES.get(candidate.architecture)
    if found is None or candidate.axes:
        return candidate
    base, axes = found
    return Candidate(
        architecture=base, resolution=candidate.resolution, axes=tuple(sorted(axes.items()))
    )
