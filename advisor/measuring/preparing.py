"""Convert a network for a runtime and compare it with eager PyTorch before anything is timed."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from advisor.core.extras import require
from advisor.errors import MeasurementError
from advisor.measuring.exports import (
    check_outputs,
    exports_folder,
    filling,
    once,
    write_record,
)
from advisor.measuring.runtimes import images
from advisor.measuring.runtimes.lines import first_line
from advisor.measuring.runtimes.source import Source

if TYPE_CHECKING:
    from advisor.measuring.jobs import Item, Job
    from advisor.measuring.runtimes import Engine, Images, Measurer

EXAMPLE, EXPECTED = "example.npy", "expected.npy"
ONNX_FILE = "network.onnx"


@dataclass(frozen=True, kw_only=True)
class _Work:
    """A network on its way to a runtime."""

    item: Item
    job: Job
    source: Source
    expected: Images
    """What eager PyTorch, or the user's own ONNX file, answers to the example."""


def prepare(item: Item, job: Job, measurer: Measurer) -> dict[str, Any]:
    """Convert, compare and keep one network; return the facts of the export.

    Raises MeasurementError or NetworkError where it cannot be built, converted or compared.
    """
    work = _work(item, job)
    with filling(item.key) as folder:
        begin = time.perf_counter()
        measurer.convert(work.source, job.settings, folder)
        np.save(folder / EXAMPLE, work.source.example, allow_pickle=False)
        np.save(folder / EXPECTED, work.expected, allow_pickle=False)
        engine = measurer.open(folder, job.settings)
        error = check_outputs(engine, work.source.example, work.expected, job.settings.precision)
        seconds = time.perf_counter() - begin
        facts = {
            "name": item.spelling,
            "seconds": seconds,
            "error": error,
            "caveats": _caveats(job),
            **_accuracies(work, engine),
        }
        write_record(folder, **facts)
    return facts


def export(item: Item, job: Job) -> Path:
    """Write a network as ONNX and compare the file with eager PyTorch where ONNX Runtime is."""
    example = images.example(item.resolution, job.settings.batch)
    if item.onnx_file:
        return Path(item.onnx_file)
    network = _network(item)
    path = onnx_file(item, network, example)
    if util.find_spec("onnxruntime") is not None:
        from advisor.measuring.runtimes.onnxruntime import OnnxEngine

        try:
            check_outputs(OnnxEngine(path, 1), example, _answer(network, example), "fp32")
        except MeasurementError:
            forget(item.onnx_key)
            raise
    return path


def example_of(folder: Path) -> Images:
    """The batch that an export was compared on and is timed with."""
    made: Images = np.load(folder / EXAMPLE, allow_pickle=False)
    return made


def _work(item: Item, job: Job) -> _Work:
    batch = job.settings.batch
    folder = Path(job.calibration) if job.calibration else None
    needs_images = job.settings.precision == "int8"
    batches = images.calibration(folder, item.resolution, batch) if needs_images else ()
    # int8 is compared on an image like those whose ranges it was given
    example = batches[0] if folder and batches else images.example(item.resolution, batch)
    network = None if item.onnx_file else _network(item)
    expected = _onnx_answer(item, example) if network is None else _answer(network, example)
    if not np.isfinite(expected).all():
        raise MeasurementError(f"{item.spelling} returns values that are not finite")
    source = Source(
        name=item.spelling,
        network=network,
        example=example,
        calibration=batches,
        onnx_file=lambda: onnx_file(item, network, example),
    )
    return _Work(item=item, job=job, source=source, expected=expected)


def _network(item: Item) -> Any:
    require(f"building {item.spelling}", "torch", "timm", kind=MeasurementError)
    from advisor.measuring.runtimes.preparation import prepared

    weights = Path(item.weights) if item.weights else None
    return prepared(item.spelling, item.resolution, weights=weights)


def _answer(network: Any, batch: Images) -> Images:
    """What eager PyTorch computes; the first output where there are several."""
    import torch

    try:
        with torch.inference_mode():
            found = network(torch.from_numpy(batch))
    except Exception as error:
        raise MeasurementError(f"it does not run in eager PyTorch: {first_line(error)}") from error
    first = found[0] if isinstance(found, tuple | list) else found
    array: Images = first.float().numpy()
    return array


def _onnx_answer(item: Item, batch: Images) -> Images:
    """What the user's own ONNX file computes in ONNX Runtime, the reference where there is no
    PyTorch module."""
    purpose = "comparing a network given as ONNX"
    require(purpose, "onnxruntime", "onnx", kind=MeasurementError)
    from advisor.measuring.runtimes.onnxruntime import OnnxEngine

    try:
        engine = OnnxEngine(Path(item.onnx_file), 1)
        engine.load(batch)
        engine.run()
        return engine.result()
    except Exception as error:
        raise MeasurementError(f"cannot run {item.onnx_file}: {first_line(error)}") from error


def onnx_file(item: Item, network: Any, example: Images) -> Path:
    """The user's ONNX file, or the one exported from the network, made once."""
    if item.onnx_file:
        return Path(item.onnx_file)
    from advisor.measuring.runtimes.onnx_export import export_onnx

    def make(folder: Path) -> None:
        begin = time.perf_counter()
        export_onnx(network, example, folder / ONNX_FILE)
        write_record(folder, name=item.spelling, seconds=time.perf_counter() - begin, error=0.0)

    return once(item.onnx_key, make) / ONNX_FILE


def _caveats(job: Job) -> list[str]:
    if job.settings.precision == "int8" and not job.calibration:
        return ["int8 ranges from synthetic images: its latency holds, its accuracy does not"]
    return []


def _accuracies(work: _Work, engine: Engine) -> dict[str, float]:
    """Top-1 on the user's labelled images, of the runtime and of eager PyTorch."""
    if not work.job.labelled:
        return {}
    found = images.labelled(Path(work.job.labelled))
    side, batch = work.item.resolution, work.job.settings.batch
    right = right_float = 0
    for one in found:
        picture = np.repeat(images.read_image(one.path, side)[None], batch, axis=0)
        engine.load(picture)
        engine.run()
        right += int(engine.result()[0].argmax() == one.label)
        if work.source.network is not None:
            right_float += int(_answer(work.source.network, picture)[0].argmax() == one.label)
    top1 = {"top1": right / len(found)}
    if work.source.network is not None:
        top1["top1_float"] = right_float / len(found)
    return top1


def forget(key: str) -> None:
    """Remove an export."""
    shutil.rmtree(exports_folder() / key, ignore_errors=True)
