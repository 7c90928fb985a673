"""PurchaseView: the strings and tables of a procurement review, computed once from the document."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from advisor.procurement.amounts import first_day
from advisor.procurement.review import (
    Amount,
    DeviceReview,
    MatrixCell,
    MatrixRow,
    ProcurementReview,
)
from advisor.quantity import Metric, Unit, human, human_interval, significant
from advisor.recommendation import Figure
from advisor.reports.decision import figure_text
from advisor.reports.wording import constraint_of, joined, lane_words, percent, plural

UNKNOWN = "unknown"
_PER = {
    "1/s": "/s",
    "1/J": "per joule",
    "1/s/USD": "/s per USD",
    "1/s/EUR": "/s per EUR",
    "years": "years",
    "W": "W",
    "kWh": "kWh",
}
_SI = {"B": Unit.BYTE, "s": Unit.SECOND, "fraction": Unit.FRACTION}
_OUTCOME = {"meets": "met", "uncertain": "uncertain", "fails": "violated", "no answer": "unknown"}
_STATUS = {
    "active": "on sale",
    "eol_announced": "end of life announced",
    "eol": "end of life",
    "unknown": UNKNOWN,
}


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
    command: str
    versions: tuple[tuple[str, str], ...]


def purchase_of(document: ProcurementReview) -> PurchaseView:
    """Compute what a report of a review shows."""
    first = _first(document)
    outcome, headline, sentences = _decision(document, first)
    made = (
        _comparison(document),
        _matrix(document),
        _weights(document),
        _costs(document),
        _models(document),
        _misses(document),
        _portfolio(document),
        _supply(document),
        _sources(document),
        _assumptions(document),
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
        tables=tuple(table for table in made if table.rows),
        command=document.command,
        versions=(
            ("Advisor version", document.advisor_version),
            ("Made at", document.created),
            ("Format version", str(document.schema_version)),
        ),
    )


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


def _written(value: float, unit: str) -> str:
    if unit in _SI:
        return human(value, _SI[unit])
    return f"{significant(value)} {_unit(unit)}".rstrip()


def _unit(unit: str) -> str:
    """Write a unit for people: ``1/s/USD`` as ``/s per USD``."""
    head, slash, money = unit.rpartition("/")
    if slash and head in _PER:
        return f"{_PER[head]} per {money}"
    return _PER.get(unit, unit)


def _range(low: float, high: float, unit: str, like: float) -> str:
    if unit in _SI:
        return human_interval(low, high, _SI[unit], like=like)
    return f"{significant(low)}–{significant(high)} {_unit(unit)}".rstrip()


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
        least = f"{significant(device.known_total)} {stated.currency}"
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
    if document.matrix.rows[0].first_share < 0.5:
        yield (
            "So the choice is not firm: state the missing prices and powers in the assumptions, "
            "and settle the weights, before signing."
        )
    if first.supply.status in ("eol", "eol_announced"):
        yield f"Supply ends: {'; '.join(first.supply.events)}."


def _facts(document: ProcurementReview, device: DeviceReview) -> Iterator[tuple[str, Text]]:
    best = device.best[0]
    yield "Device", Text(text=device.name, note=device.device)
    yield "Model", Text(text=best.candidate, note=best.precision)
    yield "Price of one", _price_text(device)
    yield "Total cost", _total_text(device)
    yield "Power", amount_text(device.power)
    yield "Images a second", amount_text(device.speed)
    room = [f"{Metric(m).label} {percent(round(x, 3))}" for m, x in device.headroom.items()]
    yield "Room to the limits", Text(text=joined(room) or "no limits asked")
    yield "Supply", _supply_text(device)
    valid = _valid_until(document)
    yield "Valid until", Text(text=valid, note="then ask for prices again")


def _price_text(device: DeviceReview, *, brief: bool = False) -> Text:
    found = amount_text(device.price)
    if found.kind == "gap":
        return found
    if brief:
        note = ", ".join(x for x in (device.facts.price_item, device.price.date or "no date") if x)
        return Text(text=found.text, note=note, kind=found.kind)
    parts = [device.price.date or "no date", *device.price.caveats]
    return Text(text=found.text, note="; ".join(parts), kind=found.kind)


def _total_text(device: DeviceReview) -> Text:
    found = amount_text(device.total)
    if device.total.value is not None:
        missing = f"without {joined(device.missing).lower()}" if device.missing else ""
        note = "; ".join(part for part in (found.note, missing) if part)
        return Text(text=found.text, note=note, kind=found.kind)
    least = f"at least {significant(device.known_total)} {device.total.unit}"
    return Text(text=UNKNOWN, note=f"{least}; unknown: {joined(device.missing)}", kind="gap")


def _supply_text(device: DeviceReview) -> Text:
    found = device.supply
    kind = {"active": "", "unknown": "gap"}.get(found.status, "warn")
    note = "; ".join([*found.events, *([found.note] if found.note else [])])
    return Text(text=_STATUS.get(found.status, found.status), note=note, kind=kind)


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
        yield "Limit", constraint_of(limit).text
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


def _comparison(document: ProcurementReview) -> TableView:
    devices = document.devices
    rows: list[tuple[str, list[Text]]] = [
        ("Limits", [Text(text=d.outcome, kind=_OUTCOME[d.outcome]) for d in devices]),
        ("Best model", [_model_text(d) for d in devices]),
        ("Top-1", [amount_text(d.accuracy) for d in devices]),
        ("Latency", [_latency_text(d) for d in devices]),
        ("Images a second", [amount_text(d.speed) for d in devices]),
        ("Power under load", [amount_text(d.power) for d in devices]),
        ("Images per joule", [amount_text(d.efficiency) for d in devices]),
        ("Price of one", [_price_text(d, brief=True) for d in devices]),
        ("Total cost", [_total_text(d) for d in devices]),
        ("Cost of one device over its years", [amount_text(d.per_unit) for d in devices]),
        ("Cost of a million images", [amount_text(d.per_million) for d in devices]),
        ("Images a second per money", [amount_text(d.value) for d in devices]),
        ("Supply", [_supply_text(d) for d in devices]),
    ]
    return TableView(
        key="devices",
        title="Devices side by side",
        head=("", *(d.name for d in devices)),
        rows=tuple((Text(text=label), *cells) for label, cells in rows),
        note="Speed is of one image after the other. An unknown figure is never counted as zero: "
        "it makes every total it belongs to unknown.",
    )


def _model_text(device: DeviceReview) -> Text:
    if not device.best:
        return Text(text="–", note=device.reason if device.outcome == "no answer" else "")
    return Text(text=device.best[0].candidate, note=device.best[0].precision)


def _latency_text(device: DeviceReview) -> Text:
    figure = device.best[0].metrics.get(Metric.LATENCY) if device.best else None
    if figure is None:
        return Text(text=UNKNOWN, note="no model meets the limits", kind="gap")
    spread = human_interval(figure.low, figure.high, figure.unit, like=figure.value)
    note = figure.origin if figure.low == figure.high else f"{spread}, {figure.origin}"
    return Text(text=human(figure.value, figure.unit), note=note, kind="number")


def _matrix(document: ProcurementReview) -> TableView:
    found = document.matrix
    heads = [f"{c.label} (weight {percent(round(c.weight, 3))})" for c in found.criteria]
    rows = [_matrix_row(row, document) for row in found.rows]
    excluded = f" Not scored: {joined(found.excluded)}." if found.excluded else ""
    return TableView(
        key="matrix",
        title="Decision matrix",
        head=("Device", *heads, "Score", "First in"),
        rows=tuple(rows),
        note="Each figure is put between 0 (worst of these devices) and 1 (best), speed, energy "
        "and cost by ratio; the score is their weighted sum. Unknown counts as the worst; the "
        "second number is the score if it were the best. Signs compare with "
        f"{found.baseline}.{excluded}",
    )


def _matrix_row(row: MatrixRow, document: ProcurementReview) -> tuple[Text, ...]:
    device = next(d for d in document.devices if d.device == row.device)
    best = f"up to {row.best_score:.2f}" if row.best_score > row.score + 0.005 else ""
    return (
        Text(text=device.name, note=f"#{row.rank}" if row.rank else "not ranked: cost unknown"),
        *(_matrix_cell(cell) for cell in row.cells),
        Text(text=f"{row.score:.2f}", note=best, kind="number"),
        Text(text=percent(row.first_share), kind="number"),
    )


_SIGN = {"better": "+", "worse": "−", "same": "=", "unknown": "?"}


def _matrix_cell(cell: MatrixCell) -> Text:
    raw = amount_text(cell.raw, ranged=False)
    if cell.normalised is None:
        return Text(text=UNKNOWN, note=raw.note, kind="gap")
    return Text(
        text=f"{cell.normalised:.2f} {_SIGN[cell.versus]}", note=raw.text, kind=raw.kind or "number"
    )


def _weights(document: ProcurementReview) -> TableView:
    labels = {c.key: c.label for c in document.matrix.criteria}
    names = {d.device: d.name for d in document.devices}
    rows = [
        (
            Text(text=labels[step.criterion]),
            Text(text=percent(round(step.weight, 3)), kind="number"),
            Text(
                text="never" if step.break_even is None else percent(round(step.break_even, 3)),
                kind="number",
            ),
            Text(text="–" if step.break_even is None else names[step.first]),
        )
        for step in document.matrix.break_even
    ]
    return TableView(
        key="weights",
        title="How far the weights may move",
        head=("Criterion", "Weight now", "First place changes at", "Then first"),
        rows=tuple(rows)
        if len(document.matrix.break_even) and len(document.matrix.rows) > 1
        else (),
        note="One weight is raised, the others keep their proportions.",
    )


def _costs(document: ProcurementReview) -> TableView:
    names = list(dict.fromkeys(line.name for d in document.devices for line in d.costs))
    rows = []
    for device in document.devices:
        lines = {line.name: line for line in device.costs}
        cells = [
            _cost_cell(lines[name].amount, lines[name].formula) if name in lines else Text(text="–")
            for name in names
        ]
        rows.append((Text(text=device.name), *cells, _total_text(device)))
    stated = document.assumptions
    return TableView(
        key="cost",
        title=f"What it costs: {plural(stated.quantity, 'device')} over {stated.years:g} years",
        head=("Device", *names, "Total"),
        rows=tuple(rows),
        note="The small line shows how each part is computed; "
        "energy is power × hours × tariff. Effort is assumed once per kind of device.",
    )


def _cost_cell(amount: Amount, formula: str) -> Text:
    found = amount_text(amount, ranged=False)
    note = amount.reason if found.kind == "gap" else formula
    return Text(text=found.text, note=note, kind=found.kind)


def _models(document: ProcurementReview) -> TableView:
    rows = []
    for device in document.devices:
        for place, entry in enumerate(device.best, 1):
            latency, top1 = entry.metrics.get(Metric.LATENCY), entry.metrics.get(Metric.TOP1)
            rows.append(
                (
                    Text(text=device.name if place == 1 else ""),
                    Text(text=entry.candidate, note=entry.precision),
                    Text(text=entry.verdict, kind=entry.verdict),
                    _figure_cell(latency),
                    _figure_cell(top1),
                    Text(
                        text=latency.origin if latency else "",
                        note=latency.source if latency else "",
                    ),
                )
            )
    return TableView(
        key="models",
        title="Best models of each device",
        head=("Device", "Model", "Limits", "Latency", "Top-1", "Origin and source of the latency"),
        rows=tuple(rows),
    )


def _figure_cell(figure: Figure | None) -> Text:
    if figure is None:
        return Text(text=UNKNOWN, kind="gap")
    return Text(text=figure_text(figure), kind="number")


def _misses(document: ProcurementReview) -> TableView:
    rows = []
    for device in document.devices:
        if device.outcome not in ("fails", "no answer", "uncertain"):
            continue
        help_ = "; ".join(device.relaxations) or "–"
        rows.append(
            (
                Text(text=device.name),
                Text(text=device.outcome, kind=_OUTCOME[device.outcome]),
                Text(text=device.reason),
                Text(text=help_),
            )
        )
    return TableView(
        key="fails",
        title="Devices that fall short, and by how much",
        head=("Device", "Limits", "Nearest model or reason", "What would help"),
        rows=tuple(rows),
    )


def _portfolio(document: ProcurementReview) -> TableView:
    rows = []
    for device in document.devices:
        found = device.portfolio
        if found is None:
            continue
        shares = "; ".join(
            f"{s.workload}: {s.candidate}, {amount_text(s.time).text} of the time"
            for s in found.shares
        )
        rows.append(
            (
                Text(text=device.name),
                Text(text=found.verdict, kind=found.verdict),
                Text(text=shares or "–"),
                amount_text(found.time),
                amount_text(found.memory, ranged=False),
                Text(text="; ".join(found.reasons)),
            )
        )
    return TableView(
        key="portfolio",
        title="All workloads on one device",
        head=("Device", "Together", "Models", "Time in use", "Memory", "Why"),
        rows=tuple(rows),
        note="Times and memory add up, as if all models stay loaded.",
    )


def _supply(document: ProcurementReview) -> TableView:
    rows = [
        (
            Text(text=device.name),
            _supply_text(device),
            amount_text(device.supply.years_left),
            Text(text=device.supply.confidence or UNKNOWN, note=device.supply.source),
        )
        for device in document.devices
    ]
    return TableView(
        key="supply",
        title="Supply",
        head=("Device", "Status and dates", "Still sold for", "Confidence and source"),
        rows=tuple(rows),
        note="Dates are mostly second hand: ask the vendor before committing.",
    )


def _sources(document: ProcurementReview) -> TableView:
    rows: list[tuple[Text, ...]] = []
    for device in document.devices:
        for what, amount in (("Price", device.price), ("Power under load", device.power)):
            found = amount_text(amount)
            rows.append(
                (
                    Text(text=device.name),
                    Text(text=what),
                    found,
                    Text(text=amount.origin or UNKNOWN),
                    Text(text=amount.source or "–"),
                    Text(text=amount.date or "–"),
                    Text(text="; ".join(amount.caveats) or "–"),
                )
            )
    return TableView(
        key="sources",
        title="Where prices and power come from",
        head=("Device", "Figure", "Value", "Origin", "Source", "Date", "Caveats"),
        rows=tuple(rows),
    )


def _assumptions(document: ProcurementReview) -> TableView:
    stated = document.assumptions
    rate = stated.hourly_rate
    lines: Sequence[tuple[str, str]] = (
        ("Spares", percent(stated.spares)),
        ("Integration", _hours(stated.integration)),
        ("Training", _hours(stated.training)),
        ("Hourly rate", f"{rate.amount:g} {rate.currency}"),
        ("Prices count as old after", plural(stated.stale_after_days, "day")),
        *(
            (f"Socket power of a {kind} figure", f"{spread.low:g} to {spread.high:g} times")
            for kind, spread in stated.power_range.items()
        ),
        ("Memory the system keeps", human(stated.system_memory, Unit.BYTE)),
        ("Most time several workloads may fill", percent(stated.max_utilisation)),
    )
    return TableView(
        key="assumptions",
        title="What is assumed",
        head=("Assumption", "Value"),
        rows=tuple((Text(text=what), Text(text=text)) for what, text in lines),
        note="Edit these: advisor procure --write-assumptions mine.yaml, then --assumptions.",
    )


def _hours(effort: object) -> str:
    hours, low, high = (getattr(effort, name) for name in ("hours", "low", "high"))
    return f"{significant(hours)} h ({significant(low)} to {significant(high)} h)"


def tables_named(view: PurchaseView, keys: Iterable[str]) -> list[TableView]:
    """Return the tables with these keys, in that order."""
    found = {table.key: table for table in view.tables}
    return [found[key] for key in keys if key in found]
