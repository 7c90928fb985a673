"""PurchaseView: the strings and tables of a procurement review, computed once from the document."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from advisor.core.quantity import Metric
from advisor.procurement.amounts import first_day
from advisor.procurement.cost import money_text
from advisor.procurement.review import DeviceReview, ProcurementReview
from advisor.reports.decision import figure_text
from advisor.reports.purchase.cells import (
    TableView,
    Text,
    amount_text,
    price_text,
    supply_text,
    total_text,
)
from advisor.reports.purchase.figures import (
    assumptions_table,
    comparison_table,
    costs_table,
    duty_table,
    heat_table,
    matrix_table,
    misses_table,
    models_table,
    portfolio_table,
    sources_table,
    supply_table,
    weights_table,
)
from advisor.reports.purchase.pictures import cost_bars, price_chart
from advisor.reports.wording import joined, lane_words, percent, plural

OPEN = 0.5
"""Share of the draws below which a first place is called open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseView:
    """Everything a report of a review shows."""

    title: str
    subtitle: str
    outcome: str
    headline: str
    sentences: tuple[str, ...]
    facts: tuple[tuple[str, Text], ...]
    warnings: tuple[str, ...]
    requirements: tuple[tuple[str, str], ...]
    tables: tuple[TableView, ...]
    """Those of the page, then those of its appendix."""
    first: int
    """How many stand before the appendix."""
    pictures: tuple[tuple[str, str, str], ...]
    """(title, drawing, note)."""
    glossary: tuple[tuple[str, str], ...]
    command: str
    versions: tuple[tuple[str, str], ...]


def purchase_of(document: ProcurementReview) -> PurchaseView:
    """Compute what a report of a review shows."""
    first = _first(document)
    outcome, headline, sentences = _decision(document, first)
    main = [
        table
        for table in (heat_table(document), matrix_table(document), costs_table(document))
        if table.rows
    ]
    more = (
        comparison_table(document),
        weights_table(document),
        duty_table(document),
        models_table(document),
        misses_table(document),
        portfolio_table(document),
        supply_table(document),
        sources_table(document),
        assumptions_table(document),
    )
    return PurchaseView(
        title="Which device to buy",
        subtitle=f"Review of {document.created[:10]}",
        outcome=outcome,
        headline=headline,
        sentences=tuple(sentences),
        facts=tuple(_facts(document, first)) if first else (),
        warnings=document.warnings,
        requirements=tuple(_requirements(document)),
        tables=(*main, *(table for table in more if table.rows)),
        first=len(main),
        pictures=tuple(_pictures(document)),
        glossary=_GLOSSARY,
        command=document.command,
        versions=(
            ("Advisor version", document.advisor_version),
            ("Made at", document.created),
            ("Format version", str(document.schema_version)),
        ),
    )


_GLOSSARY = (
    ("Images a second at equal accuracy", "with the fastest model that reaches the same accuracy "
     "on every device, one image after the other"),
    ("Criterion", "what the decision goes by; each has a weight and a scale from 0 to 1"),
    ("First in", "share of the draws of weights and figures in which the device comes first"),
    ("Duty cycle", "share of the time that the device is under load"),
    ("Spares", "devices bought in reserve"),
    ("Top-1", "how often the first guess is right, on ImageNet's test images"),
    ("Unknown", "nobody states it; it is never counted as zero"),
    ("Old", "a price that is older than the assumptions allow, or has no date"),
)  # fmt: skip


def _pictures(document: ProcurementReview) -> Iterator[tuple[str, str, str]]:
    bars, prices = cost_bars(document), price_chart(document)
    if bars:
        yield (
            "Where the money goes",
            bars,
            "Known parts of the cost of the fleet over its years. What is unknown has no width and "
            "is named.",
        )
    if prices:
        yield (
            "Price against performance",
            prices,
            f"{_by_price(document)}Up and to the left is better. The lines are intervals of the "
            "speed; a computer or board that a device needs beside it is not part of this price.",
        )


def _by_price(document: ProcurementReview) -> str:
    """The devices of the chart from left to right: narrow screens leave its names out."""
    priced = sorted(
        (d.price.value, d.name) for d in document.devices if d.price.value and d.speed.value
    )
    return f"From the left: {', '.join(name for _, name in priced)}. "


def _first(document: ProcurementReview) -> DeviceReview | None:
    if not document.matrix.rows:
        return None
    name = document.matrix.rows[0].device
    return next(d for d in document.devices if d.device == name)


def _decision(
    document: ProcurementReview, first: DeviceReview | None
) -> tuple[str, str, list[str]]:
    if first is None:
        reasons = [f"{d.name}: {d.reason}." for d in document.devices]
        return "nothing", "No device meets the limits", reasons
    sentences = [*_model_sentences(first), _cost_sentence(document, first)]
    sentences += _sure_sentences(document, first)
    if len(document.matrix.rows) > 1 and document.matrix.rows[0].first_share < OPEN:
        names = {d.device: d.name for d in document.devices}
        rest = sorted(document.matrix.rows[1:], key=lambda row: -row.first_share)
        headline = f"Open between {first.name} and {names[rest[0].device]}"
        return "measure", headline, sentences
    if first.outcome == "uncertain":
        return "measure", f"Test {first.name} before buying", [f"{first.reason}.", *sentences]
    if first.total.value is None:
        return "measure", f"Find out what {first.name} costs before deciding", sentences
    if first.price.stale:
        return "measure", f"Buy {first.name}, after a current offer", sentences
    return "use", f"Buy {first.name}", sentences


def _model_sentences(device: DeviceReview) -> Iterator[str]:
    best = device.best[0]
    latency = best.metrics.get(Metric.LATENCY)
    speed = f", {figure_text(latency)} an image" if latency else ""
    way = f" with {lane_words(device.lane)}" if device.lane else ""
    yield f"Run {best.candidate} on it{way}: {amount_text(device.accuracy).text} top-1{speed}."


def _cost_sentence(document: ProcurementReview, device: DeviceReview) -> str:
    stated = document.assumptions
    fleet = f"{plural(stated.quantity, 'device')} over {stated.years:g} years"
    if device.total.value is None:
        least = f"{money_text(round(device.known_total))} {stated.currency}"
        return f"Cost of {fleet}: at least {least}; unknown: {joined(device.missing)}."
    total, each = amount_text(device.total), amount_text(device.per_unit)
    without = f", without {joined(device.missing).lower()}" if device.missing else ""
    spread = f" ({total.note})" if total.note else ""
    return f"Cost of {fleet}: {total.text}{spread}, {each.text} a device{without}."


def _sure_sentences(document: ProcurementReview, first: DeviceReview) -> Iterator[str]:
    rows = sorted(document.matrix.rows[1:], key=lambda row: -row.first_share)
    share = percent(document.matrix.rows[0].first_share)
    names = {d.device: d.name for d in document.devices}
    if rows:
        other = rows[0]
        unknown = "" if other.rank else ", whose cost is unknown and drawn at random"
        yield (
            f"It comes first in {share} of {document.matrix.draws:,} draws of weights and figures; "
            f"{names[other.device]}{unknown}, in {percent(other.first_share)}."
        )
    if rows and document.matrix.rows[0].first_share < OPEN:
        yield f"So the choice is open. What would settle it: {joined(_settling(document))}."
    if first.supply.status in ("eol", "eol_announced"):
        yield f"Supply ends: {'; '.join(first.supply.events)}."


def _settling(document: ProcurementReview) -> list[str]:
    """Name what is unknown or wide about the devices that may come first."""
    likely = {row.device for row in document.matrix.rows if row.first_share >= 0.1}
    devices = [d for d in document.devices if d.device in likely]
    unpriced = [d.name for d in devices if d.price.value is None or d.price.stale]
    unpowered = [d.name for d in devices if d.power.origin != "assumed"]
    found = [f"current offers for {joined(unpriced)}"] if unpriced else []
    found += [f"the power of {joined(unpowered)} at the socket"] if unpowered else []
    return [*found, "the weights of the criteria"]


def _facts(document: ProcurementReview, device: DeviceReview) -> Iterator[tuple[str, Text]]:
    best = device.best[0]
    yield "Device", Text(text=device.name, note=device.device)
    yield "Model", Text(text=best.candidate, note=best.precision)
    yield "Price of one", price_text(device)
    yield "Total cost", total_text(device)
    yield "Power", amount_text(device.power)
    yield "Images a second", amount_text(device.speed)
    room = [f"{Metric(m).label} {percent(round(x, 3))}" for m, x in device.headroom.items()]
    yield "Room to the limits", Text(text=joined(room) or "no limits asked")
    yield "Supply", supply_text(device)
    valid = _valid_until(document)
    yield "Valid until", Text(text=valid, note="then ask for prices again")


def _valid_until(document: ProcurementReview) -> str:
    """First day on which a price that is now current will be too old."""
    days = timedelta(days=document.assumptions.stale_after_days)
    current = [d.price.date for d in document.devices if d.price.date and not d.price.stale]
    dates = [day for day in map(first_day, current) if day]
    return (min(dates) + days).isoformat() if dates else "no current price"


def _requirements(document: ProcurementReview) -> Iterator[tuple[str, str]]:
    request, stated = document.request.request, document.assumptions
    yield "Devices", ", ".join(document.request.devices)
    for limit in request.limits:
        yield "Limit", limit.text
    yield "Each limit has to hold with", f"{percent(request.confidence)} probability"
    yield "Purchase", f"{plural(stated.quantity, 'device')}, used for {stated.years:g} years"
    yield "Under load", f"{percent(stated.duty_cycle)} of the time, else idle"
    tariff = stated.tariff
    price = f"{tariff.amount:g} {tariff.currency} per kWh" if tariff else "not given"
    yield "Price of energy", price
    yield "Currency", _currency_words(document)


def _currency_words(document: ProcurementReview) -> str:
    stated = document.assumptions
    rates = [f"1 {name} = {value:g} USD" for name, value in stated.fx.items()]
    dated = f" ({stated.fx_date})" if stated.fx_date else ""
    return f"{stated.currency}{'; ' + ', '.join(rates) + dated if rates else ''}"


def tables_named(view: PurchaseView, keys: Iterable[str]) -> list[TableView]:
    """Return the tables with these keys, in that order."""
    found = {table.key: table for table in view.tables}
    return [found[key] for key in keys if key in found]
