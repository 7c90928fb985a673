"""Arithmetic on amounts: an unknown makes the result unknown, ranges travel along."""

from collections.abc import Sequence
from datetime import date

from advisor.core.document import Figure
from advisor.procurement.review import Amount

DAYS_OF_A_YEAR = 365.25


def unknown(unit: str, reason: str, *, least: float | None = None) -> Amount:
    """Return an amount nobody knows; ``least`` is the part of it that is known."""
    return Amount(unit=unit, reason=reason, low=least)


def exact(value: float, unit: str, *, origin: str, source: str = "", day: str = "") -> Amount:
    """Return an amount without a range."""
    return Amount(
        value=value, low=value, high=value, unit=unit, origin=origin, source=source, date=day
    )


def of_figure(figure: Figure | None, reason: str, unit: str) -> Amount:
    """Take over a figure of a recommendation."""
    if figure is None:
        return unknown(unit, reason)
    return Amount(
        value=figure.value,
        low=figure.low,
        high=figure.high,
        unit=unit,
        origin=figure.origin,
        source=figure.source,
        date=figure.date,
        caveats=figure.caveats,
    )


def scaled(amount: Amount, factor: float, unit: str) -> Amount:
    """Multiply by a known number."""
    if amount.value is None or amount.low is None or amount.high is None:
        least = None if amount.low is None else amount.low * factor
        return amount.model_copy(update={"unit": unit, "low": least})
    ends = {
        "value": amount.value * factor,
        "low": amount.low * factor,
        "high": amount.high * factor,
    }
    return amount.model_copy(update=ends | {"unit": unit, "origin": "computed"})


def ratio(above: Amount, below: Amount, unit: str) -> Amount:
    """Divide; the range is of the worst and the best combination."""
    for part in (above, below):
        if part.value is None:
            return unknown(unit, part.reason)
    if not below.low or not below.value or not below.high:
        return unknown(unit, "the divisor is zero")
    assert above.value is not None
    assert above.low is not None
    assert above.high is not None
    return Amount(
        value=above.value / below.value,
        low=above.low / below.high,
        high=above.high / below.low,
        unit=unit,
        origin="computed",
        source="; ".join(dict.fromkeys(s for s in (above.source, below.source) if s)),
        caveats=tuple(dict.fromkeys((*above.caveats, *below.caveats))),
        stale=above.stale or below.stale,
    )


def total(parts: Sequence[Amount], unit: str, source: str) -> Amount:
    """Add known amounts; ranges add up end by end."""
    return Amount(
        value=sum(part.value or 0.0 for part in parts),
        low=sum(part.low or 0.0 for part in parts),
        high=sum(part.high or 0.0 for part in parts),
        unit=unit,
        origin="computed",
        source=source,
        stale=any(part.stale for part in parts),
    )


def first_day(text: str) -> date | None:
    """Earliest day that a date such as ``2026`` or ``2026-04`` can mean."""
    parts = text.split("-")
    try:
        numbers = [int(part) for part in parts] + [1, 1]
        return date(numbers[0], numbers[1], numbers[2]) if text else None
    except (ValueError, IndexError):
        return None


def years_between(start: date, end: date) -> float:
    """Years from one day to another; negative where the end is past."""
    return (end - start).days / DAYS_OF_A_YEAR
