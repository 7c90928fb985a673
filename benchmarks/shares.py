"""A share with what it is worth: its standard error, or a bound where all units agree."""

import math
from collections.abc import Sequence

import numpy as np


def standard_error(shares: Sequence[float]) -> float:
    """Return the standard error of the mean of independent units; NaN of one."""
    if len(shares) < 2:
        return math.nan
    return float(np.std(shares, ddof=1)) / math.sqrt(len(shares))


def share_with_error(shares: Sequence[float]) -> str:
    """Say the mean of independent units; where all are whole, what 95 % confidence leaves open."""
    mean = float(np.mean(shares))
    if min(shares) == 1.0:
        least = 0.05 ** (1 / len(shares))
        return f"{mean:.0%} (with 95 % confidence at least {least:.0%} of such units)"
    return f"{mean:.0%} (standard error {standard_error(shares):.0%})"
