"""Supply: whether and how long a device can be bought, from dated facts."""

from datetime import date

from advisor.core.document import DeviceFacts
from advisor.procurement.amounts import exact, first_day, unknown, years_between
from advisor.procurement.assumptions import DeviceAssumptions
from advisor.procurement.review import Amount, Supply

_EVENT = {
    "eol_announced": "end of life announced",
    "available_until": "available until",
    "last_time_buy": "last orders",
    "last_ship": "last shipments",
    "software_end": "end of software support",
}
_ENDS = ("available_until", "last_time_buy", "last_ship")


def supply(facts: DeviceFacts, own: DeviceAssumptions, today: date) -> Supply:
    """Put the lifecycle of a device into words and years."""
    events = tuple(
        f"{_EVENT.get(event, event)} {day}{f' ({item})' if item else ''}"
        for event, day, item in facts.events
    )
    return Supply(
        status=facts.status,
        events=events,
        years_left=years_left(facts, own, today),
        note=facts.note,
        source=facts.status_source,
        confidence=facts.status_confidence,
    )


def years_left(facts: DeviceFacts, own: DeviceAssumptions, today: date) -> Amount:
    """Return the years until the last day on which the device can be bought."""
    if own.available_until:
        return _left(own.available_until, today, "assumed", "stated by the buyer")
    dates = [day for event, day, _ in facts.events if event in _ENDS]
    if dates:
        return _left(max(dates), today, "published", facts.status_source)
    if facts.status == "eol":
        return exact(0.0, "years", origin="published", source=facts.status_source)
    return unknown("years", "nobody says how long it will be sold")


def _left(day: str, today: date, origin: str, source: str) -> Amount:
    end = first_day(day)
    if end is None:
        return unknown("years", f"the date {day!r} cannot be read")
    left = max(years_between(today, end), 0.0)
    return exact(left, "years", origin=origin, source=source, day=day)
