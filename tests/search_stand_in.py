"""A device whose figures are mental arithmetic, for the tests of the search."""

from collections.abc import Sequence

import numpy as np

from advisor.core.candidate import Candidate
from advisor.core.estimate import Estimate, Interval, Origin, Provenance
from advisor.core.quantity import Metric
from advisor.core.workload_table import WorkloadTable
from advisor.studies.outcome import Answers

STAND_IN = Provenance(origin=Origin.PREDICTED, source="stand-in")


def estimate(metric: Metric, value: float, share: float) -> Estimate:
    interval = Interval(low=value * (1 - share), high=value * (1 + share), level=0.9)
    return Estimate(metric=metric, value=value, interval=interval, provenance=STAND_IN)


def assess(candidates: Sequence[Candidate], table: WorkloadTable) -> list[Answers]:
    """1 ms for 100 M MACs and 10 M elements moved; top-1 grows with MACs and parameters."""
    moved = (table.column("reads") + table.column("writes")).astype(np.float64)
    seconds = table.macs * 1e-11 + table.total(moved) * 1e-10
    top1 = np.maximum(0.85 - 0.6 * (table.macs / 1e6) ** -0.35 - 2e4 / table.parameters, 0.01)
    return [
        {
            Metric.LATENCY: estimate(Metric.LATENCY, float(s), 0.1),
            Metric.TOP1: estimate(Metric.TOP1, float(a), 0.02),
        }
        for s, a in zip(seconds, top1, strict=True)
    ]
