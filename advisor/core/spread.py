"""Medians, and how far they can be trusted: within a session, and between sessions.

The interval within a session only says when to stop. What is reported is the spread between
sessions, because the same network on the same idle machine drifts between runs by more than any
interval within one run shows.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist, median

DRIFT = 0.05
"""Standard deviation of the logarithm between sessions that is assumed before any is seen."""
DRIFT_SESSIONS = 3
"""Sessions that the assumption counts for against those measured."""


def median_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Return the interval of the median from order statistics; no distribution is assumed.

    Fewer values than the level needs give the whole range.
    """
    ordered = sorted(values)
    n = len(ordered)
    below = 0.0
    rank = 0
    for k in range(n // 2):
        below += math.comb(n, k) * 0.5**n
        if 2 * below > 1 - level:
            break
        rank = k
    return ordered[rank], ordered[n - 1 - rank]


def relative_width(values: Sequence[float]) -> float:
    """Half the width of the median's interval over the median; infinite below six values."""
    if len(values) < 6:
        return math.inf
    low, high = median_interval(values)
    return (high - low) / 2 / median(values)


def between_sessions(medians: Sequence[float], level: float) -> tuple[float, float, float]:
    """Return the value and the interval that a further session falls into with ``level``.

    The spread of the sessions is drawn towards ``DRIFT``, so that one session, or three that
    agree by luck, do not give an interval that the next one refutes.
    """
    logs = [math.log(value) for value in medians]
    value = math.exp(median(logs))
    mean = math.fsum(logs) / len(logs)
    squares = math.fsum((one - mean) ** 2 for one in logs)
    freedom = DRIFT_SESSIONS + len(logs) - 1
    variance = (DRIFT_SESSIONS * DRIFT**2 + squares) / freedom
    half = student((1 + level) / 2, freedom) * math.sqrt(variance * (1 + 1 / len(logs)))
    return value, value * math.exp(-half), value * math.exp(half)


def student(probability: float, freedom: int) -> float:
    """Quantile of Student's t by the expansion of Cornish and Fisher (Abramowitz, 26.7.5)."""
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + math.fsum(term / freedom ** (i + 1) for i, term in enumerate(terms))


def agree(medians: Sequence[float]) -> bool:
    """Tell whether sessions of one network agree within 10 %."""
    return max(medians) <= 1.1 * min(medians)
