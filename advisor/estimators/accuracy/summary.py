"""Write the validation of the predicted accuracies for people and for scripts."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from advisor.estimators.accuracy.validating import AccuracyError

_HEAD = ("left out", "of", "networks", "mean", "median", "1 in 10 beyond", "coverage", "± ")


def table_of(errors: Sequence[AccuracyError]) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Return heads and rows, accuracies in points."""
    return _HEAD, [_cells(error) for error in errors]


def to_table(errors: Sequence[AccuracyError]) -> str:
    """Write one line each, accuracies in points."""
    return "".join(f"{line}\n" for line in _lines(errors, "  ", _HEAD))


def to_markdown(errors: Sequence[AccuracyError]) -> str:
    """Write a Markdown table, accuracies in points."""
    head, *rows = _lines(errors, " | ", _HEAD)
    rule = " | ".join("---" for _ in _HEAD)
    return "".join(f"| {line} |\n" for line in (head, rule, *rows))


def to_json(errors: Sequence[AccuracyError]) -> str:
    """Write fractions as JSON."""
    return json.dumps([asdict(error) for error in errors], indent=1) + "\n"


def _lines(errors: Sequence[AccuracyError], between: str, head: Sequence[str]) -> list[str]:
    cells = [list(head), *(_cells(error) for error in errors)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    return [
        between.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _cells(error: AccuracyError) -> list[str]:
    points = (error.mean, error.median, error.tenth)
    return [
        error.left_out,
        error.of or "all",
        str(error.networks),
        *(f"{100 * value:.2f}" for value in points),
        _coverage(error),
        f"{100 * error.width:.2f}",
    ]


def _coverage(error: AccuracyError) -> str:
    share = f"{100 * error.coverage:.1f}"
    if error.coverage_error is None:
        return f"{share} %"
    return f"{share} ± {100 * error.coverage_error:.1f} %"
