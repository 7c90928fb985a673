"""For authors of plug-ins: a fake of each family and the contract that a plug-in has to keep.

Subclass a contract in a test module, return the plug-in from ``make`` and run pytest. Nothing
here imports pytest; a runtime that is missing skips its tests.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import SkipTest

import numpy as np

from advisor.measuring.exports import check_outputs
from advisor.measuring.runtimes import Engine, Images, Measurer, Settings
from advisor.measuring.runtimes.images import calibration, example
from advisor.measuring.runtimes.source import Source

if TYPE_CHECKING:
    from torch import nn

FP32 = Settings(precision="fp32", threads=1)
SIDE = 32
"""Pixels of the contract's images."""


class FakeEngine:
    """Returns stored outputs after a stored time."""

    def __init__(self, outputs: Images, wait: Callable[[], None]) -> None:
        self._outputs, self._wait = outputs, wait
        self.passes = 0

    def load(self, images: Images) -> None:
        """Ignore the images: the outputs are stored."""

    def run(self) -> None:
        """Take the stored time."""
        self._wait()
        self.passes += 1

    def result(self) -> Images:
        """Return the stored outputs."""
        return self._outputs


class FakeMeasurer:
    """A runtime that keeps the contract and takes half a millisecond for every network."""

    runtime = "fake"
    unit = "cpu"
    packages: tuple[str, ...] = ("numpy",)
    modules: tuple[str, ...] = ("numpy",)
    seconds = 0.0005

    def missing(self) -> str | None:
        """Nothing is."""
        return None

    def refusal(self, settings: Settings) -> str | None:
        """Any precision but fp32."""
        if settings.precision == "fp32":
            return None
        return f"the fake runs in fp32, not in {settings.precision}"

    def convert(self, source: Source, settings: Settings, folder: Path) -> None:
        """Store what the network answers to the example."""
        import torch

        with torch.inference_mode():
            found = source.module(self.runtime)(torch.from_numpy(source.example))
        np.save(folder / "outputs.npy", found.numpy(), allow_pickle=False)

    def open(self, folder: Path, settings: Settings) -> FakeEngine:
        """Load the stored outputs."""
        outputs = np.load(folder / "outputs.npy", allow_pickle=False)
        return FakeEngine(outputs, lambda: _burn(self.seconds))


def _burn(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


class MeasurerContract:
    """What every runtime has to do; subclass it with ``make``."""

    def make(self) -> Measurer:
        """Return the runtime under test."""
        raise NotImplementedError

    def ready(self) -> Measurer:
        """Return the runtime; skip the test where it is missing."""
        made = self.make()
        missing = made.missing()
        if missing is not None:
            raise SkipTest(missing)
        return made

    def network(self) -> tuple[str, nn.Module]:
        """Return name and module of the network that is converted; by default a small one."""
        return "small", _small_network()

    def opened(self, settings: Settings, folder: Path) -> tuple[Engine, Source, Images]:
        """Convert a small network; return its engine, the source and PyTorch's answer."""
        import torch

        from advisor.measuring.runtimes.onnx_export import export_onnx

        torch.manual_seed(0)
        name, network = self.network()
        images = example(SIDE, settings.batch)
        path = folder / "network.onnx"

        def onnx_file() -> Path:
            export_onnx(network, images, path)
            return path

        source = Source(
            name=name,
            network=network,
            example=images,
            calibration=calibration(None, SIDE, settings.batch),
            onnx_file=onnx_file,
        )
        measurer = self.ready()
        target = folder / "export"
        target.mkdir()
        measurer.convert(source, settings, target)
        with torch.inference_mode():
            expected: Images = network(torch.from_numpy(images)).numpy()
        return measurer.open(target, settings), source, expected

    def test_it_names_runtime_and_unit(self) -> None:
        """Lanes are made of these names."""
        made = self.make()
        assert made.runtime == made.runtime.strip().lower() != ""
        assert made.unit in ("cpu", "gpu", "npu", "tpu", "dla")

    def test_a_missing_runtime_says_in_one_line_what_brings_it(self) -> None:
        """The line is all that the user sees."""
        missing = self.make().missing()
        assert missing is None or (missing and "\n" not in missing)

    def test_an_unknown_precision_is_refused_with_a_reason(self) -> None:
        """It must not be run as another one."""
        refusal = self.make().refusal(Settings(precision="float3", threads=1))
        assert refusal is not None
        assert "float3" in refusal

    def test_its_outputs_agree_with_eager_pytorch(self) -> None:
        """Otherwise the time is that of another network."""
        with tempfile.TemporaryDirectory() as folder:
            engine, source, expected = self.opened(FP32, Path(folder))
            check_outputs(engine, source.example, expected, "fp32")

    def test_a_pass_can_be_repeated_on_other_images(self) -> None:
        """The same engine is warmed up, timed and asked for its accuracy."""
        with tempfile.TemporaryDirectory() as folder:
            engine, source, _ = self.opened(FP32, Path(folder))
            for images in (source.example, source.example * 2):
                engine.load(images)
                engine.run()
                assert np.isfinite(engine.result()).all()


def _small_network() -> nn.Module:
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 10),
    ).eval()
