"""Three answers: the safe one, the likely one, and the one worth measuring.

All three come from one joint distribution: a candidate's time errs by parts that the lane's
candidates share and by a part of its own, so that one that is slower than expected makes its
likes suspicious, and one measurement tells of them all.
"""

import math
from collections.abc import Sequence
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from advisor.core.chance import TIMED
from advisor.core.constraint import Constraint
from advisor.core.document import Answers, Entry, Figure, Pick
from advisor.core.error import NORMAL, Error
from advisor.core.estimate import Origin
from advisor.core.frozen_record import Record
from advisor.core.quantity import Metric
from advisor.core.ranking import Utility, Weighing, scores

OUTCOMES = 65
"""Outcomes of a measurement that are looked at, equally likely."""
CONTENDERS = 150
"""Candidates whose measurement is looked at: those with most to gain by themselves."""
EVEN = 0.5
"""Probability below which a candidate is not a likely answer."""
LEAST_GAIN = 1e-4
"""Expected gain below which nothing is worth a measurement."""

Floats = NDArray[np.float64]


class Contenders(Record):
    """Candidates by row: what they are worth, and how they may turn out."""

    entries: tuple[Entry, ...]
    worth: Floats
    """Score by the values."""
    room: Floats
    """Standard deviations that the time may be longer than expected before a limit breaks."""
    rest: Floats
    """Probability of keeping the limits that no timing settles."""
    shared: Floats
    """(candidates, parts): how the errors of the times follow the shared ones, lane by lane."""
    weight: Floats
    """How much the score falls with one standard deviation of the time; 0 where it does not."""

    @cached_property
    def probability(self) -> Floats:
        """Probability of keeping every limit."""
        timed: Floats = np.array([NORMAL.cdf(room) for room in self.room.tolist()])
        return np.asarray(self.rest * timed)

    def least_room(self, confidence: float) -> Floats:
        """Room that a candidate needs so that it keeps its limits with the confidence."""
        needed = [
            NORMAL.inv_cdf(confidence / rest) if rest > confidence else math.inf
            for rest in self.rest.tolist()
        ]
        return np.array(needed)


def answers(
    ranked: Sequence[Entry],
    uncertain: Sequence[Entry],
    limits: Sequence[Constraint],
    weighed: Weighing,
    confidence: float,
) -> Answers:
    """Find the three answers among candidates that are in their order already."""
    known = [e for e in (*ranked, *uncertain) if e.probability is not None]
    if not known:
        return Answers()
    field = contenders(known, limits, weighed)
    sure = [row for row, entry in enumerate(known) if entry.rank is not None]
    # Of those tied with the first, the one of most worth is what others have to gain on.
    safe = max(sure, key=lambda row: float(field.worth[row]), default=None)
    return Answers(
        safe=_safe(ranked[0], confidence) if sure else None,
        likely=_likely(field, safe, weighed),
        worth_measuring=_worth_measuring(field, safe, confidence, weighed),
    )


def contenders(
    entries: Sequence[Entry], limits: Sequence[Constraint], weighed: Weighing
) -> Contenders:
    """Read off the entries how they may turn out."""
    values = [{m: figure.value for m, figure in entry.metrics.items()} for entry in entries]
    room = [_time_room(entry, limits) for entry in entries]
    rest = [
        entry.probability / max(NORMAL.cdf(deviations), 1e-12) if entry.probability else 0.0
        for entry, deviations in zip(entries, room, strict=True)
    ]
    return Contenders(
        entries=tuple(entries),
        worth=np.array(scores(values, weighed)),
        room=np.array(room),
        rest=np.minimum(np.array(rest), 1.0),
        shared=shared_parts(entries),
        weight=np.array([_time_weight(entry, weighed) for entry in entries]),
    )


def _time_room(entry: Entry, limits: Sequence[Constraint]) -> float:
    return min(
        (
            room_of(limit, entry.metrics[limit.metric])
            for limit in limits
            if limit.metric in TIMED and limit.metric in entry.metrics
        ),
        default=math.inf,
    )


def room_of(limit: Constraint, figure: Figure) -> float:
    """How many standard deviations a figure may be off before it breaks a limit."""
    error = error_of(limit.metric, figure)
    return error.room(at_most=limit.at_most, at_least=limit.at_least)


def error_of(metric: Metric, figure: Figure) -> Error:
    """Where the true value may lie around a figure."""
    return Error.of(metric, figure.value, figure.low, figure.high, figure.level)


def shared_parts(entries: Sequence[Entry]) -> Floats:
    """Put the shared parts of each lane into columns of their own."""
    lanes = {entry.lane: place for place, entry in enumerate(entries)}
    start = {lane: place for place, lane in enumerate(lanes)}
    parts = max((len(_parts(entry)) for entry in entries), default=0)
    found = np.zeros((len(entries), parts * len(start)))
    for row, entry in enumerate(entries):
        own = _parts(entry)
        first = parts * start[entry.lane]
        found[row, first : first + len(own)] = own
    return found


def _parts(entry: Entry) -> tuple[float, ...]:
    """How the time's error follows the shared ones: longer is positive."""
    if Metric.LATENCY in entry.metrics:
        return entry.metrics[Metric.LATENCY].shared
    rate = entry.metrics.get(Metric.THROUGHPUT)
    return tuple(-part for part in rate.shared) if rate else ()


def _time_weight(entry: Entry, weighed: Weighing) -> float:
    """How much the score falls with one standard deviation of a longer time."""
    found = 0.0
    for metric, (share, worth) in weighed.items():
        figure = entry.metrics.get(metric)
        if metric in TIMED and figure is not None:
            found += share * _fall(worth, figure)
    return found


def _fall(worth: Utility, figure: Figure) -> float:
    bad = figure.low if worth.metric.higher_is_better else figure.high
    error = error_of(worth.metric, figure)
    deviation = error.below if worth.metric.higher_is_better else error.above
    lost = worth(figure.value) - worth(bad)
    reach = abs(worth.slope) * deviation
    return min(lost, reach)


def _safe(entry: Entry, confidence: float) -> Pick:
    at = f"{100 * confidence:g} %"
    reason = f"keeps every limit with at least {at} probability, and none that does ranks higher"
    return _answer(entry, 0.0, f"{reason}; {entry.tie}" if entry.tie else reason)


def _answer(entry: Entry, gain: float, reason: str, command: str = "") -> Pick:
    return Pick(
        candidate=entry.candidate,
        precision=entry.precision,
        lane=entry.lane,
        probability=entry.probability,
        gain=gain,
        reason=reason,
        command=command,
    )


def _likely(field: Contenders, safe: int | None, weighed: Weighing) -> Pick | None:
    """Find the best expected candidate where a failure costs falling back to the safe one.

    What is worth no more than the safe one has nothing to say beside it, however sure it is.
    """
    chance = field.probability
    worth = field.worth - _nothing(weighed)
    least = -math.inf if safe is None else float(worth[safe])
    rows = [
        row
        for row in range(len(chance))
        if row == safe or (chance[row] >= EVEN and worth[row] > least)
    ]
    if not rows:
        return None
    expected = {row: float(chance[row] * worth[row]) for row in rows}
    if safe is not None:
        for row in rows:
            expected[row] += _keeps_after_failure(field, safe, row) * float(worth[safe])
    best = max(rows, key=lambda row: expected[row])
    gain = float(chance[best] * (worth[best] - (worth[safe] if safe is not None else 0.0)))
    if best == safe:  # of those tied with the first of the ranking, which is the one shown as safe
        return _answer(field.entries[0], 0.0, "nothing more likely than not is expected to gain")
    percent = f"{100 * chance[best]:.0f} %"
    fallback = "else fall back to the safe one" if safe is not None else "nothing is safe"
    reason = f"keeps every limit with {percent} probability; {fallback}"
    return _answer(field.entries[best], points(gain, weighed), reason)


def _keeps_after_failure(field: Contenders, safe: int, row: int) -> float:
    """Probability that a candidate breaks a limit and the safe one keeps them all."""
    chance = float(field.probability[safe])
    if row == safe:
        return 0.0
    together = float(np.clip(field.shared[row] @ field.shared[safe], -0.99, 0.99))
    errors = np.array(_outcomes())
    slack = (field.room[safe] - together * errors) / math.sqrt(1 - together**2)
    keeps = float(field.rest[safe]) * np.array([NORMAL.cdf(x) for x in slack.tolist()])
    breaks = np.where(errors > field.room[row], 1.0, 1 - field.rest[row])
    return min(float((keeps * breaks).mean()), chance)


@cache
def _outcomes() -> list[float]:
    """Equally likely errors of a time, in standard deviations."""
    return [NORMAL.inv_cdf((place + 0.5) / OUTCOMES) for place in range(OUTCOMES)]


def _worth_measuring(
    field: Contenders, safe: int | None, confidence: float, weighed: Weighing
) -> Pick | None:
    """Find the candidate whose timing is expected to improve the safe answer most."""
    rows = _measurable(field, safe, _nothing(weighed))
    if not rows:
        return None
    least = field.least_room(confidence)
    gains = [expected_gain(field, row, safe, least, _nothing(weighed)) for row in rows]
    best = max(range(len(rows)), key=lambda place: gains[place][0])
    gain, improves = gains[best]
    if gain < LEAST_GAIN:
        return None
    reason = f"one measurement of it changes the choice for the better in {100 * improves:.0f} %"
    entry = field.entries[rows[best]]
    return _answer(entry, points(gain, weighed), f"{reason} of the outcomes", entry.settle)


def by_gain(
    ranked: Sequence[Entry],
    uncertain: Sequence[Entry],
    limits: Sequence[Constraint],
    weighed: Weighing,
    confidence: float,
) -> list[Entry]:
    """Order what may be timed by what a timing is expected to gain; without those of no gain."""
    known = [e for e in (*ranked, *uncertain) if e.probability is not None]
    if not known:
        return []
    field = contenders(known, limits, weighed)
    sure = range(sum(e.probability is not None for e in ranked))
    safe = max(sure, key=lambda row: float(field.worth[row]), default=None)
    nothing, least = _nothing(weighed), field.least_room(confidence)
    gains = {
        row: expected_gain(field, row, safe, least, nothing)[0]
        for row in _measurable(field, safe, nothing)
    }
    order = sorted(gains, key=lambda row: -gains[row])
    return [known[row] for row in order if gains[row] >= LEAST_GAIN]


def _measurable(field: Contenders, safe: int | None, nothing: float) -> list[int]:
    """Rows of the candidates whose timing may tell something, the most promising first."""
    start = field.worth[safe] if safe is not None else nothing
    promise = field.probability * np.maximum(field.worth - start, 0.0) + field.weight
    order = np.argsort(-promise, kind="stable").tolist()
    return [row for row in order if promise[row] > 0 and is_open(field.entries[row])][:CONTENDERS]


def is_open(entry: Entry) -> bool:
    """Whether a timing would still tell something of a candidate."""
    figure = entry.metrics.get(Metric.LATENCY) or entry.metrics.get(Metric.THROUGHPUT)
    return figure is not None and figure.origin is not Origin.MEASURED


def expected_gain(
    field: Contenders, row: int, safe: int | None, least: Floats, nothing: float
) -> tuple[float, float]:
    """Return what timing a candidate gains on the safe answer, and how often it gains.

    ``least`` is the room that each candidate needs; ``nothing`` the worth of having none.
    """
    errors = np.array(_outcomes())[:, None]
    alike = np.clip(field.shared @ field.shared[row], -0.99, 0.99)[None]
    left = np.sqrt(1 - alike**2)
    # An infinite room stays infinite whatever is learnt of it.
    keeps = (field.room[None] - alike * errors) / left >= least[None]
    keeps[:, row] = (errors[:, 0] <= field.room[row]) & (least[row] < math.inf)
    learnt = alike * errors
    learnt[:, row] = errors[:, 0]
    scored = field.worth[None] - field.weight[None] * learnt
    worth = np.where(keeps, scored, nothing)
    now = scored[:, safe] if safe is not None else np.full(len(errors), nothing)
    gained = np.maximum(worth.max(axis=1) - now, 0.0)
    return float(gained.mean()), float((gained > 0).mean())


def _nothing(weighed: Weighing) -> float:
    """Worth of having no network that keeps the limits: where top-1 alone ranks, of 0 %."""
    if set(weighed) == {Metric.TOP1}:
        return weighed[Metric.TOP1][1](0.0)
    return -1.0


def points(gain: float, weighed: Weighing) -> float:
    """Write a gain in the score as one in top-1, where that alone ranks."""
    if set(weighed) != {Metric.TOP1}:
        return gain
    return gain / weighed[Metric.TOP1][1].slope
