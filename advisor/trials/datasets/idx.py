"""idx files, as MNIST and Fashion-MNIST come in, plain or gzipped.

A file starts with two zero bytes, the type of its elements (8: unsigned byte) and the number of
dimensions, then each dimension as a big-endian 32-bit integer.
"""

import gzip
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.errors import TrialError
from advisor.trials.datasets.image_set import ImageSet, from_arrays

FILES = {"train": "train", "test": "t10k"}
"""Prefix of the files by part."""
FASHION = (
    *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)
_UNSIGNED_BYTE = 8


def fits(spelling: str, path: Path) -> bool:  # noqa: ARG001
    """Whether the folder holds training images in this form."""
    return path.is_dir() and _file(path, "train-images-idx3-ubyte") is not None


def read(spelling: str, path: Path) -> ImageSet:  # noqa: ARG001
    """Read the folder's parts; a folder called after Fashion-MNIST gets that set's class names."""
    parts = {}
    for part, prefix in FILES.items():
        images = _file(path, f"{prefix}-images-idx3-ubyte")
        labels = _file(path, f"{prefix}-labels-idx1-ubyte")
        if images is None or labels is None:
            if part == "train":
                raise TrialError(f"{path}: {prefix}-labels-idx1-ubyte is missing beside the images")
            continue
        pixels, numbers = _array(images), _array(labels)
        if len(pixels) != len(numbers):
            raise TrialError(f"{path}: {len(pixels)} images but {len(numbers)} labels in {part}")
        parts[part] = (pixels, numbers.astype(np.int64))
    return from_arrays(path.name, parts, FASHION if "fashion" in path.name.lower() else ())


def _file(folder: Path, name: str) -> Path | None:
    return next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)


def _array(path: Path) -> NDArray[np.uint8]:
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise TrialError(f"{path}: cannot be unpacked: {error}") from error
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != _UNSIGNED_BYTE:
        raise TrialError(f"{path}: is no idx file of unsigned bytes")
    start = 4 + 4 * data[3]
    shape = tuple(int(n) for n in np.frombuffer(data[4:start], dtype=">i4"))
    if len(data) - start != int(np.prod(shape)):
        raise TrialError(f"{path}: {len(data) - start} bytes of pixels, {shape} announced")
    return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape)
