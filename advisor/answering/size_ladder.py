"""Size ladder: latencies that never fall with the input or the width of one network.

Two sizes of one network are two independent predictions that may cross where a lane has few
figures, which say more of one size than of the other: one neighbouring pair in a hundred does. A
prediction is therefore no lower than those of the catalog's smaller inputs and narrower versions
of the same network in the same lane. An input that the catalog has not counted lies between those
that it has; where a blueprint gives the workload at any input, the multiples of 32 pixels below it
are rungs too.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from advisor.core.candidate import Candidate
from advisor.core.frozen_record import Record
from advisor.core.workload_table import WorkloadTable
from advisor.errors import UsageError
from advisor.networks.blueprints.aliases import ALIASES, as_variant

if TYPE_CHECKING:
    from advisor.estimators.latency import Prediction

LONGER = "as long as a smaller input or a narrower version takes: less was predicted of this size"
NOTED = 1.01
"""Factor by which a latency has to be raised for the caveat."""
STEP = 32
"""Pixels between the inputs that are rungs where the catalog has not counted the one asked for."""
Key = tuple[str, int]
"""A network and its input."""
Series = tuple[str, tuple[tuple[str, float], ...]]
"""Stock network, and its axes but for the width."""


class _Size(NamedTuple):
    """Size of one network of a series."""

    width: float
    resolution: int
    network: str

    @property
    def key(self) -> Key:
        return self.network, self.resolution

    def is_below(self, other: "_Size") -> bool:
        """Whether nothing of it is larger and something is smaller."""
        mine, its = (self.width, self.resolution), (other.width, other.resolution)
        return mine != its and self.width <= other.width and self.resolution <= other.resolution


class SizeLadder(Record):
    """The sizes of each network that the catalog has counted."""

    table: WorkloadTable

    @cached_property
    def _sizes(self) -> dict[Series, list[_Size]]:
        found: dict[Series, list[_Size]] = defaultdict(list)
        for network, resolution in self.table.index:
            series, width = _place(network)
            found[series].append(_Size(width, resolution, network))
        return found

    def below(self, table: WorkloadTable) -> list[list[Key]]:
        """Return of each network of ``table`` its smaller versions."""
        found = []
        for network, side in _keys(table):
            series, width = _place(network)
            own = _Size(width, side, network)
            lesser = [one.key for one in self._sizes.get(series, ()) if one.is_below(own)]
            if self._is_between(network, side):
                counted = set(lesser)
                steps = ((network, rung) for rung in range(STEP, side, STEP))
                lesser += [one for one in steps if one not in counted]
            found.append(lesser)
        return found

    def above(self, table: WorkloadTable) -> list[Key | None]:
        """Return the next larger input of each network whose own the catalog has not counted."""
        found: list[Key | None] = []
        for network, side in _keys(table):
            larger = [
                one.resolution
                for one in self._sizes.get(_place(network)[0], ())
                if one.network == network and one.resolution > side
            ]
            between = larger and self._is_between(network, side)
            found.append((network, min(larger)) if between else None)
        return found

    def _is_between(self, network: str, side: int) -> bool:
        """Whether the input of a stock network is not counted, but follows by arithmetic."""
        if (network, side) in self.table.index:
            return False
        from advisor.networks.blueprints.stock import has_blueprint

        return has_blueprint(network)

    def tables(self, keys: Iterable[Key]) -> Iterator[WorkloadTable]:
        """Return the workloads of some sizes: those counted, then those that a blueprint gives."""
        every = sorted(keys)
        counted = [self.table.index[key] for key in every if key in self.table.index]
        if counted:
            yield self.table.rows(counted)
        others = [key for key in every if key not in self.table.index]
        if others:
            from advisor.networks.pricing.prices import price

            yield price([Candidate(architecture=name, resolution=side) for name, side in others])


def _keys(table: WorkloadTable) -> Iterable[Key]:
    return zip(table.networks, table.resolutions.tolist(), strict=True)


@cache
def _place(network: str) -> tuple[Series, float]:
    """Return the series of a network and its width."""
    if network in ALIASES:
        variant = as_variant(Candidate(architecture=network))
    elif network.isidentifier():  # a name without axes, as most are
        return (network, ()), 1.0
    else:
        try:
            variant = as_variant(Candidate.parse(network))
        except UsageError:  # of a module or a file
            return (network, ()), 1.0
    others = tuple(axis for axis in variant.axes if axis[0] != "width")
    return (variant.architecture, others), variant.axis("width")


Ends = tuple[float, float, float]
"""Low, value and high of a latency in seconds."""


def ends_of(found: "Prediction", row: int) -> Ends:
    """Return what is predicted of one network."""
    return float(found.low[row]), float(found.value[row]), float(found.high[row])


def risen(
    found: "Prediction", below: Sequence[Sequence[Key]], smaller: Mapping[Key, Ends]
) -> "Prediction":
    """Raise predictions to those of smaller versions, which ``below`` names for each network."""
    ends = [ends_of(found, row) for row in range(len(below))]
    caveats = list(found.caveats)
    for row, lesser in enumerate(below):
        if lesser:
            value = ends[row][1]
            low, most, high = map(max, zip(ends[row], *(smaller[k] for k in lesser), strict=True))
            ends[row] = (low, most, high)
            if most > NOTED * value:
                caveats[row] = (LONGER, *caveats[row])
    return _with_ends(replace(found, caveats=tuple(caveats)), ends)


def lowered(
    found: "Prediction", above: Sequence[Key | None], larger: Mapping[Key, Ends]
) -> "Prediction":
    """Lower predictions to those of the larger inputs that ``above`` names."""
    ends = [ends_of(found, row) for row in range(len(above))]
    for row, key in enumerate(above):
        if key is not None:
            low, value, high = map(min, zip(ends[row], larger[key], strict=True))
            ends[row] = (low, value, high)
    return _with_ends(found, ends)


def _with_ends(found: "Prediction", ends: Sequence[Ends]) -> "Prediction":
    low, value, high = np.array(ends, np.float64).reshape(-1, 3).T
    return replace(found, low=low, value=value, high=high)
