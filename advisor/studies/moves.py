"""Moves: points to start from, and steps from the front; pure functions on a family's space."""

from collections.abc import Iterable, Sequence

from advisor.core.candidate import Candidate
from advisor.core.quantity import Metric
from advisor.studies.families import ARCHITECTURE, Family, Point
from advisor.studies.outcome import Trial, costs


def distinct(points: Iterable[Point]) -> list[Point]:
    """Return the points without repetitions, in order."""
    return list({tuple(sorted(point.items())): point for point in points}.values())


def diagonal(space: Family, shares: Sequence[float]) -> list[Point]:
    """Return points from the smallest to the largest of each stock network, ends first.

    Every axis goes along at once, so that some keep the limits and others break them.
    """
    found: list[Point] = []
    for share in shares:
        for architecture in space.architectures:
            point: dict[str, float | str] = {ARCHITECTURE: architecture}
            for axis in space.axes:
                point[axis.name] = axis.values[round(share * (len(axis.values) - 1))]
            found.append(point)
    return found


def neighbours(space: Family, candidate: Candidate) -> list[Point]:
    """Return the points one step along one axis away, and the other stock networks' own."""
    centre = space.point(candidate)
    if centre is None:
        return []
    found: list[Point] = [
        {**centre, ARCHITECTURE: other}
        for other in space.architectures
        if other != centre[ARCHITECTURE]
    ]
    for axis in space.axes:
        place = axis.values.index(float(centre[axis.name]))
        near = axis.values[max(place - 1, 0) : place] + axis.values[place + 1 : place + 2]
        found += [{**centre, axis.name: value} for value in near]
    return found


def gaps(trials: Sequence[Trial], objectives: Sequence[Metric]) -> list[float]:
    """Return how far each trial is from its neighbours in the objectives (crowding distance).

    As in NSGA-II (Deb et al. 2002, section III-B), with the ends as wide as the widest gap.
    """
    if not all(trial.values for trial in trials) or len(trials) < 3:
        return [1.0] * len(trials)
    points = [costs(trial.values, objectives) for trial in trials]
    wide = [0.0] * len(points)
    for axis in zip(*points, strict=True):
        order = sorted(range(len(axis)), key=axis.__getitem__)
        span = (axis[order[-1]] - axis[order[0]]) or 1.0
        for before, here, after in zip(order, order[1:], order[2:], strict=False):
            wide[here] += (axis[after] - axis[before]) / span
    widest = max(wide) or 1.0
    return [width or widest for width in wide]
