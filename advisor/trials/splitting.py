"""Split images into those to learn from, to choose by and to judge by.

A given split is kept. Otherwise each class is shared out in the same proportions, and identical
pictures stay on one side.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from advisor.errors import TrialError
from advisor.trials.datasets.image_set import ImageSet, Numbers

TEST_SHARE = 0.2
VALIDATION_SHARE = 0.15
"""Of the images that are not for the test."""
LEAST = 2
"""Fewest training images of a class."""


@dataclass(frozen=True, kw_only=True)
class ImageSplit:
    """Numbers of the images of each part; no image is in two."""

    train: Numbers
    """Networks learn from these."""
    validation: Numbers
    """Settings, weights and pruning are chosen by these."""
    test: Numbers
    """Nothing is chosen by these; every accuracy that is told is theirs."""
    given: bool
    """Whether the test part came with the images."""

    def items(self) -> Mapping[str, Numbers]:
        """Parts by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def split_images(
    images: ImageSet,
    *,
    seed: int,
    groups: Sequence[int],
    without: frozenset[int] = frozenset(),
    train_images: int | None = None,
    test_images: int | None = None,
) -> ImageSplit:
    """Split a set; ``groups`` numbers pictures that are the same alike.

    Images in ``without`` (unreadable ones, copies of test images) are in no part. A cap on the
    images keeps the proportions of the classes. Raises TrialError for classes that a part lacks.
    """
    rng = np.random.default_rng([seed, 0])
    usable = [i for i in range(len(images)) if i not in without]
    given = images.parts is not None and "test" in images.parts
    if given and images.parts is not None:
        parts = images.parts
        test = [i for i in usable if parts[i] == "test"]
        rest = [i for i in usable if parts[i] == "train"]
        validation = [i for i in usable if parts[i] == "validation"]
    else:
        test, rest = _apart(usable, images.labels, groups, TEST_SHARE, rng)
        validation = []
    rest = _capped(rest, images.labels, train_images, rng)
    test = _capped(test, images.labels, test_images, rng)
    if not validation:
        validation, rest = _apart(rest, images.labels, groups, VALIDATION_SHARE, rng)
    split = ImageSplit(
        train=_sorted(rest), validation=_sorted(validation), test=_sorted(test), given=given
    )
    _check(images, split)
    return split


def _apart(
    indices: Sequence[int],
    labels: Numbers,
    groups: Sequence[int],
    share: float,
    rng: np.random.Generator,
) -> tuple[list[int], list[int]]:
    """Take a share of each class; images of one group stay together."""
    classes: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    home: dict[int, int] = {}
    for i in indices:
        label = home.setdefault(groups[i], int(labels[i]))
        classes[label][groups[i]].append(i)
    taken: list[int] = []
    kept: list[int] = []
    for label in sorted(classes):
        members = list(classes[label].values())
        wanted = max(1, round(share * sum(len(m) for m in members)))
        count = 0
        for place in rng.permutation(len(members)):
            target = taken if count < wanted else kept
            count += len(members[place])
            target += members[place]
    return taken, kept


def _capped(
    indices: list[int], labels: Numbers, most: int | None, rng: np.random.Generator
) -> list[int]:
    """Keep at most so many images, each class in proportion (largest remainders)."""
    if most is None or len(indices) <= most:
        return indices
    chosen = np.array(indices)
    order = rng.permutation(len(chosen))
    names, counts = np.unique(labels[chosen], return_counts=True)
    exact = counts * most / len(chosen)
    wanted = np.floor(exact).astype(int)
    wanted[np.argsort(wanted - exact, kind="stable")[: most - wanted.sum()]] += 1
    left = dict(zip(names.tolist(), wanted.tolist(), strict=True))
    kept = []
    for place in order:
        label = int(labels[chosen[place]])
        if left[label] > 0:
            left[label] -= 1
            kept.append(int(chosen[place]))
    return kept


def _sorted(indices: Sequence[int]) -> Numbers:
    return np.array(sorted(indices), dtype=np.int64)


def _check(images: ImageSet, split: ImageSplit) -> None:
    for part, indices in split.items().items():
        counts = np.bincount(images.labels[indices], minlength=len(images.classes))
        least = LEAST if part == "train" else 1
        poor = [name for name, n in zip(images.classes, counts, strict=True) if n < least]
        if poor and part != "validation":
            raise TrialError(
                f"{images.name}: the {part} part has fewer than {least} images of "
                f"{', '.join(poor[:5])}{' …' if len(poor) > 5 else ''}; "
                "add images or leave such classes out"
            )
