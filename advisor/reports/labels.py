"""Names beside the points of a chart, placed so that none covers another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CHARACTER = 8.0
"""Width of a character in pixels of the drawing, on the safe side."""
LINE = 17.0
"""Height of a line of text."""
MARK = 6.5
"""Half the width of the largest mark of a point, with its outline."""
_RINGS = (9.0, 20.0, 34.0, 52.0, 74.0, 100.0, 135.0, 180.0)
"""Distances from a point at which its name is tried, the nearest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle in pixels; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        """Tell whether the two share any area."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def holds(self, other: "Box") -> bool:
        """Tell whether the other lies inside."""
        across = self.left <= other.left and other.right <= self.right
        return across and self.top <= other.top and other.bottom <= self.bottom

    @staticmethod
    def around(x: float, y: float, radius: float) -> "Box":
        """Return the square around a point."""
        return Box(left=x - radius, top=y - radius, right=x + radius, bottom=y + radius)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A name in its place."""

    text: str
    box: Box
    point: tuple[float, float]
    is_far: bool
    """Whether a line has to lead from the name to its point."""

    @property
    def end(self) -> tuple[float, float]:
        """Where that line meets the name."""
        x = min(max(self.point[0], self.box.left), self.box.right)
        y = min(max(self.point[1], self.box.top), self.box.bottom)
        return x, y


def placed(
    names: Sequence[tuple[float, float, str]],
    frame: Box,
    taken: Sequence[Box] = (),
    crowd: Sequence[tuple[float, float]] = (),
    marks: Sequence[tuple[float, float]] = (),
) -> list[Label]:
    """Place the names (x, y, text) inside a frame, the first with the freest choice.

    No name covers another, a named point, one of the ``marks`` or what is ``taken``; of the free
    places near its point each takes the one that covers least of the ``crowd``. A name that finds
    none is left out.
    """
    seen = [*((x, y) for x, y, _ in names), *marks]
    blocked = [*taken, *(Box.around(x, y, MARK) for x, y in seen)]
    found: list[Label] = []
    for x, y, text in names:
        best: tuple[float, Label] | None = None
        for ring, box in _places(x, y, text):
            if not frame.holds(box) or any(box.meets(other) for other in blocked):
                continue
            covered = sum(box.meets(Box.around(*point, 3)) for point in crowd)
            cost = covered + 1.5 * ring
            if best is None or cost < best[0]:
                label = Label(text=text, box=box, point=(x, y), is_far=ring > 0)
                best = cost, label
        if best is not None:
            found.append(best[1])
            blocked.append(best[1].box)
    return found


def _places(x: float, y: float, text: str) -> Iterator[tuple[int, Box]]:
    """Boxes around a point with the number of their ring: corners and sides."""
    width = CHARACTER * len(text)
    for ring, away in enumerate(_RINGS):
        across = (x - away - width, x - width / 2, x + away)
        down = (y - away - LINE, y - LINE / 2, y + away)
        for column, left in enumerate(across):
            for row, top in enumerate(down):
                if (column, row) != (1, 1):
                    yield ring, Box(left=left, top=top, right=left + width, bottom=top + LINE)
