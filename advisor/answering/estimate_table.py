"""Answer a table of latency questions at once: one row in, the same row with figures out."""

import csv
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from advisor.answering.assess import Subject
from advisor.answering.evidence import Evidence
from advisor.answering.recommend import assessor_on, workloads
from advisor.catalog.tables import repeated
from advisor.core.candidate import LARGEST_SIDE, SMALLEST_SIDE, Candidate
from advisor.core.estimate import Assessment, Gap
from advisor.core.lane import MOST_BATCH, MOST_THREADS
from advisor.core.quantity import Metric
from advisor.core.question import options_of
from advisor.core.request import EstimateRequest, QuestionsRequest, Request
from advisor.errors import AdvisorError, MeasurementError, UsageError
from advisor.files.csv_text import csv_rows
from advisor.files.plain_text import text_of
from advisor.hardware.lanes import lanes_for
from advisor.measuring.delimited import read_text_table
from advisor.measuring.headers import header_of
from advisor.networks import is_factory

QUESTION = (
    "device_id",
    "unit",
    "runtime",
    "precision",
    "threads",
    "batch",
    "timm_name",
    "input_h",
)
ANSWER = (
    "latency_ms",
    "latency_low_ms",
    "latency_high_ms",
    "level",
    "origin",
    "source",
    "reason",
)
NEEDED = ("device_id", "timm_name")

logger = logging.getLogger("advisor")

Answer = Mapping[str, str]
"""Cells of an answer by column; rows that ask the same share it."""


@dataclass(frozen=True, slots=True)
class _Table:
    """Questions as they were read: plain cells, since there may be hundreds of thousands."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    """Cells by column."""
    places: Mapping[str, int]
    """Where the columns of a question are."""

    def cell(self, row: int, name: str) -> str:
        """What a row says under a column of a question; empty where there is none."""
        place = self.places.get(name)
        return "" if place is None else self.rows[row][place].strip()


@dataclass(frozen=True, slots=True)
class _Question:
    """One row that could be read."""

    index: int
    candidate: Candidate
    resolution: int


def answer(asked: QuestionsRequest, evidence: Evidence) -> Iterator[str]:
    """Return the lines of the table with its answers as CSV, rows and columns in the order given.

    A row that cannot be answered keeps its numbers empty and says why; it never stops the rest.
    Everything is answered before the first line.
    """
    table = _read(Path(asked.table))
    _tell_unread(asked.table, table)
    answers: dict[int, Answer] = {}
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row in range(len(table.rows)):
        groups[tuple(table.cell(row, name) for name in QUESTION[:6])].append(row)
    for lane, rows in groups.items():
        try:
            request = _request(lane, asked)
            answers |= _answered(request, table, rows, evidence, modules=asked.allow_modules)
        except AdvisorError as error:
            reason = {"reason": str(error)}
            answers |= dict.fromkeys(rows, reason)
    return _written(table, answers)


def _tell_unread(path: str, table: _Table) -> None:
    """Say which columns look like options and are carried along without being asked by."""
    read = {table.columns[place] for place in table.places.values()}
    options = set(options_of(EstimateRequest)) - set(QUESTION)
    unread = [n for n in table.columns if n not in read and n.replace("-", "_") in options]
    if unread:
        logger.warning(
            "%s: column %s is carried along unread; rows are asked by %s",
            path, ", ".join(unread), ", ".join(QUESTION),
        )  # fmt: skip


class _Line:
    """A file that gives back what is written to it, so that a long table is never held as text."""

    def write(self, line: str) -> str:
        """Return the line."""
        return line


def _written(table: _Table, answers: Mapping[int, Answer]) -> Iterator[str]:
    writer = csv.writer(_Line(), lineterminator="\n")
    yield writer.writerow((*table.columns, *ANSWER))
    for row, cells in enumerate(table.rows):
        yield writer.writerow((*cells, *(answers[row].get(name, "") for name in ANSWER)))


def _read(path: Path) -> _Table:
    text = text_of(path, MeasurementError)
    lines = (cells for _, cells in csv_rows(text, str(path), MeasurementError) if cells)
    header = next(lines, [])
    if twice := repeated(header):
        raise UsageError(f"{path}: column {twice[0]!r} appears twice; allowed: once")
    table = _of_lines(header, lines)
    if table.rows and not set(NEEDED) <= table.places.keys():
        table = _by_other_headers(path)
    if missing := [name for name in NEEDED if name not in table.places]:
        raise UsageError(
            f"{path}: column {', '.join(missing)} is missing; columns are {', '.join(QUESTION)}"
        )
    return table


def _of_lines(header: Sequence[str], lines: Iterable[Sequence[str]]) -> _Table:
    """Keep the columns that are no answers; what rows have in common is kept once."""
    kept = [place for place, name in enumerate(header) if name not in ANSWER]
    columns = tuple(header[place] for place in kept)
    asked = {place for place in kept if header[place] in QUESTION}
    once: dict[str, str] = {}
    rows = []
    for cells in lines:
        full = (*cells, *[""] * (len(header) - len(cells)))
        rows.append(
            tuple(once.setdefault(full[i], full[i]) if i in asked else full[i] for i in kept)
        )
    places = {name: columns.index(name) for name in QUESTION if name in columns}
    return _Table(columns, rows, places)


def _by_other_headers(path: Path) -> _Table:
    """Read a table under headers or with delimiters of its own."""
    table = read_text_table(path)
    columns = tuple(name for name in table.header if name not in ANSWER)
    meant = {
        name: header_of("device" if name == "device_id" else name, table.header)
        for name in QUESTION
    }
    places = {name: columns.index(name) for name in QUESTION if name in columns}
    places |= {name: columns.index(header) for name, header in meant.items() if header in columns}
    return _Table(columns, [tuple(row.cells[name] for name in columns) for row in table.rows],
                  places)  # fmt: skip


def _request(lane: Sequence[str], asked: QuestionsRequest) -> Request:
    device, unit, runtime, precision, threads, batch = lane
    return Request(
        device=device,
        unit=unit or None,
        runtime=runtime or None,
        precisions=(precision,) if precision else (),
        threads=_whole(threads, "threads", MOST_THREADS),
        batch=_whole(batch, "batch", MOST_BATCH),
        confidence=asked.confidence,
        published=asked.published,
    )


def _whole(text: str, column: str, most: int) -> int | None:
    if not text:
        return None
    try:
        number = float(text)
        whole = int(number)
    except (ValueError, OverflowError):  # the latter of infinity
        raise UsageError(f"{column}: {text!r} is not a whole number") from None
    if number != whole or number < 0:
        raise UsageError(f"{column}: {text!r} is not a whole number")
    if whole > most:
        raise UsageError(f"{column}: {text!r} is out of range; allowed: at most {most}")
    return whole


def _side(text: str) -> int | None:
    side = _whole(text, "input_h", LARGEST_SIDE)
    if side and side < SMALLEST_SIDE:
        raise UsageError(f"input_h: {side} is out of range; allowed: at least {SMALLEST_SIDE}")
    return side


def _answered(
    request: Request,
    table: _Table,
    rows: Sequence[int],
    evidence: Evidence,
    *,
    modules: bool,
) -> dict[int, Answer]:
    """Answer the questions of one lane; equal questions are assessed once."""
    answers: dict[int, Answer] = {}
    questions: list[_Question] = []
    known: dict[tuple[str, str], tuple[Candidate, int] | str] = {}
    for index in rows:
        name = (table.cell(index, "timm_name"), table.cell(index, "input_h"))
        if name not in known:
            known[name] = _network(*name, evidence, modules=modules)
        network = known[name]
        if isinstance(network, str):
            answers[index] = {"reason": network}
        else:
            questions.append(_Question(index, *network))
    profile = evidence.profile(request.device)
    lane = lanes_for(profile, request)[0]
    assessor = assessor_on(lane, profile, request, evidence)
    distinct = {(q.candidate.network, q.resolution): q for q in questions}
    subjects = [
        Subject(
            candidate=replace(q.candidate, resolution=q.resolution),
            resolution=q.resolution,
            weights=None,
        )
        for q in distinct.values()
    ]
    assessed = assessor.latencies(subjects, workloads(subjects, evidence))
    found = dict(zip(distinct, map(_cells, assessed), strict=True))
    answers |= {q.index: found[q.candidate.network, q.resolution] for q in questions}
    return answers


def _network(
    name: str, side: str, evidence: Evidence, *, modules: bool
) -> tuple[Candidate, int] | str:
    """Return the candidate and its input, or the reason why there is none."""
    if is_factory(name) and not modules:
        return f"{name} would run code of a module; allow it by --allow-modules"
    try:
        candidate = evidence.candidates([name])[0]
        resolution = _side(side) or candidate.resolution
        resolution = resolution or evidence.default_resolution(candidate)
        if not evidence.is_shipped(candidate, resolution):
            evidence.workload(replace(candidate, resolution=resolution))
    except AdvisorError as error:
        return str(error)
    return candidate, resolution


def _cells(assessment: Assessment) -> Answer:
    latency = assessment.get(Metric.LATENCY)
    if isinstance(latency, Gap):
        return {"reason": latency.reason}
    return dict(_figures(latency.value, latency.interval.low, latency.interval.high)) | {
        "level": f"{latency.interval.level:g}",
        "origin": str(latency.provenance.origin),
        "source": latency.provenance.source,
    }


def _figures(value: float, low: float, high: float) -> Iterator[tuple[str, str]]:
    for name, seconds in zip(ANSWER[:3], (value, low, high), strict=True):
        yield name, f"{1e3 * seconds:.6g}"
