"""The user's own measurements as estimates: they outrank what others published.

Read by the standard library alone, so that an answer does not wait for a database layer.
"""

import json
import logging
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from statistics import median
from typing import Any

from advisor.core.estimate import Estimate, Interval, Origin, Provenance
from advisor.core.lane import Lane
from advisor.core.quantity import Metric
from advisor.core.spread import agree, between_sessions
from advisor.files.plain_text import is_there
from advisor.hardware.library import advisor_home

logger = logging.getLogger(__name__)

FILE = "measurements.sqlite"
BUSY = 0.5
"""Share of interrupted passes from which a session is set aside for a quieter one."""
_SESSIONS = """
SELECT id, unit, runtime, precision, threads, batch, variant, machine, packages, origin, started,
       environment
FROM session
WHERE device = ? AND status NOT IN ('running', 'superseded')
ORDER BY started, rowid
"""
_FIGURES = """
SELECT f.session, f.network, f.resolution, f.latency, f.added_memory, f.energy, f.reasons,
       f.output_error, f.disturbed
FROM figure f JOIN session s ON s.id = f.session
WHERE s.device = ? AND f.latency IS NOT NULL AND s.status NOT IN ('running', 'superseded')
ORDER BY s.started
"""


_LATENCY, _DISTURBED = 2, 7
"""Places of a stored figure's values."""


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


@dataclass(frozen=True, slots=True)
class _Conditions:
    """What the figures of one session have in common."""

    lane: Lane
    machine: str
    packages: str
    origin: str
    date: str
    cpu: str


_Row = tuple[_Conditions, tuple[Any, ...]]
"""A figure as it is stored, from its network on, and its session."""
_Key = tuple[Lane, str, int]


class _Figures(Mapping[_Key, tuple[OwnFigure, ...]]):
    """Figures by lane, network and resolution; built when they are asked for, of many rows few."""

    def __init__(self, rows: Mapping[_Key, Sequence[_Row]]) -> None:
        self._rows = rows
        self._built: dict[_Key, tuple[OwnFigure, ...]] = {}

    def __getitem__(self, key: _Key) -> tuple[OwnFigure, ...]:
        if key not in self._built:
            self._built[key] = tuple(_figure(*row) for row in _alike(self._rows[key]))
        return self._built[key]

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[_Key]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def seconds(self) -> Iterator[tuple[_Key, float]]:
        """Yield the median latency of the figures of each network."""
        for key, rows in self._rows.items():
            yield key, median(values[_LATENCY] for _, values in _alike(rows))


@dataclass(frozen=True, kw_only=True)
class OwnFigures:
    """All own measurements of one device, read once."""

    device: str
    path: Path = field(default_factory=store_path)

    @cached_property
    def figures(self) -> _Figures:
        """Figures by lane, network and resolution, oldest first; empty where there is no file."""
        found: dict[_Key, list[_Row]] = defaultdict(list)
        if not is_there(self.path):
            return _Figures(dict(found))
        sessions = {
            row[0]: _conditions(self.device, row[1:])
            for row in _select(self.path, _SESSIONS, [self.device])
        }
        for session, *values in _select(self.path, _FIGURES, [self.device]):
            if session in sessions:  # not taken in between the two readings
                conditions = sessions[session]
                found[conditions.lane, values[0], values[1]].append((conditions, tuple(values)))
        return _Figures(dict(found))

    def estimate(
        self, metric: Metric, lane: Lane, network: str, resolution: int, *, level: float
    ) -> Estimate | None:
        """Return what was measured of a network, with the spread between sessions.

        Latency, throughput, peak memory and energy are known; None where nothing was measured.
        """
        key = (lane, network, resolution)
        if key not in self.figures:
            return None
        figures = self.figures[key]
        values = [_value(metric, one) for one in figures]
        known = [value for value in values if value is not None]
        if not known:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTime:
    """The median of all sessions of one network in one lane."""

    lane: Lane
    network: str
    resolution: int
    seconds: float


def own_times(
    path: Path | None = None, own: Callable[[str], OwnFigures] | None = None
) -> list[OwnTime]:
    """Medians of everything that was measured, on any device; empty where there is no file.

    ``own`` gives the figures of a device that were read before.
    """
    place = path or store_path()
    if not is_there(place):
        return []
    found = []
    for (device,) in _select(place, "SELECT DISTINCT device FROM session ORDER BY device", []):
        figures = own(device) if own else OwnFigures(device=device, path=place)
        found += [
            OwnTime(lane=lane, network=network, resolution=resolution, seconds=seconds)
            for (lane, network, resolution), seconds in figures.figures.seconds()
        ]
    return found


def _select(path: Path, query: str, values: list[str]) -> list[tuple[Any, ...]]:
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


def _conditions(device: str, row: tuple[Any, ...]) -> _Conditions:
    unit, runtime, precision, threads, batch, variant, machine, packages, origin, started = row[:10]
    lane = Lane(
        device=device,
        unit=unit,
        runtime=runtime,
        precision=precision,
        threads=threads,
        batch=batch,
        variant=variant,
    )
    cpu = str(json.loads(row[10]).get("cpu", ""))
    return _Conditions(lane, machine, packages, origin, str(started)[:10], cpu)


def _figure(conditions: _Conditions, values: tuple[Any, ...]) -> OwnFigure:
    network, resolution, latency, memory, energy, reasons, error, disturbed = values
    doubts = list(json.loads(reasons))
    if conditions.lane.precision != "fp32" and error is not None:
        doubts.append(f"its outputs differ from fp32 by {100 * error:.3g} % of their spread")
    return OwnFigure(
        lane=conditions.lane,
        machine=conditions.machine,
        packages=conditions.packages,
        origin=conditions.origin,
        date=conditions.date,
        cpu=conditions.cpu,
        network=network,
        resolution=resolution,
        latency=latency,
        memory=memory,
        energy=energy,
        disturbed=disturbed or 0.0,
        doubts=tuple(doubts),
    )


def _alike(rows: Sequence[_Row]) -> Sequence[_Row]:
    """Keep the figures taken under the newest one's conditions: unlike ones are never combined.

    Of these a session that other work interrupted most of the time counts only where there is
    no quieter one.
    """
    newest = rows[-1][0]
    machine, packages = newest.machine, newest.packages
    same = [row for row in rows if row[0].machine == machine and row[0].packages == packages]
    quiet = [row for row in same if (row[1][_DISTURBED] or 0.0) <= BUSY]
    return quiet or same


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
