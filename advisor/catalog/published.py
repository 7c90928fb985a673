"""Published figures of a lane as estimates, with the noise that repeated publications show."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import NormalDist

from advisor.catalog.measurements import Cell, Measurement, caveat_texts, cells, read_device
from advisor.core.estimate import Estimate, Interval, Origin, Provenance
from advisor.core.lane import Lane
from advisor.core.quantity import Metric

NOISE = {"exact": 0.06, "close": 0.12}
"""Standard deviation of the logarithm between a published figure and a repetition of it.

From cells that several publications report for the same lane and network; a network that is
only close to the one named differs about twice as much.
"""

MEMORY_NOISE = 0.25
"""The same of published peaks of memory: they are rounded to a megabyte, and runtimes' versions
plan differently."""


@dataclass(frozen=True, kw_only=True)
class PublishedFigures:
    """All cells of one device."""

    root: Path
    """Folder of the catalog."""
    device: str
    without: frozenset[tuple[Lane, str, int]] = frozenset()
    """Cells (lane, network, resolution) that are taken as not published, to judge answers by."""

    @cached_property
    def measurements(self) -> list[Measurement]:
        """Rows of the device, those left out included; empty where nothing was published."""
        path = self.root / "measurements" / f"{self.device}.csv"
        return read_device(self.root, self.device) if path.exists() else []

    @cached_property
    def cells(self) -> Mapping[tuple[Lane, str, int], Cell]:
        """Usable rows, aggregated per lane, network and resolution."""
        found = cells(self.measurements)
        return {key: cell for key, cell in found.items() if key not in self.without}

    def networks(self, lane: Lane) -> int:
        """Different networks with a figure for the lane."""
        return len({network for found, network, _ in self.cells if found == lane})

    def is_pipelined(self, lane: Lane) -> bool:
        """Whether the lane's figures are throughputs from which no latency follows."""
        mine = [cell for (found, _, _), cell in self.cells.items() if found == lane]
        return bool(mine) and not lane.is_bulk and all(cell.latency is None for cell in mine)

    def estimate(
        self, metric: Metric, lane: Lane, network: str, resolution: int, *, level: float
    ) -> Estimate | None:
        """Return latency or throughput of a network as published; None where it is not.

        A bulk lane gives the time of one image.
        """
        cell = self.cells.get((lane, network, resolution))
        if cell is None or (metric is Metric.LATENCY and cell.latency is None and not lane.is_bulk):
            return None
        seconds = cell.seconds_per_image if lane.is_bulk else cell.latency
        if metric is Metric.THROUGHPUT:
            value = 1 / cell.seconds_per_image
        else:
            value = seconds or cell.seconds_per_image
        return Estimate(
            metric=metric,
            value=value,
            interval=_interval(value, cell, level),
            provenance=self._provenance(cell),
        )

    def peak_memory(
        self, lane: Lane, network: str, resolution: int, *, level: float
    ) -> Estimate | None:
        """Return the peak memory of a network as published; None where it is not."""
        cell = self.cells.get((lane, network, resolution))
        if cell is None or cell.memory is None:
            return None
        factor = math.exp(NormalDist().inv_cdf((1 + level) / 2) * MEMORY_NOISE)
        return Estimate(
            metric=Metric.PEAK_MEMORY,
            value=cell.memory,
            interval=Interval(low=cell.memory / factor, high=cell.memory * factor, level=level),
            provenance=self._provenance(cell),
        )

    def _provenance(self, cell: Cell) -> Provenance:
        texts = caveat_texts(self.root)
        return Provenance(
            origin=Origin.PUBLISHED,
            source="; ".join(cell.source_refs[:3])
            + (f" and {len(cell.source_refs) - 3} more" if len(cell.source_refs) > 3 else ""),
            date=cell.newest,
            caveats=tuple(texts.get(slug, slug) for slug in cell.caveats),
        )


def _interval(value: float, cell: Cell, level: float) -> Interval:
    """Widen by the noise between publications, and to half the spread of the cell's own rows."""
    quantile = NormalDist().inv_cdf((1 + level) / 2)
    log_half = max(quantile * NOISE.get(cell.match, NOISE["close"]), math.log(cell.spread) / 2)
    factor = math.exp(log_half)
    return Interval(low=value / factor, high=value * factor, level=level)
