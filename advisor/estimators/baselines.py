"""Baselines: the simple estimators that a better one has to beat.

``line_in_macs`` fits log seconds = a + b · log MACs to a lane's own cells. ``roofline`` takes the
larger of arithmetic over peak and bytes over bandwidth (Williams et al. 2009), layer by layer,
from the device's profile, and scales it to the lane's cells where there are some.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.core.workload import Fusion
from advisor.core.workload_table import WorkloadTable
from advisor.estimators.lane_relations import LaneFacts

Floats = NDArray[np.float64]

_BYTES = {"fp32": 4.0, "amp": 2.0, "fp16": 2.0, "bf16": 2.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Log seconds as a line in log MACs."""

    intercept: float
    slope: float

    def predict(self, macs: Floats) -> Floats:
        """Return the seconds of networks with some MACs."""
        seconds: Floats = np.exp(self.intercept + self.slope * np.log(macs))
        return seconds


def line_in_macs(macs: Floats, seconds: Floats) -> Line:
    """Fit the line to measured networks; with one network, or equal ones, the slope is 1."""
    x, y = np.log(macs), np.log(seconds)
    spread = x.var()
    slope = float(((x - x.mean()) * (y - y.mean())).mean() / spread) if spread > 1e-12 else 1.0
    return Line(intercept=float(y.mean() - slope * x.mean()), slope=slope)


def roofline(facts: LaneFacts, table: WorkloadTable) -> Floats | None:
    """Return seconds of one image by the plain roofline; None where a peak is unknown.

    Operators that fold into the one before them are free; nothing overlaps between layers.
    """
    if np.isnan(facts.peak) or np.isnan(facts.bandwidth):
        return None
    width = _BYTES.get(facts.lane.precision, 1.0)
    kept = table.column("fusion") == int(Fusion.NONE)
    moved = sum(table.column(name) for name in ("reads", "writes", "weights"))
    compute = 2 * table.column("macs") / facts.peak
    memory = np.asarray(moved) * width / facts.bandwidth
    return table.total(np.maximum(compute, memory) * kept)


def scaled(predicted: Floats, seconds: Floats) -> float:
    """Return the factor that brings predictions to measured seconds: median of the ratios."""
    return float(np.median(seconds / predicted)) if len(seconds) else 1.0
