"""Images of the user are read in every form, checked, and split without a leak."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from advisor.errors import TrialError
from advisor.trials.checks import check_images
from advisor.trials.datasets import open_images
from advisor.trials.datasets.image_set import ImageSet, from_arrays
from advisor.trials.splitting import split_images
from tests.trial_images import (
    Arrays,
    colour,
    striped,
    write_cifar_binary,
    write_cifar_python,
    write_folders,
    write_idx,
)


def test_class_folders_are_classes(tmp_path: Path) -> None:
    images, labels = striped(6, classes=3)
    found = open_images(str(write_folders(tmp_path, images, labels)))
    assert found.classes == ("class0", "class1", "class2")
    assert found.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert np.array_equal(found.pictures[0][..., 0], images[0])


def test_folders_of_parts_are_a_given_split(tmp_path: Path) -> None:
    images, labels = striped(6)
    for part in ("train", "val", "test"):
        write_folders(tmp_path / part, images, labels)
    found = open_images(str(tmp_path))
    assert found.parts is not None
    assert sorted(set(found.parts)) == ["test", "train", "validation"]


def test_table_of_paths_keeps_labels_and_split(tmp_path: Path) -> None:
    images, _ = striped(3)
    for i, pixels in enumerate(images):
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    table = tmp_path / "table.csv"
    table.write_text("file,class,split\n0.png,10,train\n1.png,9,test\n2.png,9,val\n")
    found = open_images(str(table))
    assert found.classes == ("9", "10")
    assert found.labels.tolist() == [1, 0, 0]
    assert found.parts == ("train", "test", "validation")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("where,class\na.png,x\n", "no column for the path"),
        ("path,class,split\na.png,x,tomorrow\n", "split 'tomorrow' is none of"),
        ("path,class\na.png,\n", "table.csv:2: the label is empty"),
        ("path,class\n", "holds no rows"),
    ],
)
def test_table_that_cannot_be_read_is_refused(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(TrialError, match=told):
        open_images(str(tmp_path / "table.csv"))


@pytest.mark.parametrize("write", [write_cifar_binary, write_cifar_python])
@pytest.mark.parametrize("fine", [False, True])
def test_cifar_is_read_in_both_forms(
    write: Callable[..., Path], fine: bool, tmp_path: Path
) -> None:
    images, labels = colour(20, classes=10)
    found = open_images(str(write(tmp_path, (images, labels), fine=fine)))
    assert found.parts == ("train",) * 20 + ("test",) * 20
    assert found.labels.tolist() == [*labels, *labels]
    assert np.array_equal(found.pictures[3], images[3])


def test_pickle_that_runs_code_is_refused(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
            import os

            return os.system, ("echo harm",)

    for name in ("data_batch_1", "test_batch"):
        (tmp_path / name).write_bytes(pickle.dumps({b"labels": Harmful()}))
    with pytest.raises(TrialError, match="asks for posix"):
        open_images(str(tmp_path))


def test_cut_cifar_file_is_refused(tmp_path: Path) -> None:
    write_cifar_binary(tmp_path, colour(4))
    (tmp_path / "test_batch.bin").write_bytes(b"\1" * 3000)
    with pytest.raises(TrialError, match="no whole number of records of 3073"):
        open_images(str(tmp_path))


def test_idx_files_are_read_plain_and_gzipped(tmp_path: Path) -> None:
    folder = tmp_path / "fashion"
    folder.mkdir()
    write_idx(folder, "train", striped(20, classes=10, side=20))
    write_idx(folder, "t10k", striped(10, classes=10, side=20))
    found = open_images(str(folder))
    assert found.classes[0] == "T-shirt/top"
    assert found.parts == ("train",) * 20 + ("test",) * 10


@pytest.mark.parametrize("names", [("images", "labels"), ("x_train", "y_train")])
def test_numpy_archive_is_read(names: tuple[str, str], tmp_path: Path) -> None:
    images, labels = colour(6, classes=2, side=8)
    held: dict[str, Any] = {names[0]: images / 255.0, names[1]: labels}
    np.savez(tmp_path / "set.npz", **held)
    found = open_images(str(tmp_path / "set.npz"))
    assert np.array_equal(found.pictures[1], images[1])


def test_archive_of_pickles_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", images=np.array([{}], dtype=object), labels=np.array([1]))
    with pytest.raises(TrialError, match="cannot be read as a numpy archive"):
        open_images(str(tmp_path / "set.npz"))


def test_built_in_set_needs_no_file() -> None:
    found = open_images("digits")
    assert len(found) == 1797
    assert found.classes == tuple("0123456789")


def test_what_is_no_set_of_images_lists_the_forms(tmp_path: Path) -> None:
    with pytest.raises(TrialError, match="a folder of class folders, a CSV"):
        open_images(str(tmp_path / "nothing"))


def _set(arrays: Arrays, parts: tuple[str, ...] | None = None) -> ImageSet:
    images, labels = arrays
    found = from_arrays("set", {"all": (images, labels)})
    return ImageSet(
        name="set",
        classes=found.classes,
        labels=found.labels,
        pictures=found.pictures,
        names=found.names,
        parts=parts,
    )


def test_damaged_file_is_listed_and_left_out(tmp_path: Path) -> None:
    images, labels = striped(20)
    folder = write_folders(tmp_path, images, labels)
    (folder / "class1" / "001.png").write_bytes(b"no picture")
    found = check_images(open_images(str(folder)))
    assert [open_images(str(folder)).names[i] for i in found.unreadable] == ["class1/001.png"]
    assert found.unreadable[0] in found.left_out


def test_copy_of_a_test_image_is_kept_from_training() -> None:
    images, labels = striped(10)
    images[7] = images[1]
    parts = ("test",) * 4 + ("train",) * 6
    found = check_images(_set((images, labels), parts))
    assert found.leaked == ((7, 1),)
    assert 7 in found.left_out


def test_picture_saved_again_at_another_size_is_recognised(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    grid = rng.integers(0, 256, (6, 6, 3)).astype(np.uint8)
    other = rng.integers(0, 256, (6, 6, 3)).astype(np.uint8)
    for name, source, side in (("a", grid, 96), ("b", grid, 80), ("c", other, 96)):
        (tmp_path / name).mkdir()
        picture = Image.fromarray(source).resize((side, side), Image.Resampling.BICUBIC)
        for copy in range(2):
            picture.save(tmp_path / name / f"{copy}.jpg", quality=80 + copy)
    found = check_images(open_images(str(tmp_path)))
    assert found.repeated == ((0, 1, 2, 3), (4, 5))
    assert found.contradictory[0] == (0, 2)


def test_digest_depends_on_pixels_classes_and_order() -> None:
    images, labels = striped(10)
    first = check_images(_set((images, labels))).digest
    assert check_images(_set((images.copy(), labels.copy()))).digest == first
    assert check_images(_set((images, 1 - labels))).digest != first


def test_given_split_is_kept() -> None:
    images, labels = striped(20)
    parts = ("train",) * 14 + ("test",) * 6
    split = split_images(_set((images, labels), parts), seed=0, groups=range(20))
    assert split.test.tolist() == list(range(14, 20))
    assert split.given


def test_class_with_too_few_images_is_named() -> None:
    images, labels = striped(20)
    labels = np.zeros(20, np.int64)
    labels[0] = 1
    with pytest.raises(TrialError, match="fewer than 2 images of 1"):
        split_images(_set((images, labels)), seed=0, groups=range(20))


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(10, 60), min_size=2, max_size=5),
    seed=st.integers(0, 5),
    copies=st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=6),
    most=st.one_of(st.none(), st.integers(12, 60)),
)
def test_no_image_or_copy_is_in_two_parts_and_classes_keep_their_shares(
    counts: list[int], seed: int, copies: list[tuple[int, int]], most: int | None
) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    images = np.zeros((len(labels), 4, 4), np.uint8)
    groups = list(range(len(labels)))
    for a, b in copies:
        groups[max(a, b)] = groups[min(a, b)]
    split = split_images(_set((images, labels)), seed=seed, groups=groups, test_images=most)
    parts = list(split.items().values())
    members = [set(part.tolist()) for part in parts]
    assert sum(map(len, members)) == len(set().union(*members))
    homes = [{groups[i] for i in part} for part in members]
    assert not homes[0] & homes[2]
    assert not homes[1] & homes[2]
    if most is None and not copies:
        shares = np.bincount(labels[split.test], minlength=len(counts)) / counts
        assert (np.abs(shares - 0.2) < 0.06).all()
