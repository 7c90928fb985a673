"""Levels: the width of an interval at any level, from its widths at those that are kept."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

_NORMAL = NormalDist()


def at_level(level: float, levels: Sequence[float], quantiles: Sequence[float]) -> float:
    """Interpolate a quantile of absolute errors; beyond the kept levels it grows as a normal's.

    So an interval at 99.9 % is wider than that at 99 %, though nothing that rare was left out.
    """
    if level <= levels[-1] and level >= levels[0]:
        return float(np.interp(level, levels, quantiles))
    kept = -1 if level > levels[-1] else 0
    return float(quantiles[kept]) * _two_sided(level) / _two_sided(levels[kept])


def _two_sided(level: float) -> float:
    return _NORMAL.inv_cdf((1 + level) / 2)
