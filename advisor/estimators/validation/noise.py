"""Noise: how far figures of one lane and network are from one another."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from advisor.catalog.measurements import Measurement
from advisor.core.lane import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Disagreement of pairs of figures; |a / b - 1| with the larger on top."""

    kind: str
    """Whose figures were paired."""
    cells: int
    pairs: int
    median: float
    third_quartile: float
    floor: float
    """Median error that a perfect estimator would show against a single figure."""


def noise_of(rows: Iterable[Measurement]) -> list[Noise]:
    """Measure the noise within publications and between them."""
    groups: dict[tuple[Lane, str, int | None], list[Measurement]] = defaultdict(list)
    for row in rows:
        if row.usable and row.is_latency:
            groups[row.lane, row.network, row.resolution].append(row)
    within: list[float] = []
    between: list[float] = []
    cells = [0, 0]
    for same in groups.values():
        by_source: dict[str, list[float]] = defaultdict(list)
        for row in same:
            by_source[row.source].append(row.seconds_per_image)
        repeated = [_ratios(values) for values in by_source.values()]
        others = _ratios([float(np.median(values)) for values in by_source.values()])
        within += [ratio for ratios in repeated for ratio in ratios]
        between += others
        cells[0] += any(repeated)
        cells[1] += bool(others)
    named = (("runs of one publication", within), ("different publications", between))
    return [_noise(kind, n, ratios) for (kind, ratios), n in zip(named, cells, strict=True)]


def _ratios(values: list[float]) -> list[float]:
    return [max(a, b) / min(a, b) for a, b in combinations(values, 2)]


def _noise(kind: str, cells: int, ratios: list[float]) -> Noise:
    spread = np.array(ratios) if ratios else np.array([np.nan])
    middle = float(np.median(spread))
    # Independent errors of two figures add up in squares: one alone is off by 1/√2 of the pair.
    return Noise(
        kind=kind,
        cells=cells,
        pairs=len(ratios),
        median=middle - 1,
        third_quartile=float(np.quantile(spread, 0.75)) - 1,
        floor=float(np.expm1(np.log(middle) / np.sqrt(2))),
    )
