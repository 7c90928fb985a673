"""Publications: how far an independent publication of a cell is from the first.

Two publications of one network in one lane differ by what neither states: versions, clocks, input
handling. The quantiles of the absolute log ratio are what "published" intervals are made of.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.catalog.measurements import Measurement, read_all
from advisor.catalog.published import PUBLICATIONS
from advisor.core.lane import Lane
from advisor.estimators.calibration import LEVELS, conformal

Floats = NDArray[np.float64]

LEAST, LEAST_GROUPS = 20, 4
"""Pairs, and groups of them, below which nothing is learned."""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Cells that two publications report."""

    ratios: Floats
    """Absolute log ratio of their medians."""
    group: NDArray[np.str_]
    """Both publications and the device: such ratios go together."""

    def quantiles(self) -> tuple[float, ...] | None:
        """Return the quantile of the ratios at each level; None where there are too few."""
        if len(self.ratios) < LEAST or len(np.unique(self.group)) < LEAST_GROUPS:
            return None
        return conformal(self.ratios, self.group)

    def held_out(self, level: float) -> NDArray[np.bool_] | None:
        """Return of each pair whether the interval of the other groups holds it, if they do."""
        if self.quantiles() is None:
            return None
        inside = np.zeros(len(self.ratios), bool)
        for name in np.unique(self.group):
            mine = self.group == name
            others = Pairs(ratios=self.ratios[~mine], group=self.group[~mine]).quantiles()
            if others is None:
                return None
            inside[mine] = self.ratios[mine] <= np.interp(level, LEVELS, others)
        return inside


def pairs_of(rows: Iterable[Measurement]) -> Pairs:
    """Pair the publications of every cell."""
    found = list(_pairs(rows))
    return Pairs(
        ratios=np.array([ratio for ratio, _ in found], np.float64),
        group=np.array([group for _, group in found], np.str_),
    )


def _pairs(rows: Iterable[Measurement]) -> Iterator[tuple[float, str]]:
    cells: dict[tuple[Lane, str, int | None], dict[str, list[float]]] = defaultdict(dict)
    for row in rows:
        if row.usable and row.is_latency:
            cells[row.lane, row.network, row.resolution].setdefault(row.source, []).append(
                row.seconds_per_image
            )
    for (lane, _, _), by_source in cells.items():
        for one, other in combinations(sorted(by_source), 2):
            ratio = np.log(np.median(by_source[one]) / np.median(by_source[other]))
            yield abs(float(ratio)), f"{one} {other} {lane.device}"


def write_publications(root: Path) -> None:
    """Learn the spread between publications of the catalog in ``root`` and write it there."""
    pairs = pairs_of(row for device in read_all(root).values() for row in device)
    quantiles = pairs.quantiles()
    document = {
        "pairs": len(pairs.ratios),
        "levels": list(LEVELS),
        "log_ratio": None if quantiles is None else [round(q, 4) for q in quantiles],
    }
    (root / PUBLICATIONS).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
