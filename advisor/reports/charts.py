"""Charts as inline SVG, drawn here so that they show without script and print as vectors.

Colours are attributes, which a style sheet of the page overrides for dark screens; programs that
apply no style sheet to SVG, such as PDF printers, keep the attributes.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from advisor.core.quantity import Metric, human
from advisor.reports.labels import LINE, Box, placed

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 74, 18, 32, 58
_FILL = {"met": "#1a7f4b", "uncertain": "#b36b00", "unknown": "#7a7a7a", "violated": "#9a9a9a"}
_MARK = {"met": 5.0, "uncertain": 4.5, "unknown": 4.0, "violated": 2.6}
BARS = ("#3566b0", "#b36b00", "#1a7f4b", "#8a4fa3", "#a33c3c", "#557a7a", "#6b6b6b", "#b08c35")
"""Colours of the parts of a bar, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One candidate in a scatter."""

    key: str
    """Identifies the candidate to the script of the page."""
    label: str
    """What the tooltip says."""
    x: float
    x_low: float
    x_high: float
    y: float
    y_low: float
    y_high: float
    verdict: str
    rank: int | None = None
    name: str = ""
    """Written beside it; empty where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A limit drawn as a line with the forbidden side shaded."""

    metric: Metric
    value: float
    at_most: bool
    asked: bool = True
    """False for one that would do instead: a thin line, nothing shaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartAxis:
    """Maps values of a metric to pixels."""

    metric: Metric
    low: float
    high: float
    start: float
    """Pixel of ``low``."""
    end: float
    logarithmic: bool

    def __call__(self, value: float) -> float:
        """Pixel of a value, kept within the frame."""
        share = self._share(value)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def _share(self, value: float) -> float:
        if not self.logarithmic:
            return (value - self.low) / (self.high - self.low)
        floor = self.low / 10
        ratio = math.log(max(value, floor) / self.low)
        return ratio / math.log(self.high / self.low)

    def ticks(self) -> list[float]:
        """Round values within the axis."""
        found = _log_ticks(self.low, self.high) if self.logarithmic else []
        return found if len(found) > 1 else ticks(self.low, self.high)

    def holds(self, value: float) -> bool:
        """Tell whether a value lies on the axis."""
        return self.low <= value <= self.high


def scatter(
    points: Sequence[Point],
    x: Metric,
    y: Metric,
    bounds: Iterable[Bound] = (),
    front: Sequence[tuple[float, float]] = (),
    *,
    dots: Sequence[tuple[float, float, str]] = (),
    floor: float = -math.inf,
    title: str,
) -> str:
    """Draw candidates with their intervals, limits and Pareto front.

    ``dots`` are further candidates (x, y, verdict) without interval and tooltip. What lies below
    ``floor`` does not stretch the axes.
    """
    if not points:
        return ""
    limits = list(bounds)
    high = [point for point in points if point.y >= floor] or list(points)
    across = _axis(x, [*_ends(high, "x"), *_values(limits, x)], LEFT, WIDTH - RIGHT)
    up = _axis(y, [*_ends(high, "y"), *_values(limits, y)], HEIGHT - BOTTOM, TOP)
    shown = [p for p in points if across.holds(p.x) and up.holds(p.y)]
    parts = [
        *_frame(across, up),
        *(_bound(limit, across, up) for limit in limits if limit.metric in (x, y)),
        *_dots(dots, across, up),
        _front([(a, b) for a, b in front if up.holds(b)], across, up),
        *(_point(point, across, up) for point in sorted(shown, key=_depth)),
        *_names(shown, [limit for limit in limits if limit.metric in (x, y)], across, up),
    ]
    return svg(title, WIDTH, HEIGHT, parts, "scatter", data={
        "x": x, "x-low": across.low, "x-high": across.high,
        "y": y, "y-low": up.low, "y-high": up.high,
    })  # fmt: skip


def stacked_bars(rows: Sequence[tuple[str, Sequence[tuple[str, float]]]], *, title: str) -> str:
    """Draw one bar per row, cut into named shares that sum to one."""
    names = list(dict.fromkeys(name for _, shares in rows for name, _ in shares))
    height = 44 * len(rows) + 22 * math.ceil(len(names) / 4) + 12
    parts = [_bar(row, index, names) for index, row in enumerate(rows)]
    parts += [_key(name, index, 44 * len(rows)) for index, name in enumerate(names)]
    return svg(title, WIDTH, height, parts, "bars")


def svg(
    title: str,
    width: int,
    height: int,
    parts: Iterable[str],
    kind: str,
    *,
    data: Mapping[str, object] | None = None,
) -> str:
    """Put parts into a picture that is read out by its title; ``data`` is for the script."""
    known = "".join(f' data-{name}="{value}"' for name, value in (data or {}).items())
    return (
        f'<svg class="chart {kind}"{known} viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title)}" xmlns="http://www.w3.org/2000/svg" '
        f'font-family="inherit" font-size="13">{"".join(parts)}</svg>'
    )


def _ends(points: Sequence[Point], side: str) -> list[float]:
    """Values and interval ends that the axis has to hold; far-off rejections do not stretch it."""
    near = [point for point in points if point.verdict != "violated"] or list(points)[:12]
    return [getattr(point, side + end) for point in near for end in ("", "_low", "_high")]


def _values(bounds: Iterable[Bound], metric: Metric) -> list[float]:
    return [bound.value for bound in bounds if bound.metric is metric]


def _axis(metric: Metric, values: Sequence[float], start: float, end: float) -> ChartAxis:
    logarithmic = metric not in (Metric.TOP1, Metric.TOP5)
    if logarithmic:
        kept = [value for value in values if value > 0] or [1e-3]
        low, high = min(kept) / 1.15, max(kept) * 1.35
    else:
        low, high = min(values), max(values)
        room = max(high - low, 0.02) * 0.08
        low, high = max(low - room, 0.0), min(high + room, 1.0)
    return ChartAxis(
        metric=metric, low=low, high=high, start=start, end=end, logarithmic=logarithmic
    )


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [step * 10.0**power for power in decades for step in (1, 2, 5)]
    return [value for value in found if low <= value <= high]


def ticks(low: float, high: float) -> list[float]:
    """Return about six round values between two ends."""
    rough = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * s for s in (1, 2, 5, 10) if power * s >= rough)
    first = math.ceil(low / step)
    return [index * step for index in range(first, math.floor(high / step) + 1)]


_SIZES = ((15.0, False), (8.5, True))
"""Pixels of a character where screens are narrow, for the ticks that stay there, and where not."""


def spaced(axis: ChartAxis, room: Callable[[str, float], float]) -> list[tuple[float, bool]]:
    """Return the ticks whose texts do not collide, and which of them narrow screens leave out.

    ``room`` is the length along the axis that a text takes at a size of characters.
    """
    kept: list[tuple[float, bool]] = []
    for size, minor in _SIZES:
        for value in axis.ticks():
            need = room(_tick_text(axis.metric, value), size) + size
            if all(abs(axis(value) - axis(other)) >= need for other, _ in kept):
                kept.append((value, minor))
    return sorted(kept)


def _frame(x: ChartAxis, y: ChartAxis) -> list[str]:
    bottom, left = HEIGHT - BOTTOM, LEFT
    parts = [
        svg_line("axis", (left, bottom, WIDTH - RIGHT, bottom), "#555"),
        svg_line("axis", (left, TOP, left, bottom), "#555"),
    ]
    for value, minor in spaced(x, lambda text, size: size * len(text)):
        parts += _tick_x(x(value), _tick_text(x.metric, value), minor=minor)
    for value, minor in spaced(y, lambda _, size: 1.6 * size):
        parts += _tick_y(y(value), _tick_text(y.metric, value), minor=minor)
    middle = (left + WIDTH - RIGHT) / 2
    parts.append(svg_text(middle, HEIGHT - 14, f"{_axis_name(x.metric)} →", anchor="middle"))
    parts.append(svg_text(8, TOP - 12, f"{_axis_name(y.metric)} ↑", anchor="start"))
    return parts


def svg_line(kind: str, ends: tuple[float, float, float, float], color: str) -> str:
    """Draw a straight line from (x1, y1) to (x2, y2)."""
    x1, y1, x2, y2 = ends
    return (
        f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{color}"/>'
    )


def _axis_name(metric: Metric) -> str:
    scale = "" if metric in (Metric.TOP1, Metric.TOP5) else ", logarithmic"
    return f"{metric.label}{scale}"


def _tick_text(metric: Metric, value: float) -> str:
    number, _, unit = human(value, metric.unit).partition(" ")
    if "." in number:
        number = number.rstrip("0").rstrip(".")
    return f"{number} {unit}".rstrip()


def _tick_x(at: float, text: str, *, minor: bool) -> list[str]:
    bottom = HEIGHT - BOTTOM
    line = svg_line("grid", (at, TOP, at, bottom), "#e3e3e3")
    return [line, svg_text(at, bottom + 20, text, anchor="middle", minor=minor)]


def _tick_y(at: float, text: str, *, minor: bool) -> list[str]:
    right = WIDTH - RIGHT
    line = svg_line("grid", (LEFT, at, right, at), "#e3e3e3")
    return [line, svg_text(LEFT - 8, at + 4, text, anchor="end", minor=minor)]


def svg_text(
    x: float, y: float, text: str, *, anchor: str, minor: bool = False, kind: str = ""
) -> str:
    """Write text at a place; minor text is left out on narrow screens, a kind has its own size."""
    named = ' class="minor"' if minor else f' class="{kind}"' if kind else ""
    return (
        f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#444">'
        f"{escape(text)}</text>"
    )


def _bound(bound: Bound, x: ChartAxis, y: ChartAxis) -> str:
    """Shade the side of the limit where nothing is allowed, and name the limit."""
    area: tuple[float, float, float, float]
    line: tuple[float, float, float, float]
    place: tuple[float, float]
    anchor = "end"
    if bound.metric is x.metric:
        at = x(bound.value)
        left, width = (at, WIDTH - RIGHT - at) if bound.at_most else (LEFT, at - LEFT)
        area, line = (left, TOP, width, HEIGHT - BOTTOM - TOP), (at, TOP, at, HEIGHT - BOTTOM)
        near = at < LEFT + 110  # no room for the text before the line
        place, anchor = (at + (6 if near else -6), TOP + 14), "start" if near else "end"
    else:
        at = y(bound.value)
        top, height = (TOP, at - TOP) if bound.at_most else (at, HEIGHT - BOTTOM - at)
        area, line = (LEFT, top, WIDTH - RIGHT - LEFT, height), (LEFT, at, WIDTH - RIGHT, at)
        place = (WIDTH - RIGHT - 4, at - 6)
    ax, ay, aw, ah = area
    x1, y1, x2, y2 = line
    text = _bound_text(bound)
    if not bound.asked:
        down = 16 if bound.metric is x.metric else 0
        return (
            f'<line class="relaxed" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            'stroke="#555" stroke-dasharray="2 4"/>'
            f'<text class="relaxed-text" x="{place[0]:.1f}" y="{place[1] + down:.1f}" '
            f'text-anchor="{anchor}" fill="#444">{escape(text)}</text>'
        )
    return (
        f'<rect class="forbidden" x="{ax:.1f}" y="{ay:.1f}" width="{max(aw, 0):.1f}" '
        f'height="{max(ah, 0):.1f}" fill="#b3261e" fill-opacity="0.07"/>'
        f'<line class="limit" data-metric="{bound.metric}" x1="{x1:.1f}" y1="{y1:.1f}" '
        f'x2="{x2:.1f}" y2="{y2:.1f}" stroke="#b3261e" stroke-dasharray="5 4"/>'
        f'<text class="limit-text" x="{place[0]:.1f}" y="{place[1]:.1f}" text-anchor="{anchor}" '
        f'fill="#b3261e">{escape(text)}</text>'
    )


def _bound_text(bound: Bound) -> str:
    return f"{'limit' if bound.asked else 'would do:'} {human(bound.value, bound.metric.unit)}"


def _front(front: Sequence[tuple[float, float]], x: ChartAxis, y: ChartAxis) -> str:
    """Join the front by steps: between two of its candidates nothing better is known."""
    if len(front) < 2:
        return ""
    ordered = sorted(front)
    path = f"M{x(ordered[0][0]):.1f} {y(ordered[0][1]):.1f}"
    for across, up in ordered[1:]:
        path += f"H{x(across):.1f}V{y(up):.1f}"
    return f'<path class="front" d="{path}" fill="none" stroke="#3566b0" stroke-width="1.6"/>'


def _dots(dots: Sequence[tuple[float, float, str]], x: ChartAxis, y: ChartAxis) -> list[str]:
    """Draw all dots of a verdict as one path of lines without length."""
    parts = []
    for verdict in ("violated", "unknown", "uncertain", "met"):
        path = "".join(
            f"M{x(across):.1f} {y(up):.1f}h0"
            for across, up, name in dots
            if name == verdict and x.low <= across <= x.high and y.low <= up <= y.high
        )
        if path:
            parts.append(
                f'<path class="dots {verdict}" d="{path}" stroke="{_FILL[verdict]}" '
                'stroke-width="3.4" stroke-linecap="round" stroke-opacity="0.55" fill="none"/>'
            )
    return parts


def _depth(point: Point) -> tuple[int, int]:
    """Draw rejected candidates first and the best ranked last, on top."""
    order = ["violated", "unknown", "uncertain", "met"]
    return order.index(point.verdict), -(point.rank or 10_000)


def _point(point: Point, x: ChartAxis, y: ChartAxis) -> str:
    color, radius = _FILL[point.verdict], _MARK[point.verdict]
    cx, cy = x(point.x), y(point.y)
    whiskers = ""
    if point.verdict != "violated":
        whiskers = (
            f'<path class="whisker" d="M{x(point.x_low):.1f} {cy:.1f}H{x(point.x_high):.1f}'
            f'M{cx:.1f} {y(point.y_low):.1f}V{y(point.y_high):.1f}" stroke="{color}" '
            'stroke-opacity="0.45" fill="none"/>'
        )
    shape = _mark(point.verdict, cx, cy, radius, color)
    return (
        f'<g class="point {point.verdict}" data-key="{escape(point.key)}">'
        f"<title>{escape(point.label)}</title>{whiskers}{shape}</g>"
    )


def _mark(verdict: str, cx: float, cy: float, radius: float, color: str) -> str:
    """Circle, or a hollow diamond for what is not sure, so that colour is not needed."""
    if verdict in ("uncertain", "unknown"):
        r = radius + 1
        return (
            f'<path class="mark" d="M{cx:.1f} {cy - r:.1f}l{r} {r}l{-r} {r}l{-r} {-r}z" '
            f'fill="#fff" stroke="{color}" stroke-width="1.6"/>'
        )
    return f'<circle class="mark" cx="{cx:.1f}" cy="{cy:.1f}" r="{radius}" fill="{color}"/>'


def _names(
    points: Sequence[Point], limits: Sequence[Bound], x: ChartAxis, y: ChartAxis
) -> list[str]:
    """Write the names beside their points, in the order in which they matter."""
    named = sorted((p for p in points if p.name), key=lambda p: p.rank or math.inf)
    frame = Box(left=LEFT, top=TOP, right=WIDTH - RIGHT, bottom=HEIGHT - BOTTOM)
    # The texts of limits stand along the upper end of their lines.
    taken = [
        Box(left=x(one.value) - 150, right=x(one.value) + 150, top=TOP, bottom=TOP + 2 * LINE)
        if one.metric is x.metric
        else Box(
            left=WIDTH - RIGHT - 150,
            right=WIDTH - RIGHT,
            top=y(one.value) - LINE - 6,
            bottom=y(one.value),
        )
        for one in limits
    ]
    spots = [(x(p.x), y(p.y), p.name) for p in named]
    places = [(x(p.x), y(p.y), p.verdict) for p in points]
    crowd = [(across, up) for across, up, verdict in places if verdict == "violated"]
    marks = [(across, up) for across, up, verdict in places if verdict != "violated"]
    labels = placed(spots, frame, taken, crowd, marks)
    parts = []
    for label in labels:
        if label.is_far:
            parts.append(svg_line("leader", (*label.point, *label.end), "#555"))
        parts.append(
            f'<text class="rank" x="{label.box.left:.1f}" y="{label.box.bottom - 4:.1f}" '
            f'font-size="12.5" font-weight="600" fill="#222">{escape(label.text)}</text>'
        )
    return parts


def _bar(row: tuple[str, Sequence[tuple[str, float]]], index: int, names: Sequence[str]) -> str:
    name, shares = row
    top = 44 * index
    parts = [f'<text x="0" y="{top + 14}" fill="#222">{escape(name)}</text>']
    at = 0.0
    for part, share in shares:
        width = share * WIDTH
        color = BARS[names.index(part) % len(BARS)]
        label = f"{part} {100 * share:.0f} %"
        parts.append(
            f'<rect x="{at:.1f}" y="{top + 20}" width="{width:.1f}" height="18" fill="{color}">'
            f"<title>{escape(label)}</title></rect>"
        )
        if share >= 0.06:
            parts.append(
                f'<text class="inside" x="{at + width / 2:.1f}" y="{top + 33}" fill="#fff" '
                f'text-anchor="middle" font-size="11">{100 * share:.0f} %</text>'
            )
        at += width
    return "".join(parts)


def _key(name: str, index: int, top: float) -> str:
    x, y = (index % 4) * WIDTH / 4, top + 22 * (index // 4) + 10
    color = BARS[index % len(BARS)]
    return (
        f'<rect x="{x:.1f}" y="{y}" width="12" height="12" fill="{color}"/>'
        f'<text class="legend" x="{x + 18:.1f}" y="{y + 11}" fill="#222">{escape(name)}</text>'
    )
