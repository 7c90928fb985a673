"""Jobs: what the advisor hands to a measuring process, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from advisor.errors import MeasurementError
from advisor.measuring.runtimes import Settings
from advisor.measuring.timing import TimingPlan

Kind = Literal["prepare", "export", "time", "memory"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One network of a job."""

    position: int
    spelling: str
    """Candidate, ``module:factory`` or the path of an ONNX file."""
    resolution: int
    key: str
    """Names the export's folder."""
    onnx_key: str = ""
    """Names the folder of the ONNX file it is made from; empty where that is the user's own."""
    onnx_file: str = ""
    """The user's own ONNX file; empty for networks that PyTorch builds."""
    weights: str = ""
    """File with a state dict; empty for random weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work for one process."""

    kind: Kind
    journal: str
    """File that gets the events."""
    measurer: str
    """``module:Class``."""
    settings: Settings
    items: tuple[Item, ...]
    cpus: tuple[int, ...] = ()
    """CPUs to pin to; empty leaves the choice to the kernel."""
    plan: TimingPlan = field(default_factory=TimingPlan)
    calibration: str = ""
    """Folder of calibration images; empty for synthetic ones."""
    labelled: str = ""
    """Folder of labelled images; empty where accuracy is not asked for."""

    def write(self, path: Path) -> None:
        """Write it for the process to read."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @staticmethod
    def read(path: Path) -> Job:
        """Read a job; MeasurementError where it is none."""
        try:
            data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            data["settings"] = Settings(**data["settings"])
            data["plan"] = TimingPlan(**data["plan"])
            data["items"] = tuple(Item(**item) for item in data["items"])
            data["cpus"] = tuple(data["cpus"])
            return Job(**data)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MeasurementError(f"{path} is no job: {error}") from error
