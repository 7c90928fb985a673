"""Networks with random weights run like trained ones, and wrong exports are never timed."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from advisor.errors import MeasurementError
from advisor.measuring.exports import (
    Identity,
    check_outputs,
    filling,
    kept,
    take_in,
    write_record,
)
from advisor.measuring.runtimes import Images
from advisor.measuring.runtimes.images import calibration, labelled
from advisor.measuring.runtimes.preparation import fingerprint, prepared, revive, settle
from advisor.testing import FakeEngine

OUTPUTS = np.linspace(-1, 1, 10, dtype=np.float32).reshape(1, 10)


def engine(outputs: Images) -> FakeEngine:
    return FakeEngine(outputs, lambda: None)


def test_normalisations_that_are_zero_become_one() -> None:
    network = nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm2d(3))
    nn.init.zeros_(network[1].weight)  # type: ignore[arg-type]
    assert revive(network) == 1
    assert all(bool((norm.weight == 1).all()) for norm in network)  # type: ignore[union-attr]


def test_batch_norms_get_the_statistics_of_random_batches() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
    torch.manual_seed(0)
    settle(network, 16)
    norm = network[1]
    assert not torch.equal(norm.running_mean, torch.zeros(4))  # type: ignore[arg-type]
    assert norm.momentum == 0.1
    assert not network.training


def test_resnet18_keeps_no_branch_that_an_exporter_could_fold_away() -> None:
    network = prepared("resnet18", 64)
    weights = [m.weight for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all(bool(weight.any()) for weight in weights)


def test_the_same_spelling_gives_the_same_network() -> None:
    assert fingerprint(prepared("resnet10t", 64)) == fingerprint(prepared("resnet10t", 64))


def test_weights_are_loaded_and_anything_else_is_refused_in_one_line(tmp_path: Path) -> None:
    network = prepared("resnet10t", 64)
    path = tmp_path / "weights.pt"
    torch.save(network.state_dict(), path)
    assert fingerprint(prepared("resnet10t", 64, weights=path)) == fingerprint(network)
    path.write_bytes(b"no weights")
    with pytest.raises(MeasurementError) as error:
        prepared("resnet10t", 64, weights=path)
    assert "\n" not in str(error.value)


def test_outputs_that_agree_pass() -> None:
    assert check_outputs(engine(OUTPUTS * 1.0001), OUTPUTS, OUTPUTS, "fp32") < 0.001


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (OUTPUTS[:, ::-1], "computes something else"),
        (OUTPUTS * np.nan, "not finite"),
        (OUTPUTS[:, :5], "shape"),
    ],
)
def test_outputs_that_differ_are_an_error(outputs: Images, said: str) -> None:
    with pytest.raises(MeasurementError, match=said):
        check_outputs(engine(outputs), OUTPUTS, OUTPUTS, "fp32")


def test_int8_may_differ_more_than_fp32() -> None:
    rough = OUTPUTS + 0.1
    assert check_outputs(engine(rough), OUTPUTS, OUTPUTS, "int8") > 0.05
    with pytest.raises(MeasurementError):
        check_outputs(engine(rough), OUTPUTS, OUTPUTS, "fp32")


def identity(**values: str) -> Identity:
    made = {"network": "resnet18", "runtime": "ncnn", "precision": "fp32", **values}
    return Identity(resolution=224, batch=1, versions={"torch": "2.15"}, **made)


def test_the_key_of_an_export_changes_with_whatever_decides_its_content() -> None:
    keys = {
        identity().key,
        identity(network="resnet34").key,
        identity(precision="int8").key,
        identity(calibration="other images").key,
        identity(weights="other weights").key,
    }
    assert len(keys) == 5
    assert identity().key in keys


def test_an_export_that_fails_half_way_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path))
    with pytest.raises(MeasurementError, match="cannot convert"), filling("key"):
        raise MeasurementError("cannot convert")
    assert kept("key") is None
    assert list((tmp_path / "exports").iterdir()) == []


def test_an_export_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path))
    with filling("key") as folder:
        write_record(folder, seconds=1.5, error=0.25)
    found = kept("key")
    assert found is not None
    assert (found.seconds, found.error, found.reused) == (1.5, 0.25, True)


def test_of_two_processes_that_export_the_same_the_first_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path))
    with filling("key") as slow, filling("key") as quick:
        write_record(quick, seconds=1.0, error=0.0)
        write_record(slow, seconds=9.0, error=0.0)
    found = kept("key")
    assert found is not None
    assert found.seconds == 1.0
    assert [path.name for path in (tmp_path / "exports").iterdir()] == ["key"]


def kept_file(home: Path) -> Path:
    with filling("onnx") as folder:
        (folder / "network.onnx").write_bytes(b"network")
        write_record(folder, seconds=1.0, error=0.0)
    return home / "exports" / "onnx" / "network.onnx"


def test_a_file_that_two_exports_hold_lies_on_the_disk_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path))
    source = kept_file(tmp_path)
    with filling("runtime") as folder:
        take_in(source, folder / "model.onnx")
        write_record(folder, seconds=1.0, error=0.0)
    target = tmp_path / "exports" / "runtime" / "model.onnx"
    assert target.samefile(source)
    source.unlink()
    assert target.read_bytes() == b"network"


def test_a_file_system_without_hard_links_gets_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path))
    monkeypatch.setattr(os, "link", refuse)
    source = kept_file(tmp_path)
    take_in(source, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").samefile(source)
    assert (tmp_path / "model.onnx").read_bytes() == b"network"


def test_what_its_owner_does_to_a_file_of_their_own_leaves_the_export_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))
    own = tmp_path / "mine.onnx"
    own.write_bytes(b"first")
    take_in(own, tmp_path / "model.onnx")
    own.write_bytes(b"other")
    assert (tmp_path / "model.onnx").read_bytes() == b"first"


def pictures(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), (200, 100, 50)).save(path)


def test_calibration_images_come_from_a_folder(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png", "deep/b.jpg")
    (batch,) = calibration(tmp_path, 16, 2)
    assert batch.shape == (2, 3, 16, 16)
    assert float(batch[0, 0].mean()) == pytest.approx((200 / 255 - 0.485) / 0.229, abs=0.02)


def test_an_unreadable_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(MeasurementError, match=r"cannot read image .*a\.png"):
        calibration(tmp_path, 16, 1)


def test_a_folder_without_images_is_named(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match="holds no images"):
        calibration(tmp_path, 16, 1)


def test_labelled_images_lie_in_folders_named_by_class(tmp_path: Path) -> None:
    pictures(tmp_path, "7/a.png", "207/b.png")
    assert sorted(one.label for one in labelled(tmp_path)) == [7, 207]
