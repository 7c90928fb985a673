"""CSV: the cells of a text, however long."""

import csv
import io
from collections.abc import Iterator

from advisor.errors import AdvisorError

_ANY_LENGTH = 2**31 - 1


def csv_rows(
    text: str, origin: str, error: type[AdvisorError], *, delimiter: str = ","
) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the last line and the cells of each row; an empty line has none.

    Raises ``error`` that names ``origin`` where a row cannot be read.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        # the limit on a cell is one of the whole process: lifted for each row alone
        before = csv.field_size_limit(_ANY_LENGTH)
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            line = reader.line_num
            raise error(f"cannot read {origin} as CSV: line {line}: {problem}") from None
        finally:
            csv.field_size_limit(before)
        yield reader.line_num, cells
