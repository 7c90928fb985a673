"""CIFAR-10 and CIFAR-100 in their binary and python forms.

Binary: records of one label byte (CIFAR-100: two, coarse and fine) and 3,072 bytes of planar
32 × 32 RGB. Python: pickled dictionaries, read by an unpickler that admits numpy arrays and
nothing else. See https://www.cs.toronto.edu/~kriz/cifar.html.
"""

import io
import pickle  # nosec B403
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.errors import TrialError
from advisor.trials.datasets.image_set import ImageSet, Numbers, from_arrays

SIDE = 32
PICTURE = 3 * SIDE * SIDE
"""Bytes of one picture."""
Part = tuple[NDArray[np.uint8], Numbers]


def fits(spelling: str, path: Path) -> bool:  # noqa: ARG001
    """Whether the folder holds files that are called as CIFAR's are."""
    return path.is_dir() and _form(path) is not None


def read(spelling: str, path: Path) -> ImageSet:  # noqa: ARG001
    """Read the folder; the batches are the training part, the test batch is the test part."""
    form = _form(path)
    if form is None:
        raise TrialError(f"{path}: holds no CIFAR files")
    parts = {}
    for part, files in form.items():
        loaded = [_binary(f) if f.suffix == ".bin" else _pickled(f) for f in files]
        parts[part] = (
            np.concatenate([images for images, _ in loaded]),
            np.concatenate([labels for _, labels in loaded]),
        )
    return from_arrays(path.name, parts, _class_names(path))


def _form(folder: Path) -> Mapping[str, Sequence[Path]] | None:
    """Return the files of each part, for the first form that is complete."""
    for train, test in (
        ("data_batch_*.bin", "test_batch.bin"),
        ("train.bin", "test.bin"),
        ("data_batch_[0-9]", "test_batch"),
        ("train", "test"),
    ):
        found = sorted(f for f in folder.glob(train) if f.is_file())
        if found and (folder / test).is_file():
            return {"train": found, "test": [folder / test]}
    return None


def _binary(path: Path) -> Part:
    data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    labels = 2 if path.name in ("train.bin", "test.bin") else 1
    if data.size == 0 or data.size % (labels + PICTURE):
        size = labels + PICTURE
        raise TrialError(f"{path}: {data.size} bytes are no whole number of records of {size}")
    records = data.reshape(-1, labels + PICTURE)
    return _pictures(records[:, labels:]), records[:, labels - 1].astype(np.int64)


def _pictures(planar: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return planar.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)


class _ArraysOnly(pickle.Unpickler):
    """Reads what CIFAR's files hold and refuses everything that could run code."""

    ADMITTED = (
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("_codecs", "encode"),
    )

    def find_class(self, module: str, name: str) -> Any:
        """Return a constructor of numpy arrays."""
        if (module, name) not in self.ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def _pickled(path: Path) -> Part:
    try:
        held = _ArraysOnly(io.BytesIO(path.read_bytes()), encoding="bytes").load()
    except Exception as error:  # an unpickler raises anything for a foreign file
        raise TrialError(f"{path}: is no CIFAR batch in its python form: {error}") from error
    labels = held.get(b"labels", held.get(b"fine_labels")) if isinstance(held, dict) else None
    data = held.get(b"data") if isinstance(held, dict) else None
    if labels is None or not isinstance(data, np.ndarray) or data.shape[1:] != (PICTURE,):
        raise TrialError(f"{path}: holds no 'data' of {PICTURE} columns with labels")
    return _pictures(data.astype(np.uint8)), np.asarray(labels, dtype=np.int64)


def _class_names(folder: Path) -> tuple[str, ...]:
    for name in ("batches.meta.txt", "fine_label_names.txt"):
        if (folder / name).is_file():
            lines = (folder / name).read_text(encoding="utf-8").splitlines()
            return tuple(line.strip() for line in lines if line.strip())
    for name, key in (("batches.meta", b"label_names"), ("meta", b"fine_label_names")):
        if (folder / name).is_file():
            held = _ArraysOnly(io.BytesIO((folder / name).read_bytes()), encoding="bytes").load()
            return tuple(n.decode() for n in held.get(key, ()))
    return ()
