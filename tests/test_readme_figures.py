"""The README's figures are those of the stored validation."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
REPORT: dict[str, Any] = json.loads((ROOT / "docs" / "validation.json").read_text())
SPLITS = {
    "a network measured elsewhere, never in this lane": "pair",
    "an architecture never measured anywhere": "architecture",
    "the same, lanes with few networks": "architecture",
    "a family never measured anywhere": "family",
    "a new device, 10 networks timed on it": "device, 10 shots",
    "a new device, its profile alone": "device, 0 shots",
}


def figures(split: str, group: str) -> dict[str, float]:
    return next(
        row["accuracy"]
        for row in REPORT["rows"]
        if (row["split"], row["group"], row["estimator"]) == (split, group, "estimator")
    )


@pytest.mark.parametrize("what", SPLITS)
def test_a_row_of_the_readme_is_that_of_the_validation(what: str) -> None:
    line = re.search(rf"\| {re.escape(what)} \| (.+) \|", README)
    assert line is not None
    group, error, _, coverage = line[1].split(" | ")
    found = figures(SPLITS[what], group)
    assert error == f"{100 * found['median_error']:.1f} %"
    assert coverage == f"{100 * found['coverage']:.1f} %"
