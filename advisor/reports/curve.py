"""Curve: a share that grows with a count, as inline SVG."""

from collections.abc import Sequence

from advisor.reports.charts import WIDTH, svg, svg_line, svg_text, ticks

HEIGHT = 280
LEFT, RIGHT, _TOP, _BOTTOM = 94, 36, 52, 58
_BASE = HEIGHT - _BOTTOM


def curve(points: Sequence[tuple[int, float]], *, across: str, up: str, title: str) -> str:
    """Draw shares (0 to 1) against counts from 0 on, as steps; empty for fewer than two points."""
    if len(points) < 2:
        return ""
    most = max(count for count, _ in points)
    parts = [
        *_grid(most),
        svg_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, f"{across} →", anchor="middle"),
        svg_text(8, _TOP - 28, f"{up} ↑", anchor="start"),
        f'<path class="front" d="{_steps(points, most)}" fill="none" stroke="#3566b0" '
        'stroke-width="2"/>',
    ]
    return svg(title, WIDTH, HEIGHT, parts, "curve")


def _x(count: float, most: int) -> float:
    return LEFT + count / most * (WIDTH - RIGHT - LEFT)


def _y(share: float) -> float:
    return _BASE - share * (_BASE - _TOP)


def _steps(points: Sequence[tuple[int, float]], most: int) -> str:
    """Join points by steps: between two of them nothing better was found."""
    (count, share), *rest = points
    path = f"M{_x(count, most):.1f} {_y(share):.1f}"
    for count, share in rest:
        path += f"H{_x(count, most):.1f}V{_y(share):.1f}"
    return path


def _grid(most: int) -> list[str]:
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        at = _y(share)
        parts.append(svg_line("grid", (LEFT, at, WIDTH - RIGHT, at), "#e3e3e3"))
        parts.append(svg_text(LEFT - 8, at + 4, f"{100 * share:.0f} %", anchor="end"))
    whole = [count for count in ticks(0, most) if float(count).is_integer()]
    for index, count in enumerate(whole):
        at, minor = _x(count, most), index % 2 == 1
        parts.append(svg_line("grid", (at, _TOP, at, _BASE), "#e3e3e3"))
        parts.append(svg_text(at, _BASE + 20, f"{count:,.0f}", anchor="middle", minor=minor))
    return [
        *parts,
        svg_line("axis", (LEFT, _BASE, WIDTH - RIGHT, _BASE), "#555"),
        svg_line("axis", (LEFT, _TOP, LEFT, _BASE), "#555"),
    ]
