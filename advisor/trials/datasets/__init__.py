"""Labelled images in the forms people have: folders, tables, CIFAR, idx, npz, a built-in set.

``open_images`` tells the form by what it finds. Each form is one module with ``fits`` and
``read``; nothing is downloaded.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from advisor.errors import TrialError
from advisor.trials.datasets.image_set import ImageSet

FORMS = ("built_in", "cifar", "idx", "npz", "csv_table", "class_folders")
"""Modules by the order in which they are asked; the first that fits reads the images."""


def open_images(spelling: str) -> ImageSet:
    """Read the images that a path or the name of a built-in set stands for.

    Raises TrialError that says which forms are read where none fits.
    """
    path = Path(spelling).expanduser()
    for name in FORMS:
        form = import_module(f"advisor.trials.datasets.{name}")
        fits: Callable[[str, Path], bool] = form.fits
        if fits(spelling, path):
            read: Callable[[str, Path], ImageSet] = form.read
            return read(spelling, path)
    found = "holds none of these" if path.exists() else "does not exist"
    raise TrialError(
        f"images {spelling!r}: the path {found}; allowed are a folder of class folders, a CSV of "
        "paths and labels, CIFAR-10 and CIFAR-100 (binary or python), idx files, .npz, or the "
        "built-in set 'digits'"
    )
