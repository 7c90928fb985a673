"""Rows of CSV come one after the other, however many are read at once."""

import csv

from advisor.errors import MeasurementError
from advisor.files.csv_text import csv_rows


def test_rows_keep_the_number_of_their_last_line() -> None:
    text = 'a,b\n1,"x\ny"\n' + "2,z\n" * 600
    rows = list(csv_rows(text, "table.csv", MeasurementError))
    assert rows[0] == (1, ["a", "b"])
    assert rows[1] == (3, ["1", "x\ny"])
    assert rows[-1] == (603, ["2", "z"])


def test_the_limit_on_a_cell_is_that_of_the_others_again_while_rows_are_used() -> None:
    before = csv.field_size_limit()
    for _, cells in csv_rows("a\n" + "x" * 200_000 + "\n", "table.csv", MeasurementError):
        assert csv.field_size_limit() == before
        assert cells
