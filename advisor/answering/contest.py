"""Which networks decide an answer: those whose measurement could change who comes first."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from advisor.core.constraint import Constraint, Verdict
from advisor.core.document import Entry, Figure, Limit, Recommendation
from advisor.core.estimate import Origin
from advisor.core.quantity import Metric
from advisor.core.ranking import order

GROUP = 8
"""Networks that are measured before the answer is computed again: the estimator learns of each."""
HOPELESS = 0.1
"""Probability of keeping the limits below which a network is not worth a measurement."""

TIMED = (Metric.LATENCY, Metric.THROUGHPUT, Metric.ENERGY)
"""Metrics that a timing settles."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """What a timing can still change in an answer."""

    first: Entry | None
    """First of the ranking; None where no network is certain to keep the limits."""
    rivals: tuple[Entry, ...]
    """Networks whose time decides whether they come before the first, most hopeful first."""
    hopeful: tuple[Entry, ...]
    """Networks whose time decides whether they keep the limits."""

    @property
    def open(self) -> tuple[Entry, ...]:
        """What to time: the rivals and the first, or else whoever may keep the limits."""
        if not self.rivals or self.first is None or _measured(self.first):
            return self.rivals or self.hopeful
        return (*self.rivals, self.first)


def contest(document: Recommendation) -> Contest:
    """Find the networks whose timing could change who comes first or who keeps the limits."""
    limits = document.request.limits
    hopeful = tuple(
        e
        for e in document.uncertain
        if is_open(e) and chance(e, limits) >= HOPELESS and not _measured(e)
    )
    first = next(iter(document.ranked), None)
    if first is None:
        return Contest(first=None, rivals=hopeful, hopeful=hopeful)
    others = [*hopeful, *(e for e in document.ranked[1:] if not _measured(e))]
    values = [{metric: figure.value for metric, figure in first.metrics.items()}]
    values += [_at_best(entry) for entry in others]
    places = order(values, document.request.weights)
    ahead = places[: places.index(0)]
    return Contest(first=first, rivals=tuple(others[i - 1] for i in ahead), hopeful=hopeful)


def is_open(entry: Entry) -> bool:
    """Whether a timing would settle one of the limits that a network may keep or break."""
    return any(entry.verdicts.get(metric) is Verdict.UNCERTAIN for metric in TIMED)


def time_allowed(document: Recommendation, entry: Entry) -> float | None:
    """Latency in seconds at which a network would just keep every limit on its time."""
    latency = entry.metrics.get(Metric.LATENCY)
    found = []
    for limit in document.request.limits:
        figure = entry.metrics.get(limit.metric)
        if limit.metric not in TIMED or figure is None or latency is None:
            continue
        if limit.at_most is not None:
            found.append(latency.value * limit.at_most / figure.value)
        elif limit.at_least:
            found.append(latency.value * figure.value / limit.at_least)
    return min(found, default=None)


def _at_best(entry: Entry) -> dict[Metric, float]:
    """The values of a network, its times at the favourable end of their intervals."""
    return {
        metric: figure.value
        if metric not in TIMED
        else figure.high
        if metric.higher_is_better
        else figure.low
        for metric, figure in entry.metrics.items()
    }


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


def promising(document: Recommendation) -> tuple[Entry, ...]:
    """Order the uncertain candidates: those whose values keep every limit, best ranked first.

    After them the others, by how far their values are off; a candidate without a figure is last.
    """
    limits = document.request.limits
    keyed = [(_distance(entry, limits), place) for place, entry in enumerate(document.uncertain)]
    return tuple(document.uncertain[place] for _, place in sorted(keyed))


def is_likely(entry: Entry, document: Recommendation) -> bool:
    """Whether the values of a candidate keep every limit, so that it more likely does than not."""
    return _distance(entry, document.request.limits) == 0


def _distance(entry: Entry, limits: tuple[Limit, ...]) -> float:
    """Largest excess of a value over its limit, as a share; infinite where there is no value."""
    return max((_excess(entry.metrics.get(limit.metric), limit) for limit in limits), default=0.0)


def _excess(figure: Figure | None, limit: Limit) -> float:
    if figure is None:
        return float("inf")
    bound = Constraint(metric=limit.metric, at_most=limit.at_most, at_least=limit.at_least).bound
    over = figure.value - bound if limit.at_most is not None else bound - figure.value
    return max(0.0, over / bound if bound else over)
