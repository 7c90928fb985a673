"""Cost of ownership: price, accessories, spares, energy and effort of a fleet over its years.

Prices come from the buyer, else from the device's profile. What is unknown stays unknown: the
sum of the rest is then a lower bound, and the review says what it leaves out.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import date

from advisor.core.document import DeviceFacts
from advisor.core.quantity import significant
from advisor.procurement.amounts import (
    exact,
    first_day,
    scaled,
    total,
    unknown,
)
from advisor.procurement.assumptions import (
    Assumptions,
    DeviceAssumptions,
    Hours,
    Money,
    Priced,
    convert,
)
from advisor.procurement.review import Amount, CostLine, DeviceReview

HOST = "Computer for it"
"""Name of the cost of the computer that an accelerator needs."""
HOURS_OF_A_YEAR = 8766.0
"""Hours of an average year, leap days included."""


def price(facts: DeviceFacts, own: DeviceAssumptions, stated: Assumptions, today: date) -> Amount:
    """Return the price of one device."""
    if own.price is not None:
        return _stated(own.price, stated, today)
    if facts.price is None:
        return unknown(stated.currency, "no price is published; state one in the assumptions")
    if stated.currency != "USD" and stated.currency not in stated.fx:
        name = stated.currency
        reason = f"published in USD; give --fx {name}=RATE, or state its price in {name}"
        return unknown(stated.currency, reason)
    amount = convert(Money(amount=facts.price, currency="USD"), stated)
    found = exact(
        amount,
        stated.currency,
        origin="published",
        source=facts.price_source,
        day=facts.price_date,
    )
    caveats = tuple(_price_caveats(facts, stated))
    return _aged(found.model_copy(update={"caveats": caveats}), stated, today)


def with_host(
    unit_price: Amount, facts: DeviceFacts, own: DeviceAssumptions, stated: Assumptions
) -> Amount:
    """Return the price of one device with the computer that it needs."""
    if not facts.needs_host:
        return unit_price
    hosts = list(_host(facts, own, stated, 1))
    if unit_price.value is None or hosts[0].amount.value is None:
        return unknown(stated.currency, unit_price.reason or hosts[0].amount.reason)
    return total([unit_price, hosts[0].amount], stated.currency, "price with its computer")


def _price_caveats(facts: DeviceFacts, stated: Assumptions) -> Iterator[str]:
    if facts.price_item:
        yield f"price of: {facts.price_item}"
    if facts.price_is_launch:
        yield "price at launch; no later one is known"
    least = facts.price_quantity
    if least is not None and least > stated.quantity:
        yield f"holds from {least:,} pieces; {stated.quantity:,} are asked for"
    if facts.price_confidence == "low":
        yield "from general knowledge: ask for an offer"
    if "module" in facts.price_item:
        yield "a module needs a carrier board, which is not included"


def _stated(priced: Priced, stated: Assumptions, today: date) -> Amount:
    amount = convert(priced.price, stated)
    found = exact(amount, stated.currency, origin="assumed", source=priced.source, day=priced.date)
    return _aged(found, stated, today) if priced.date else found


def _aged(amount: Amount, stated: Assumptions, today: date) -> Amount:
    """Mark a price that is older than the buyer accepts, or that has no date."""
    day = first_day(amount.date)
    if day is None:
        caveat = "the price has no date"
    elif (today - day).days > stated.stale_after_days:
        caveat = f"stale: dated {amount.date}, older than {stated.stale_after_days} days"
    else:
        return amount
    return amount.model_copy(update={"stale": True, "caveats": (*amount.caveats, caveat)})


def power(facts: DeviceFacts, own: DeviceAssumptions, stated: Assumptions) -> Amount:
    """Return the power under load at the socket, with the range its kind calls for."""
    if own.power_w is not None:
        spread = stated.power_range["wall"]
        source, kind, value = own.power_source, "wall", own.power_w
    elif facts.power is None:
        return unknown("W", "no power figure is published; measure it or state one")
    else:
        kind = facts.power_kind if facts.power_kind in stated.power_range else "unknown"
        spread = stated.power_range[kind]
        source, value = facts.power_source, facts.power
    caveats = () if kind == "wall" else (_POWER_CAVEAT[kind],)
    host = 0.0
    if facts.needs_host and own.power_w is None:
        if own.host_power_w is None:
            return unknown("W", "needs a computer, whose power is not stated (host_power_w)")
        host = own.host_power_w
        caveats = (*caveats, f"with {significant(host)} W of the computer it needs")
    return Amount(
        value=value + host,
        low=value * spread.low + host,
        high=value * spread.high + host,
        unit="W",
        origin="assumed" if own.power_w is not None else "published",
        source=source,
        caveats=caveats,
    )


_POWER_CAVEAT = {
    "rail": "measured behind the power supply: its losses come on top",
    "tdp": "design power of the chip or board, not what the socket sees",
    "unknown": "the source does not say where it was measured",
}


def energy(load: Amount, facts: DeviceFacts, own: DeviceAssumptions, stated: Assumptions) -> Amount:
    """Return the energy of the fleet over all years, in kilowatt-hours."""
    if load.value is None or load.low is None or load.high is None:
        return unknown("kWh", load.reason)
    hours = stated.quantity * stated.years * HOURS_OF_A_YEAR
    duty = stated.duty_cycle
    idle = own.idle_w if own.idle_w is not None else facts.power_idle
    caveats = load.caveats
    if idle is None and duty < 1:
        low, middle, high = 0.0, load.value / 2, load.high
        caveats = (*caveats, "idle power unknown: taken between nothing and full load")
    else:
        low = middle = high = idle or 0.0
    ends = zip((load.low, load.value, load.high), (low, middle, high), strict=True)
    least, value, most = ((duty * on + (1 - duty) * off) * hours / 1000 for on, off in ends)
    return Amount(
        value=value,
        low=least,
        high=most,
        unit="kWh",
        origin="computed",
        source=load.source,
        caveats=caveats,
    )


def cost_lines(
    facts: DeviceFacts, own: DeviceAssumptions, stated: Assumptions, unit_price: Amount, kwh: Amount
) -> tuple[CostLine, ...]:
    """List the parts of the cost of the fleet, each in whole units of money or in cents."""
    if own.hourly is not None:
        return tuple(map(_rounded, _rented(own, own.hourly, stated)))
    return tuple(map(_rounded, _owned(facts, own, stated, unit_price, kwh)))


def _rounded(line: CostLine) -> CostLine:
    """Round to what is shown, so that the parts add up to the total that is shown."""
    amount = line.amount
    if amount.value is None:
        return line
    digits = 0 if amount.value >= 100 else 2
    ends = {name: round(getattr(amount, name), digits) for name in ("value", "low", "high")}
    return line.model_copy(update={"amount": amount.model_copy(update=ends)})


def _rented(own: DeviceAssumptions, hourly: Priced, stated: Assumptions) -> tuple[CostLine, ...]:
    """Parts of the cost where the device is rented by the hour; energy is the landlord's."""
    hours = stated.years * HOURS_OF_A_YEAR * (stated.duty_cycle if own.rent_when_busy else 1.0)
    each = convert(hourly.price, stated)
    rent = exact(each, stated.currency, origin="assumed", source=hourly.source, day=hourly.date)
    return (
        CostLine(
            name="Rent",
            amount=scaled(rent, stated.quantity * hours, stated.currency),
            formula=f"{stated.quantity:,} × {hours:,.0f} h × {each:g} {stated.currency}",
            essential=True,
        ),
        _effort("Integration", own.integration or stated.integration, stated),
        _effort("Training", stated.training, stated),
    )


def _owned(
    facts: DeviceFacts, own: DeviceAssumptions, stated: Assumptions, unit_price: Amount, kwh: Amount
) -> tuple[CostLine, ...]:
    count, currency = stated.quantity, stated.currency
    spare = math.ceil(count * stated.spares)
    return (
        _bought("Devices", unit_price, count, currency, essential=True),
        _bought("Spares", unit_price, spare, currency, essential=spare > 0),
        *_host(facts, own, stated, count),
        _optional("Accessories", own.accessories, stated, count),
        _energy_line(kwh, stated),
        _effort("Integration", own.integration or stated.integration, stated),
        _effort("Training", stated.training, stated),
    )


def _bought(name: str, each: Amount, count: int, currency: str, *, essential: bool) -> CostLine:
    value = "unknown" if each.value is None else money_text(each.value)
    return CostLine(
        name=name,
        amount=scaled(each, count, currency),
        formula=f"{count:,} × {value} {currency}",
        essential=essential,
    )


def money_text(value: float) -> str:
    """Write money in full: cents only where there are some."""
    rounded = round(value, 2)
    return f"{rounded:,.0f}" if rounded == round(rounded) else f"{rounded:,.2f}"


def _host(
    facts: DeviceFacts, own: DeviceAssumptions, stated: Assumptions, count: int
) -> Iterator[CostLine]:
    """The computer that an accelerator works in; without its price there is no total."""
    if not facts.needs_host:
        return
    if own.host is None:
        reason = "needs a computer, whose price is not stated"
        each = unknown(stated.currency, reason)
    else:
        each = exact(
            convert(own.host.price, stated),
            stated.currency,
            origin="assumed",
            source=own.host.source,
            day=own.host.date,
        )
    yield _bought(HOST, each, count, stated.currency, essential=True)


def _optional(name: str, priced: Priced | None, stated: Assumptions, count: int) -> CostLine:
    if priced is None:
        each = unknown(stated.currency, "not stated in the assumptions")
    else:
        each = exact(
            convert(priced.price, stated),
            stated.currency,
            origin="assumed",
            source=priced.source,
            day=priced.date,
        )
    return _bought(name, each, count, stated.currency, essential=False)


def _energy_line(kwh: Amount, stated: Assumptions) -> CostLine:
    if stated.tariff is None:
        amount = unknown(stated.currency, "no tariff given: --tariff 0.30EUR/kWh")
        return CostLine(name="Energy", amount=amount, formula="kWh × tariff", essential=True)
    tariff = convert(stated.tariff, stated)
    value = "unknown" if kwh.value is None else significant(kwh.value)
    return CostLine(
        name="Energy",
        amount=scaled(kwh, tariff, stated.currency),
        formula=f"{value} kWh × {significant(tariff)} {stated.currency}",
        essential=True,
    )


def _effort(name: str, hours: Hours, stated: Assumptions) -> CostLine:
    each = convert(stated.hourly_rate, stated)
    amount = Amount(
        value=hours.hours * each,
        low=hours.low * each,
        high=hours.high * each,
        unit=stated.currency,
        origin="assumed",
        source="assumptions of the review",
    )
    formula = f"{significant(hours.hours)} h × {significant(each)} {stated.currency}"
    return CostLine(name=name, amount=amount, formula=formula, essential=False)


def cost_at(device: DeviceReview, duty: float, stated: Assumptions) -> float | None:
    """Return the cost of the fleet at another duty cycle; None where it is unknown.

    Energy goes with the load as far as the power of the idle device is known, rent where it is
    due for the time under load alone.
    """
    if device.total.value is None:
        return None
    own = stated.devices.get(device.device, DeviceAssumptions())
    other = stated.model_copy(update={"duty_cycle": duty})
    kwh = energy(device.power, device.facts, own, other)
    lines = cost_lines(device.facts, own, other, device.price, kwh)
    return total_cost(lines, stated.currency)[0].value


def total_cost(lines: Sequence[CostLine], currency: str) -> tuple[Amount, float, tuple[str, ...]]:
    """Return (total, sum of what is known, what is missing).

    The total is unknown as long as an essential part is.
    """
    known = [line.amount for line in lines if line.amount.value is not None]
    missing = [line for line in lines if line.amount.value is None]
    summed = total(known, currency, "sum of the parts")
    blocking = [line for line in missing if line.essential]
    if blocking:
        reasons = "; ".join(dict.fromkeys(f"{x.name}: {x.amount.reason}" for x in blocking))
        found = unknown(currency, reasons, least=summed.value)
    else:
        found = summed
    return found, summed.value or 0.0, tuple(line.name for line in missing)
