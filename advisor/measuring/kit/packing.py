"""Pack a kit: ONNX files, the script that times them, and the lane that is asked for."""

from __future__ import annotations

import io
import json
import tarfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from advisor.core.lane import Lane
from advisor.errors import MeasurementError
from advisor.measuring.converting import Failed, converted
from advisor.measuring.exports import exports_folder, in_use
from advisor.measuring.order import Order, Way, Wish
from advisor.measuring.runtimes import load

SCRIPT = "measure_on_board.py"
TABLE = "measurements.csv"
PACKAGE = "advisor.measuring.kit"
README = """\
Measure these networks on the board:

    python3 {script} -o {table}

It needs Python 3.6 or newer and one of trtexec (TensorRT), the Python package onnxruntime,
benchncnn (ncnn) or benchmark_model (TensorFlow Lite). Close everything else on the board first.
An interrupted run goes on where it stopped when it is started again. Then, where the advisor is:

    advisor import {table} --device {device}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A kit that was written."""

    path: Path
    networks: tuple[str, ...]
    failures: tuple[str, ...]
    """One line for every network that could not be packed."""


def pack(
    order: Order, lane: Lane, target: Path, *, say: Callable[[str], None] = lambda _: None
) -> Packed:
    """Export the networks and write the archive, whole or not at all.

    Raises MeasurementError where no network could be exported or the file cannot be written.
    """
    if len(order.ways) != 1:
        raise MeasurementError("a kit holds one lane; state one --runtime and one --precision")
    (way,) = order.ways
    failures: list[str] = []

    def failed(network: str, reason: str) -> None:
        failures.append(f"{network}: {reason}")

    with in_use():
        ready = converted(order, way, failed=failed, say=say, kind="export")
        if not ready:
            raise MeasurementError(f"no network could be exported ({'; '.join(failures)})")
        entries, files = _contents(order, way, ready)
        if lane.runtime == "ncnn":
            files += _ncnn_files(order, way, ready, entries, failed=failed, say=say)
        _write(target, _description(order, lane, entries), files)
    return Packed(path=target, networks=tuple(w.network for w in ready), failures=tuple(failures))


def _description(order: Order, lane: Lane, entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "kit": uuid.uuid4().hex[:8],
        "device": lane.device,
        "unit": lane.unit,
        "runtime": lane.runtime,
        "precision": lane.precision,
        "threads": lane.threads,
        "sessions": order.sessions,
        "pause": order.pause,
        "budget": order.budget,
        "networks": entries,
    }


def _contents(
    order: Order, way: Way, wishes: Sequence[Wish]
) -> tuple[list[dict[str, Any]], list[tuple[Path, str]]]:
    entries, files = [], []
    for i, wish in enumerate(wishes):
        name = f"{i:03d}-{_plain(wish.network)}.onnx"
        item = order.item(wish, way, i)
        path = Path(item.onnx_file) if item.onnx_file else exports_folder() / item.onnx_key
        files.append((path if path.is_file() else path / "network.onnx", name))
        entries.append(
            {
                "name": f"{wish.network}@{wish.resolution}",
                "network": wish.network,
                "resolution": wish.resolution,
                "batch": way.settings.batch,
                "precision": "fp32",
                "file": name,
            }
        )
    return entries, files


def _ncnn_files(
    order: Order,
    way: Way,
    wishes: Sequence[Wish],
    entries: list[dict[str, Any]],
    *,
    failed: Failed,
    say: Callable[[str], None],
) -> list[tuple[Path, str]]:
    """Add ncnn's own description of each network, which is all that benchncnn reads."""
    measurer = load("ncnn")
    missing = measurer.missing()
    if missing is not None:
        raise MeasurementError(f"a kit for ncnn is converted here: {missing}")
    own = replace(way, name="ncnn", packages=tuple(measurer.packages))
    files = []
    ready = converted(order, own, failed=failed, say=say)
    for entry, wish in zip(entries, wishes, strict=True):
        if wish in ready:
            folder = exports_folder() / order.item(wish, own, 0).key
            entry["ncnn_param"] = f"{Path(entry['file']).stem}.param"
            files.append((folder / "model.param", entry["ncnn_param"]))
    return files


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() or c in "_-." else "-" for c in name.rpartition("/")[2])


def _write(target: Path, kit: dict[str, Any], files: Sequence[tuple[Path, str]]) -> None:
    partial = target.with_name(f".{target.name}.partial")
    script = resources.files(PACKAGE).joinpath(SCRIPT).read_bytes()
    readme = README.format(script=SCRIPT, table=TABLE, device=kit["device"]).encode()
    try:
        with tarfile.open(partial, "w:gz", compresslevel=1) as archive:
            for path, name in files:
                archive.add(path, f"kit/{name}")
            _add(archive, "kit/kit.json", json.dumps(kit, indent=1).encode(), 0o644)
            _add(archive, "kit/README", readme, 0o644)
            _add(archive, f"kit/{SCRIPT}", script, 0o755)
        partial.replace(target)
    except OSError as error:
        raise MeasurementError(f"cannot write {target}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), mode
    archive.addfile(info, io.BytesIO(content))
