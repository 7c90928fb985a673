"""A CSV of paths and labels, with the split in a third column where there is one.

Columns: ``path`` (or ``file``, ``filename``, ``image``), ``label`` (or ``class``, ``category``),
and optionally ``split`` (or ``part``, ``set``). Paths are relative to the table.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from advisor.errors import TrialError
from advisor.trials.datasets.image_set import FilePictures, ImageSet

_COLUMNS = {
    "path": ("path", "file", "filename", "image", "filepath"),
    "label": ("label", "class", "category", "target"),
    "split": ("split", "part", "set", "subset"),
}
PART_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "holdout"), "test"),
}
"""Parts as people call them, in small letters."""


def fits(spelling: str, path: Path) -> bool:  # noqa: ARG001
    """Whether it is a CSV file."""
    return path.suffix.lower() == ".csv" and path.is_file()


def read(spelling: str, path: Path) -> ImageSet:  # noqa: ARG001
    """Read the table; pictures are opened when they are needed."""
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        columns = _columns(path, reader.fieldnames or ())
        rows = list(reader)
    if not rows:
        raise TrialError(f"{path}: holds no rows")
    told = [(row.get(columns["label"]) or "").strip() for row in rows]
    files = [(row.get(columns["path"]) or "").strip() for row in rows]
    for line, (file, label) in enumerate(zip(files, told, strict=True), start=2):
        if not file or not label:
            raise TrialError(f"{path}:{line}: the {'label' if file else 'path'} is empty")
    classes = tuple(sorted(set(told), key=_by_number))
    number = {name: i for i, name in enumerate(classes)}
    return ImageSet(
        name=path.stem,
        classes=classes,
        labels=np.array([number[label] for label in told], dtype=np.int64),
        pictures=FilePictures([path.parent / file for file in files]),
        names=files,
        parts=_parts(path, [row[columns["split"]] for row in rows]) if "split" in columns else None,
    )


def _columns(path: Path, names: Sequence[str]) -> dict[str, str]:
    found = {}
    for meaning, known in _COLUMNS.items():
        match = next((name for name in names if name.strip().lower() in known), None)
        if match is not None:
            found[meaning] = match
        elif meaning != "split":
            raise TrialError(
                f"{path}: no column for the {meaning} (one of {', '.join(known)}); "
                f"found {', '.join(names)}"
            )
    return found


def _parts(path: Path, told: Sequence[str]) -> tuple[str, ...]:
    parts = []
    for line, name in enumerate(told, start=2):
        part = PART_NAMES.get((name or "").strip().lower())
        if part is None:
            allowed = ", ".join(sorted(set(PART_NAMES)))
            raise TrialError(f"{path}:{line}: split {name!r} is none of {allowed}")
        parts.append(part)
    return tuple(parts)


def _by_number(label: str) -> tuple[int, int, str]:
    """Sort class numbers by value, names by letter."""
    return (0, int(label), "") if label.isdecimal() else (1, 0, label)
