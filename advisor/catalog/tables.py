"""Read and write the catalog's CSV files; every malformed cell is one clear line."""

import csv
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

from advisor.core.frozen_record import Record
from advisor.errors import CatalogError
from advisor.files.csv_text import csv_rows
from advisor.files.plain_text import text_of

T = TypeVar("T")


class Table:
    """The rows of one CSV file, read by column name and converted cell by cell."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        """Read the file; raise CatalogError where it or one of ``columns`` is missing."""
        self.path = path
        text = text_of(path, CatalogError)
        lines = csv_rows(text, str(path), CatalogError)
        _, header = next(lines, (0, []))
        missing = [name for name in columns if name not in header]
        if missing:
            raise CatalogError(
                f"{path}, line 1: missing columns {', '.join(missing)}; found {', '.join(header)}"
            )
        if twice := repeated(header):
            raise CatalogError(f"{path}, line 1: column {twice[0]} appears twice; allowed: once")
        self.columns = {name: index for index, name in enumerate(header)}
        self._width = len(header)
        self._lines = lines

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (line number, cells); raise CatalogError for a row of another length."""
        for line, cells in self._lines:
            if len(cells) != self._width:
                raise CatalogError(
                    f"{self.path}, line {line}: {len(cells)} cells; "
                    f"the header has {self._width} columns"
                )
            yield line, cells

    def records(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield (line number, cells by column)."""
        for line, cells in self.rows():
            yield line, {name: cells[index] for name, index in self.columns.items()}

    def columns_of_cells(self) -> "CellColumns":
        """Return all rows by column, for tables that every answer reads."""
        rows = list(self.rows())
        cells = zip(*(cells for _, cells in rows), strict=True) if rows else ()
        return CellColumns(
            table=self,
            lines=tuple(line for line, _ in rows),
            cells=dict(zip(self.columns, cells or ((),) * self._width, strict=True)),
        )

    def refuse(self, line: int, column: str, value: str, allowed: str) -> NoReturn:
        """Raise the CatalogError for one cell."""
        raise CatalogError(
            f"{self.path}, line {line}, column {column}: {value!r} is not allowed; {allowed}"
        )

    def convert(
        self, line: int, column: str, value: str, to: Callable[[str], T], allowed: str
    ) -> T | None:
        """Convert a cell; None where it is empty, CatalogError where it cannot be read."""
        if not value:
            return None
        try:
            return to(value)
        except ValueError:
            self.refuse(line, column, value, allowed)

    def number(self, line: int, column: str, value: str) -> float | None:
        """Read a finite number; None where the cell is empty."""
        number = self._float(line, column, value)
        if number is not None and not math.isfinite(number):
            self.refuse(line, column, value, "it must be finite")
        return number

    def _float(self, line: int, column: str, value: str) -> float | None:
        return self.convert(line, column, value, float, "write a number or leave it empty")

    def positive(self, line: int, column: str, value: str) -> float | None:
        """Read a number above zero; None where the cell is empty."""
        number = self._float(line, column, value)
        if number is not None and not (math.isfinite(number) and number > 0):
            self.refuse(line, column, value, "it must be positive and finite")
        return number

    def integer(self, line: int, column: str, value: str) -> int | None:
        """Read a whole number; None where the cell is empty."""
        return self.convert(line, column, value, int, "write a whole number or leave it empty")

    def count(self, line: int, column: str, value: str, most: int) -> int | None:
        """Read a whole number from 1 to ``most``; None where the cell is empty."""
        number = self.integer(line, column, value)
        if number is not None and not 1 <= number <= most:
            self.refuse(line, column, value, f"allowed: 1 to {most}, or nothing")
        return number


class CellColumns(Record):
    """The rows of one CSV file, converted column by column."""

    table: Table
    lines: tuple[int, ...]
    cells: Mapping[str, tuple[str, ...]]

    def numbers(self, column: str, *, digits: int = 0) -> list[float | None]:
        """Read finite numbers, the point moved ``digits`` to the right; None for empty cells.

        The point is moved in the text, so that 67.8 % is 0.678 and not 0.6779999999999999.
        """
        power = f"e{digits}"
        try:
            found = [float(cell + power) if cell else None for cell in self.cells[column]]
        except ValueError:
            found = [math.nan]
        if all(number is None or math.isfinite(number) for number in found):
            return found
        return [self._number(column, row, digits) for row in range(len(self.lines))]

    def _number(self, column: str, row: int, digits: int) -> float | None:
        """Read one cell; CatalogError says which one and what is wrong with it."""
        number = self.table.number(self.lines[row], column, self.cells[column][row])
        return None if number is None else round(number * 10.0**digits, 12)

    def integers(self, column: str) -> list[int | None]:
        """Read whole numbers; None for empty cells."""
        pairs = zip(self.lines, self.cells[column], strict=True)
        return [self.table.integer(line, column, cell) for line, cell in pairs]

    def needed(self, column: str, numbers: Sequence[T | None], what: str) -> list[T]:
        """Return the numbers of a column that has no empty cell; CatalogError where it has one."""
        for line, number in zip(self.lines, numbers, strict=True):
            if number is None:
                self.table.refuse(line, column, "", f"{what} is needed")
        return [number for number in numbers if number is not None]


def repeated(header: Sequence[str]) -> list[str]:
    """Return the columns that a header names more than once, of which a reader would keep one."""
    return [name for name, times in Counter(header).items() if times > 1]


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    """Write a CSV file with Unix line ends, in cells too, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows({name: _unix(cell) for name, cell in row.items()} for row in rows)
    part.replace(path)


def _unix(cell: str) -> str:
    # Python's writer leaves a lone carriage return unquoted, where its reader ends the row.
    return cell.replace("\r\n", "\n").replace("\r", "\n")
