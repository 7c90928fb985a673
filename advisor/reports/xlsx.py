"""XLSX: a procurement review as a workbook whose costs and scores are live formulas.

Inputs are plain cells: change a price, a weight or the tariff and everything follows. Unknown
inputs are the word "unknown", which the formulas carry along; it never counts as zero.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from advisor.core.filed import Document
from advisor.core.quantity import Metric
from advisor.errors import UsageError
from advisor.procurement.assumptions import Assumptions, DeviceAssumptions, convert
from advisor.procurement.cost import HOURS_OF_A_YEAR
from advisor.procurement.review import Amount, Criterion, DeviceReview, ProcurementReview
from advisor.reports import NO_WORKBOOK, Layout
from advisor.reports.purchase.sections import purchase_of

UNKNOWN = "unknown"
_HEAD = Font(bold=True)
_INPUT = PatternFill("solid", fgColor="FFF6D6")
"""Cells meant to be changed."""
_QUIET = Font(color="666666")


class Formula(str):
    """Text that the workbook computes; any other text stays text, whatever it starts with."""

    __slots__ = ()


Value = float | int | str
"""What a cell holds."""


class XlsxWriter:
    """Writes the workbook."""

    suffix = ".xlsx"

    def render(self, document: Document, layout: Layout) -> bytes:
        """Return the file; raises UsageError for anything but a procurement review."""
        if not isinstance(document, ProcurementReview):
            raise UsageError(NO_WORKBOOK)
        stream = io.BytesIO()
        workbook(document).save(stream)
        return stream.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Input:
    """One named assumption."""

    name: str
    label: str
    value: float
    note: str


def workbook(document: ProcurementReview) -> Workbook:
    """Build the workbook of a review."""
    book = Workbook()
    summary = book.active
    assert isinstance(summary, Worksheet)
    _summary(summary, document)
    _assumptions(book, document)
    _devices(book.create_sheet("Devices"), document)
    _cost(book.create_sheet("Cost"), document)
    _matrix(book, document)
    _models(book.create_sheet("Models"), document)
    _sources(book.create_sheet("Sources"), document)
    for sheet in book.worksheets:
        _fit(sheet)
        _for_paper(sheet)
    _charts(book, document)
    return book


_SUMMARY_HEAD = (
    "Device",
    "Total",
    "At least",
    "A device",
    "Top-1",
    "Images a second",
    "Score",
    "Rank",
)
_SUMMARY_FORMATS = ("@", "#,##0", "#,##0", "#,##0", "0.0%", "#,##0", "0.00", "0")
_LINE = 105
"""Characters of a line of text on the summary."""


def _summary(sheet: Worksheet, document: ProcurementReview) -> None:
    """The decision, then the figures of each device as formulas on the other sheets."""
    sheet.title = "Summary"
    view = purchase_of(document)
    _put(sheet, 1, 1, view.headline)
    sheet["A1"].font = Font(bold=True, size=14)
    _row(sheet, 3, _SUMMARY_HEAD, font=_HEAD)
    scored = {row.device: place for place, row in enumerate(document.matrix.rows, 2)}
    score = 2 + 3 * len(document.matrix.criteria)
    for place, device in enumerate(document.devices, 2):
        cells = [f"Devices!B{place}", f"Cost!J{place}", f"Cost!K{place}", f"Cost!L{place}"]
        cells += [f"Devices!M{place}", f"Devices!O{place}"]
        if device.device in scored:
            row = scored[device.device]
            cells += [f"Matrix!{get_column_letter(score + step)}{row}" for step in (0, 2)]
        values: list[Value] = [Formula(f"={cell}") for cell in cells]
        _row(sheet, place + 2, [*values, *["not scored"] * (8 - len(values))])
        for column, number_format in enumerate(_SUMMARY_FORMATS, 1):
            sheet.cell(place + 2, column).number_format = number_format
            if column > 1:
                sheet.cell(place + 2, column).alignment = Alignment(horizontal="right")
    texts = [
        f"All amounts in {document.assumptions.currency}.",
        "Yellow cells on the other sheets are inputs: change them and everything follows.",
        *view.sentences,
        *view.warnings,
        document.command,
    ]
    for row, line in enumerate(texts, len(document.devices) + 5):
        _put(sheet, row, 1, line)
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=8)
        sheet.cell(row, 1).alignment = Alignment(wrap_text=True, vertical="top")
        sheet.row_dimensions[row].height = 15 * (1 + len(line) // _LINE)


_COST_PARTS = (2, 3, 4, 5, 7, 8, 9)
"""Columns of the sheet Cost that add up to the total."""


def _charts(book: Workbook, document: ProcurementReview) -> None:
    """Draw the cost by its parts and the scores below the summary."""
    summary, cost, matrix = (_sheet(book, name) for name in ("Summary", "Cost", "Matrix"))
    below = summary.max_row + 2
    costs = _bars(f"Known parts of the cost, {document.assumptions.currency}")
    last = len(document.devices) + 1
    costs.grouping, costs.overlap = "stacked", 100
    for column in _COST_PARTS:
        costs.add_data(Reference(cost, column, 1, column, last), titles_from_data=True)
    costs.set_categories(Reference(cost, 1, 2, 1, last))
    summary.add_chart(costs, f"A{below}")
    if document.matrix.rows:
        scores = _bars("Score in the decision matrix")
        last = len(document.matrix.rows) + 1
        column = 2 + 3 * len(document.matrix.criteria)
        scores.add_data(Reference(matrix, column, 1, column, last), titles_from_data=True)
        scores.set_categories(Reference(matrix, 1, 2, 1, last))
        scores.legend = None
        scores.y_axis.scaling.min, scores.y_axis.scaling.max = 0.0, 1.0
        summary.add_chart(scores, f"E{below}")


def _sheet(book: Workbook, name: str) -> Worksheet:
    sheet = book[name]
    assert isinstance(sheet, Worksheet)  # no sheet of ours is a chart alone
    return sheet


def _bars(title: str) -> BarChart:
    chart = BarChart()
    chart.type, chart.title = "bar", title
    chart.height, chart.width = 8.5, 15.5  # type: ignore[assignment]
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.x_axis.scaling.orientation = "maxMin"
    return chart


def _for_paper(sheet: Worksheet) -> None:
    """Print across the page, as many pages high as needed, with the heads on each."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = "9"  # A4
    high = 1 if sheet.title == "Summary" else 0
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, high
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    if sheet.title != "Summary":
        sheet.print_title_rows = "1:1"


def _inputs(stated: Assumptions) -> Iterator[_Input]:
    tariff = convert(stated.tariff, stated) if stated.tariff else None
    yield _Input(name="quantity", label="Devices", value=stated.quantity, note="to buy")
    yield _Input(name="years", label="Years", value=stated.years, note="of use")
    yield _Input(name="duty", label="Duty cycle", value=stated.duty_cycle, note="share of the time")
    yield _Input(name="spares", label="Spares", value=stated.spares, note="share of the quantity")
    note = f"{stated.currency} for a kWh"
    if tariff is not None:
        yield _Input(name="tariff", label="Tariff", value=tariff, note=note)
    rate = convert(stated.hourly_rate, stated)
    yield _Input(name="rate", label="Hourly rate", value=rate, note=stated.currency)
    hours = stated.training.hours
    yield _Input(name="training", label="Training", value=hours, note="hours, once")
    note = "hours of a year"
    yield _Input(name="hours", label="Hours", value=HOURS_OF_A_YEAR, note=note)


def _assumptions(book: Workbook, document: ProcurementReview) -> None:
    sheet = book.create_sheet("Assumptions")
    _row(sheet, 1, ["Assumption", "Value", "Meaning"], font=_HEAD)
    row = 2
    for item in _inputs(document.assumptions):
        _row(sheet, row, [item.label, item.value, item.note])
        _name(book, sheet, item.name, row)
        row += 1
    if document.assumptions.tariff is None:
        note = f"{document.assumptions.currency} for a kWh: fill in"
        _row(sheet, row, ["Tariff", UNKNOWN, note])
        _name(book, sheet, "tariff", row)
        row += 1
    for criterion in document.matrix.criteria:
        weight = document.assumptions.criteria[criterion.key]
        _row(sheet, row, [f"Weight: {criterion.label}", weight, "in the matrix"])
        _name(book, sheet, f"weight_{criterion.key}", row)
        row += 1
        for end, worth in (("poor", 0), ("good", 1)):
            value = getattr(criterion, end)
            note = f"{criterion.unit}: worth {worth} in the matrix".removeprefix(": ")
            _row(sheet, row, [f"{end.capitalize()} end: {criterion.label}", value, note])
            _name(book, sheet, f"{end}_{criterion.key}", row)
            row += 1


def _name(book: Workbook, sheet: Worksheet, name: str, row: int) -> None:
    sheet.cell(row, 2).fill = _INPUT
    book.defined_names[f"in_{name}"] = DefinedName(
        f"in_{name}", attr_text=f"'{sheet.title}'!$B${row}"
    )


_DEVICE_HEAD = (
    "Device",
    "Name",
    "Limits",
    "Price",
    "Price date",
    "Old price",
    "Needs computer",
    "Price of the computer",
    "Accessories",
    "Power W",
    "Idle W",
    "Integration h",
    "Top-1",
    "Latency ms",
    "Images a second",
    "Years on sale",
)
_INPUT_COLUMNS = (4, 8, 9, 10, 11, 12, 16)


def _devices(sheet: Worksheet, document: ProcurementReview) -> None:
    _row(sheet, 1, _DEVICE_HEAD, font=_HEAD)
    stated = document.assumptions
    for row, device in enumerate(document.devices, 2):
        own = stated.devices.get(device.device, DeviceAssumptions())
        idle = own.idle_w if own.idle_w is not None else device.facts.power_idle
        best = device.best[0] if device.best else None
        latency = best.metrics.get(Metric.LATENCY) if best else None
        values: list[Value] = [
            device.device,
            device.name,
            device.outcome,
            _value(device.price),
            device.price.date,
            "yes" if device.price.stale else "no",
            "yes" if device.facts.needs_host else "no",
            convert(own.host.price, stated) if own.host else UNKNOWN,
            convert(own.accessories.price, stated) if own.accessories else UNKNOWN,
            _value(device.power),
            UNKNOWN if idle is None else idle,
            (own.integration or stated.integration).hours,
            _value(device.accuracy),
            UNKNOWN if latency is None else latency.value * 1e3,
            _value(device.speed),
            _value(device.supply.years_left),
        ]
        _row(sheet, row, values)
        for column in _INPUT_COLUMNS:
            sheet.cell(row, column).fill = _INPUT
    sheet.freeze_panes = "B2"


_COST_HEAD = (
    "Device",
    "Devices",
    "Spares",
    "Computer",
    "Accessories",
    "Energy kWh",
    "Energy",
    "Integration",
    "Training",
    "Total",
    "At least",
    "A device",
)


def _cost(sheet: Worksheet, document: ProcurementReview) -> None:
    _row(sheet, 1, _COST_HEAD, font=_HEAD)
    for row in range(2, len(document.devices) + 2):
        _row(sheet, row, [Formula(text) for text in _cost_formulas(row)])
        for column in range(2, len(_COST_HEAD) + 1):
            sheet.cell(row, column).number_format = "#,##0"
    note = len(document.devices) + 3
    _put(sheet, note, 1, f"All amounts in {document.assumptions.currency}.")
    text = "Idle power that is unknown is taken as half of the power under load."
    _put(sheet, note + 1, 1, text)
    sheet.freeze_panes = "B2"


def _cost_formulas(row: int) -> Iterator[str]:
    """Formulas of one device; a missing input makes its part unknown."""
    price, host, more = f"Devices!D{row}", f"Devices!H{row}", f"Devices!I{row}"
    load, idle = f"Devices!J{row}", f"Devices!K{row}"
    yield f"=Devices!A{row}"
    yield f'=IF(ISNUMBER({price}),in_quantity*{price},"{UNKNOWN}")'
    yield f'=IF(ISNUMBER({price}),ROUNDUP(in_quantity*in_spares,0)*{price},"{UNKNOWN}")'
    yield f'=IF(Devices!G{row}="no",0,IF(ISNUMBER({host}),in_quantity*{host},"{UNKNOWN}"))'
    yield f'=IF(ISNUMBER({more}),in_quantity*{more},"{UNKNOWN}")'
    resting = f"(1-in_duty)*IF(ISNUMBER({idle}),{idle},{load}/2)"
    yield (
        f"=IF(ISNUMBER({load}),in_quantity*in_years*in_hours*(in_duty*{load}+{resting})/1000,"
        f'"{UNKNOWN}")'
    )
    yield f'=IF(AND(ISNUMBER(F{row}),ISNUMBER(in_tariff)),F{row}*in_tariff,"{UNKNOWN}")'
    yield f"=Devices!L{row}*in_rate"
    yield "=in_training*in_rate"
    parts = f"B{row}:D{row},G{row}:I{row}"
    essential = ",".join(f"ISNUMBER({column}{row})" for column in "BCDG")
    yield f'=IF(AND({essential}),SUM({parts},E{row}),"{UNKNOWN}")'
    yield f"=SUM({parts},E{row})"
    yield f'=IF(ISNUMBER(J{row}),J{row}/in_quantity,"{UNKNOWN}")'


_RAW = {"accuracy": "Devices!M{row}", "cost": "Cost!L{row}", "supply": "Devices!P{row}"}
"""Criteria that follow the inputs; the others are the review's figures."""


def _matrix(book: Workbook, document: ProcurementReview) -> None:
    """Raw value, value on its scale, normalised value per criterion; then score and rank."""
    sheet = book.create_sheet("Matrix")
    criteria = document.matrix.criteria
    place_of = {device.device: row for row, device in enumerate(document.devices, 2)}
    head = ["Device"]
    for criterion in criteria:
        head += [criterion.label, "on its scale", "0 to 1"]
    _row(sheet, 1, [*head, "Score", "Ranked", "Rank"], font=_HEAD)
    last = len(document.matrix.rows) + 1
    for row, scored in enumerate(document.matrix.rows, 2):
        source = place_of[scored.device]
        _put(sheet, row, 1, Formula(f"=Devices!A{source}"))
        for place, (criterion, cell) in enumerate(zip(criteria, scored.cells, strict=True)):
            column = 2 + 3 * place
            raw, scale = get_column_letter(column), get_column_letter(column + 1)
            live = _RAW.get(criterion.key)
            value = Formula("=" + live.format(row=source)) if live else _value(cell.raw)
            _put(sheet, row, column, value)
            known = _on_scale(f"{raw}{row}", criterion)
            on_scale = Formula(f'=IF(ISNUMBER({raw}{row}),{known},"{UNKNOWN}")')
            _put(sheet, row, column + 1, on_scale)
            _put(sheet, row, column + 2, _normalised(f"{scale}{row}", criterion))
            for step, number_format in enumerate(("#,##0.00", "0.00", "0.00")):
                sheet.cell(row, column + step).number_format = number_format
        _put_score(sheet, row, last, [c.key for c in criteria])
    sheet.freeze_panes = "B2"


def _on_scale(cell: str, criterion: Criterion) -> str:
    return f"LN(MAX({cell},1E-30))" if criterion.logarithmic else cell


def _normalised(cell: str, criterion: Criterion) -> Formula:
    """0 at the poor end of the scale, 1 at its good end, and no more beyond."""
    poor = _on_scale(f"in_poor_{criterion.key}", criterion)
    good = _on_scale(f"in_good_{criterion.key}", criterion)
    share = f"MIN(MAX(({cell}-{poor})/({good}-{poor}),0),1)"
    return Formula(f'=IF(ISNUMBER({cell}),{share},"{UNKNOWN}")')


def _put_score(sheet: Worksheet, row: int, last: int, keys: Sequence[str]) -> None:
    """Weighted mean of the normalised values; an unknown counts as the worst."""
    columns = [get_column_letter(4 + 3 * place) for place in range(len(keys))]
    parts = [f"in_weight_{key}*N({column}{row})" for key, column in zip(keys, columns, strict=True)]
    total = "+".join(f"in_weight_{key}" for key in keys)
    score, known, rank = (2 + 3 * len(keys) + step for step in range(3))
    _put(sheet, row, score, Formula(f"=({'+'.join(parts)})/({total})"))
    sheet.cell(row, score).number_format = "0.00"
    cost = get_column_letter(2 + 3 * keys.index("cost")) if "cost" in keys else ""
    known_text = Formula(f'=IF(ISNUMBER({cost}{row}),"yes","no")') if cost else "yes"
    _put(sheet, row, known, known_text)
    s, k = get_column_letter(score), get_column_letter(known)
    better = f'COUNTIFS({s}$2:{s}${last},">"&{s}{row},{k}$2:{k}${last},"yes")'
    _put(sheet, row, rank, Formula(f'=IF({k}{row}="yes",1+{better},"cost {UNKNOWN}")'))


def _models(sheet: Worksheet, document: ProcurementReview) -> None:
    head = [
        "Device",
        "Model",
        "Precision",
        "Limits",
        "Latency ms",
        "Low",
        "High",
        "Top-1",
        "Origin",
    ]
    _row(sheet, 1, [*head, "Source"], font=_HEAD)
    row = 2
    for device in document.devices:
        for entry in device.best:
            latency, top1 = entry.metrics.get(Metric.LATENCY), entry.metrics.get(Metric.TOP1)
            ends = (latency.value, latency.low, latency.high) if latency else ()
            times: list[Value] = [1e3 * end for end in ends] or [UNKNOWN] * 3
            values = [device.device, entry.candidate, entry.precision, str(entry.verdict), *times]
            values += [top1.value if top1 else UNKNOWN]
            values += [str(latency.origin), latency.source] if latency else ["", ""]
            _row(sheet, row, values)
            row += 1


def _sources(sheet: Worksheet, document: ProcurementReview) -> None:
    head = ["Device", "Figure", "Value", "Unit", "Origin", "Date", "Source", "Caveats"]
    _row(sheet, 1, head, font=_HEAD)
    row = 2
    for device in document.devices:
        for what, amount in _sourced(device):
            values = [device.device, what, _value(amount), amount.unit, amount.origin]
            caveats = "; ".join(amount.caveats) or amount.reason
            _row(sheet, row, [*values, amount.date, amount.source, caveats])
            row += 1


def _sourced(device: DeviceReview) -> Iterator[tuple[str, Amount]]:
    yield "Price", device.price
    yield "Power under load", device.power
    yield "Top-1", device.accuracy
    yield "Images a second", device.speed
    yield "Years on sale", device.supply.years_left


def _value(amount: Amount) -> Value:
    return UNKNOWN if amount.value is None else amount.value


def _row(sheet: Worksheet, row: int, values: Sequence[Value], font: Font | None = None) -> None:
    for column, value in enumerate(values, 1):
        _put(sheet, row, column, value)
        if font is not None:
            sheet.cell(row, column).font = font
            sheet.cell(row, column).alignment = Alignment(wrap_text=True, vertical="top")


def _put(sheet: Worksheet, row: int, column: int, value: Value) -> None:
    """Write a cell; only a Formula is computed."""
    cell = sheet.cell(row, column)
    cell.value = value
    if isinstance(value, str) and not isinstance(value, Formula):
        cell.data_type = "s"
    if isinstance(value, float):
        cell.number_format = _rounded(value)


def _rounded(value: float) -> str:
    """Format with three significant digits."""
    if value == int(value) or abs(value) >= 100:
        return "#,##0"
    decimals = 2 if abs(value) < 10 else 1
    return f"0.{'0' * (decimals if abs(value) >= 0.995 else 3)}"


def _fit(sheet: Worksheet) -> None:
    """Make columns wide enough for their text, within reason."""
    for cells in sheet.iter_cols():
        texts = [str(cell.value) for cell in cells if cell.value is not None]
        plain = [len(text) for text in texts if not text.startswith("=")]
        width = 15 if sheet.title == "Summary" else min(max([*plain, 9]) + 2, 42)
        sheet.column_dimensions[get_column_letter(cells[0].column or 1)].width = width
