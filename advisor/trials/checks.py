"""Look at the images before anything is learnt: unreadable, repeated, leaked, unevenly spread."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from advisor.errors import TrialError
from advisor.trials.datasets.image_set import ImageSet, Pixels

THUMB = 16
"""Side of the grey thumbnail by which pictures of other files or sizes are recognised."""
SMALL = 32
"""Pictures with a shorter side are compared by their pixels alone."""
ALIKE = 3.0
"""Largest mean difference of two thumbnails of the same picture, of 255 grey levels."""
UNEVEN = 3.0
"""Ratio of the largest class to the smallest from which imbalance is told."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What is wrong with a set of images."""

    unreadable: tuple[int, ...]
    groups: tuple[int, ...]
    """Number of each image's group; images of one group show the same picture."""
    repeated: tuple[tuple[int, ...], ...]
    """Groups of two and more."""
    leaked: tuple[tuple[int, int], ...]
    """(training or validation image, the test image that it is a copy of), in a given split."""
    contradictory: tuple[tuple[int, int], ...]
    """Pairs of the same picture with different classes."""
    imbalance: float
    """Images of the largest class by those of the smallest."""
    digest: str
    """SHA-256 over pixels, classes and parts: the same images give the same digest."""

    @property
    def left_out(self) -> frozenset[int]:
        """Images that take no part: unreadable ones, and training copies of test images."""
        return frozenset(self.unreadable) | {copy for copy, _ in self.leaked}


def check_images(images: ImageSet, tell: Callable[[int], None] | None = None) -> Findings:
    """Decode every image once and compare them; ``tell`` is given the count so far.

    Raises TrialError where so few are left that nothing can be learnt.
    """
    digest = hashlib.sha256("\n".join(images.classes).encode())
    unreadable: list[int] = []
    exact: dict[bytes, int] = {}
    similar: dict[bytes, list[tuple[int, NDArray[np.float32]]]] = defaultdict(list)
    groups: list[int] = []
    for i in range(len(images)):
        groups.append(i)
        if tell is not None:
            tell(i + 1)
        try:
            pixels = images.pictures[i]
        except TrialError:
            unreadable.append(i)
            continue
        own = hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).digest()
        part = images.parts[i] if images.parts else ""
        digest.update(own + f"{images.labels[i]} {part}".encode())
        groups[i] = _group(i, own, pixels, exact, similar)
    if len(images) - len(unreadable) < 2 * len(images.classes):
        raise TrialError(
            f"{images.name}: only {len(images) - len(unreadable)} of {len(images)} images can be "
            f"read, for {len(images.classes)} classes"
        )
    members = _members(groups)
    counts = np.bincount(images.labels, minlength=len(images.classes))
    return Findings(
        unreadable=tuple(unreadable),
        groups=tuple(groups),
        repeated=tuple(members),
        leaked=tuple(_leaks(members, images.parts)),
        contradictory=tuple(
            (a, b)
            for group in members
            for a, b in combinations(group[:10], 2)
            if images.labels[a] != images.labels[b]
        ),
        imbalance=float(counts.max() / max(counts.min(), 1)),
        digest=digest.hexdigest(),
    )


def _group(
    i: int,
    own: bytes,
    pixels: Pixels,
    exact: dict[bytes, int],
    similar: dict[bytes, list[tuple[int, NDArray[np.float32]]]],
) -> int:
    """Return the group of one with the same pixels, else of one that looks the same."""
    if own in exact:
        return exact[own]
    exact[own] = i
    if min(pixels.shape[:2]) < SMALL:
        return i
    thumb = _thumbnail(pixels)
    sketch = _sketch(thumb)
    for other, shown in similar[sketch]:
        if float(np.abs(shown - thumb).mean()) <= ALIKE:
            exact[own] = other
            return other
    similar[sketch].append((i, thumb))
    return i


def _thumbnail(pixels: Pixels) -> NDArray[np.float32]:
    from PIL import Image

    grey = Image.fromarray(pixels).convert("L").resize((THUMB, THUMB), Image.Resampling.BOX)
    return np.asarray(grey, dtype=np.float32)


def _sketch(thumb: NDArray[np.float32]) -> bytes:
    """Sixteen coarse blocks, brighter or darker than the whole: equal for most re-encodings."""
    blocks = thumb.reshape(4, THUMB // 4, 4, THUMB // 4).mean(axis=(1, 3))
    return np.packbits(blocks > blocks.mean()).tobytes()


def _members(groups: Sequence[int]) -> list[tuple[int, ...]]:
    found: dict[int, list[int]] = defaultdict(list)
    for i, group in enumerate(groups):
        found[group].append(i)
    return [tuple(members) for members in found.values() if len(members) > 1]


def _leaks(
    members: Sequence[tuple[int, ...]], parts: tuple[str, ...] | None
) -> list[tuple[int, int]]:
    if parts is None:
        return []  # a split of our own keeps the copies together
    found = []
    for group in members:
        tests = [i for i in group if parts[i] == "test"]
        if tests:
            found += [(i, tests[0]) for i in group if parts[i] != "test"]
    return found
