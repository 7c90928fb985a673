"""Tables of a procurement review, from the comparison to the assumptions."""

import math
from collections.abc import Sequence

from advisor.core.document import Figure
from advisor.core.quantity import Metric, Unit, human, human_interval, significant
from advisor.procurement.assumptions import Assumptions, Hours
from advisor.procurement.cost import cost_at, money_text
from advisor.procurement.review import (
    Amount,
    Criterion,
    DeviceReview,
    MatrixCell,
    MatrixRow,
    ProcurementReview,
    SameModel,
)
from advisor.procurement.reviewing import SECONDS_OF_A_YEAR
from advisor.procurement.same_model import least_top1
from advisor.reports.decision import figure_text
from advisor.reports.purchase.cells import (
    UNKNOWN,
    TableView,
    Text,
    amount_text,
    price_text,
    supply_text,
    total_text,
)
from advisor.reports.wording import joined, percent, plural

_OUTCOME = {"meets": "met", "uncertain": "uncertain", "fails": "violated", "no answer": "unknown"}


def comparison_table(document: ProcurementReview) -> TableView:
    devices = document.devices
    rows: list[tuple[str, list[Text]]] = [
        ("Limits", [Text(text=d.outcome, kind=_OUTCOME[d.outcome]) for d in devices]),
        ("Best model", [_model_text(d) for d in devices]),
        ("Top-1", [amount_text(d.accuracy) for d in devices]),
        ("Latency", [_latency_text(d) for d in devices]),
        ("At equal accuracy", [_reference_text(d) for d in devices]),
        ("Images a second with it", [amount_text(d.speed) for d in devices]),
        ("Power under load", [amount_text(d.power) for d in devices]),
        ("Images per joule", [amount_text(d.efficiency) for d in devices]),
        ("Price of one", [price_text(d, brief=True) for d in devices]),
        ("Total cost", [total_text(d) for d in devices]),
        ("Cost of one device over its years", [amount_text(d.per_unit) for d in devices]),
        ("Cost of a million images", [amount_text(d.per_million) for d in devices]),
        ("Images of one device a year", [amount_text(d.images_a_year) for d in devices]),
        ("Images a second per money", [amount_text(d.value) for d in devices]),
        *(
            [("CO2 of the energy", [amount_text(d.co2) for d in devices])]
            if document.assumptions.co2_per_kwh is not None
            else []
        ),
        ("Supply", [supply_text(d) for d in devices]),
    ]
    return TableView(
        key="devices",
        title="Devices side by side",
        head=("", *(d.name for d in devices)),
        rows=tuple((Text(text=label), *cells) for label, cells in rows),
        note="Equal accuracy: the fastest model that reaches "
        f"{percent(reference_top1(document))} top-1 within the limits, so that devices and not "
        "limits are compared. Speed is of one image after the other. An unknown figure is never "
        "counted as zero: "
        "it makes every total it belongs to unknown.",
    )


def _model_text(device: DeviceReview) -> Text:
    if not device.best:
        return Text(text="–", note=device.reason if device.outcome == "no answer" else "")
    return Text(text=device.best[0].candidate, note=device.best[0].precision)


def reference_top1(document: ProcurementReview) -> float:
    """The accuracy at which the devices are compared."""
    limits = document.request.request.limits
    return least_top1(limits, document.assumptions.reference_top1)


def _reference_text(device: DeviceReview) -> Text:
    if device.reference is None:
        return Text(text=UNKNOWN, note=device.speed.reason, kind="gap")
    room = device.reference_headroom.get(Metric.LATENCY)
    spare = f", {percent(round(room, 2))} of the time to spare" if room and room > 0 else ""
    latency = amount_text(device.reference.latency, ranged=False).text
    return Text(text=device.reference.candidate, note=f"{latency}{spare}")


def heat_table(document: ProcurementReview) -> TableView:
    """Devices × models: what each device does with the same model."""
    devices = [d for d in document.devices if d.same]
    names = [one.candidate for one in devices[0].same] if devices else []
    rows = []
    for place, name in enumerate(names):
        found = [device.same[place] for device in devices]
        best = max((one.speed.value or 0.0 for one in found), default=0.0)
        rows.append((Text(text=name), *(_heat_cell(one, best) for one in found)))
    return TableView(
        key="heat",
        title="The same model on every device",
        head=("Model", *(d.name for d in devices)),
        rows=tuple(rows) if len(devices) > 1 else (),
        note="Latency; images a second, per joule and per unit of money below it. The darker, the "
        "nearer to the fastest device of the row; ✓ keeps every limit.",
    )


def _heat_cell(one: SameModel, best: float) -> Text:
    if one.speed.value is None:
        return Text(text=UNKNOWN, note=one.speed.reason, kind="gap")
    rates = (amount_text(x, ranged=False) for x in (one.speed, one.per_watt, one.per_money))
    note = "; ".join(rate.text for rate in rates if rate.kind != "gap")
    shade = max(1, min(5, 5 + math.floor(math.log2(one.speed.value / best)))) if best else 1
    latency = amount_text(one.latency, ranged=False)
    text = latency.text if latency.kind != "gap" else amount_text(one.speed, ranged=False).text
    return Text(text=f"{text}{' ✓' if one.keeps else ''}", note=note, kind=f"heat{shade}")


def duty_table(document: ProcurementReview) -> TableView:
    """Images a year and cost of a million images against the duty cycle."""
    stated = document.assumptions
    shares = sorted({0.05, 0.25, 0.5, 1.0, stated.duty_cycle})
    rows = []
    for device in document.devices:
        if device.speed.value is not None:
            cells = [_duty_cell(device, share, stated) for share in shares]
            rows.append((Text(text=device.name), *cells))
    return TableView(
        key="duty",
        title="Images a year and cost of a million, by the time under load",
        head=("Device", *(percent(share) for share in shares)),
        rows=tuple(rows),
        note="With the model of equal accuracy. The cost is that of the duty cycle stated, spread "
        "over the images; energy and rent that follow the load are computed anew.",
    )


def _duty_cell(device: DeviceReview, share: float, stated: Assumptions) -> Text:
    assert device.speed.value is not None
    images = device.speed.value * share * SECONDS_OF_A_YEAR
    text = f"{significant(images / 1e6)} M images"
    cost = cost_at(device, share, stated)
    if cost is None:
        return Text(text=text, note="cost unknown", kind="number")
    each = cost / (stated.quantity * stated.years * images) * 1e6
    return Text(text=text, note=f"{money_text(each)} {stated.currency} a million", kind="number")


def _latency_text(device: DeviceReview) -> Text:
    figure = device.best[0].metrics.get(Metric.LATENCY) if device.best else None
    if figure is None:
        return Text(text=UNKNOWN, note="no model meets the limits", kind="gap")
    spread = human_interval(figure.low, figure.high, figure.unit, like=figure.value)
    note = figure.origin if figure.low == figure.high else f"{spread}, {figure.origin}"
    return Text(text=human(figure.value, figure.unit), note=note, kind="number")


def matrix_table(document: ProcurementReview) -> TableView:
    found = document.matrix
    heads = [f"{c.label} (weight {percent(round(c.weight, 3))})" for c in found.criteria]
    rows = [_matrix_row(row, document) for row in found.rows]
    excluded = f" Not scored: {joined(found.excluded)}." if found.excluded else ""
    return TableView(
        key="matrix",
        title="Decision matrix",
        head=("Device", *heads, "Score", "First in"),
        rows=tuple(rows),
        note=f"Each figure is put on a scale of its own, whoever is compared: {_scales(document)}. "
        "Beyond its ends it is worth no less and no more; the score is the weighted sum. Unknown "
        "counts as 0; the "
        "second number is the score if it were the best. Signs compare with "
        f"{found.baseline}.{excluded}",
    )


def _scales(document: ProcurementReview) -> str:
    found = document.matrix.criteria
    parts = (f"{c.label} from {_end(c, c.poor)} (0) to {_end(c, c.good)} (1)" for c in found)
    return "; ".join(parts)


def _end(criterion: Criterion, value: float) -> str:
    return amount_text(Amount(value=value, unit=criterion.unit), ranged=False).text


def _matrix_row(row: MatrixRow, document: ProcurementReview) -> tuple[Text, ...]:
    device = next(d for d in document.devices if d.device == row.device)
    best = f"up to {row.best_score:.2f}" if row.best_score > row.score + 0.005 else ""
    return (
        Text(text=device.name, note=f"#{row.rank}" if row.rank else "not ranked: cost unknown"),
        *(_matrix_cell(cell) for cell in row.cells),
        Text(text=f"{row.score:.2f}", note=best, kind="number"),
        Text(text=percent(row.first_share), kind="number"),
    )


_KIND = {
    "tdp": "a design power",
    "wall": "measured there",
    "rail": "measured behind the supply",
    "unknown": "of unknown kind",
}
_SIGN = {"better": "+", "worse": "−", "same": "=", "unknown": "?"}


def _matrix_cell(cell: MatrixCell) -> Text:
    raw = amount_text(cell.raw, ranged=False)
    if cell.normalised is None:
        return Text(text=UNKNOWN, note=raw.note, kind="gap")
    return Text(
        text=f"{cell.normalised:.2f} {_SIGN[cell.versus]}", note=raw.text, kind=raw.kind or "number"
    )


def weights_table(document: ProcurementReview) -> TableView:
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


def costs_table(document: ProcurementReview) -> TableView:
    longest = max(document.devices, key=lambda d: len(d.costs), default=None)
    names = [line.name for line in longest.costs] if longest else []
    rows = []
    for device in document.devices:
        lines = {line.name: line for line in device.costs}
        cells = [
            _cost_cell(lines[name].amount, lines[name].formula) if name in lines else Text(text="–")
            for name in names
        ]
        rows.append((Text(text=device.name), *cells, total_text(device)))
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


def models_table(document: ProcurementReview) -> TableView:
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


def misses_table(document: ProcurementReview) -> TableView:
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


def portfolio_table(document: ProcurementReview) -> TableView:
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


def supply_table(document: ProcurementReview) -> TableView:
    rows = [
        (
            Text(text=device.name),
            supply_text(device),
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


def sources_table(document: ProcurementReview) -> TableView:
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


def assumptions_table(document: ProcurementReview) -> TableView:
    stated = document.assumptions
    rate = stated.hourly_rate
    lines: Sequence[tuple[str, str]] = (
        ("Spares", percent(stated.spares)),
        ("Integration", _hours(stated.integration)),
        ("Training", _hours(stated.training)),
        ("Hourly rate", f"{rate.amount:g} {rate.currency}"),
        ("Prices count as old after", plural(stated.stale_after_days, "day")),
        *(
            (
                f"Power at the socket where the figure is {_KIND.get(kind, kind)}",
                f"{spread.low:g} to {spread.high:g} times",
            )
            for kind, spread in stated.power_range.items()
        ),
        ("Accuracy at which speed is compared", percent(reference_top1(document))),
        (
            "CO2 of a kilowatt-hour",
            "not stated" if stated.co2_per_kwh is None else f"{stated.co2_per_kwh:g} g",
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


def _hours(effort: Hours) -> str:
    spread = f"{significant(effort.low)} to {significant(effort.high)} h"
    return f"{significant(effort.hours)} h ({spread})"
