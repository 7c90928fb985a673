"""Workloads counted on demand, kept in the user's data folder."""

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

from advisor.core.workload import Workload
from advisor.core.workload_table import WorkloadTable, read, write
from advisor.errors import CatalogError

FORMAT = 3
"""Raised when counting changes, so that older counts are not used."""


def key(network: str, resolution: int | None, content: bytes = b"") -> str:
    """Name the count of a network: what is counted, and the versions that decide its layers."""
    versions = [_version(name) for name in ("timm", "torch")]
    text = "\0".join([str(FORMAT), network, str(resolution), *versions]).encode()
    return hashlib.sha256(text + b"\0" + content).hexdigest()[:24]


def _version(package: str) -> str:
    """Version of a package; empty where it is missing, which an ONNX file does without."""
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def cached(folder: Path, name: str, counted: Callable[[], Workload]) -> Workload:
    """Return the workload kept under ``name``, or count and keep it.

    A folder that cannot be written costs the caching, never the answer.
    """
    place = folder / name
    if place.is_dir():
        try:
            return read(place).workload(0)
        except CatalogError:  # torn by a full disk or an older format: count again
            pass
    workload = counted()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as half:
            done = Path(half) / name
            done.mkdir()
            write(WorkloadTable.of([workload]), done)
            done.replace(place)
    except OSError:
        pass
    return workload
