"""Tiny sets of images for tests, written in the forms that people have."""

import gzip
import pickle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Arrays = tuple[NDArray[np.uint8], NDArray[np.int64]]


def striped(count: int, classes: int = 2, side: int = 8, seed: int = 0) -> Arrays:
    """Grey pictures whose class is where their bright stripe is; the rest is noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % classes
    images = rng.integers(0, 80, (count, side, side)).astype(np.uint8)
    for i, label in enumerate(labels):
        images[i, :, label * side // classes] = 255
    return images, labels


def colour(count: int, classes: int = 10, side: int = 32, seed: int = 0) -> Arrays:
    """The same in colour: N × side × side × 3."""
    images, labels = striped(count, classes, side, seed)
    return np.repeat(images[..., None], 3, axis=-1), labels


def write_folders(folder: Path, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Path:
    """Write class folders of PNG files."""
    for i, (pixels, label) in enumerate(zip(images, labels, strict=True)):
        place = folder / f"class{label}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{i:03}.png")
    return folder


def write_idx(folder: Path, part: str, arrays: Arrays) -> None:
    """Write a part as idx files, the images gzipped."""
    images, labels = arrays
    head = np.array(images.shape, ">i4").tobytes()
    packed = gzip.compress(b"\0\0\x08\x03" + head + images.tobytes())
    (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(packed)
    text = b"\0\0\x08\x01" + np.array(labels.shape, ">i4").tobytes()
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(text + labels.astype(np.uint8).tobytes())


def planar(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels as CIFAR stores them: all red ones, all green ones, all blue ones."""
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


def write_cifar_binary(folder: Path, arrays: Arrays, *, fine: bool = False) -> Path:
    """Write a training and a test batch in CIFAR's binary form."""
    images, labels = arrays
    columns = [labels[:, None] // 5, labels[:, None]] if fine else [labels[:, None]]
    records = np.concatenate([*columns, planar(images)], axis=1).astype(np.uint8).tobytes()
    for name in ("train.bin", "test.bin") if fine else ("data_batch_1.bin", "test_batch.bin"):
        (folder / name).write_bytes(records)
    return folder


def write_cifar_python(folder: Path, arrays: Arrays, *, fine: bool = False) -> Path:
    """Write a training and a test batch in CIFAR's python form."""
    images, labels = arrays
    key = b"fine_labels" if fine else b"labels"
    held = {key: labels.tolist(), b"data": planar(images)}
    for name in ("train", "test") if fine else ("data_batch_1", "test_batch"):
        (folder / name).write_bytes(pickle.dumps(held, protocol=2))
    return folder
