"""Read measurements back from boards, colleagues and benchmark tools.

A file is a table (``delimited``), whose columns are told by their headers (``headers``), or the
log of a known tool (``logs``). Rows that cannot be are left out with their line; what may be read
in two ways is refused with the option that settles it.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from statistics import median

from advisor.core.candidate import LARGEST_SIDE
from advisor.core.lane import Lane
from advisor.core.quantity import LARGEST, SMALLEST
from advisor.core.request import LaneRequest
from advisor.errors import MeasurementError, UsageError
from advisor.measuring.delimited import TextRow, TextTable, decoded, number_in, text_table
from advisor.measuring.headers import (
    TIMES,
    UNIT_NAMES,
    Columns,
    FigureColumn,
    header_of,
    seconds,
    understood,
)
from advisor.measuring.logs import read_log
from advisor.measuring.table import COLUMNS, EXTRA, ReadRow

FASTEST = 1e-6
"""Seconds; nothing runs a network in less."""
SLOWEST = 600.0
LONGEST_SIZE = 40
"""Characters of an input size."""
DISAGREEMENT = 0.2
"""Difference of latency and throughput, as a share, that one run does not explain."""

LaneOf = Callable[[LaneRequest], Lane]
"""Gives the lane of a row from what the row states of it; UsageError where there is none."""
NetworkOf = Callable[[str], tuple[str, int | None]]
"""Gives the catalog's network of a name, and the input side it states; UsageError where none."""
ElsewhereOf = Callable[[str, int], str]
"""Says why a row, by the device in its cell and how many devices the table names, is of another
device; empty where it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read from a table, and what was not and why."""

    rows: tuple[ReadRow, ...]
    refused: tuple[str, ...]
    """One line for each row that was left out."""
    warnings: tuple[str, ...]
    understood: str
    """What the columns were taken for, in one line."""
    devices: frozenset[str] = frozenset()
    """Devices as the rows name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What the user says where a file leaves it open."""

    model: str = ""
    """Network of rows that name none."""
    time_unit: str = ""
    """Unit of a time that states none: s, ms, us or ns."""
    decimal: str = ""
    """Sign before the decimals: ``point`` or ``comma``."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Header by canonical column."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file, and how its cells are to be read."""

    sheet: TextTable
    columns: Columns
    commas: str
    time_factor: float | None
    settled: Settled
    told: str

    def cell(self, row: TextRow, name: str) -> str:
        """Text of a row under a canonical column; empty where there is none."""
        header = self.columns.text.get(name)
        return row.cells.get(header, "").strip() if header is not None else ""


def filling(lane: Lane) -> LaneOf:
    """Give every row what it states itself and the rest of one known lane."""

    def lane_of(stated: LaneRequest) -> Lane:
        unit = stated.unit or lane.unit
        return replace(
            lane,
            unit=unit,
            runtime=stated.runtime or lane.runtime,
            precision=stated.precision or lane.precision,
            threads=(stated.threads or lane.threads) if unit == "cpu" else None,
            batch=stated.batch or lane.batch,
        )

    return lane_of


def read_table(
    path: Path,
    lane_of: LaneOf,
    networks: Iterable[str],
    *,
    network_of: NetworkOf | None = None,
    sides: Mapping[str, int] | None = None,
    elsewhere: ElsewhereOf | None = None,
    settled: Settled | None = None,
) -> Reading:
    """Read and screen a table or log of measurements.

    ``networks`` are the names that the catalog knows, ``network_of`` other names for them;
    ``sides`` the inputs of those whose rows mean another one than 224 where they state none;
    ``elsewhere`` tells rows of other devices, which are left out.
    Raises MeasurementError where the file is no such table and UsageError where it needs to be
    told more.
    """
    file = _opened(path, settled or Settled())
    devices = _devices(file.sheet.rows, file.columns.text.get("device", ""))
    repeated = _Repeated.of(lane_of, frozenset(networks), network_of)
    rows: list[ReadRow] = []
    refused: list[str] = []
    unknown: set[str] = set()
    for one in file.sheet.rows:
        try:
            if elsewhere is not None and (
                reason := elsewhere(file.cell(one, "device"), len(devices))
            ):
                raise ValueError(reason)
            rows.append(_row(file, one, repeated, sides or {}))
        except _UnknownNetworkError as error:
            unknown.add(str(error))
            refused.append(f"{path}, line {one.line}: {error}")
        except (ValueError, UsageError) as error:
            refused.append(f"{path}, line {one.line}: {error}")
    screened, odd = _screened(path, rows)
    return Reading(
        rows=tuple(screened),
        refused=(*refused, *odd),
        warnings=tuple(_warnings(file)),
        understood=f"{path.name}: {file.told}; {_counted(rows, unknown)}",
        devices=devices,
    )


def device_of(path: Path) -> str:
    """The device that all rows of a table name; MeasurementError where they do not."""
    text = decoded(path)
    names: frozenset[str] = frozenset()
    if not read_log(text):
        table = text_table(path, text)
        names = _devices(table.rows, header_of("device", table.header))
    if len(names) != 1:
        what = f"several devices: {', '.join(sorted(names))}" if names else "no device"
        raise MeasurementError(f"{path} names {what}; say which by --device")
    return next(iter(names))


def _devices(rows: Iterable[TextRow], header: str) -> frozenset[str]:
    """Devices as the rows of a table name them under a header, if there is one."""
    if not header:
        return frozenset()
    return frozenset({row.cells.get(header, "").strip() for row in rows} - {""})


class _UnknownNetworkError(ValueError):
    """A network that nobody knows."""


def _opened(path: Path, settled: Settled) -> _File:
    text = decoded(path)
    log = read_log(text)
    if log is not None:
        names = tuple(dict.fromkeys(name for row in log.rows for name in row.cells))
        sheet = TextTable(path, names, log.rows)
        told = f"log of {log.tool}, {log.taken}"
    else:
        sheet, told = text_table(path, text), ""
    columns = understood(sheet.header, settled.columns, (*COLUMNS, *EXTRA))
    _check_needed(sheet, columns, settled)
    commas = {"comma": "decimal", "point": "thousands"}.get(settled.decimal, sheet.commas)
    factor = _time_factor(sheet, columns, commas, settled)
    return _File(sheet, columns, commas, factor, settled, told or _told(columns, factor))


def _check_needed(sheet: TextTable, columns: Columns, settled: Settled) -> None:
    if columns.latency is None and not columns.throughput:
        raise MeasurementError(
            f"{sheet.path} lacks the columns latency_ms or throughput_ips; it has "
            f"{', '.join(sheet.header)}; say which by --column latency_ms=HEADER"
        )
    if "timm_name" not in columns.text and not settled.model:
        raise MeasurementError(
            f"{sheet.path} names no network; say which by --model NAME"
            + (", or which column does by --column timm_name=HEADER" if len(sheet.rows) > 1 else "")
        )


def _time_factor(sheet: TextTable, columns: Columns, commas: str, settled: Settled) -> float | None:
    """Seconds of one unit of the latency; None where there is none or its cells name their own."""
    if columns.latency is None:
        return None
    if settled.time_unit:
        factor = seconds(settled.time_unit)
        if factor is None:
            raise UsageError(f"--latency-unit {settled.time_unit!r}: allowed: {', '.join(TIMES)}")
        return factor
    if columns.latency.factor is not None:
        return columns.latency.factor
    header = columns.latency.header
    cells = [row.cells.get(header, "") for row in sheet.rows]
    if any((found := number_in(cell, commas)) and seconds(found[1]) for cell in cells):
        return None
    by_rate = _by_throughput(sheet, columns, commas)
    if by_rate is None:
        raise UsageError(
            f"{sheet.path}: column {header!r} states no unit; say --latency-unit s, ms or us"
        )
    return by_rate


def _by_throughput(sheet: TextTable, columns: Columns, commas: str) -> float | None:
    """Unit of a latency beside a throughput: that in which both tell the same."""
    products = []
    for row in sheet.rows:
        pair = [
            number_in(row.cells.get(name, ""), commas)
            for name in (columns.latency.header if columns.latency else "", columns.throughput)
        ]
        batch = number_in(row.cells.get(columns.text.get("batch", ""), "1"), commas)
        if pair[0] and pair[1] and batch and batch[0]:
            products.append(pair[0][0] * pair[1][0] / batch[0])
    typical = median(products) if products else math.nan
    return next((1 / per for per in (1.0, 1e3, 1e6) if 0.5 < typical / per < 2), None)


def _told(columns: Columns, factor: float | None) -> str:
    parts = []
    if columns.latency:
        unit = UNIT_NAMES.get(factor or 0.0, "the unit in its cells")
        parts.append(f"column {columns.latency.header!r} read as {unit}")
    else:
        parts.append(
            f"column {columns.throughput!r} read as images a second, the latency as 1000 ÷ value "
            "at batch 1, or batch × 1000 ÷ value"
        )
    for role, word in (("timm_name", "the network"), ("input_h", "the input side")):
        if columns.text.get(role, role) != role:
            parts.append(f"{columns.text[role]!r} as {word}")
    return ", ".join(parts)


def _counted(rows: Sequence[ReadRow], unknown: set[str]) -> str:
    number = len({row.network for row in rows})
    return f"{number} network{'s' * (number != 1)}, {len(unknown)} unknown"


def _warnings(file: _File) -> Iterable[str]:
    if file.columns.unknown:
        yield (
            f"{file.sheet.path}: unknown columns are left out: {', '.join(file.columns.unknown)}"
        )


@dataclass(frozen=True, slots=True)
class _Repeated:
    """What many rows of a table have in common, each found out once."""

    network: Callable[[str], tuple[str, int | None] | ValueError]
    """Network and side of a name, or why there is none."""
    lane: Callable[[tuple[str, ...]], tuple[Lane, int]]
    """Lane and images of a pass, by the cells that state them."""
    side: Callable[[str, str], int | None]

    @staticmethod
    def of(lane_of: LaneOf, known: frozenset[str], network_of: NetworkOf | None) -> "_Repeated":
        """Remember what was found out."""
        return _Repeated(
            network=cache(partial(_network, known=known, network_of=network_of)),
            lane=cache(partial(_lane, lane_of)),
            side=cache(_side),
        )


_LANE = ("unit", "runtime", "precision", "batch", "threads")
"""Columns that state the lane."""


def _lane(lane_of: LaneOf, cells: tuple[str, ...]) -> tuple[Lane, int]:
    unit, runtime, precision, batch, threads = cells
    stated = LaneRequest(
        unit=unit.lower() or None,
        runtime=runtime.lower() or None,
        precisions=_precisions(precision),
        batch=_whole("batch", batch, None),
        threads=_whole("threads", threads, None),
    )
    lane = lane_of(stated)
    return lane, stated.batch or lane.batch or 1


def _row(file: _File, row: TextRow, repeated: _Repeated, sides: Mapping[str, int]) -> ReadRow:
    cell = partial(file.cell, row)
    named = repeated.network(cell("timm_name") or file.settled.model)
    if isinstance(named, ValueError):
        raise named
    network, side = named
    lane, images = repeated.lane(tuple(map(cell, _LANE)))
    latency = _latency(file, row, images)
    return ReadRow(
        line=row.line,
        network=network,
        resolution=repeated.side(cell("input_h"), cell("input_w"))
        or side
        or sides.get(network, 224),
        lane=lane,
        latency=latency / images if lane.is_bulk else latency,
        date=cell("date"),
        session=_whole("session", cell("session"), 1) or 1,
        options=cell("runtime_opts"),
        memory=_other(file, row, file.columns.memory),
        energy=_other(file, row, file.columns.energy),
        samples=tuple(_sample(one) for one in cell("samples_ms").split(";") if one.strip()),
        named=tuple(filter(None, (cell("device"), row.cells.get("chip", "").strip()))),
    )


def _network(
    text: str, known: frozenset[str], network_of: NetworkOf | None
) -> tuple[str, int | None] | ValueError:
    if text in known:
        return text, None
    if not text:
        return ValueError("timm_name is empty")
    if network_of is not None:
        try:
            network, side = network_of(text)
        except UsageError as error:
            return _UnknownNetworkError(f"timm_name: {error}")
        if network in known:
            return network, side
    return _UnknownNetworkError(f"timm_name {text!r} is no network of the catalog")


def _precisions(text: str) -> tuple[str, ...]:
    """Numeric precision by the names that frameworks give it; () where none is stated."""
    plain = text.lower().removeprefix("torch.")
    named = {"float32": "fp32", "float16": "fp16", "half": "fp16", "bfloat16": "bf16"}
    return (named.get(plain, plain),) if plain else ()


def _latency(file: _File, row: TextRow, images: int) -> float:
    """Seconds of one batch, by the latency, else by the throughput."""
    columns = file.columns
    if columns.latency is None:
        text = row.cells.get(columns.throughput, "")
        return _within(columns.throughput, text, images / _positive(file, columns.throughput, text))
    header = columns.latency.header
    text = row.cells.get(header, "")
    found = number_in(text, file.commas)
    factor = (seconds(found[1]) if found and found[1] else None) or file.time_factor
    value = _of_positive(header, text, found)
    if factor is None:
        raise ValueError(f"{header} {text!r} states no unit; say --latency-unit s, ms or us")
    latency = _within(header, text, value * factor)
    rate = columns.throughput and number_in(row.cells.get(columns.throughput, ""), file.commas)
    if (
        rate
        and rate[0] > 0
        and abs(math.log(latency * rate[0] / images)) > math.log(1 + DISAGREEMENT)
    ):
        raise ValueError(
            f"{header} {text} and {columns.throughput} {rate[0]:g} do not tell the same at batch "
            f"{images}; leave one column out, or state the batch by --batch"
        )
    return latency


def _positive(file: _File, column: str, text: str) -> float:
    return _of_positive(column, text, number_in(text, file.commas))


def _of_positive(column: str, text: str, found: tuple[float, str] | None) -> float:
    """Return the number that was read from a cell; ValueError where it is no positive one."""
    if not text.strip():
        raise ValueError(f"{column} is empty")
    if found is None:
        raise ValueError(f"{column} {text!r} is not a number")
    if not math.isfinite(found[0]) or found[0] <= 0:
        raise ValueError(f"{column} {text!r} is not a positive number")
    return found[0]


def _within(column: str, text: str, value: float) -> float:
    if not FASTEST <= value <= SLOWEST:
        raise ValueError(f"{column} {text!r} is out of range (allowed: 0.001 to 600000 ms)")
    return value


def _sample(text: str) -> float:
    try:
        return _within("samples_ms", text, float(text) * 1e-3)
    except ValueError:
        raise ValueError(f"samples_ms {text!r} is no time between 0.001 and 600000 ms") from None


def _other(file: _File, row: TextRow, quantity: FigureColumn | None) -> float | None:
    """A figure that may be missing, in SI."""
    if quantity is None or not row.cells.get(quantity.header, "").strip():
        return None
    text = row.cells[quantity.header]
    value = _positive(file, quantity.header, text) * (quantity.factor or 1.0)
    if not SMALLEST <= value <= LARGEST:
        raise ValueError(f"{quantity.header} {text!r} is out of range")
    return value


def _side(height: str, width: str) -> int | None:
    """Side of a square input: ``224``, ``224px``, ``224x224``, ``1x3x224x224``."""
    sizes = re.findall("[0-9]+", height)
    if not height:
        return None
    if (
        not sizes
        or len(height) > LONGEST_SIZE
        or re.search(r"[a-z]", re.sub(r"px|pixels|x|×", "", height.lower()))
    ):
        raise ValueError(f"input_h {height!r} is not a positive whole number")
    plane = [size for size in sizes[-3:] if size not in ("1", "3")][:2] if len(sizes) > 2 else sizes
    if len(set(plane)) > 1 or width not in ("", plane[0]):
        raise ValueError(f"the input {height}{'x' + width if width else ''} is not square")
    side = int(plane[0][:9])
    if not 1 <= side <= LARGEST_SIDE:
        raise ValueError(f"input_h {height!r} is out of range; allowed: 1 to {LARGEST_SIDE}")
    return side


def _whole(column: str, text: str, default: int | None) -> int | None:
    if not text:
        return default
    plain = text.removesuffix(".0")
    if not re.fullmatch("[0-9]{1,9}", plain) or int(plain) < 1:
        raise ValueError(f"{column} {text!r} is not a positive whole number")
    return int(plain)


def _screened(path: Path, rows: Sequence[ReadRow]) -> tuple[list[ReadRow], list[str]]:
    """Leave out figures that their own repetitions refute by more than a factor of three."""
    groups: dict[tuple[Lane, str, int], list[float]] = {}
    for row in rows:
        groups.setdefault((row.lane, row.network, row.resolution), []).append(row.latency)
    medians = {key: median(latencies) for key, latencies in groups.items()}
    kept, odd = [], []
    for row in rows:
        typical = medians[row.lane, row.network, row.resolution]
        if max(row.latency / typical, typical / row.latency) > 3:
            odd.append(
                f"{path}, line {row.line}: {row.latency * 1e3:.4g} ms is far from the "
                f"{typical * 1e3:.4g} ms of its repetitions"
            )
        else:
            kept.append(row)
    return kept, odd
