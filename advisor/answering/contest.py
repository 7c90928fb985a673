"""Which networks decide an answer: those whose measurement could change who comes first."""

from collections.abc import Callable, Iterable, Sequence

from advisor.answering.choice import EVEN, by_gain
from advisor.core.chance import TIMED
from advisor.core.constraint import Verdict
from advisor.core.document import Entry, Recommendation
from advisor.core.estimate import Origin
from advisor.core.frozen_record import Record
from advisor.core.quantity import Metric
from advisor.core.ranking import Weighing, order, scores, weighing

GROUP = 4
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
    """Pick the networks to measure next, the largest expected gain first.

    Then the first of the ranking, whose place rests on its figure, the uncertain ones that more
    likely keep the limits than not, and the rest of the ranking; what was measured or tried is
    left out.
    """
    known = frozenset(tried)
    request = document.request
    gaining = by_gain(
        document.ranked,
        document.uncertain,
        request.limits,
        weighing_of(document),
        request.confidence,
    )
    hopeful = [e for e in _by_score(document) if _chance(e) >= EVEN]
    candidates = [*gaining, *document.ranked[:1], *hopeful, *document.ranked[1:]]
    distinct = {(e.candidate, e.lane): e for e in candidates}.values()
    open_ones = [e for e in distinct if e.candidate not in known and not _measured(e)]
    return tuple(open_ones[:count])


def _by_score(document: Recommendation) -> list[Entry]:
    """Order the uncertain candidates by what they are worth if they keep the limits."""
    values = [{m: f.value for m, f in e.metrics.items()} for e in document.uncertain]
    return [document.uncertain[i] for i in order(values, weighing_of(document))]


def weighing_of(document: Recommendation) -> Weighing:
    """How a recommendation weighs what its candidates are worth."""
    request = document.request
    return weighing(document.weights, request.limits, request.needs)


class Contest(Record):
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
    hopeful = tuple(
        e for e in _by_score(document) if is_open(e) and _chance(e) >= HOPELESS and not _measured(e)
    )
    first = next(iter(document.ranked), None)
    if first is None:
        return Contest(first=None, rivals=hopeful, hopeful=hopeful)
    others = [*hopeful, *(e for e in document.ranked[1:] if not _measured(e))]
    values = [{metric: figure.value for metric, figure in first.metrics.items()}]
    values += [_at_best(entry) for entry in others]
    places = order(values, weighing_of(document))
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


def _measured(entry: Entry) -> bool:
    figure = entry.metrics.get(Metric.LATENCY)
    return figure is not None and figure.origin is Origin.MEASURED


def promising(document: Recommendation) -> tuple[Entry, ...]:
    """Order the uncertain candidates by the probability of keeping every limit; unknown last.

    Before all others come those that would be worth more than the first of the ranking: only
    they can improve the choice.
    """
    ahead = {(e.candidate, e.lane) for e in improving(document)}
    ordered = sorted(
        document.uncertain, key=lambda e: ((e.candidate, e.lane) not in ahead, -_chance(e))
    )
    return tuple(ordered)


def improving(document: Recommendation) -> tuple[Entry, ...]:
    """The uncertain candidates that would be worth more than the first of the ranking."""
    if not document.ranked:
        return document.uncertain
    entries = [document.ranked[0], *document.uncertain]
    values = [{m: f.value for m, f in e.metrics.items()} for e in entries]
    worth = scores(values, weighing_of(document))
    return tuple(e for e, one in zip(document.uncertain, worth[1:], strict=True) if one > worth[0])


def is_likely(entry: Entry) -> bool:
    """Whether a candidate more likely keeps every limit than not."""
    return _chance(entry) >= EVEN


def _chance(entry: Entry) -> float:
    return -1.0 if entry.probability is None else entry.probability
