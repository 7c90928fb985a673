"""Images that calibrate a quantiser or check a network's answers, read from a user's folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from advisor.errors import MeasurementError

if TYPE_CHECKING:
    from advisor.measuring.runtimes import Images

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
MOST = 64
"""Calibration images that are used; more hardly change the ranges."""
SYNTHETIC = 16
"""Random images where the user gives none."""
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
MARGIN = 0.875
"""Share of the shorter side that the centre crop keeps, as usual for ImageNet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """An image and the index of its class."""

    path: Path
    label: int


def listed(folder: Path) -> list[Path]:
    """Image files below a folder, sorted; MeasurementError where there are none."""
    if not folder.is_dir():
        raise MeasurementError(f"folder of images {folder} does not exist")
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not found:
        raise MeasurementError(f"{folder} holds no images (allowed: {', '.join(sorted(SUFFIXES))})")
    return found


def labelled(folder: Path) -> list[Labelled]:
    """Images in one folder per class: named by its index, or in alphabetical order."""
    classes = sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
    if not classes:
        raise MeasurementError(
            f"{folder} holds no folders; write one per class, named by its index"
        )
    numeric = all(name.isdigit() for name in classes)
    index = {name: int(name) if numeric else i for i, name in enumerate(classes)}
    return [
        Labelled(path=path, label=index[path.relative_to(folder).parts[0]])
        for path in listed(folder)
        if path.parent != folder
    ]


def digest(folder: Path | None, *, most: int | None = MOST) -> str:
    """Digest of images by names, sizes and dates, or the synthetic set's; None takes all."""
    if folder is None:
        return f"synthetic {SYNTHETIC}"
    text = "".join(
        f"{p.name}:{p.stat().st_size}:{p.stat().st_mtime_ns}\n" for p in listed(folder)[:most]
    )
    return hashlib.sha256(text.encode()).hexdigest()


def read_image(path: Path, resolution: int) -> Images:
    """Read one image as (3, side, side), cropped and normalised as for ImageNet."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        raise MeasurementError(f"cannot read image {path}: {error}") from error
    scale = resolution / MARGIN / min(picture.size)
    width, height = (max(resolution, round(side * scale)) for side in picture.size)
    picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    left, top = (width - resolution) // 2, (height - resolution) // 2
    picture = picture.crop((left, top, left + resolution, top + resolution))
    values = (np.asarray(picture, dtype=np.float32) / 255 - MEAN) / DEVIATION
    return np.ascontiguousarray(values.transpose(2, 0, 1), dtype=np.float32)


def calibration(folder: Path | None, resolution: int, batch: int) -> tuple[Images, ...]:
    """Batches for a quantiser, from a folder or random."""
    if folder is None:
        rng = np.random.default_rng(1)
        shape = (batch, 3, resolution, resolution)
        count = max(2, SYNTHETIC // batch)
        return tuple(rng.standard_normal(shape, dtype=np.float32) for _ in range(count))
    images = [read_image(path, resolution) for path in listed(folder)[:MOST]]
    images += images[: -len(images) % batch]
    groups = [images[i : i + batch] for i in range(0, len(images), batch)]
    return tuple(np.stack(group) for group in groups if len(group) == batch)


def example(resolution: int, batch: int) -> Images:
    """The batch that outputs are compared on and that is timed."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((batch, 3, resolution, resolution), dtype=np.float32)
