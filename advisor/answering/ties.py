"""Ties: a difference smaller than what is known of it is no order.

Candidates are ordered by score. Those that trail the best of the rest by less than the interval of
the difference, and by little, are tied with it; among them the smaller network comes first, then
the better licensed, then the better evidenced; weights that may not be sold come last.
"""

import math
from collections.abc import Sequence
from operator import mul

from advisor.answering.judge import Judged
from advisor.core.chance import TIMED, by_chance
from advisor.core.error import NORMAL, Error
from advisor.core.estimate import Estimate, Origin
from advisor.core.frozen_record import Record
from advisor.core.quantity import Metric, human
from advisor.core.ranking import Utility, Weighing, order, scores

NEAR = 1 / 60
"""Largest difference of a tie, as a share of a utility: half a point of top-1, 12 % of a cost."""
ALIKE = 1.1
"""Ratio of the sizes up to which neither network is the smaller one."""
SHUT = 2
"""Class of licences that do not allow a product, or that nobody states."""
_FREE = ("apache", "mit", "bsd")
_SHUT = ("-nc", "noncommercial")


class Place(Record):
    """A candidate in its place, with its score and why it stands there where that is a tie."""

    judged: Judged
    score: float
    tie: str = ""


def placed(judged: Sequence[Judged], weighed: Weighing, level: float) -> list[Place]:
    """Order candidates, best first; ``level`` is that of the intervals of differences."""
    values = [j.values() for j in judged]
    score = scores(values, weighed)
    left = order(values, weighed)
    found: list[Place] = []
    while left:
        best = left[0]
        least = score[best] - NEAR
        near = [i for i in left if score[i] >= least]
        tied = [
            i
            for i in near
            if i == best or _is_tie(judged[best], judged[i], score[best] - score[i], weighed, level)
        ]
        group = sorted(tied, key=lambda i: (*_virtues(judged[i]), -score[i], judged[i].name))
        notes = _notes([judged[i] for i in group], judged[best])
        found += [
            Place(judged=judged[i], score=score[i], tie=note)
            for i, note in zip(group, notes, strict=True)
        ]
        left = [i for i in left if i not in set(tied)]
    return found


def most_probable(judged: Sequence[Judged], weighed: Weighing) -> list[Judged]:
    """Order candidates by the probability of keeping the limits, then by score; unknown last."""
    places = order([j.values() for j in judged], weighed)
    return [judged[i] for i in by_chance(places, [j.probability for j in judged])]


def _is_tie(best: Judged, other: Judged, behind: float, weighed: Weighing, level: float) -> bool:
    reach = NORMAL.inv_cdf((1 + level) / 2)
    return behind <= reach * math.sqrt(_variance(best, other, weighed))


def _variance(a: Judged, b: Judged, weighed: Weighing) -> float:
    """Variance of the difference of two scores; errors of one lane go together."""
    found = 0.0
    for metric, (share, worth) in weighed.items():
        mine, theirs = (j.assessment.estimates.get(metric) for j in (a, b))
        if mine is None or theirs is None:
            return 0.0
        x, y = (share * _deviation(estimate, worth) for estimate in (mine, theirs))
        together = a.lane == b.lane and metric in TIMED
        alike = math.fsum(map(mul, mine.shared, theirs.shared)) if together else 0.0
        found += x * x + y * y - 2 * alike * x * y
    return max(found, 0.0)


def _deviation(estimate: Estimate, worth: Utility) -> float:
    """Standard deviation of the utility of an estimate."""
    low, high = estimate.interval.low, estimate.interval.high
    error = Error.of(worth.metric, estimate.value, low, high, estimate.interval.level)
    middle = worth(estimate.value)
    if not error.below + error.above:
        return 0.0
    width = abs(worth(high) - middle) + abs(worth(low) - middle)
    reach = abs(worth.slope) * (error.below + error.above) / 2
    return min(reach, width)


def _virtues(judged: Judged) -> tuple[bool, float, int, int]:
    """What decides within a tie: size, licence, evidence; what may not be sold comes last."""
    size = judged.assessment.estimates.get(Metric.PARAMETERS)
    steps = size_step(size.value) if size and size.value > 0 else math.inf
    latency = judged.assessment.estimates.get(Metric.LATENCY)
    evidence = latency.provenance.origin.rank if latency else len(Origin)
    weights = judged.subject.weights
    licence = licence_class(weights.license if weights else "")
    return licence == SHUT, steps, licence, evidence


def size_step(parameters: float) -> int:
    """Class of sizes that count as alike."""
    return math.floor(math.log(parameters, ALIKE))


def licence_class(name: str) -> int:
    """0 for licences that ask for little, 1 for others, 2 for none stated or no commercial use."""
    plain = name.lower()
    if not plain or any(word in plain for word in _SHUT):
        return SHUT
    return 0 if plain.startswith(_FREE) else 1


def _notes(group: Sequence[Judged], best: Judged) -> list[str]:
    """Say of each member of a tie why it stands where it does."""
    if len(group) == 1:
        return [""]
    first = group[0]
    if first is best:
        mine = f"tied with {_others(len(group) - 1)}, and the {_virtue(first, group[1])} of them"
    else:
        mine = (
            f"tied with {best.name}: the difference is smaller than what is known of it; the "
            f"{_virtue(first, best)} comes first"
        )
    rest = f"tied with {first.name}: the difference is smaller than what is known of it"
    return [mine, *[rest] * (len(group) - 1)]


def _others(count: int) -> str:
    return "one other" if count == 1 else f"{count} others"


def _virtue(first: Judged, second: Judged) -> str:
    """Name what puts one before the other."""
    ours, theirs = _virtues(first), _virtues(second)
    if ours[0] == theirs[0] and ours[1] != theirs[1]:
        sizes = [human(j.values().get(Metric.PARAMETERS, 0.0), Metric.PARAMETERS.unit)
                 for j in (first, second)]  # fmt: skip
        return f"smaller ({sizes[0]} parameters, not {sizes[1]})"
    if ours[2] != theirs[2]:
        return "better licensed"
    return "better evidenced" if ours[3] != theirs[3] else "more accurate"
