"""Tables on narrow terminals: no word is broken where there are many columns."""

import pytest

from advisor.cli.output import say
from advisor.cli.terminal_table import print_table

HEAD = ["split", "group", *(f"figure{i}" for i in range(8))]
ROWS = [["pair", "lanes with 8 or more networks", *("12.5 % ± 0.5 %" for _ in range(8))]]


def test_a_table_of_many_columns_is_told_row_by_row_on_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_table(HEAD, ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "pair: lanes with 8 or more networks"
    assert max(map(len, lines)) <= 80
    assert all(any(f"{name} 12.5 % ± 0.5 %" in line for line in lines) for name in HEAD[2:])


HINT = (
    "mobilenetv2_100@160:depth=0.5 needs training with tf-slim-MobileNetV2: 1.21e+17 MACs "
    "(300 epochs, assumed)"
)


@pytest.mark.parametrize(("width", "lines"), [("", 1), ("200", 1), ("80", 2), ("20", 6)])
def test_a_hint_breaks_between_its_words_on_a_narrow_terminal_alone(
    width: str, lines: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    say(HINT)
    told = capsys.readouterr().err
    assert told.split() == HINT.split()
    assert len(told.splitlines()) == lines


def test_where_it_fits_it_stays_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    print_table(HEAD, ROWS)
    assert capsys.readouterr().out.splitlines()[0].split() == HEAD
