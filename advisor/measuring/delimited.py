"""Tables of text as people have them: any encoding, delimiter, decimal sign, lines of comment."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from advisor.errors import MeasurementError
from advisor.files.csv_text import csv_rows
from advisor.files.json_text import NumberText, json_value
from advisor.files.plain_text import content_of

DELIMITERS = ";\t,|"
MOST_COLUMNS = 1000
GZIP = b"\x1f\x8b"
_LONGEST = 200
"""Characters of a cell that may be a number with its unit and its spread."""
_INDEX = re.compile(r"(?:unnamed:? ?\d*|index)?", re.IGNORECASE)
_RULE = re.compile(r"[\s|+:=─━┼│┃╇╪┏┓┗┛┡┩└┘├┤┬┴-]*")
_MARKDOWN = re.compile(r"\s*\|?(?:\s*:?-{2,}:?\s*\|)+(?:\s*:?-{2,}:?\s*)?")
"""The line under the headers of a Markdown table."""
_EXCEL = re.compile(r"sep=(?P<sign>[;,|\t])", re.IGNORECASE)
"""First line by which Excel is told the delimiter."""
_BOXES = str.maketrans("│┃", "||")
_NUMBER = re.compile(
    r"[~≈]?\s*(?P<number>[+-]?(?:\d[\d.,' \u00a0\u202f]*\d|\d|[.,]\d+)(?:e[+-]?\d+)?"
    r"|[+-]?(?:nan|inf))"
    r"\s*(?:(?:±|\+/-).*?)?\s*(?P<unit>[a-zµμ][a-zµμ/ .]*)?",
    re.IGNORECASE,
)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+")


@dataclass(frozen=True, slots=True)
class TextRow:
    """One row: its line in the file, and its cells by header."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class TextTable:
    """A table as it was read."""

    path: Path
    header: tuple[str, ...]
    rows: tuple[TextRow, ...]
    delimiter: str = ","

    @cached_property
    def commas(self) -> str:
        """What a comma in a number is: ``decimal``, ``thousands``, or ``unclear``."""
        numbers = [found["number"] for row in self.rows for cell in row.cells.values()
                   if "," in cell and (found := _number(cell))]  # fmt: skip
        if any(n.count(",") > 1 or "." in n[n.rindex(",") :] for n in numbers):
            return "thousands"
        if any(not _GROUPED.fullmatch(n.replace(" ", "")) for n in numbers):
            return "decimal"
        if not numbers:
            return "thousands"
        dots = any(re.fullmatch(r"\d+\.\d+\D*", c) for r in self.rows for c in r.cells.values())
        return "thousands" if dots else "unclear"


def read_text_table(path: Path) -> TextTable:
    """Read a table from text or JSON; MeasurementError where it is none."""
    return text_table(path, decoded(path))


def text_table(path: Path, text: str) -> TextTable:
    """Read a table from the text of a file; MeasurementError where it is none."""
    if path.suffix.lower() in (".json", ".jsonl") or text.lstrip().startswith(("[{", "[\n", "{")):
        return _from_json(path, text)
    numbered = _table_lines(list(enumerate(text.translate(_BOXES).splitlines(), 1)))
    lines = [
        (number, line)
        for number, line in numbered
        if not (line.lstrip().startswith("#") or _RULE.fullmatch(line))
    ]
    told = _EXCEL.fullmatch(lines[0][1]) if lines else None
    lines = lines[1:] if told else lines
    if len(lines) < 2:
        raise MeasurementError(f"{path} holds no table: a line of headers and one of figures")
    delimiter = told["sign"] if told else _delimiter([line for _, line in lines])
    table = ((number, _cells(line, delimiter)) for number, line in lines)
    header = _few(path, tuple(cell.strip() for cell in next(table)[1]))
    return TextTable(path, *_without_index(header, list(_rows(header, table))), delimiter)


def decoded(path: Path) -> str:
    """Text of a file in UTF-8, UTF-16 or Latin-1, without its byte-order mark."""
    content = content_of(path, MeasurementError)
    if content.startswith(GZIP):
        raise MeasurementError(
            f"{path} is an archive, not a table; a kit is unpacked and run on the board, and the "
            "table that it writes there is imported (its README tells how)"
        )
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    if content[:200].count(b"\0") > len(content[:200]) // 3:
        return content.decode("utf-16-le" if content[1:2] == b"\0" else "utf-16-be", "replace")
    if b"\0" in content:
        raise MeasurementError(f"cannot read {path}: it is no text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _number(cell: str) -> re.Match[str] | None:
    return _NUMBER.fullmatch(cell.strip()) if len(cell) <= _LONGEST else None


def number_in(cell: str, commas: str) -> tuple[float, str] | None:
    """Read a number and the unit behind it, such as ``30.1 ms``; None where it is none.

    Raises ValueError where a comma may be either sign.
    """
    found = _number(cell)
    if found is None:
        return None
    digits = re.sub(r"[' \u00a0\u202f]", "", found["number"])
    if "," in digits and commas == "unclear":
        raise ValueError(
            f"{cell!r} may be thousands or a decimal comma; say --decimal comma or point"
        )
    if commas == "decimal":
        digits = digits.replace(".", "").replace(",", ".") if "," in digits else digits
    try:
        return float(digits.replace(",", "")), (found["unit"] or "").strip().lower()
    except ValueError:
        return None


def _table_lines(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Of a Markdown page the lines of its first table; of anything else all."""
    rule = next((place for place, (_, line) in enumerate(lines) if _MARKDOWN.fullmatch(line)), 0)
    if not rule:
        return lines
    behind = (place for place, (_, line) in enumerate(lines) if place > rule and "|" not in line)
    return lines[rule - 1 : next(behind, len(lines))]


def _delimiter(lines: Sequence[str]) -> str:
    """The sign that parts the first line, and most others as often; spaces where none does."""
    head = lines[0]
    counts = {sign: head.count(sign) for sign in DELIMITERS if sign in head}
    if not counts:
        return " " if len(head.split()) > 1 and len({len(x.split()) for x in lines}) == 1 else ","

    def agreement(sign: str) -> tuple[float, int]:
        usual = Counter(line.count(sign) for line in lines[1:]).get(counts[sign], 0)
        return usual / max(len(lines) - 1, 1), -DELIMITERS.index(sign)

    return max(counts, key=agreement)


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return line.split()
    if delimiter == "|":
        line = re.sub(r"^\s*\||\|\s*$", "", line)
    if '"' not in line:
        return line.split(delimiter)
    rows = csv_rows(line, "a line", MeasurementError, delimiter=delimiter)
    return next((cells for _, cells in rows), [])


def _few(path: Path, header: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a header that no table of figures has, since each row is read in full width."""
    if len(header) > MOST_COLUMNS:
        raise MeasurementError(f"{path} has {len(header):,} columns; allowed: {MOST_COLUMNS:,}")
    return header


def _json_cells(text: str, path: Path) -> Any:
    return json_value(text, str(path), MeasurementError, numbers_as_text=True)


def _rows(header: Sequence[str], table: Iterable[tuple[int, list[str]]]) -> Iterator[TextRow]:
    for number, cells in table:
        padded = [*cells, *[""] * (len(header) - len(cells))]
        yield TextRow(
            number, {name: cell.strip() for name, cell in zip(header, padded, strict=False)}
        )


def _without_index(
    header: tuple[str, ...], rows: list[TextRow]
) -> tuple[tuple[str, ...], tuple[TextRow, ...]]:
    """Leave out the row numbers that pandas writes before the first column."""
    first = header[0] if header else ""
    counted = all(row.cells[first].isdigit() for row in rows)
    if len(header) < 2 or not _INDEX.fullmatch(first) or not counted:
        return header, tuple(rows)
    for row in rows:
        del row.cells[first]
    return header[1:], tuple(rows)


def _objects(content: Any) -> list[Any]:
    """Figures of a list, of a list under a key, or of an object with the networks as keys."""
    if isinstance(content, list):
        return content
    if isinstance(content, dict) and content:
        values = list(content.values())
        lists = [value for value in values if isinstance(value, list)]
        if len(lists) == 1:
            return lists[0]
        if all(isinstance(value, dict) for value in values):
            return [{"model": name, **value} for name, value in content.items()]
        if all(isinstance(value, NumberText) for value in values) and not (
            set(content) & {"latency", "latency_ms", "fps"}
        ):
            return [{"model": name, "latency": value} for name, value in content.items()]
    return [content]


def _from_json(path: Path, text: str) -> TextTable:
    """Read a list of objects, or one object on each line."""
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        content = _json_cells(text, path)
    except MeasurementError:
        if len(lines) < 2 or not all(line.lstrip().startswith("{") for line in lines):
            raise
        content = [_json_cells(line, path) for line in lines]
    objects = _objects(content)
    if not objects or not all(isinstance(one, dict) for one in objects):
        raise MeasurementError(f"{path} holds no list of objects, one for each figure")
    header = _few(path, tuple(dict.fromkeys(str(name) for one in objects for name in one)))
    rows = tuple(
        TextRow(number, {n: "" if one.get(n) is None else str(one[n]) for n in header})
        for number, one in enumerate(objects, 1)
    )
    return TextTable(path, header, rows)
