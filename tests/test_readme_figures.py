"""The README's figures are those of the stored validation."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from advisor.catalog.accuracy import read_accuracies
from advisor.catalog.measurements import read_all

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
REPORT: dict[str, Any] = json.loads((ROOT / "docs" / "validation.json").read_text())
SPLITS = {
    "a network measured elsewhere, never in this lane": "pair",
    "an architecture never measured anywhere": "architecture",
    "the same, lanes with few networks": "architecture",
    "a family never measured anywhere": "family",
    "a new chip, 10 networks timed on it": "chip, 10 shots",
    "the same, one of the timings five times too long": "chip, 10 shots, one x5",
    "a new chip, its profile alone": "chip, 0 shots",
}


def figures(split: str, group: str) -> dict[str, Any]:
    return next(
        dict(row["accuracy"])
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
    held = found["coverage"]
    assert coverage == f"{100 * held['groups']:.0f} ± {100 * held['groups_error']:.0f} %"


def test_the_readme_counts_what_the_catalog_holds() -> None:
    rows = [row for device in read_all(ROOT / "catalog").values() for row in device]
    published = [row for row in rows if row.source != "advisor-campaign"]
    devices = {row.lane.device for row in published}
    weights = [one for one in read_accuracies(ROOT / "catalog") if one.source == "timm-results"]
    counts = (
        f"({len({(one.network, one.tag) for one in weights}):,} trained weights of "
        f"{len({one.network for one in weights}):,} architectures, and networks timm lacks) for a "
        f"named device, runtime and precision. It answers from {len(published):,} published "
        f"measurements on {len(devices)} devices and {len(rows) - len(published)} of its own"
    )
    assert counts in " ".join(README.split())
