"""A folder of class folders, or of ``train``, ``val`` and ``test`` with class folders in each."""

from pathlib import Path

import numpy as np

from advisor.trials.datasets.csv_table import PART_NAMES
from advisor.trials.datasets.image_set import FilePictures, ImageSet

SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".jp2")
)


def fits(spelling: str, path: Path) -> bool:  # noqa: ARG001
    """Whether at least two class folders with pictures are in it."""
    return path.is_dir() and len({label for _, label, _ in _files(path)}) > 1


def read(spelling: str, path: Path) -> ImageSet:  # noqa: ARG001
    """List the folder's pictures; they are opened when they are needed."""
    found = _files(path)
    classes = tuple(sorted({label for _, label, _ in found}))
    number = {name: i for i, name in enumerate(classes)}
    given = all(part for _, _, part in found)
    return ImageSet(
        name=path.name,
        classes=classes,
        labels=np.array([number[label] for _, label, _ in found], dtype=np.int64),
        pictures=FilePictures([file for file, _, _ in found]),
        names=[str(file.relative_to(path)) for file, _, _ in found],
        parts=tuple(part for _, _, part in found) if given else None,
    )


def _files(folder: Path) -> list[tuple[Path, str, str]]:
    """List (file, class, part) by name; the part is empty where the folder is not split."""
    inside = _folders(folder)
    split = bool(inside) and all(one.name.lower() in PART_NAMES for one in inside)
    found = []
    for upper in inside if split else [folder]:
        part = PART_NAMES[upper.name.lower()] if split else ""
        for one in _folders(upper):
            files = sorted(f for f in one.rglob("*") if f.suffix.lower() in SUFFIXES)
            found += [(file, one.name, part) for file in files]
    return found


def _folders(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if one.is_dir() and one.name[0] not in "._")
