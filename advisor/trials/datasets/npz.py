"""numpy archives: ``images`` and ``labels``, or such a pair for each part.

Names read: ``x`` or ``images`` and ``y`` or ``labels``, alone or with ``train``, ``val``,
``valid``, ``validation`` or ``test`` before or after an underscore.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.errors import TrialError
from advisor.trials.datasets.image_set import ImageSet, Numbers, from_arrays

_IMAGES, _LABELS = ("x", "images", "image"), ("y", "labels", "label")
_PARTS = {"train": "train", "val": "validation", "valid": "validation", "validation": "validation",
          "test": "test"}  # fmt: skip


def fits(spelling: str, path: Path) -> bool:  # noqa: ARG001
    """Whether it is an .npz file."""
    return path.suffix.lower() == ".npz" and path.is_file()


def read(spelling: str, path: Path) -> ImageSet:  # noqa: ARG001
    """Read the archive; pickled objects in it are refused."""
    try:
        with np.load(path, allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
    except Exception as error:  # zipfile, numpy and zlib each have their own errors
        raise TrialError(f"{path}: cannot be read as a numpy archive: {error}") from error
    found: dict[str, dict[str, NDArray[np.generic]]] = {}
    for name, array in arrays.items():
        part, kind = _meaning(name.lower())
        if kind:
            found.setdefault(part, {})[kind] = array
    whole = {part: pair for part, pair in found.items() if len(pair) == 2}
    if not whole:
        told = ", ".join(arrays) or "nothing"
        raise TrialError(f"{path}: needs arrays 'images' and 'labels' (or x_train, y_train, …), "
                         f"found {told}")  # fmt: skip
    classes = [str(name) for name in arrays.get("classes", np.array([]))]
    parts = {part: _pair(path, p["images"], p["labels"]) for part, p in whole.items()}
    return from_arrays(path.stem, parts, classes)


def _meaning(name: str) -> tuple[str, str]:
    words = name.split("_")
    part = next((_PARTS[word] for word in words if word in _PARTS), "train")
    kinds = (("images", _IMAGES), ("labels", _LABELS))
    return part, next((kind for kind, known in kinds if set(words) & set(known)), "")


def _pair(
    path: Path, images: NDArray[np.generic], labels: NDArray[np.generic]
) -> tuple[NDArray[np.uint8], Numbers]:
    if images.ndim not in (3, 4) or len(images) != labels.size:
        shapes = f"images {images.shape}, labels {labels.shape}"
        raise TrialError(f"{path}: {shapes}; needed are N × H × W (× channels) and N")
    if not np.issubdtype(labels.dtype, np.integer):
        raise TrialError(f"{path}: labels are {labels.dtype}; class numbers are integers from 0 on")
    if images.dtype != np.uint8:
        values = images.astype(np.float64)
        if not np.isfinite(values).all() or values.min() < 0 or values.max() > 255:
            raise TrialError(f"{path}: pixels are to lie within 0 to 1 or 0 to 255")
        images = np.round(values * (255 if values.max() <= 1 else 1)).astype(np.uint8)
    return images.astype(np.uint8), labels.reshape(-1).astype(np.int64)
