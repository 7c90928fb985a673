"""Batches: pictures of a part as tensors, augmented for learning, plain for judging.

What a step draws depends on the seed and the step alone, so a resumed training goes on as if it
had never stopped.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from timm.data import create_transform
from timm.data.random_erasing import RandomErasing
from torch import Tensor

from advisor.trials.classifiers import Scaling
from advisor.trials.datasets.image_set import ImageSet, Numbers

AUGMENTATIONS = ("none", "light", "strong")
"""light: crops and mirror images; strong: RandAugment and erasing besides (timm's)."""
Batch = tuple[Tensor, Tensor]
"""Images N × 3 × side × side, class numbers N."""
KEPT = 256 * 2**20
"""Most bytes of transformed pictures that a part keeps."""


@dataclass(frozen=True, kw_only=True)
class View:
    """How pictures are shown to a network."""

    side: int
    """Pixels of the square input; the shorter side of a picture is scaled to it, the rest cut."""
    scaling: Scaling
    augment: str = "light"
    mirror: bool = True
    """Whether a mirror image shows the same class."""

    @cached_property
    def plain(self) -> Any:
        """The transform for judging: to 3 × side × side pixels, 0-255."""
        return create_transform(
            self.side,
            interpolation="bicubic",
            crop_pct=1.0,
            use_prefetcher=True,
        )

    @cached_property
    def learning(self) -> Any:
        """The transform for learning."""
        if self.augment == "none":
            return self.plain
        strong = self.augment == "strong"
        return create_transform(
            self.side,
            is_training=True,
            scale=(0.35, 1.0) if strong else (0.7, 1.0),
            ratio=(0.75, 4 / 3) if strong else (0.9, 1.1),
            hflip=0.5 if self.mirror else 0.0,
            color_jitter=0.0,
            auto_augment="rand-m7-mstd0.5-inc1" if strong else None,
            interpolation="bicubic",
            use_prefetcher=True,
        )

    def numbers(self, pixels: Sequence[NDArray[np.uint8]]) -> Tensor:
        """Stack transformed pictures (3 × side × side, 0-255) as what a network is given."""
        stacked = torch.from_numpy(np.stack(pixels)).contiguous(memory_format=torch.channels_last)
        mean = torch.tensor(self.scaling.mean).view(3, 1, 1) * 255
        spread = torch.tensor(self.scaling.spread).view(3, 1, 1) * 255
        return (stacked.float() - mean) / spread

    def erased(self, images: Tensor) -> Tensor:
        """Erase a rectangle of some pictures, where the augmentation is strong."""
        if self.augment != "strong":
            return images
        erase = RandomErasing(probability=0.2, mode="const", device="cpu")
        erased: Tensor = erase(images)
        return erased


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some pictures of a set, seen through a view."""

    images: ImageSet
    indices: Numbers
    view: View

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def labels(self) -> Numbers:
        """Class numbers in order."""
        return self.images.labels[self.indices]

    def steps_per_epoch(self, size: int) -> int:
        """Whole batches of a pass; a batch norm cannot learn from a rest of one."""
        return max(len(self) // size, 1)

    def batch(self, step: int, size: int, seed: int) -> Batch:
        """Return the batch of a training step: another order in each pass over the images."""
        per_epoch = self.steps_per_epoch(size)
        epoch, place = divmod(step, per_epoch)
        order = np.random.default_rng([seed, 1, epoch]).permutation(len(self))
        chosen = order[place * size : (place + 1) * size]
        seed_all(seed, step)
        pixels = [self.view.learning(self._picture(int(i))) for i in chosen]
        return self.view.erased(self.view.numbers(pixels)), torch.from_numpy(self.labels[chosen])

    def in_order(self, size: int) -> Iterator[Batch]:
        """Yield all images once, plain."""
        for start in range(0, len(self), size):
            chosen = range(start, min(start + size, len(self)))
            images = self.view.numbers([self._plain(i) for i in chosen])
            yield images, torch.from_numpy(self.labels[list(chosen)])

    def _plain(self, place: int) -> NDArray[np.uint8]:
        """Return a picture for judging; those of a small part are kept, as they are seen often."""
        if place not in self._kept:
            pixels: NDArray[np.uint8] = self.view.plain(self._picture(place))
            if len(self) * pixels.nbytes > KEPT:
                return pixels
            self._kept[place] = pixels
        return self._kept[place]

    @cached_property
    def _kept(self) -> dict[int, NDArray[np.uint8]]:
        return {}

    def _picture(self, place: int) -> Image.Image:
        return Image.fromarray(self.images.pictures[int(self.indices[place])])


def seed_all(seed: int, step: int) -> None:
    """Seed everything that augmentation and dropout draw from."""
    number = int(np.random.SeedSequence([seed, 2, step]).generate_state(1)[0])
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)
