"""ImageSet: pictures with their classes, wherever they come from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from advisor.errors import TrialError

Pixels = NDArray[np.uint8]
"""One picture: height × width × 3, 0-255."""
Numbers = NDArray[np.int64]
PARTS = ("train", "validation", "test")
"""Parts that a data set may come split into."""


class Pictures(Protocol):
    """Pictures by number."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, index: int) -> Pixels:
        """Return one; raises TrialError where it cannot be read."""


@dataclass(frozen=True)
class ArrayPictures:
    """Pictures of one size that are in memory: N × H × W or N × H × W × channels."""

    array: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: int) -> Pixels:
        return _three_channels(self.array[index])


@dataclass(frozen=True)
class FilePictures:
    """Pictures that are files, decoded when they are asked for."""

    paths: Sequence[Path]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Pixels:
        from PIL import Image, ImageOps

        path = self.paths[index]
        try:
            with Image.open(path) as image:
                upright = ImageOps.exif_transpose(image).convert("RGB")
                return np.asarray(upright, dtype=np.uint8)
        except Exception as error:  # decoders of damaged files raise whatever they stumble on
            raise TrialError(f"{path}: cannot be read as a picture: {error}") from error


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """Labelled pictures. ``parts`` tells the split that they came with."""

    name: str
    classes: tuple[str, ...]
    labels: Numbers
    """Class number of each picture."""
    pictures: Pictures
    names: Sequence[str]
    """What to call each picture in front of people: a file name, or part and number."""
    parts: tuple[str, ...] | None = None
    """``train``, ``validation`` or ``test`` for each picture; None where no split is given."""

    def __post_init__(self) -> None:
        counts = {len(self.labels), len(self.pictures), len(self.names)}
        if len(counts) != 1 or (self.parts is not None and len(self.parts) not in counts):
            raise TrialError(
                f"{self.name}: {len(self.pictures)} pictures, {len(self.labels)} labels"
            )
        if len(self.classes) < 2:
            raise TrialError(f"{self.name}: one class alone ({self.classes}) teaches nothing")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Sequence[int] | Numbers) -> "ImageSet":
        """Return some of the pictures, in the order given."""
        chosen = [int(i) for i in indices]
        return replace(
            self,
            labels=self.labels[chosen],
            pictures=_Chosen(self.pictures, tuple(chosen)),
            names=[self.names[i] for i in chosen],
            parts=None if self.parts is None else tuple(self.parts[i] for i in chosen),
        )

    def digest_of(self, index: int) -> str:
        """SHA-256 of one picture's pixels and size."""
        pixels = self.pictures[index]
        return hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).hexdigest()

    @cached_property
    def counts(self) -> dict[str, int]:
        """Pictures by class."""
        found = np.bincount(self.labels, minlength=len(self.classes))
        return {name: int(count) for name, count in zip(self.classes, found, strict=True)}


@dataclass(frozen=True)
class _Chosen:
    pictures: Pictures
    chosen: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, index: int) -> Pixels:
        return self.pictures[self.chosen[index]]


def _three_channels(picture: NDArray[np.uint8]) -> Pixels:
    if picture.ndim == 2:
        picture = picture[..., None]
    if picture.shape[-1] == 1:
        picture = np.repeat(picture, 3, axis=-1)
    return np.ascontiguousarray(picture[..., :3])


def from_arrays(
    name: str,
    parts: dict[str, tuple[NDArray[np.uint8], Numbers]],
    classes: Sequence[str] = (),
) -> ImageSet:
    """Join the arrays of a data set's parts; classes without a name are called by their number."""
    labels = np.concatenate([numbers.astype(np.int64) for _, numbers in parts.values()])
    if labels.size == 0 or labels.min() < 0:
        raise TrialError(
            f"{name}: labels are class numbers from 0 on, found {labels.min(initial=-1)}"
        )
    count = max(int(labels.max()) + 1, len(classes))
    told = tuple(classes) if len(classes) == count else tuple(str(i) for i in range(count))
    one_part = len(parts) == 1
    return ImageSet(
        name=name,
        classes=told,
        labels=labels,
        pictures=ArrayPictures(np.concatenate([images for images, _ in parts.values()])),
        names=[f"{part}:{i}" for part, (images, _) in parts.items() for i in range(len(images))],
        parts=None
        if one_part
        else tuple(part for part, (images, _) in parts.items() for _ in range(len(images))),
    )
