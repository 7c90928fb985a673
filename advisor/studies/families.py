"""Families: spaces of variants that can be searched, each with its axes and its recipe."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from advisor.core.candidate import Candidate
from advisor.errors import NetworkError, unknown_name
from advisor.networks.blueprints.stock import BASES, blueprint

RESOLUTION = "resolution"
ARCHITECTURE = "architecture"
Point = Mapping[str, float | str]
"""A value for each axis of a family; ``architecture`` is a name, the others are numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAxis:
    """The values among which the search chooses, lowest first."""

    name: str
    values: tuple[float, ...]
    about: str
    """What it does, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A space of variants of a few stock networks."""

    name: str
    title: str
    """Name in front of people."""
    architectures: tuple[str, ...]
    """Stock networks; the first is the default."""
    axes: tuple[SearchAxis, ...]
    recipe: str
    """Training recipe whose accuracy is predicted unless another one is asked for."""
    epochs: int
    """Epochs of that recipe, for the estimate of the training compute."""
    epochs_basis: str = "assumed: the recipe does not state its epochs"
    """Where the epochs come from."""
    source: str
    """The paper."""

    @property
    def size(self) -> int:
        """Count of points, some of which may name the same network or none."""
        total = len(self.architectures)
        for axis in self.axes:
            total *= len(axis.values)
        return total

    def candidate(self, point: Point) -> Candidate:
        """Return the candidate of a point; axes at the stock network's value are left out."""
        architecture = str(point.get(ARCHITECTURE, self.architectures[0]))
        base = BASES[architecture]
        axes = {
            name: float(value)
            for name, value in point.items()
            if name not in (ARCHITECTURE, RESOLUTION) and base.axes[name].default != value
        }
        resolution = point.get(RESOLUTION)
        return Candidate(
            architecture=architecture,
            resolution=int(resolution) if resolution is not None else self._own_resolution(axes),
            axes=tuple(sorted(axes.items())),
        )

    def _own_resolution(self, axes: Mapping[str, float]) -> int:
        base = BASES[self.architectures[0]]
        if base.resolution_of is None:
            return base.resolution
        defaults = {name: axis.default for name, axis in base.axes.items()}
        return base.resolution_of({**defaults, **axes})

    def point(self, candidate: Candidate) -> Point | None:
        """Return the nearest point of a candidate; None where another family has it."""
        if candidate.architecture not in self.architectures:
            return None
        base = BASES[candidate.architecture]
        known = {axis.name for axis in self.axes}
        if not {name for name, _ in candidate.axes} <= known:
            return None
        point: dict[str, float | str] = {ARCHITECTURE: candidate.architecture}
        for axis in self.axes:
            if axis.name == RESOLUTION:
                value = float(candidate.resolution or base.resolution)
            else:
                value = candidate.axis(axis.name, base.axes[axis.name].default)
            point[axis.name] = min(axis.values, key=lambda v: abs(v - value))
        return point

    def defaults(self) -> list[Point]:
        """Return the point of each stock network."""
        found = [self.point(Candidate(architecture=name)) for name in self.architectures]
        return [point for point in found if point is not None]

    def points(self) -> Iterator[Point]:
        """Yield every point; only for spaces small enough to enumerate."""
        names = [axis.name for axis in self.axes]
        for architecture in self.architectures:
            for values in product(*(axis.values for axis in self.axes)):
                yield {ARCHITECTURE: architecture, **dict(zip(names, values, strict=True))}

    def sample(self, chance: random.Random, count: int) -> list[Candidate]:
        """Draw candidates at random, those that cannot be built left out."""
        drawn: list[Candidate] = []
        while len(drawn) < count:
            candidate = self.candidate(self._draw(chance))
            try:
                blueprint(candidate)
            except NetworkError:
                continue
            drawn.append(candidate)
        return drawn

    def _draw(self, chance: random.Random) -> Point:
        point: dict[str, float | str] = {ARCHITECTURE: chance.choice(self.architectures)}
        for axis in self.axes:
            point[axis.name] = chance.choice(axis.values)
        return point


def steps(low: float, high: float, step: float) -> tuple[float, ...]:
    """Return low, low + step, … up to high."""
    count = round((high - low) / step)
    return tuple(round(low + place * step, 6) for place in range(count + 1))


def _width(low: float, high: float, step: float = 0.05) -> SearchAxis:
    return SearchAxis(name="width", values=steps(low, high, step), about="multiplies the channels")


def _depth(low: float, high: float, step: float = 0.1) -> SearchAxis:
    return SearchAxis(name="depth", values=steps(low, high, step), about="multiplies the blocks")


def _sides(low: int, high: int, step: int = 16) -> SearchAxis:
    values = steps(low, high, step)
    return SearchAxis(name=RESOLUTION, values=values, about="side of the input in pixels")


def _blocks(stage: int, low: int, high: int) -> SearchAxis:
    values = steps(low, high, 1)
    return SearchAxis(name=f"stage{stage}", values=values, about=f"blocks in stage {stage}")


def _regnet(letter: str) -> Family:
    return Family(
        name=f"regnet{letter}",
        title=f"RegNet{letter.upper()}",
        architectures=(f"regnet{letter}_004",),
        axes=(
            SearchAxis(name="depth", values=steps(10, 28, 1), about="blocks"),
            SearchAxis(name="group", values=steps(8, 64, 8), about="channels of a group"),
            SearchAxis(name="w0", values=steps(24, 128, 8), about="channels of the first block"),
            SearchAxis(name="wa", values=steps(16, 64, 2), about="slope of the channels"),
            SearchAxis(name="wm", values=steps(2.0, 3.0, 0.05), about="ratio between stages"),
            _sides(128, 320, 32),
        ),
        recipe="pycls-dds",
        epochs=100,
        epochs_basis="stated by the recipe",
        source="Radosavovic et al. 2020, arXiv 2003.13678",
    )


def _once_for_all() -> Family:
    axes: list[SearchAxis] = []
    for stage in range(1, 6):
        axes += [
            SearchAxis(name=f"kernel{stage}", values=(3, 5, 7), about=f"kernel in stage {stage}"),
            SearchAxis(name=f"expand{stage}", values=(3, 4, 6), about=f"expansion, stage {stage}"),
            _blocks(stage, 2, 4),
            SearchAxis(name=f"se{stage}", values=(0, 1), about=f"squeeze-excite, stage {stage}"),
        ]
    return Family(
        name="once-for-all",
        title="Once-for-all MobileNetV3",
        architectures=("ofa_mobilenetv3",),
        axes=(*axes, _sides(128, 288)),
        recipe="ofa-mbv3-ft25",
        epochs=25,
        epochs_basis="stated: fine-tuning from the trained super-network alone",
        source="Cai et al. 2020, arXiv 1908.09791",
    )


_ALL = (
    Family(
        name="resnet",
        title="ResNet",
        architectures=("resnet50", "resnet50d", "resnet18", "resnet18d"),
        axes=(
            _blocks(1, 1, 4),
            _blocks(2, 1, 8),
            _blocks(3, 1, 24),
            _blocks(4, 1, 4),
            _width(0.25, 1.5),
            _sides(96, 320, 32),
        ),
        recipe="torchvision-v1-ResNet",
        epochs=90,
        epochs_basis="torchvision's reference script",
        source="He et al. 2015, arXiv 1512.03385; He et al. 2018, arXiv 1812.01187 (D)",
    ),
    Family(
        name="cifar-resnet",
        title="ResNet for CIFAR",
        architectures=("cifar_resnet20",),
        axes=(
            SearchAxis(name="blocks", values=steps(1, 18, 1), about="n of the depth 6n+2"),
            _width(0.25, 4.0, 0.25),
        ),
        recipe="cifar10-paper",
        epochs=164,
        epochs_basis="64k steps of 128 images, He et al. 2015, section 4.2",
        source="He et al. 2015, arXiv 1512.03385, section 4.2",
    ),
    Family(
        name="mobilenetv1",
        title="MobileNetV1",
        architectures=("mobilenetv1_100",),
        axes=(_width(0.25, 1.5), _depth(0.5, 1.5), _sides(96, 320)),
        recipe="tf-slim-MobileNetV1",
        epochs=300,
        source="Howard et al. 2017, arXiv 1704.04861",
    ),
    Family(
        name="mobilenetv2",
        title="MobileNetV2",
        architectures=("mobilenetv2_100",),
        axes=(_width(0.35, 1.5), _depth(0.5, 1.5), _sides(96, 320)),
        recipe="tf-slim-MobileNetV2",
        epochs=300,
        source="Sandler et al. 2018, arXiv 1801.04381",
    ),
    Family(
        name="mobilenetv3",
        title="MobileNetV3",
        architectures=("mobilenetv3_large_100", "mobilenetv3_small_100"),
        axes=(_width(0.35, 1.5), _depth(0.5, 1.5), _sides(96, 320)),
        recipe="tf-slim-MobileNetV3",
        epochs=600,
        source="Howard et al. 2019, arXiv 1905.02244",
    ),
    Family(
        name="mnasnet",
        title="MnasNet",
        architectures=("mnasnet_100", "semnasnet_100"),
        axes=(_width(0.35, 1.5), _depth(0.5, 1.5), _sides(96, 320)),
        recipe="timm:rmsp_in1k",
        epochs=350,
        source="Tan et al. 2019, arXiv 1807.11626",
    ),
    Family(
        name="efficientnet",
        title="EfficientNet",
        architectures=("efficientnet_b0", "efficientnet_lite0"),
        axes=(_width(0.4, 1.6), _depth(0.5, 2.2), _sides(128, 384)),
        recipe="effnet-paper-v1",
        epochs=350,
        epochs_basis="the paper's reference code",
        source="Tan & Le 2019, arXiv 1905.11946",
    ),
    Family(
        name="efficientnet-compound",
        title="EfficientNet, compound scaling",
        architectures=("efficientnet_b0", "efficientnet_lite0"),
        axes=(
            SearchAxis(
                name="phi",
                values=steps(0, 7, 0.1),
                about="φ: depth 1.2^φ, width 1.1^φ, resolution 224 × 1.15^φ",
            ),
        ),
        recipe="effnet-paper-v1",
        epochs=350,
        epochs_basis="the paper's reference code",
        source="Tan & Le 2019, arXiv 1905.11946",
    ),
    Family(
        name="efficientnetv2",
        title="EfficientNetV2",
        architectures=("tf_efficientnetv2_b0", "efficientnetv2_s"),
        axes=(_width(0.5, 1.4), _depth(0.5, 1.6), _sides(128, 384)),
        recipe="timm:in1k",
        epochs=350,
        source="Tan & Le 2021, arXiv 2104.00298",
    ),
    Family(
        name="ghostnet",
        title="GhostNet",
        architectures=("ghostnet_100",),
        axes=(_width(0.35, 1.5), _sides(96, 320)),
        recipe="ghostnet-paper",
        epochs=400,
        source="Han et al. 2020, arXiv 1911.11907",
    ),
    _regnet("x"),
    _regnet("y"),
    Family(
        name="shufflenetv2",
        title="ShuffleNetV2",
        architectures=("shufflenet_v2_x1_0",),
        axes=(
            _width(0.5, 2.0),
            _blocks(1, 2, 6),
            _blocks(2, 4, 12),
            _blocks(3, 2, 6),
            _sides(96, 320, 32),
        ),
        recipe="megvii-ShuffleNetV2",
        epochs=240,
        epochs_basis="300k steps of 1,024 images, Ma et al. 2018",
        source="Ma et al. 2018, arXiv 1807.11164",
    ),
    _once_for_all(),
)
_BY_NAME = {family.name: family for family in _ALL}


def families() -> dict[str, Family]:
    """Return every family that can be searched, by name."""
    return dict(_BY_NAME)


def family(name: str) -> Family:
    """Return a family; raises UsageError with the nearest names."""
    if name not in _BY_NAME:
        raise unknown_name("family", name, _BY_NAME, "advisor search --list")
    return _BY_NAME[name]
