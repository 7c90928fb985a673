"""Assumptions: prices, effort, energy and weights that the buyer states, as a YAML file holds them.

Every field has a default that the review names as an assumption; prices have none.
"""

import re
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationError

from advisor.core.filed import Document
from advisor.core.quantity import Unit, parse
from advisor.errors import UsageError

TEMPLATE = Path(__file__).parent / "assumptions.yaml"
"""The defaults, with what each means."""
_MONEY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Z]{3})\s*(?:/\s*kWh)?\s*")


class Money(Document):
    """An amount in a currency."""

    amount: Annotated[float, Field(ge=0)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]


def money(text: object, option: str = "amount") -> object:
    """Read ``0.30EUR/kWh`` or ``99 USD``; other types are left to the schema."""
    if not isinstance(text, str):
        return text
    match = _MONEY.fullmatch(text)
    if match is None:
        raise ValueError(f"{option}: cannot read {text!r} as money; write a number and a currency")
    return {"amount": float(match[1]), "currency": match[2]}


def fraction(value: object) -> object:
    """Read ``40%`` as 0.4."""
    if isinstance(value, str):
        return parse(value, Unit.FRACTION, option="fraction")
    return value


def rate(value: object) -> object:
    """Read ``5/s`` as 5.0."""
    return parse(value, Unit.PER_SECOND, option="rate") if isinstance(value, str) else value


def size(value: object) -> object:
    """Read ``500MB`` as 5e8."""
    return parse(value, Unit.BYTE, option="memory") if isinstance(value, str) else value


def grams(value: object) -> object:
    """Read ``350g/kWh``, ``350g`` or a number as grams; the unit is no trap: kilograms are too."""
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"\s*([0-9.]+)\s*(kg|g)?\s*(?:/\s*kWh)?\s*", value)
    try:
        amount = float(found[1]) if found else None
    except ValueError:
        amount = None
    if found is None or amount is None:
        raise UsageError(f"CO2 of a kilowatt-hour: {value!r} is not read; write 350g/kWh")
    return amount * (1000.0 if found[2] == "kg" else 1.0)


DateText = Annotated[str, BeforeValidator(str)]
"""YYYY, YYYY-MM or YYYY-MM-DD; YAML reads some of these as dates or numbers."""
MoneyField = Annotated[Money, BeforeValidator(money)]
Fraction = Annotated[float, BeforeValidator(fraction), Field(ge=0, le=1)]


class Hours(Document):
    """Effort in hours, with the range to reckon with."""

    hours: Annotated[float, Field(ge=0)]
    low: Annotated[float, Field(ge=0)]
    high: Annotated[float, Field(ge=0)]


class Priced(Document):
    """A price that the buyer knows."""

    price: MoneyField
    date: DateText = ""
    source: str = "stated by the buyer"
    quantity: int | None = None


class DeviceAssumptions(Document):
    """What the buyer knows of one device; it goes before the profile."""

    price: Priced | None = None
    accessories: Priced | None = None
    """Supply, cooling, housing, storage, carrier board: for one device."""
    host: Priced | None = None
    """Computer that an accelerator needs: for one device."""
    power_w: Annotated[float | None, Field(gt=0)] = None
    """Measured at the socket, under load."""
    idle_w: Annotated[float | None, Field(ge=0)] = None
    power_source: str = "stated by the buyer"
    available_until: DateText = ""
    """YYYY, YYYY-MM or YYYY-MM-DD."""
    integration: Hours | None = None
    host_power_w: Annotated[float | None, Field(gt=0)] = None
    """Power of the computer that an accelerator needs, at the socket."""
    hourly: Priced | None = None
    """Price of one hour where it is rented instead of bought."""
    rent_when_busy: bool = False
    """Whether rent is due only for the time under load."""


class Scale(Document):
    """Figures of one criterion that are worth 0 and 1; what lies beyond is worth no more."""

    poor: float
    good: float


class Range(Document):
    """Factors from a stated power to what the socket sees."""

    low: Annotated[float, Field(gt=0)]
    high: Annotated[float, Field(gt=0)]


class Duty(Document):
    """One of several models that have to share a device."""

    name: str
    rate: Annotated[float, BeforeValidator(rate), Field(gt=0)]
    """Images a second."""
    limits: dict[str, str] = field(default_factory=dict)
    """As on the command line: ``max-latency: 50ms``."""
    models: tuple[str, ...] = ()


SCALES = {
    "accuracy": Scale(poor=0.6, good=0.9),
    "speed": Scale(poor=1.0, good=1000.0),
    "efficiency": Scale(poor=0.1, good=100.0),
    "cost": Scale(poor=10_000.0, good=10.0),
    "supply": Scale(poor=0.0, good=10.0),
}
"""By criterion; speed, efficiency and cost go by ratio."""


class Assumptions(Document):
    """Everything that is assumed and not found."""

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    """Currency of the review."""
    fx: dict[str, float] = field(default_factory=dict)
    """US dollars for one unit of each currency."""
    fx_date: DateText = ""
    quantity: Annotated[int, Field(ge=1)] = 1
    years: Annotated[float, Field(gt=0)] = 5.0
    duty_cycle: Fraction = 1.0
    """Share of the time under load; the rest is idle."""
    tariff: MoneyField | None = None
    """Price of a kilowatt-hour."""
    stale_after_days: Annotated[int, Field(ge=1)] = 180
    spares: Fraction = 0.05
    """Devices bought in reserve, as a share of the quantity."""
    integration: Hours = Hours(hours=80.0, low=40.0, high=160.0)
    """To get one kind of device running in the product."""
    training: Hours = Hours(hours=40.0, low=20.0, high=80.0)
    """To adapt a model to the buyer's images."""
    hourly_rate: MoneyField = Money(amount=80.0, currency="USD")
    power_range: dict[str, Range] = field(
        default_factory=lambda: {
            "wall": Range(low=0.9, high=1.1),
            "rail": Range(low=1.0, high=1.4),
            "tdp": Range(low=0.5, high=1.2),
            "unknown": Range(low=0.5, high=1.5),
        }
    )
    """What the socket sees, as a multiple of the stated power, by the kind of statement."""
    system_memory: Annotated[float, BeforeValidator(size), Field(ge=0)] = 1e9
    """Bytes that the operating system and other programs keep."""
    max_utilisation: Fraction = 0.8
    """Share of a device's time that several workloads may fill."""
    criteria: dict[str, float] = field(
        default_factory=lambda: {
            "accuracy": 3.0,
            "speed": 2.0,
            "efficiency": 1.0,
            "cost": 3.0,
            "supply": 1.0,
        }
    )
    """Weights of the decision matrix."""
    scales: dict[str, Scale] = field(default_factory=lambda: dict(SCALES))
    """What is worth 0 and 1 under each criterion, whoever is compared."""
    reference_top1: Fraction = 0.7
    """Accuracy at which devices are compared for speed: the fastest model that reaches it counts.
    A limit on top-1 goes before it."""
    co2_per_kwh: Annotated[Annotated[float, Field(ge=0)] | None, BeforeValidator(grams)] = None
    """Grams of CO2 for a kilowatt-hour from the socket; None where the buyer states none."""
    baseline: str = ""
    """Device to compare against; empty takes the first one asked for."""
    devices: dict[str, DeviceAssumptions] = field(default_factory=dict)
    workloads: tuple[Duty, ...] = ()


def assumptions(raw: dict[str, object], origin: str) -> Assumptions:
    """Check stated assumptions; UsageError names ``origin``, field and problem."""
    try:
        found = _in_one_currency(Assumptions.model_validate(raw), raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{origin}: field {field!r}: {first['msg']}") from None
    for key, scale in found.scales.items():
        if key not in CRITERIA or scale.poor == scale.good or _not_positive(key, scale):
            raise UsageError(
                f"{origin}: field 'scales': {key}: give {', '.join(CRITERIA)} two different ends, "
                "above 0 where they go by ratio (speed, efficiency, cost)"
            )
    unknown = set(found.criteria) - set(CRITERIA)
    if unknown or not sum(found.criteria.values()) > 0 or min(found.criteria.values()) < 0:
        named = ", ".join(sorted(unknown)) or "weights"
        raise UsageError(
            f"{origin}: field 'criteria': {named}: give {', '.join(CRITERIA)} weights of at "
            "least 0, one above 0"
        )
    return found


def _not_positive(key: str, scale: Scale) -> bool:
    return key in ("speed", "efficiency", "cost") and min(scale.poor, scale.good) <= 0


def _in_one_currency(found: Assumptions, raw: dict[str, object]) -> Assumptions:
    """Take the one currency that everything is stated in, where none is named."""
    scales = {**SCALES, **found.scales}
    if "currency" not in raw:
        stated = {money.currency for money in _stated_money(found, raw)}
        if len(stated) == 1 and not found.fx:
            found = found.model_copy(update={"currency": stated.pop()})
    if "hourly_rate" not in raw:
        rate = found.hourly_rate.model_copy(update={"currency": found.currency})
        found = found.model_copy(update={"hourly_rate": rate})
    return found.model_copy(update={"scales": scales})


def _stated_money(found: Assumptions, raw: dict[str, object]) -> Iterator[Money]:
    if found.tariff is not None:
        yield found.tariff
    if "hourly_rate" in raw:
        yield found.hourly_rate
    for device in found.devices.values():
        for priced in (device.price, device.accessories, device.host, device.hourly):
            if priced is not None:
                yield priced.price


CRITERIA = ("accuracy", "speed", "efficiency", "cost", "supply")
"""Columns that the decision matrix knows."""


def convert(amount: Money, stated: Assumptions) -> float:
    """Express money in the currency of the review; UsageError where the rate is not given."""
    if amount.currency == stated.currency:
        return amount.amount
    return amount.amount * _dollars(amount.currency, stated) / _dollars(stated.currency, stated)


def _dollars(currency: str, stated: Assumptions) -> float:
    if currency == "USD":
        return 1.0
    if currency not in stated.fx:
        raise UsageError(
            f"no exchange rate for {currency}: give --fx {currency}=RATE, US dollars for one "
            f"{currency}"
        )
    return stated.fx[currency]
