"""Size ladder: latencies that never fall with the input or the width of one network.

Two sizes of one network are two independent predictions that may cross where a lane has few
figures, which say more of one size than of the other: one neighbouring pair in a hundred does. A
prediction is therefore no lower than those of the catalog's smaller inputs and narrower versions
of the same network in the same lane. Sizes that the catalog has not counted are no rungs.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from advisor.core.candidate import Candidate
from advisor.core.workload_table import WorkloadTable
from advisor.errors import UsageError
from advisor.networks.blueprints.aliases import as_variant

if TYPE_CHECKING:
    from advisor.estimators.latency import Prediction

LONGER = "as long as a smaller input or a narrower version takes: less was predicted of this size"
NOTED = 1.01
"""Factor by which a latency has to be raised for the caveat."""
Series = tuple[str, tuple[tuple[str, float], ...]]
"""Stock network, and its axes but for the width."""


@dataclass(frozen=True, slots=True)
class _Size:
    """Size of one network of a series."""

    width: float
    resolution: int
    row: int

    def is_below(self, other: "_Size") -> bool:
        """Whether nothing of it is larger and something is smaller."""
        mine, its = (self.width, self.resolution), (other.width, other.resolution)
        return mine != its and self.width <= other.width and self.resolution <= other.resolution


@dataclass(frozen=True, kw_only=True)
class SizeLadder:
    """The sizes of each network that the catalog has counted."""

    table: WorkloadTable

    @cached_property
    def _sizes(self) -> dict[Series, list[_Size]]:
        found: dict[Series, list[_Size]] = defaultdict(list)
        for (network, resolution), row in self.table.index.items():
            series, width = _place(network)
            found[series].append(_Size(width, resolution, row))
        return {series: sizes for series, sizes in found.items() if len(sizes) > 1}

    def below(self, table: WorkloadTable) -> list[list[int]]:
        """Return of each network of ``table`` the rows of the catalog's smaller versions."""
        found = []
        for network, resolution in zip(table.networks, table.resolutions.tolist(), strict=True):
            series, width = _place(network)
            own = _Size(width, resolution, -1)
            found.append([one.row for one in self._sizes.get(series, ()) if one.is_below(own)])
        return found


@cache
def _place(network: str) -> tuple[Series, float]:
    """Return the series of a network and its width."""
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
    found: "Prediction", below: Sequence[Sequence[int]], smaller: Mapping[int, Ends]
) -> "Prediction":
    """Raise predictions to those of smaller versions, which ``below`` names for each network."""
    ends = [ends_of(found, row) for row in range(len(below))]
    caveats = list(found.caveats)
    for row, lesser in enumerate(below):
        if lesser:
            value = ends[row][1]
            low, most, high = map(max, zip(ends[row], *(smaller[r] for r in lesser), strict=True))
            ends[row] = (low, most, high)
            if most > NOTED * value:
                caveats[row] = (LONGER, *caveats[row])
    low_, value_, high_ = np.array(ends, np.float64).reshape(-1, 3).T
    return replace(found, low=low_, value=value_, high=high_, caveats=tuple(caveats))
