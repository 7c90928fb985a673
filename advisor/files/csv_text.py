"""CSV: the cells of a text, however long."""

import csv
import io
from collections.abc import Iterator
from itertools import islice

from advisor.errors import AdvisorError

_ANY_LENGTH = 2**31 - 1
_AT_ONCE = 256
"""Rows that are read at once."""


def csv_rows(
    text: str, origin: str, error: type[AdvisorError], *, delimiter: str = ","
) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the last line and the cells of each row; an empty line has none.

    Raises ``error`` that names ``origin`` where a row cannot be read.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        rows: list[tuple[int, list[str]]] = []
        unread: csv.Error | None = None
        # the limit on a cell is one of the whole process: lifted while nobody else reads
        before = csv.field_size_limit(_ANY_LENGTH)
        try:
            rows.extend((reader.line_num, cells) for cells in islice(reader, _AT_ONCE))
        except csv.Error as problem:
            unread = problem
        finally:
            csv.field_size_limit(before)
        yield from rows
        if unread is not None:
            line = reader.line_num
            raise error(f"cannot read {origin} as CSV: line {line}: {unread}")
        if not rows:
            return
