"""Answer a table of latency questions at once: one row in, the same row with figures out."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
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
from advisor.core.request import QuestionsRequest, Request
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

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Question:
    """One row that could be read."""

    index: int
    candidate: Candidate
    resolution: int


def answer(asked: QuestionsRequest, evidence: Evidence) -> str:
    """Return the table with its answers as CSV, rows and columns in the order given.

    A row that cannot be answered keeps its numbers empty and says why; it never stops the rest.
    """
    columns, rows = _read(Path(asked.table))
    answers: dict[int, dict[str, str]] = {}
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        groups[tuple(row.get(name, "").strip() for name in QUESTION[:6])].append(index)
    for lane, indices in groups.items():
        try:
            request = _request(lane, asked)
            answers.update(
                _answered(request, [(i, rows[i]) for i in indices], evidence, asked.allow_modules)
            )
        except AdvisorError as error:
            answers.update({i: {"reason": str(error)} for i in indices})
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [*columns, *ANSWER], lineterminator="\n", restval="",
                            extrasaction="ignore")  # fmt: skip
    writer.writeheader()
    for index, row in enumerate(rows):
        writer.writerow({**row, **answers[index]})
    return stream.getvalue()


def _read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    text = text_of(path, MeasurementError, encoding="utf-8-sig")
    lines = (cells for _, cells in csv_rows(text, str(path), MeasurementError) if cells)
    header = next(lines, [])
    if twice := repeated(header):
        raise UsageError(f"{path}: column {twice[0]!r} appears twice; allowed: once")
    columns = [name for name in header if name not in ANSWER]
    rows = [
        dict.fromkeys(columns, "")
        | {name: cell for name, cell in zip(header, cells, strict=False) if name not in ANSWER}
        for cells in lines
    ]
    if not set(NEEDED) <= set(columns) and rows:
        columns, rows = _by_other_headers(path)
    missing = [name for name in NEEDED if rows and name not in rows[0]]
    missing = missing or [name for name in NEEDED if not rows and name not in columns]
    if missing:
        raise UsageError(
            f"{path}: column {', '.join(missing)} is missing; columns are {', '.join(QUESTION)}"
        )
    return columns, rows


def _by_other_headers(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Read a table under headers or with delimiters of its own; rows gain the columns meant."""
    table = read_text_table(path)
    columns = [name for name in table.header if name not in ANSWER]
    meant = {
        name: header_of("device" if name == "device_id" else name, table.header)
        for name in QUESTION
    }
    rows = [
        {name: row.cells[name] for name in columns}
        | {name: row.cells[header] for name, header in meant.items() if header}
        for row in table.rows
    ]
    return columns, rows


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
    rows: Sequence[tuple[int, Row]],
    evidence: Evidence,
    modules: bool,
) -> dict[int, dict[str, str]]:
    """Answer the questions of one lane; equal questions are assessed once."""
    answers: dict[int, dict[str, str]] = {}
    questions: list[_Question] = []
    known: dict[tuple[str, str], tuple[Candidate, int] | str] = {}
    for index, row in rows:
        name = (row["timm_name"].strip(), row.get("input_h", "").strip())
        if name not in known:
            known[name] = _network(*name, evidence, modules=modules)
        network = known[name]
        if isinstance(network, str):
            answers[index] = {"reason": network}
        else:
            questions.append(_Question(index, *network))
    profile = evidence.profiles.load(request.device)
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
    found = dict(zip(distinct, assessed, strict=True))
    answers.update({q.index: _cells(found[q.candidate.network, q.resolution]) for q in questions})
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


def _cells(assessment: Assessment) -> dict[str, str]:
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
