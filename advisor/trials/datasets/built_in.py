"""Sets that come with an installed package: scikit-learn's digits, 1,797 of 8 × 8 pixels."""

from pathlib import Path

import numpy as np

from advisor.trials.datasets.image_set import ImageSet, from_arrays

NAMES = ("digits",)


def fits(spelling: str, path: Path) -> bool:
    """Whether it is the name of a built-in set, and no file of that name is there."""
    return spelling in NAMES and not path.exists()


def read(spelling: str, path: Path) -> ImageSet:  # noqa: ARG001
    """Return the set; grey levels 0-16 become 0-255."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    grey = np.round(digits.images * (255 / 16)).astype(np.uint8)
    names = [str(name) for name in digits.target_names]
    return from_arrays(spelling, {"all": (grey, digits.target.astype(np.int64))}, names)
