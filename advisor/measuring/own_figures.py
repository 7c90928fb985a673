"""The user's own measurements as estimates: they outrank what others published.

Read by the standard library alone, so that an answer does not wait for a database layer.
"""

import json
import logging
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from statistics import median

from advisor.core.estimate import Estimate, Interval, Origin, Provenance
from advisor.core.lane import Lane
from advisor.core.quantity import Metric
from advisor.core.spread import agree, between_sessions
from advisor.hardware.library import advisor_home

logger = logging.getLogger(__name__)

FILE = "measurements.sqlite"
BUSY = 0.5
"""Share of interrupted passes from which a session is set aside for a quieter one."""
_QUERY = """
SELECT s.unit, s.runtime, s.precision, s.threads, s.batch, s.variant,
       s.machine, s.packages, s.origin, s.started, s.environment,
       f.network, f.resolution, f.latency, f.added_memory, f.energy, f.reasons, f.output_error,
       f.disturbed
FROM figure f JOIN session s ON s.id = f.session
WHERE s.device = ? AND f.latency IS NOT NULL AND s.status NOT IN ('running', 'superseded')
ORDER BY s.started
"""


def store_path() -> Path:
    """Where the user's measurements are."""
    return advisor_home() / FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFigure:
    """One network in one session."""

    lane: Lane
    machine: str
    packages: str
    origin: str
    date: str
    cpu: str
    network: str
    resolution: int
    latency: float
    """Seconds of one pass."""
    memory: float | None
    """Bytes that the network adds to its process."""
    energy: float | None
    """Joules of one pass."""
    disturbed: float
    """Share of passes that other work interrupted."""
    doubts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OwnFigures:
    """All own measurements of one device."""

    device: str
    path: Path = field(default_factory=store_path)

    @cached_property
    def figures(self) -> Mapping[tuple[Lane, str, int], tuple[OwnFigure, ...]]:
        """Figures by lane, network and resolution, oldest first; empty where there is no file."""
        found: dict[tuple[Lane, str, int], list[OwnFigure]] = defaultdict(list)
        for one in self._read():
            found[one.lane, one.network, one.resolution].append(one)
        return {key: _alike(figures) for key, figures in found.items()}

    def estimate(
        self, metric: Metric, lane: Lane, network: str, resolution: int, *, level: float
    ) -> Estimate | None:
        """Return what was measured of a network, with the spread between sessions.

        Latency, throughput, peak memory and energy are known; None where nothing was measured.
        """
        figures = self.figures.get((lane, network, resolution))
        values = [_value(metric, one) for one in figures or ()]
        known = [value for value in values if value is not None]
        if figures is None or not known:
            return None
        value, low, high = between_sessions(known, level)
        return Estimate(
            metric=metric,
            value=value,
            interval=Interval(low=low, high=high, level=level),
            provenance=_provenance(figures, known),
        )

    def networks(self, lane: Lane) -> int:
        """Different networks that were measured in a lane."""
        return len({network for found, network, _ in self.figures if found == lane})

    def lanes(self) -> list[Lane]:
        """Lanes with a measurement, the one with the most networks first."""
        found = {lane for lane, _, _ in self.figures}
        return sorted(found, key=lambda lane: (-self.networks(lane), lane.name))

    def _read(self) -> list[OwnFigure]:
        if not self.path.is_file():
            return []
        return [_figure(self.device, row) for row in _select(self.path, _QUERY, [self.device])]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTime:
    """The median of all sessions of one network in one lane."""

    lane: Lane
    network: str
    resolution: int
    seconds: float


def own_times(path: Path | None = None) -> list[OwnTime]:
    """Medians of everything that was measured, on any device; empty where there is no file."""
    place = path or store_path()
    if not place.is_file():
        return []
    found = []
    for (device,) in _select(place, "SELECT DISTINCT device FROM session ORDER BY device", []):
        own = OwnFigures(device=str(device), path=place)
        found += [
            OwnTime(
                lane=lane,
                network=network,
                resolution=resolution,
                seconds=median(one.latency for one in figures),
            )
            for (lane, network, resolution), figures in own.figures.items()
        ]
    return found


def _select(path: Path, query: str, values: list[str]) -> list[tuple[object, ...]]:
    """Run a query on the file without changing it.

    A file that is empty or that cannot be read holds no measurements; a warning says so.
    """
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        _warn_once(f"{path} is not used, it holds no measurements that can be read: {error}")
        return []


@cache
def _warn_once(text: str) -> None:
    logger.warning(text)


def _figure(device: str, row: tuple[object, ...]) -> OwnFigure:
    unit, runtime, precision, threads, batch, variant, machine, packages, origin, started = row[:10]
    environment, network, resolution, latency, memory, energy, reasons, error, disturbed = row[10:]
    doubts = list(json.loads(str(reasons)))
    if precision != "fp32" and isinstance(error, float):
        doubts.append(f"its outputs differ from fp32 by {100 * error:.3g} % of their spread")
    return OwnFigure(
        lane=Lane(
            device=device,
            unit=str(unit),
            runtime=str(runtime),
            precision=str(precision),
            threads=None if threads is None else int(str(threads)),
            batch=int(str(batch)),
            variant=str(variant),
        ),
        machine=str(machine),
        packages=str(packages),
        origin=str(origin),
        date=str(started)[:10],
        cpu=str(json.loads(str(environment)).get("cpu", "")),
        network=str(network),
        resolution=int(str(resolution)),
        latency=float(str(latency)),
        memory=_number(memory),
        energy=_number(energy),
        disturbed=_number(disturbed) or 0.0,
        doubts=tuple(doubts),
    )


def _alike(figures: list[OwnFigure]) -> tuple[OwnFigure, ...]:
    """Keep the figures taken under the newest one's conditions: unlike ones are never combined.

    Of these a session that other work interrupted most of the time counts only where there is
    no quieter one.
    """
    newest = figures[-1]
    same = [one for one in figures if _conditions(one) == _conditions(newest)]
    quiet = [one for one in same if one.disturbed <= BUSY]
    return tuple(quiet or same)


def _conditions(figure: OwnFigure) -> tuple[str, str]:
    return figure.machine, figure.packages


def _value(metric: Metric, figure: OwnFigure) -> float | None:
    images = max(figure.lane.batch, 1)
    if metric is Metric.LATENCY:
        return figure.latency
    if metric is Metric.THROUGHPUT:
        return images / figure.latency
    if metric is Metric.PEAK_MEMORY:
        return figure.memory
    if metric is Metric.ENERGY and figure.energy is not None:
        return figure.energy / images
    return None


def _provenance(figures: tuple[OwnFigure, ...], values: list[float]) -> Provenance:
    newest = figures[-1]
    count = f"{len(values)} session{'s' if len(values) > 1 else ''}"
    place = "measured here" if newest.origin == "here" else f"measured, {newest.origin}"
    return Provenance(
        origin=Origin.MEASURED,
        source=f"{place}: {count}, {newest.packages}{', ' + newest.cpu if newest.cpu else ''}",
        date=newest.date,
        caveats=_caveats(figures, values),
    )


def _caveats(figures: tuple[OwnFigure, ...], values: list[float]) -> tuple[str, ...]:
    found = []
    if len(values) == 1:
        found.append("a single session: how far the next one differs is assumed, not seen")
    if not agree(values):
        found.append(
            f"sessions differ by a factor of {max(values) / min(values):.2f}; measure again"
        )
    return (*found, *_newest_of_a_kind(doubt for one in figures for doubt in one.doubts))


def _newest_of_a_kind(doubts: Iterable[str]) -> tuple[str, ...]:
    """Of doubts that differ in their numbers only keep the newest."""
    return tuple({re.sub(r"[\d.]+", "#", doubt): doubt for doubt in doubts}.values())


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))
