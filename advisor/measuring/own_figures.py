"""The user's own measurements as estimates: they outrank what others published.

Read by the standard library alone, so that an answer does not wait for a database layer.
"""

import json
import logging
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import chain
from math import isfinite
from pathlib import Path
from statistics import median
from typing import Any

from advisor.core.estimate import Estimate, Interval, Origin, Provenance
from advisor.core.frozen_record import Record
from advisor.core.lane import Lane
from advisor.core.quantity import Metric
from advisor.core.spread import agree, between_sessions
from advisor.files.plain_text import is_there
from advisor.hardware.library import advisor_home

logger = logging.getLogger("advisor")

FILE = "measurements.sqlite"
BUSY = 0.5
"""Share of interrupted passes from which a session is set aside for a quieter one."""
_SESSIONS = """
SELECT id, unit, runtime, precision, threads, batch, variant, machine, packages, origin, started,
       environment
FROM session
WHERE device = ? AND status NOT IN ('running', 'superseded')
"""
_FIGURES = """
SELECT f.session, f.network, f.resolution, f.reasons,
       packed(f.latency, ifnull(f.added_memory, 9e999), ifnull(f.energy, 9e999),
              ifnull(f.output_error, 9e999), ifnull(f.disturbed, 0.0))
FROM figure f JOIN session s ON s.id = f.session
WHERE s.device = ? AND f.latency IS NOT NULL AND s.status NOT IN ('running', 'superseded')
GROUP BY s.started, s.rowid, f.network, f.resolution, f.reasons
ORDER BY s.started, s.rowid
"""
_LATENCY, _MEMORY, _ENERGY, _ERROR, _DISTURBED = _PLACES = range(5)
"""Places of a figure's numbers in what is packed; infinite where there is none."""


def store_path() -> Path:
    """Where the user's measurements are."""
    return advisor_home() / FILE


@dataclass(frozen=True, slots=True)
class _Conditions:
    """What the figures of one session have in common."""

    lane: Lane
    machine: str
    packages: str
    origin: str
    date: str
    cpu: str


@dataclass(frozen=True, slots=True)
class _Group:
    """Figures of one network in one session, of which the same is doubted."""

    conditions: _Conditions
    reasons: str
    """JSON list."""
    packed: bytes
    """Five numbers of each figure."""

    def column(self, place: int) -> list[float]:
        """One number of each figure."""
        numbers = array("d")
        numbers.frombytes(self.packed)
        return numbers[place :: len(_PLACES)].tolist()


@dataclass(frozen=True, slots=True)
class OwnFigure:
    """What was measured of one network in one lane, under the conditions of the newest session.

    Figures of unlike conditions are never combined. Of these a figure that other work
    interrupted most of the time counts only where there is no quieter one.
    """

    groups: tuple[_Group, ...]

    @staticmethod
    def of(groups: Sequence[_Group]) -> "OwnFigure":
        """Keep what was taken under the newest one's conditions."""
        newest = groups[-1].conditions
        machine, packages = newest.machine, newest.packages
        alike = [
            group
            for group in groups
            if group.conditions.machine == machine and group.conditions.packages == packages
        ]
        return OwnFigure(tuple(_quiet(alike) or alike))

    @property
    def newest(self) -> _Conditions:
        """Conditions of the newest session."""
        return self.groups[-1].conditions

    def values(self, metric: Metric) -> list[float]:
        """One value of each session that has one, in SI."""
        images = max(self.newest.lane.batch, 1)
        if metric is Metric.LATENCY:
            return self._column(_LATENCY)
        if metric is Metric.THROUGHPUT:
            return [images / seconds for seconds in self._column(_LATENCY)]
        if metric is Metric.PEAK_MEMORY:
            return self._column(_MEMORY)
        if metric is Metric.ENERGY:
            return [joules / images for joules in self._column(_ENERGY)]
        return []

    def _column(self, place: int) -> list[float]:
        return [number for group in self.groups for number in filter(isfinite, group.column(place))]

    def doubts(self) -> Iterator[str]:
        """Yield what speaks against the figures, oldest first."""
        for group in self.groups:
            yield from json.loads(group.reasons)
            if group.conditions.lane.precision != "fp32":
                for error in filter(isfinite, group.column(_ERROR)):
                    yield f"its outputs differ from fp32 by {100 * error:.3g} % of their spread"


def _quiet(groups: Sequence[_Group]) -> list[_Group]:
    """Leave out what other work interrupted most of the time."""
    found = []
    for group in groups:
        busy = [disturbed > BUSY for disturbed in group.column(_DISTURBED)]
        if not any(busy):
            found.append(group)
        elif not all(busy):
            found.append(replace(group, packed=_without(group.packed, busy)))
    return found


def _without(packed: bytes, left_out: Sequence[bool]) -> bytes:
    size = 8 * len(_PLACES)
    kept = [place for place, out in enumerate(left_out) if not out]
    return b"".join(packed[size * place : size * (place + 1)] for place in kept)


_Key = tuple[Lane, str, int]


class _Figures(Mapping[_Key, OwnFigure]):
    """Figures by lane, network and resolution; sorted out when they are asked for."""

    def __init__(self, groups: Mapping[_Key, Sequence[_Group]]) -> None:
        self._groups = groups
        self._found: dict[_Key, OwnFigure] = {}

    def __getitem__(self, key: _Key) -> OwnFigure:
        if key not in self._found:
            self._found[key] = OwnFigure.of(self._groups[key])
        return self._found[key]

    def __contains__(self, key: object) -> bool:
        return key in self._groups

    def __iter__(self) -> Iterator[_Key]:
        return iter(self._groups)

    def __len__(self) -> int:
        return len(self._groups)


class OwnFigures(Record):
    """All own measurements of one device, read once."""

    device: str
    path: Path = field(default_factory=store_path)

    _estimates: dict[tuple[Metric, _Key, float], Estimate | None] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def figures(self) -> _Figures:
        """Figures by lane, network and resolution; empty where there is no file.

        The database brings the figures of a session together, so that a hundred thousand take
        their numbers alone.
        """
        found: dict[_Key, list[_Group]] = defaultdict(list)
        if not is_there(self.path):
            return _Figures(found)
        rows, figures = _select(self.path, (_SESSIONS, _FIGURES), [self.device])
        sessions = {row[0]: _conditions(self.device, row[1:]) for row in rows}
        for session, network, resolution, reasons, packed in figures:
            conditions = sessions[session]
            group = _Group(conditions, reasons, packed)
            found[conditions.lane, network, resolution].append(group)
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
        if (metric, key, level) not in self._estimates:
            self._estimates[metric, key, level] = _estimate(metric, self.figures[key], level)
        return self._estimates[metric, key, level]

    def networks(self, lane: Lane) -> int:
        """Different networks that were measured in a lane."""
        return self._networks.get(lane, 0)

    def lanes(self) -> list[Lane]:
        """Lanes with a measurement, the one with the most networks first."""
        return sorted(self._networks, key=lambda lane: (-self._networks[lane], lane.name))

    @cached_property
    def _networks(self) -> Mapping[Lane, int]:
        return Counter(lane for lane, _ in {(lane, network) for lane, network, _ in self.figures})


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
    (devices,) = _select(place, ("SELECT DISTINCT device FROM session ORDER BY device",), [])
    for (device,) in devices:
        figures = (own(device) if own else OwnFigures(device=device, path=place)).figures
        found += [
            OwnTime(
                lane=lane,
                network=network,
                resolution=resolution,
                seconds=median(figures[lane, network, resolution].values(Metric.LATENCY)),
            )
            for lane, network, resolution in figures
        ]
    return found


class _Packed:
    """Aggregate of the database: the numbers of all rows, one after the other."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, ...]] = []

    def step(self, *numbers: float) -> None:
        """Take a row."""
        self._rows.append(numbers)

    def finalize(self) -> bytes:
        """Give all of them."""
        return array("d", chain.from_iterable(self._rows)).tobytes()


def _select(path: Path, queries: Sequence[str], values: list[str]) -> list[list[tuple[Any, ...]]]:
    """Run queries on one state of the file without changing it.

    A file that is empty or that cannot be read holds no measurements; a warning says so.
    """
    import sqlite3

    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
        try:
            connection.create_aggregate("packed", len(_PLACES), _Packed)  # type: ignore[arg-type]
            connection.execute("BEGIN")
            return [connection.execute(query, values).fetchall() for query in queries]
        finally:
            connection.close()
    except sqlite3.Error as error:
        _warn_once(f"{path} is not used, it holds no measurements that can be read: {error}")
        return [[] for _ in queries]


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


def _estimate(metric: Metric, figure: OwnFigure, level: float) -> Estimate | None:
    known = figure.values(metric)
    if not known:
        return None
    value, low, high = between_sessions(known, level)
    return Estimate(
        metric=metric,
        value=value,
        interval=Interval(low=low, high=high, level=level),
        provenance=_provenance(figure, known),
    )


def _provenance(figure: OwnFigure, values: list[float]) -> Provenance:
    newest = figure.newest
    count = f"{len(values)} session{'s' if len(values) > 1 else ''}"
    place = "measured here" if newest.origin == "here" else f"measured, {newest.origin}"
    return Provenance(
        origin=Origin.MEASURED,
        source=f"{place}: {count}, {newest.packages}{', ' + newest.cpu if newest.cpu else ''}",
        date=newest.date,
        caveats=_caveats(figure, values),
    )


def _caveats(figure: OwnFigure, values: list[float]) -> tuple[str, ...]:
    found = []
    if len(values) == 1:
        found.append("a single session: how far the next one differs is assumed, not seen")
    if not agree(values):
        found.append(
            f"sessions differ by a factor of {max(values) / min(values):.2f}; measure again"
        )
    return (*found, *_newest_of_a_kind(figure.doubts()))


def _newest_of_a_kind(doubts: Iterable[str]) -> tuple[str, ...]:
    """Of doubts that differ in their numbers only keep the newest."""
    return tuple({re.sub(r"[\d.]+", "#", doubt): doubt for doubt in doubts}.values())
