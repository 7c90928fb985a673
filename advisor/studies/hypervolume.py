"""Hypervolume: how much of the objective space a front dominates; pure functions, all minimised."""

from collections.abc import Sequence

Vector = Sequence[float]


def hypervolume(points: Sequence[Vector], reference: Vector) -> float:
    """Return the volume between the points and ``reference`` that some point dominates.

    Exact, by slicing along the last objective (While et al. 2006): quick for two or three
    objectives and a few hundred points. Points beyond the reference count nothing.
    """
    inside = [p for p in points if all(x < r for x, r in zip(p, reference, strict=True))]
    if not inside:
        return 0.0
    if len(reference) == 1:
        return reference[0] - min(p[0] for p in inside)
    if len(reference) == 2:
        return _area(inside, reference)
    return _slices(inside, reference)


def _area(points: Sequence[Vector], reference: Vector) -> float:
    area, ceiling = 0.0, reference[1]
    for x, y in sorted((p[0], p[1]) for p in points):
        if y < ceiling:
            area += (reference[0] - x) * (ceiling - y)
            ceiling = y
    return area


def _slices(points: Sequence[Vector], reference: Vector) -> float:
    ordered = sorted(points, key=lambda p: p[-1])
    levels = [p[-1] for p in ordered[1:]] + [reference[-1]]
    volume = 0.0
    for count, (point, above) in enumerate(zip(ordered, levels, strict=True), 1):
        if above > point[-1]:
            base = hypervolume([p[:-1] for p in ordered[:count]], reference[:-1])
            volume += base * (above - point[-1])
    return volume
