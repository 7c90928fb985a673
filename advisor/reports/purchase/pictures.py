"""Pictures of a procurement review: where the money goes, and what it buys."""

import math
from collections.abc import Iterator
from html import escape

from advisor.core.quantity import Metric, significant
from advisor.procurement.cost import money_text
from advisor.procurement.review import DeviceReview, ProcurementReview
from advisor.reports.charts import (
    BARS,
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    ChartAxis,
    svg,
    svg_line,
    svg_text,
)
from advisor.reports.labels import Box, placed

_ROW = 46
_ROOM = 170
"""Pixels kept beside the longest bar for its sum."""


def cost_bars(document: ProcurementReview) -> str:
    """Draw what each fleet costs, cut into its parts; empty where nothing is known of any.

    What nobody knows has no width: it is named beside the bar, and the sum says "at least".
    """
    devices = [device for device in document.devices if _parts(device)]
    if not devices:
        return ""
    most = max(sum(amount for _, amount in _parts(device)) for device in devices)
    names = list(dict.fromkeys(name for device in devices for name, _ in _parts(device)))
    parts: list[str] = []
    for row, device in enumerate(devices):
        parts += _cost_bar(device, row, (WIDTH - _ROOM) / most, names)
    top = _ROW * len(devices) + 8
    for place, name in enumerate(names):
        x, y = (place % 4) * WIDTH / 4, top + 22 * (place // 4)
        color = BARS[place % len(BARS)]
        parts.append(f'<rect x="{x:.1f}" y="{y}" width="12" height="12" fill="{color}"/>')
        parts.append(svg_text(x + 18, y + 11, name, anchor="start", kind="legend"))
    height = top + 22 * math.ceil(len(names) / 4)
    title = "Cost of the fleet by its parts: " + "; ".join(
        f"{device.name} {_sum_text(device)}" for device in devices
    )
    return svg(title, WIDTH, height, parts, "bars costs")


def _parts(device: DeviceReview) -> list[tuple[str, float]]:
    known = ((line.name, line.amount.value) for line in device.costs)
    return [(name, value) for name, value in known if value]


def _sum_text(device: DeviceReview) -> str:
    known = f"{money_text(round(device.known_total))} {device.total.unit}"
    if device.total.value is None:
        return f"at least {known}"
    return f"{money_text(round(device.total.value))} {device.total.unit}"


def _cost_bar(device: DeviceReview, row: int, scale: float, names: list[str]) -> Iterator[str]:
    top = _ROW * row
    missing = f"; unknown: {', '.join(device.missing)}" if device.total.value is None else ""
    yield svg_text(0, top + 14, f"{device.name}{missing}", anchor="start")
    at = 0.0
    for name, amount in _parts(device):
        color = BARS[names.index(name) % len(BARS)]
        label = f"{name} {money_text(round(amount))} {device.total.unit}"
        yield (
            f'<rect x="{at:.1f}" y="{top + 20}" width="{amount * scale:.1f}" height="18" '
            f'fill="{color}"><title>{escape(label)}</title></rect>'
        )
        at += amount * scale
    yield svg_text(at + 8, top + 34, _sum_text(device), anchor="start", kind="sum")


def price_chart(document: ProcurementReview) -> str:
    """Draw images a second at equal accuracy against the price of one device.

    Empty where fewer than two devices have both.
    """
    shown = [d for d in document.devices if d.price.value and d.speed.value]
    if len(shown) < 2:
        return ""
    prices = [d.price.value or 0.0 for d in shown]
    speeds = [end for d in shown for end in (d.speed.low, d.speed.value, d.speed.high) if end]
    across, up = _axis(prices, LEFT, WIDTH - RIGHT), _axis(speeds, HEIGHT - BOTTOM, TOP)
    unit = shown[0].price.unit
    parts = [*_frame(across, up, unit)]
    spots = []
    for device, price in zip(shown, prices, strict=True):
        x, y = across(price), up(device.speed.value or 0.0)
        low, high = (
            up(end or device.speed.value or 0.0) for end in (device.speed.low, device.speed.high)
        )
        kind = "met" if device.outcome == "meets" else "uncertain"
        told = (
            f"{device.name}: {money_text(price)} {unit}, {significant(device.speed.value or 0)} /s"
        )
        parts.append(
            f'<g class="point {kind}"><title>{escape(told)}</title>'
            f'<path class="whisker" d="M{x:.1f} {low:.1f}V{high:.1f}" stroke="#1a7f4b" '
            f'stroke-opacity="0.45" fill="none"/>'
            f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#1a7f4b"/></g>'
        )
        spots.append((x, y, device.name))
    frame = Box(left=LEFT, top=TOP, right=WIDTH - RIGHT, bottom=HEIGHT - BOTTOM)
    for label in placed(spots, frame):
        if label.is_far:
            parts.append(svg_line("leader", (*label.point, *label.end), "#555"))
        parts.append(
            f'<text class="rank" x="{label.box.left:.1f}" y="{label.box.bottom - 4:.1f}" '
            f'font-size="12.5" font-weight="600" fill="#222">{escape(label.text)}</text>'
        )
    title = f"Images a second at equal accuracy against the price of one of {len(shown)} devices"
    return svg(title, WIDTH, HEIGHT, parts, "scatter prices")


def _axis(values: list[float], start: float, end: float) -> ChartAxis:
    # The numbers are written here; the metric only says that the axis is of rates.
    return ChartAxis(
        metric=Metric.THROUGHPUT,
        low=min(values) / 1.3,
        high=max(values) * 1.3,
        start=start,
        end=end,
        logarithmic=True,
    )


def _frame(across: ChartAxis, up: ChartAxis, unit: str) -> Iterator[str]:
    bottom = HEIGHT - BOTTOM
    yield svg_line("axis", (LEFT, bottom, WIDTH - RIGHT, bottom), "#555")
    yield svg_line("axis", (LEFT, TOP, LEFT, bottom), "#555")
    last = -math.inf
    for value in across.ticks():
        text = money_text(value)
        if across(value) - last >= 15 * len(text):
            yield svg_line("grid", (across(value), TOP, across(value), bottom), "#e3e3e3")
            yield svg_text(across(value), bottom + 20, text, anchor="middle")
            last = across(value)
    last = math.inf
    for value in up.ticks():
        if last - up(value) >= 26:
            yield svg_line("grid", (LEFT, up(value), WIDTH - RIGHT, up(value)), "#e3e3e3")
            yield svg_text(LEFT - 8, up(value) + 4, f"{value:,g}", anchor="end")
            last = up(value)
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield svg_text(middle, HEIGHT - 14, f"Price of one, {unit}, logarithmic →", anchor="middle")
    yield svg_text(8, TOP - 12, "Images a second at equal accuracy ↑", anchor="start")
