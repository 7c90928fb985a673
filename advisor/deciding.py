"""Which networks decide an answer: those whose measurement could change who comes first."""

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import NormalDist

from advisor.estimate import Origin
from advisor.quantity import Metric
from advisor.recommendation import Entry, Figure, Limit, Recommendation

GROUP = 8
"""Networks that are measured before the answer is computed again: the estimator learns of each."""
HOPELESS = 0.1
"""Probability of keeping the limits below which a network is not worth a measurement."""

Answer = Callable[[], Recommendation]
"""Answers anew with everything that was measured by then."""
Measure = Callable[[Sequence[Entry]], None]
"""Measures some networks."""


def settled(answer: Answer, measure: Measure, count: int) -> Recommendation:
    """Measure up to ``count`` networks that decide, a few at a time, and return the last answer."""
    document = answer()
    tried: set[str] = set()
    left = count
    while left > 0:
        chosen = deciding(document, min(left, GROUP), tried)
        if not chosen:
            break
        measure(chosen)
        tried |= {entry.candidate for entry in chosen}
        left -= len(chosen)
        document = answer()
    return document


def deciding(document: Recommendation, count: int, tried: Iterable[str] = ()) -> tuple[Entry, ...]:
    """Pick the networks to measure next, best objective first.

    The first of the ranking, whose place rests on its figure, and the uncertain ones that may
    well keep the limits; what was measured or tried is left out.
    """
    known = frozenset(tried)
    limits = document.request.limits
    hopeful = [e for e in document.uncertain if chance(e, limits) >= HOPELESS]
    candidates = [*document.ranked[:1], *hopeful, *document.ranked[1:]]
    open_ones = [e for e in candidates if e.candidate not in known and not _measured(e)]
    return tuple(open_ones[:count])


def chance(entry: Entry, limits: Sequence[Limit]) -> float:
    """Probability that a network keeps all limits on its time, by the interval of its latency."""
    found = 1.0
    for limit in limits:
        figure = entry.metrics.get(limit.metric)
        if figure is not None and limit.metric in (Metric.LATENCY, Metric.THROUGHPUT):
            found = min(found, _below(figure, limit))
    return found


def _below(figure: Figure, limit: Limit) -> float:
    """Probability of one limit, the figure's interval taken as that of a log-normal value."""
    bound = limit.at_most if limit.at_most is not None else limit.at_least
    if not bound or figure.low <= 0:
        return 1.0
    width = math.log(figure.high / figure.low) / 2
    deviation = max(width / NormalDist().inv_cdf((1 + figure.level) / 2), 1e-6)
    below = NormalDist().cdf((math.log(bound) - math.log(figure.value)) / deviation)
    return below if limit.at_most is not None else 1 - below


def _measured(entry: Entry) -> bool:
    figure = entry.metrics.get(Metric.LATENCY)
    return figure is not None and figure.origin is Origin.MEASURED
