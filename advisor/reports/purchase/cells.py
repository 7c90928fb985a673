"""Cells of a procurement review: amounts, prices, totals and supply in words."""

from dataclasses import dataclass

from advisor.core.quantity import Unit, human, human_interval, significant
from advisor.procurement.cost import money_text
from advisor.procurement.review import Amount, DeviceReview
from advisor.reports.wording import STATUS, joined

UNKNOWN = "unknown"
_PER = {"1/s": "/s", "1/J": "per joule"}
"""How units are written where they are not written as they are."""
_SI = {"B": Unit.BYTE, "s": Unit.SECOND, "fraction": Unit.FRACTION}


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One cell: the text, a smaller line below it, and what kind it is."""

    text: str
    note: str = ""
    kind: str = ""
    """number, gap, warn, stale or a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView:
    """A table with its title and what a reader has to know of it."""

    key: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]
    note: str = ""


def amount_text(amount: Amount, *, ranged: bool = True) -> Text:
    """Write an amount for people; an unknown one says why."""
    if amount.value is None:
        least = f"at least {_written(amount.low, amount.unit)}; " if amount.low else ""
        return Text(text=UNKNOWN, note=f"{least}{amount.reason}", kind="gap")
    text = _written(amount.value, amount.unit)
    note = ""
    if ranged and amount.low != amount.high and amount.low is not None and amount.high is not None:
        note = _range(amount.low, amount.high, amount.unit, amount.value)
    return Text(text=text, note=note, kind="stale" if amount.stale else "number")


def is_money(unit: str) -> bool:
    """Tell whether a unit is the code of a currency."""
    return len(unit) == 3 and unit.isalpha() and unit.isupper()


def _written(value: float, unit: str) -> str:
    if unit in _SI:
        return human(value, _SI[unit])
    if unit == "years":
        return years_text(value)
    if unit == "images" and abs(value) >= 1e6:
        return f"{significant(value / 1e6)} M images"
    if is_money(unit):
        return f"{money_text(value if abs(value) < 100 else round(value))} {unit}"
    return f"{significant(value)} {_unit(unit)}".rstrip()


def years_text(years: float) -> str:
    """Write a time to come as people say it: ``5 weeks``, ``9 months``, ``4.5 years``."""
    if years >= 2:
        return f"{significant(years)} years"
    months, weeks = round(12 * years), round(52.18 * years)
    if months >= 3:
        return f"{months} months"
    return f"{weeks} week{'' if weeks == 1 else 's'}" if weeks else "less than a week"


def _unit(unit: str) -> str:
    """Write a unit for people: ``1/s/USD`` as ``/s per USD``."""
    head, slash, money = unit.rpartition("/")
    if slash and head in _PER:
        return f"{_PER[head]} per {money}"
    return _PER.get(unit, unit)


def _range(low: float, high: float, unit: str, like: float) -> str:
    if unit in _SI:
        return human_interval(low, high, _SI[unit], like=like)
    if unit == "years" or (unit == "images" and abs(like) >= 1e6):
        return f"{_written(low, unit)} – {_written(high, unit)}"
    if is_money(unit):
        ends = (money_text(end if abs(end) < 100 else round(end)) for end in (low, high))
        return f"{'–'.join(ends)} {unit}"
    return f"{significant(low)}–{significant(high)} {_unit(unit)}".rstrip()


def price_text(device: DeviceReview, *, brief: bool = False) -> Text:
    found = amount_text(device.price)
    if found.kind == "gap":
        return found
    if brief:
        note = ", ".join(x for x in (device.facts.price_item, device.price.date or "no date") if x)
        return Text(text=found.text, note=note, kind=found.kind)
    parts = [device.price.date or "no date", *device.price.caveats]
    return Text(text=found.text, note="; ".join(parts), kind=found.kind)


def total_text(device: DeviceReview) -> Text:
    found = amount_text(device.total)
    if device.total.value is not None:
        missing = f"without {joined(device.missing).lower()}" if device.missing else ""
        note = "; ".join(part for part in (found.note, missing) if part)
        return Text(text=found.text, note=note, kind=found.kind)
    least = f"at least {money_text(round(device.known_total))} {device.total.unit}"
    return Text(text=UNKNOWN, note=f"{least}; unknown: {joined(device.missing)}", kind="gap")


def supply_text(device: DeviceReview) -> Text:
    found = device.supply
    kind = {"active": "", "unknown": "gap"}.get(found.status, "warn")
    note = "; ".join([*found.events, *([found.note] if found.note else [])])
    return Text(text=STATUS.get(found.status, found.status), note=note, kind=kind)
