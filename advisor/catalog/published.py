"""Published figures of a lane as estimates, with the noise that repeated publications show."""

import json
import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from functools import cached_property
from pathlib import Path
from statistics import NormalDist

from advisor.catalog.measurements import Cell, Measurement, caveat_texts, cells, read_device
from advisor.core.conditions import Conditions
from advisor.core.estimate import Estimate, Interval, Origin, Provenance
from advisor.core.frozen_record import Record
from advisor.core.lane import Lane
from advisor.core.quantity import Metric
from advisor.errors import CatalogError

Quantiles = tuple[tuple[float, ...], tuple[float, ...]]
"""Levels, and the quantile of the absolute log ratio at each."""

PUBLICATIONS = "publications.json"
"""How far independent publications of one cell are from one another, learned by the fit."""
NOISE = 0.06
"""Standard deviation of the logarithm between two publications, where nothing was learned."""
CLOSE = 0.12
"""Standard deviation of the logarithm that a network adds which is only close to the named one."""

MEMORY_NOISE = 0.25
"""The same of published peaks of memory: they are rounded to a megabyte, and runtimes' versions
plan differently."""


class PublishedFigures(Record):
    """All cells of one device."""

    root: Path
    """Folder of the catalog."""
    device: str
    without: frozenset[tuple[Lane, str, int]] = frozenset()
    """Cells (lane, network, resolution) that are taken as not published, to judge answers by."""

    conditions: Conditions = field(default_factory=Conditions)
    """Power mode and version that are asked for; cells keep the rows that state them, if any."""

    @cached_property
    def measurements(self) -> list[Measurement]:
        """Rows of the device, those left out included; empty where nothing was published."""
        path = self.root / "measurements" / f"{self.device}.csv"
        return read_device(self.root, self.device) if path.exists() else []

    @cached_property
    def cells(self) -> Mapping[tuple[Lane, str, int], Cell]:
        """Usable rows, aggregated per lane, network and resolution."""
        found = cells(stating(self.measurements, self.conditions))
        return {key: cell for key, cell in found.items() if key not in self.without}

    @cached_property
    def _stated(self) -> frozenset[tuple[Lane, str, int | None]]:
        """Cells with a row that states what is asked for."""
        return frozenset(
            (row.lane, row.network, row.resolution)
            for row in self.measurements
            if row.usable and self.conditions.hold(power_mode=row.power_mode, version=row.version)
        )

    @cached_property
    def _quantiles(self) -> Quantiles | None:
        return read_quantiles(self.root)

    def networks(self, lane: Lane) -> int:
        """Different networks with a figure for the lane."""
        return len({network for found, network, _ in self.cells if found == lane})

    def is_pipelined(self, lane: Lane) -> bool:
        """Whether the lane's figures are throughputs from which no latency follows.

        A unit that was timed pass by pass at another batch is no pipeline: what it does in a
        second is so many passes of several images, one after the other.
        """
        mine = [cell for (found, _, _), cell in self.cells.items() if found == lane]
        if not mine or lane.is_bulk:
            return False
        return all(cell.latency is None for cell in mine) and lane not in self._passing

    @cached_property
    def _passing(self) -> frozenset[Lane]:
        """Lanes of several images that differ in their batch alone from one with latencies."""
        one_pass = {
            replace(lane, batch=1)
            for (lane, _, _), cell in self.cells.items()
            if cell.latency is not None and not lane.is_bulk
        }
        several = {lane for lane, _, _ in self.cells if lane.batch > 1}
        return frozenset(lane for lane in several if replace(lane, batch=1) in one_pass)

    def estimate(
        self, metric: Metric, lane: Lane, network: str, resolution: int, *, level: float
    ) -> Estimate | None:
        """Return latency or throughput of a network as published; None where it is not.

        A bulk lane gives the time of one image.
        """
        cell = self.cells.get((lane, network, resolution))
        if cell is None or (metric is Metric.LATENCY and not self._tells_latency(cell)):
            return None
        if metric is Metric.THROUGHPUT:
            value = 1 / cell.seconds_per_image
        elif lane.is_bulk or cell.latency is None:
            value = cell.seconds_per_image * max(lane.batch, 1)
        else:
            value = cell.latency
        return Estimate(
            metric=metric,
            value=value,
            interval=_interval(value, cell, level, self._quantiles),
            provenance=self._provenance(_derived(cell) if metric is Metric.LATENCY else cell),
        )

    def _tells_latency(self, cell: Cell) -> bool:
        """Whether the time of a pass is published, or follows from what passes in a second."""
        return cell.latency is not None or cell.lane.is_bulk or cell.lane in self._passing

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

    def energy(self, lane: Lane, network: str, resolution: int, *, level: float) -> Estimate | None:
        """Return the energy of one image as measured, with its pass; None where it was not.

        Power and time are of one run, so that a second publication differs as its time does.
        """
        cell = self.cells.get((lane, network, resolution))
        if cell is None or cell.energy is None:
            return None
        return Estimate(
            metric=Metric.ENERGY,
            value=cell.energy,
            interval=_interval(cell.energy, cell, level, self._quantiles),
            provenance=self._provenance(cell),
        )

    def _provenance(self, cell: Cell) -> Provenance:
        texts = caveat_texts(self.root)
        return Provenance(
            origin=Origin.PUBLISHED,
            source="; ".join(cell.source_refs[:3])
            + (f" and {len(cell.source_refs) - 3} more" if len(cell.source_refs) > 3 else ""),
            date=cell.newest,
            caveats=(*self._unstated(cell), *(texts.get(slug, slug) for slug in cell.caveats)),
        )

    def _unstated(self, cell: Cell) -> tuple[str, ...]:
        """Say that a figure is of other, or of unstated, conditions than those asked for."""
        if not self.conditions or (cell.lane, cell.network, cell.resolution) in self._stated:
            return ()
        asked = " and ".join(
            f"{name} {value}"
            for name, value in (
                ("power mode", self.conditions.power_mode),
                ("version", self.conditions.version),
            )
            if value is not None
        )
        return (f"no figure of this network states {asked}: it is of others, or of unstated ones",)


def _derived(cell: Cell) -> Cell:
    """Say of a time of a pass that it follows from a throughput, where that alone is published."""
    if cell.latency is not None or cell.lane.is_bulk:
        return cell
    slugs = ("latency-from-fps" if one == "throughput-only" else one for one in cell.caveats)
    return replace(cell, caveats=tuple(slugs))


def stating(rows: Iterable[Measurement], conditions: Conditions) -> list[Measurement]:
    """Keep of each cell the rows that state the conditions; all of a cell where none does."""
    groups: dict[tuple[Lane, str, int | None], list[Measurement]] = defaultdict(list)
    for row in rows:
        groups[row.lane, row.network, row.resolution].append(row)
    kept = []
    for group in groups.values():
        named = [
            row
            for row in group
            if row.usable and conditions.hold(power_mode=row.power_mode, version=row.version)
        ]
        kept += named or group
    return kept


def _interval(value: float, cell: Cell, level: float, learned: Quantiles | None) -> Interval:
    """Widen to where a second publication would lie, and to half the spread of the cell's rows."""
    normal = NormalDist().inv_cdf((1 + level) / 2)
    log_half = _interpolated(learned, level) if learned else normal * NOISE
    if cell.match != "exact":
        log_half = math.hypot(log_half, normal * CLOSE)
    factor = math.exp(max(log_half, math.log(cell.spread) / 2))
    return Interval(low=value / factor, high=value * factor, level=level)


def _interpolated(learned: Quantiles, level: float) -> float:
    """Return the quantile at a level, linearly between the levels that are kept.

    Beyond them it grows as a normal's: what is rarer than anything seen is wider still.
    """
    levels, values = learned
    for end, beyond in ((0, level < levels[0]), (-1, level > levels[-1])):
        if beyond:
            return values[end] * _two_sided(level) / _two_sided(levels[end])
    after = min(max(bisect_left(levels, level), 1), len(levels) - 1)
    share = (level - levels[after - 1]) / (levels[after] - levels[after - 1])
    return values[after - 1] + share * (values[after] - values[after - 1])


def _two_sided(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)


def read_quantiles(root: Path) -> Quantiles | None:
    """Read the learned levels and quantiles of the log ratio; None where there are none."""
    path = root / PUBLICATIONS
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        values = document["log_ratio"]
        return (tuple(document["levels"]), tuple(values)) if values else None
    except FileNotFoundError:
        return None
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise CatalogError(f"cannot read {path}: {error}") from error
