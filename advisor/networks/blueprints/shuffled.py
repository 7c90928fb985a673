"""Blueprints of GhostNet and ShuffleNetV2."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from advisor.networks.blueprints.axes import Base, multiplier, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class GhostPlan:
    """GhostNet (Han et al. 2020, arXiv 1911.11907); channels round to multiples of 4."""

    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShufflePlan:
    """ShuffleNetV2 (Ma et al. 2018, arXiv 1807.11164)."""

    repeats: tuple[int, ...]
    """Units of each of the three stages."""
    channels: tuple[int, ...]
    """Channels of the stem, of the three stages and before the classifier."""


GHOST_STAGES: tuple[tuple[tuple[int, int, int, float, int], ...], ...] = (
    ((3, 16, 16, 0, 1),),
    ((3, 48, 24, 0, 2),),
    ((3, 72, 24, 0, 1),),
    ((5, 72, 40, 0.25, 2),),
    ((5, 120, 40, 0.25, 1),),
    ((3, 240, 80, 0, 2),),
    (
        (3, 200, 80, 0, 1),
        (3, 184, 80, 0, 1),
        (3, 184, 80, 0, 1),
        (3, 480, 112, 0.25, 1),
        (3, 672, 112, 0.25, 1),
    ),
    ((5, 672, 160, 0.25, 2),),
    (
        (5, 960, 160, 0, 1),
        (5, 960, 160, 0.25, 1),
        (5, 960, 160, 0, 1),
        (5, 960, 160, 0.25, 1),
    ),
)
"""Kernel, expanded channels, channels, SE share and stride of each block (table 7 of the paper)."""
_WIDTHS = (0.5, 1.0, 1.5, 2.0)
_FIRST = (48, 116, 176, 244)
"""Channels of the first stage at the published widths (table 5); between them a straight line."""


def _ghost(settings: Mapping[str, float]) -> GhostPlan:
    return GhostPlan(width=settings["width"])


def _shuffle(settings: Mapping[str, float]) -> ShufflePlan:
    width = settings["width"]
    inside = float(np.interp(width, _WIDTHS, _FIRST))
    beyond = _FIRST[0] * width / 0.5 if width < 0.5 else _FIRST[-1] * width / 2.0
    exact = inside if 0.5 <= width <= 2.0 else beyond
    first = max(4, round(exact / 4) * 4)
    return ShufflePlan(
        repeats=tuple(int(settings[f"stage{n}"]) for n in (1, 2, 3)),
        channels=(24, first, 2 * first, 4 * first, 1024 if width < 2.0 else 2048),
    )


GHOSTNETS: Mapping[str, Base[GhostPlan]] = {
    "ghostnet_100": Base(resolution=224, axes={"width": multiplier()}, make=_ghost)
}
SHUFFLENETS: Mapping[str, Base[ShufflePlan]] = {
    "shufflenet_v2_x1_0": Base(
        resolution=224,
        axes={
            "width": multiplier(4.0),
            "stage1": whole(4, 1, 32),
            "stage2": whole(8, 1, 32),
            "stage3": whole(4, 1, 32),
        },
        make=_shuffle,
    )
}
