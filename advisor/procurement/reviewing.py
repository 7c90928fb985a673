"""Reviewing: joins recommendations, facts of the devices and assumptions to one review."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from advisor.answering.contest import promising
from advisor.core.document import DeviceFacts, Entry, Recommendation
from advisor.core.quantity import Metric
from advisor.procurement.amounts import of_figure, ratio, scaled, unknown
from advisor.procurement.assumptions import Assumptions, DeviceAssumptions
from advisor.procurement.cost import HOST, cost_lines, energy, power, price, total_cost, with_host
from advisor.procurement.matrix import matrix
from advisor.procurement.portfolio import portfolio
from advisor.procurement.review import Amount, DeviceReview, ProcurementRequest, ProcurementReview
from advisor.procurement.same_model import at_accuracy, compared, least_top1, on_device
from advisor.procurement.supply import supply

BEST = 3
"""Models shown per device."""
SECONDS_OF_A_YEAR = 31_557_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the advisor says of one device."""

    device: str
    name: str
    facts: DeviceFacts
    document: Recommendation | None
    reason: str = ""
    """Why there is no recommendation."""
    workloads: Mapping[str, Recommendation] = field(default_factory=dict)
    """A recommendation per workload of the portfolio; empty where one has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """When and by what a review was made."""

    version: str
    created: str
    """ISO 8601."""
    command: str


def review(
    request: ProcurementRequest, stated: Assumptions, answers: Sequence[Answer], stamp: Stamp
) -> ProcurementReview:
    """Review the devices under the same limits and assumptions."""
    today = datetime.fromisoformat(stamp.created).date()
    top1 = least_top1(request.request.limits, stated.reference_top1)
    models = compared([answer.document for answer in answers if answer.document])
    devices = tuple(review_device(one, stated, today, top1, models) for one in answers)
    found = {i.name: i for a in answers if a.document for i in a.document.inputs}
    return ProcurementReview(
        advisor_version=stamp.version,
        created=stamp.created,
        command=stamp.command,
        request=request,
        assumptions=stated,
        devices=devices,
        matrix=matrix(devices, stated, request.request.seed),
        warnings=tuple(warnings(devices, stated)),
        inputs=tuple(found.values()),
    )


def review_device(
    answer: Answer,
    stated: Assumptions,
    today: date,
    top1: float = 0.0,
    models: Sequence[str] = (),
) -> DeviceReview:
    """Review one device; ``top1`` is the accuracy of reference, ``models`` are compared."""
    facts = answer.facts
    own = stated.devices.get(answer.device, DeviceAssumptions())
    unit_price = price(facts, own, stated, today)
    load = power(facts, own, stated)
    kwh = energy(load, facts, own, stated)
    lines = cost_lines(facts, own, stated, unit_price, kwh)
    total, known, missing = total_cost(lines, stated.currency)
    best = _best(answer.document)
    fast = at_accuracy(answer.document, top1)
    complete = with_host(unit_price, facts, own, stated)
    (reference,) = on_device([fast.candidate], answer.document, load, complete) if fast else (None,)
    missing_speed = unknown("1/s", f"no model of {100 * top1:g} % top-1 meets the limits")
    speed = reference.speed if reference else missing_speed
    busy = scaled(speed, SECONDS_OF_A_YEAR * stated.duty_cycle, "images")
    return DeviceReview(
        device=answer.device,
        name=answer.name,
        **_verdict_fields(answer),
        best=best,
        headroom=dict(best[0].margins) if best else {},
        facts=facts,
        accuracy=_accuracy(best),
        reference=reference,
        reference_headroom=dict(fast.margins) if fast else {},
        same=on_device(models, answer.document, load, complete),
        speed=speed,
        efficiency=ratio(speed, load, "1/J"),
        value=ratio(speed, complete, f"1/s/{stated.currency}"),
        price=unit_price,
        power=load,
        costs=lines,
        total=total,
        known_total=known,
        missing=missing,
        per_unit=scaled(total, 1 / stated.quantity, stated.currency),
        images_a_year=busy,
        co2=_co2(kwh, stated),
        per_million=_per_million(total, speed, stated),
        supply=supply(facts, own, today),
        portfolio=portfolio(answer.workloads, stated, facts)
        if stated.workloads and len(answer.workloads) == len(stated.workloads)
        else None,
    )


def _co2(kwh: Amount, stated: Assumptions) -> Amount:
    if stated.co2_per_kwh is None:
        return unknown("kg", "nobody stated the CO2 of a kilowatt-hour (--co2 350g/kWh)")
    return scaled(kwh, stated.co2_per_kwh / 1000, "kg")


def _verdict_fields(answer: Answer) -> dict[str, Any]:
    document = answer.document
    if document is None:
        return {"outcome": "no answer", "reason": answer.reason}
    found: dict[str, Any] = {
        "lane": document.lane,
        "considered": document.considered,
        "met": len(document.ranked),
        "uncertain": len(document.uncertain),
    }
    if document.ranked:
        return found | {"outcome": "meets"}
    if document.uncertain:
        first = promising(document)[0]
        settle = f"; settle it: {first.settle}" if first.settle else ""
        reason = f"no model is sure to meet the limits, {first.candidate} may{settle}"
        return found | {"outcome": "uncertain", "reason": reason}
    nearest = document.rejected[:BEST]
    reason = f"{nearest[0].candidate}: {nearest[0].reason}" if nearest else "no model fits"
    return found | {
        "outcome": "fails",
        "reason": reason,
        "misses": nearest,
        "relaxations": tuple(item.text for item in document.relaxations),
    }


def _best(document: Recommendation | None) -> tuple[Entry, ...]:
    if document is None:
        return ()
    return (document.ranked or promising(document))[:BEST]


def _accuracy(best: Sequence[Entry]) -> Amount:
    if not best:
        return unknown("fraction", "no model meets the limits")
    return of_figure(best[0].metrics.get(Metric.TOP1), "accuracy unknown", "fraction")


def _per_million(total: Amount, speed: Amount, stated: Assumptions) -> Amount:
    """Cost of a million images, when each device works through its duty cycle."""
    if speed.value is None:
        return unknown(stated.currency, speed.reason)
    seconds = stated.quantity * stated.years * SECONDS_OF_A_YEAR * stated.duty_cycle
    if not seconds:
        return unknown(stated.currency, "the devices are never busy")
    return ratio(total, scaled(speed, seconds / 1e6, "million images"), stated.currency)


def warnings(devices: Sequence[DeviceReview], stated: Assumptions) -> Iterator[str]:
    """Say what the buyer has to know before relying on the review."""
    stale = [device.device for device in devices if device.price.stale]
    if stale:
        yield (
            f"prices older than {stated.stale_after_days} days or without a date: "
            f"{', '.join(stale)}; ask for offers"
        )
    unpriced = [device.device for device in devices if device.price.value is None]
    if unpriced:
        yield f"no price known: {', '.join(unpriced)}"
    unpowered = [device.device for device in devices if device.power.value is None]
    if unpowered:
        yield f"no power figure known, so no cost of energy: {', '.join(unpowered)}"
    hosted = [d.device for d in devices if d.facts.needs_host]
    unhosted = [d.device for d in devices if d.device in hosted and HOST in d.missing]
    if unhosted:
        yield (
            f"need a computer, of which nothing is stated, and are not scored: "
            f"{', '.join(unhosted)}"
        )
    for device in devices:
        if device.supply.status in ("eol", "eol_announced"):
            yield f"{device.device}: {'; '.join(device.supply.events) or device.supply.status}"
    if stated.tariff is None:
        yield "no tariff given, so the cost of energy is unknown (--tariff 0.30EUR/kWh)"
