"""Exports: converted networks on disk, kept by the content that decides them.

A folder holds what the runtime loads, one batch of input with eager PyTorch's output for it, and
``export.json`` with the time it took and how far the outputs agree. A network whose outputs do
not agree is never kept, so that nothing that is timed computes something else.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from advisor.errors import MeasurementError
from advisor.hardware.library import advisor_home
from advisor.measuring.journal import JobClaim

if TYPE_CHECKING:
    from advisor.measuring.runtimes import Engine, Images

FORMAT = 1
"""Raised when preparation or layout change, so that older exports are not taken up."""
RECORD = "export.json"
LOCK = "exports.lock"
"""File beside the exports that is locked while they are in use."""
TOLERANCE = {"fp32": 0.01, "bf16": 0.15, "fp16": 0.05}
"""Largest accepted root mean square error against eager fp32, relative to the outputs' spread."""
INT8_LIMIT = 1.0
"""As TOLERANCE; a quantised network that errs by its whole spread computes something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A converted network, ready to be opened by its runtime."""

    folder: Path
    seconds: float
    """Time the conversion took when it was made."""
    error: float
    """Root mean square error against eager fp32, relative to the outputs' spread."""
    reused: bool
    top1: float | None = None
    """Share of the user's labelled images that it classifies correctly."""
    top1_float: float | None = None
    """The same of eager fp32."""
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What decides the content of an export."""

    network: str
    """Spelling of a catalog network, or the digest of a user's own."""
    resolution: int
    runtime: str
    precision: str
    batch: int
    weights: str = ""
    """Digest of the weights file; empty for random ones."""
    calibration: str = ""
    """Digest of the calibration images; empty where the precision needs none."""
    versions: Mapping[str, str]

    @property
    def key(self) -> str:
        """Digest that names the folder."""
        text = json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]


def exports_folder() -> Path:
    """Folder of all exports."""
    return advisor_home() / "exports"


@contextmanager
def in_use() -> Iterator[None]:
    """Keep other processes from emptying the exports until what relies on them is done."""
    claim = _claim()
    try:
        claim.take(wait=True, shared=True)
        yield
    finally:
        claim.release()


def size() -> int:
    """Bytes that all exports take on the disk; files that several share count once."""
    found: dict[tuple[int, int], int] = {}
    for folder, _, names in os.walk(exports_folder()):
        for name in names:
            with suppress(FileNotFoundError):  # another process is at work
                facts = Path(folder, name).lstat()
                found[facts.st_dev, facts.st_ino] = facts.st_size
    return sum(found.values())


def empty() -> int:
    """Remove all exports; return the bytes that were freed.

    Raises MeasurementError while another process measures with them or packs a kit.
    """
    folder, before = exports_folder(), size()
    if not folder.is_dir():
        return 0
    claim = _claim()
    try:
        if not claim.take():
            raise MeasurementError(
                f"the exports in {folder} are in use by another advisor; try again when it is done"
            )
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    except OSError as error:
        raise MeasurementError(f"cannot empty {folder}: {error.strerror}") from error
    finally:
        claim.release()
    return before - size()


def _claim() -> JobClaim:
    home = advisor_home()
    try:
        home.mkdir(parents=True, exist_ok=True)
        return JobClaim(home / LOCK)
    except OSError as error:
        raise MeasurementError(f"cannot write to {home}: {error.strerror}") from error


def kept(key: str) -> Export | None:
    """Return an earlier export; None where there is none that can be read."""
    folder = exports_folder() / key
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return Export(
            folder=folder,
            seconds=record["seconds"],
            error=record["error"],
            reused=True,
            top1=record.get("top1"),
            top1_float=record.get("top1_float"),
            caveats=tuple(record.get("caveats", ())),
        )
    except (OSError, ValueError, KeyError):
        return None


@contextmanager
def filling(key: str) -> Iterator[Path]:
    """Give a folder to write an export into; it takes its place only when all went well."""
    target = exports_folder() / key
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{key}-", dir=target.parent))
    try:
        yield folder
        _place(folder, target)
    except OSError as error:
        raise MeasurementError(f"cannot keep the export in {target.parent}: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _place(folder: Path, target: Path) -> None:
    """Move an export to its place; one that another process put there meanwhile is as good."""
    if target.exists() and kept(target.name) is None:
        shutil.rmtree(target)
    try:
        folder.rename(target)
    except OSError:
        if kept(target.name) is None:
            raise


def take_in(source: Path, target: Path) -> None:
    """Make a file part of an export; a kept export's file lies on the disk once for both.

    Hence nothing changes the file of a kept export. A user's own file is copied, for its owner may
    change it, as is any file where the file system has no hard links.
    """
    if source.is_relative_to(exports_folder()):
        try:
            os.link(source, target)
        except OSError:
            pass
        else:
            return
    shutil.copyfile(source, target)


def write_record(folder: Path, **facts: Any) -> None:
    """Write the facts of an export beside its files."""
    (folder / RECORD).write_text(json.dumps(facts, indent=1), encoding="utf-8")


def relative_error(found: Images, expected: Images) -> float:
    """Root mean square difference over the standard deviation of what is expected."""
    if found.shape != expected.shape:
        raise MeasurementError(f"outputs have shape {found.shape}, PyTorch's {expected.shape}")
    spread = float(np.std(expected)) or 1.0
    return float(np.sqrt(np.mean((found - expected) ** 2))) / spread


def check_outputs(engine: Engine, example: Images, expected: Images, precision: str) -> float:
    """Run a converted network once and compare it with eager PyTorch.

    Returns the relative error; raises MeasurementError where it is too large to be the same
    network.
    """
    engine.load(example)
    engine.run()
    found = engine.result()
    if not np.isfinite(found).all():
        raise MeasurementError("the converted network returns values that are not finite")
    error = relative_error(found, expected)
    limit = TOLERANCE.get(precision, INT8_LIMIT)
    if error > limit:
        raise MeasurementError(
            f"the converted network computes something else: its outputs differ from eager "
            f"PyTorch by {100 * error:.3g} % of their spread (allowed: {100 * limit:g} %)"
        )
    return error


def versions_of(packages: tuple[str, ...]) -> dict[str, str]:
    """Versions of distributions; those that are not installed are left out."""
    found = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def digest_of(path: Path) -> str:
    """SHA-256 of a file; MeasurementError where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise MeasurementError(f"cannot read {path}: {error.strerror}") from error


def once(key: str, make: Callable[[Path], None]) -> Path:
    """Return the folder of an export, made by ``make`` where there is none yet."""
    found = kept(key)
    if found is not None:
        return found.folder
    with filling(key) as folder:
        make(folder)
    return exports_folder() / key
