"""Source: the network that a runtime converts, with the images that go with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.errors import MeasurementError

if TYPE_CHECKING:
    from advisor.measuring.runtimes import Images


@dataclass(frozen=True, kw_only=True)
class Source:
    """A prepared network in eager PyTorch, or the ONNX file that a user brought."""

    name: str
    """Spelling of the candidate."""
    network: Any
    """The torch module in evaluation mode; None where only an ONNX file is known."""
    example: Images
    """One batch of the size that will be timed."""
    calibration: tuple[Images, ...]
    """Batches for the quantiser, each of the size that will be timed."""
    onnx_file: Callable[[], Path]
    """Export to ONNX, or return the file of an earlier export; other exports share it: never
    change it in place."""

    def module(self, runtime: str) -> Any:
        """Return the torch module; MeasurementError where the network is an ONNX file."""
        if self.network is None:
            raise MeasurementError(f"{self.name}: {runtime} converts from PyTorch, not from ONNX")
        return self.network
