"""Charts of trials: accuracies with intervals, curves, confusion, reliability. Inline SVG."""

from collections.abc import Sequence

from advisor.reports.charts import BARS, WIDTH, svg, svg_line, svg_text, ticks

_LEFT, _RIGHT, _TOP = 250, 40, 20
_ROW = 34


def accuracy_bars(rows: Sequence[tuple[str, float, float, float]], *, title: str) -> str:
    """Draw (name, accuracy, low, high) as points with whiskers on one scale."""
    if not rows:
        return ""
    least = max(min(low for _, _, low, _ in rows) - 0.03, 0.0)
    most = min(max(high for _, _, _, high in rows) + 0.02, 1.0)
    height = _TOP + _ROW * len(rows) + 46

    def x(share: float) -> float:
        return _LEFT + (share - least) / max(most - least, 1e-9) * (WIDTH - _RIGHT - _LEFT)

    parts = []
    for place, percent in enumerate(ticks(100 * least, 100 * most)):
        at = x(percent / 100)
        parts.append(svg_line("grid", (at, _TOP, at, height - 40), "#e3e3e3"))
        text = f"{percent:g} %"
        parts.append(svg_text(at, height - 22, text, anchor="middle", minor=place % 2 == 1))
    for place, (name, value, low, high) in enumerate(rows):
        y = _TOP + _ROW * (place + 0.5)
        parts.append(svg_text(_LEFT - 12, y + 4, name, anchor="end"))
        parts.append(
            f'<g class="point met" tabindex="0"><title>{100 * value:.2f} %, interval '
            f"{100 * low:.2f} to {100 * high:.2f} %</title>"
            f'<line class="whisker" x1="{x(low):.1f}" y1="{y:.1f}" x2="{x(high):.1f}" '
            f'y2="{y:.1f}" stroke="#3566b0" stroke-width="2"/>'
            f'<circle class="mark" cx="{x(value):.1f}" cy="{y:.1f}" r="6" fill="#3566b0"/></g>'
        )
    return svg(title, WIDTH, height, parts, "accuracies")


def training_curves(
    curves: Sequence[tuple[str, Sequence[tuple[float, float]]]], *, title: str, up: str
) -> str:
    """Draw (name, points of share of the training and value) as lines with a key."""
    found = [(name, points) for name, points in curves if points]
    if not found:
        return ""
    values = [value for _, points in found for _, value in points]
    top = 1.0 if max(values) <= 1.0 else max(values) * 1.05
    base, left, height = 300, 94, 330 + 22 * len(found)

    def place(share: float, value: float) -> tuple[float, float]:
        across = left + share * (WIDTH - _RIGHT - left)
        return across, base - value / top * (base - 48)

    parts = [svg_text(8, 18, f"{up} ↑", anchor="start")]
    for step in range(5):
        value = top * step / 4
        y = place(0, value)[1]
        shown = f"{100 * value:.0f} %" if top == 1.0 else f"{value:.1f}"
        parts.append(svg_line("grid", (left, y, WIDTH - _RIGHT, y), "#e3e3e3"))
        parts.append(svg_text(left - 8, y + 4, shown, anchor="end"))
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = place(share, 0)[0]
        parts.append(svg_text(x, base + 20, f"{100 * share:.0f} %", anchor="middle"))
    parts.append(svg_line("axis", (left, base, WIDTH - _RIGHT, base), "#555"))
    for index, (name, points) in enumerate(found):
        color = BARS[index % len(BARS)]
        dash = "" if index < len(BARS) else ' stroke-dasharray="5 4"'
        spots = [place(share, value) for share, value in points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        parts.append(
            f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"{dash}/>'
        )
        y = base + 42 + 22 * index
        parts.append(svg_line("key", (left, y - 4, left + 26, y - 4), color))
        parts.append(svg_text(left + 34, y, name, anchor="start"))
    return svg(title, WIDTH, height, parts, "curves")


def confusion(
    matrix: Sequence[Sequence[int]], names: Sequence[str], *, title: str, most: int = 20
) -> str:
    """Draw a confusion matrix, each row as shares of its true class; large ones are cut."""
    count = min(len(names), most)
    cell = max(28, min(52, 560 // count))
    left, top = 170, 110
    width, height = left + cell * count + 20, top + cell * count + 40
    parts = [
        svg_text(left, 18, "told as →", anchor="start"),
        svg_text(8, top - 12, "true class ↓", anchor="start"),
    ]
    for i in range(count):
        y = top + cell * (i + 0.5)
        parts.append(svg_text(left - 8, y + 4, _short(names[i], 20), anchor="end"))
        x = left + cell * (i + 0.5)
        parts.append(
            f'<text transform="translate({x + 4:.1f} {top - 8}) rotate(-50)" fill="#444">'
            f"{_escaped(_short(names[i], 14))}</text>"
        )
        total = max(sum(matrix[i]), 1)
        parts += [
            _cell(matrix[i][j], total, (left + cell * j, top + cell * i, cell), i == j)
            for j in range(count)
        ]
    return svg(title, int(width), int(height), parts, "confusion")


def _cell(images: int, total: int, at: tuple[float, float, float], diagonal: bool) -> str:
    share = images / total
    x, y, side = at
    color, darkest = ("#1a7f4b", 0.85) if diagonal else ("#b3261e", 0.7)
    text = (
        f'<text class="told" x="{x + side / 2:.1f}" y="{y + side / 2 + 4:.1f}" '
        f'text-anchor="middle" font-size="11" fill="#111">{images}</text>'
        if images
        else ""
    )
    return (
        f'<g class="cell"><title>{images} of {total} ({100 * share:.1f} %)</title>'
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{side - 1:.1f}" height="{side - 1:.1f}" '
        f'fill="{color}" fill-opacity="{darkest * min(share, 1):.3f}" stroke="#d5d9df"/>{text}</g>'
    )


def reliability_diagram(bins: Sequence[tuple[float, float, int]], *, title: str) -> str:
    """Draw (confidence, accuracy, images): on the diagonal a network is as sure as it is right."""
    side, left, top = 300, 94, 30
    base = top + side

    def place(across: float, up: float) -> tuple[float, float]:
        return left + across * side, base - up * side

    parts = [svg_text(8, 18, "right ↑", anchor="start")]
    for step in range(5):
        share = step / 4
        x, y = place(share, share)
        parts.append(svg_line("grid", (left, y, left + side, y), "#e3e3e3"))
        parts.append(svg_text(left - 8, y + 4, f"{100 * share:.0f} %", anchor="end"))
        parts.append(svg_text(x, base + 20, f"{100 * share:.0f} %", anchor="middle"))
    parts.append(svg_line("limit", (left, base, left + side, top), "#888"))
    parts.append(svg_text(left + side / 2, base + 42, "sure →", anchor="middle"))
    most = max((images for _, _, images in bins), default=1)
    for sure, right, images in bins:
        x, y = place(sure, right)
        radius = 3 + 9 * (images / most) ** 0.5
        parts.append(
            f'<g class="point met" tabindex="0"><title>{images} images: {100 * sure:.0f} % sure, '
            f'{100 * right:.0f} % right</title><circle class="mark" cx="{x:.1f}" cy="{y:.1f}" '
            f'r="{radius:.1f}" fill="#3566b0" fill-opacity="0.8"/></g>'
        )
    return svg(title, left + side + 40, base + 56, parts, "reliability")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)
