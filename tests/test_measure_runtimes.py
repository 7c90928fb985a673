"""Every runtime keeps the contract; real ones are slow and skipped where they are missing."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from advisor.core.candidate import Candidate
from advisor.errors import PluginError, UsageError
from advisor.measuring import runtimes as measurers
from advisor.measuring.exports import digest_of
from advisor.measuring.runtimes import Images, Measurer, Settings, onnx_export
from advisor.measuring.runtimes.images import calibration, example
from advisor.measuring.runtimes.ncnn import foreign_operators
from advisor.networks.building import build
from advisor.testing import SIDE, FakeMeasurer, MeasurerContract

slow = pytest.mark.slow
quiet = pytest.mark.filterwarnings("ignore")


class TestFake(MeasurerContract):
    def make(self) -> Measurer:
        return FakeMeasurer()


@slow
@quiet
class TestTorchEager(MeasurerContract):
    def make(self) -> Measurer:
        return measurers.load("pytorch")

    def network(self) -> tuple[str, nn.Module]:
        """It builds a network again by its name, so the contract's own will not do."""
        return "test_resnet", build(Candidate(architecture="test_resnet"), SIDE, device="cpu")


@slow
@quiet
class TestOnnxRuntime(MeasurerContract):
    def make(self) -> Measurer:
        return measurers.load("onnxruntime")


@slow
@quiet
class TestOpenVino(MeasurerContract):
    def make(self) -> Measurer:
        return measurers.load("openvino")


@slow
@quiet
class TestNcnn(MeasurerContract):
    def make(self) -> Measurer:
        return measurers.load("ncnn")


@slow
@quiet
@pytest.mark.elsewhere
class TestLiteRt(MeasurerContract):
    def make(self) -> Measurer:
        return measurers.load("litert")


@pytest.mark.elsewhere
class TestCuda(MeasurerContract):
    def make(self) -> Measurer:
        return measurers.load("pytorch-gpu")


@pytest.mark.elsewhere
class TestTensorRt(MeasurerContract):
    def make(self) -> Measurer:
        return measurers.load("tensorrt-gpu")


def test_the_registry_names_every_built_in_runtime() -> None:
    for name in measurers.BUILT_IN:
        assert measurers.load(name).runtime == name.removesuffix("-gpu")


def test_an_unknown_runtime_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'onnxruntime'"):
        measurers.find("onnxruntme")


def test_a_plug_in_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    points: Mapping[str, str] = {"fake": "advisor.testing:FakeMeasurer"}
    monkeypatch.setattr(measurers, "_entry_points", lambda: points)
    assert "fake" in measurers.names()
    assert measurers.load(measurers.find("fake")).runtime == "fake"


def test_a_plug_in_that_lacks_a_method_is_named() -> None:
    with pytest.raises(PluginError, match="lacks runtime, unit"):
        measurers.load("builtins:object")


def test_a_plug_in_that_cannot_be_imported_is_one_line() -> None:
    with pytest.raises(PluginError, match="runtime 'no_such:Thing' cannot be loaded"):
        measurers.load("no_such:Thing")


@pytest.mark.parametrize("name", ["pytorch", "onnxruntime", "openvino", "ncnn", "litert"])
def test_no_runtime_takes_one_precision_for_another(name: str) -> None:
    refusal = measurers.load(name).refusal(Settings(precision="int4", threads=1))
    assert refusal is not None
    assert "int4" in refusal


def test_operators_that_pnnx_left_in_place_are_named() -> None:
    param = "7767517\n3 2\nInput in0 0 1 in0\ntorch.unbind u 1 1 in0 1\nGELU g 1 1 1 out0\n"
    assert foreign_operators(param) == ["torch.unbind"]


def test_ncnn_refuses_batches() -> None:
    refusal = measurers.load("ncnn").refusal(Settings(precision="fp32", threads=1, batch=8))
    assert refusal == "ncnn runs one image a pass, not 8"


@slow
@quiet
@pytest.mark.parametrize("name", ["onnxruntime", "openvino", "ncnn"])
def test_int8_of_a_small_network_stays_close_to_fp32(name: str, tmp_path: Path) -> None:
    class Contract(MeasurerContract):
        def make(self) -> Measurer:
            return measurers.load(name)

    engine, source, expected = Contract().opened(Settings(precision="int8", threads=1), tmp_path)
    engine.load(source.example)
    engine.run()
    error = float(np.sqrt(np.mean((engine.result() - expected) ** 2)) / np.std(expected))
    assert error < 0.2


@slow
@quiet
@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_the_onnx_file_that_exports_share_is_never_changed(
    name: str, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Contract(MeasurerContract):
        def make(self) -> Measurer:
            return measurers.load(name)

    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path))
    folder = tmp_path / "exports"
    folder.mkdir()
    written: list[str] = []
    plain = onnx_export.export_onnx

    def export(network: nn.Module, images: Images, path: Path) -> None:
        plain(network, images, path)
        written.append(digest_of(path))

    monkeypatch.setattr(onnx_export, "export_onnx", export)
    engine, source, _ = Contract().opened(Settings(precision=precision, threads=1), folder)
    engine.load(source.example)
    engine.run()
    assert written == [digest_of(folder / "network.onnx")]
    model = folder / "export" / "model.onnx"
    shared = model.is_file() and model.samefile(folder / "network.onnx")
    assert shared == ((name, precision) == ("onnxruntime", "fp32"))


def test_synthetic_calibration_images_are_the_same_every_time() -> None:
    first, second = (calibration(None, 16, 1) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert np.array_equal(example(16, 2), example(16, 2))
