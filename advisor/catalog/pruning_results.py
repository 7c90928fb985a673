"""What pruning costs in accuracy: published top-1 before and after channels went."""

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from statistics import mean

from advisor.catalog.accuracy_at_precision import ExpectedChange
from advisor.catalog.accuracy_columns import COMPRESSION_COLUMNS
from advisor.catalog.family_names import family_of
from advisor.catalog.tables import Table
from advisor.core.frozen_record import Record
from advisor.core.spread import student

ABOUT_HALF = (0.4, 0.6)
"""Shares of the MACs, or of the filters where no MACs are stated, that count as half."""
_PRUNED = re.compile(r"(?:filter|channel) pruning", re.IGNORECASE)
_SHARE = re.compile(r"(\d+(?:\.\d+)?) ?%")


class PruningResult(Record):
    """Published top-1 of one network before and after structured pruning; fractions."""

    network: str
    family: str
    before: float
    after: float
    share: float | None
    """Of the MACs that went, or of the filters; None where neither is stated."""
    source: str

    @property
    def change(self) -> float:
        """Negative is a loss."""
        return self.after - self.before

    @property
    def is_about_half(self) -> bool:
        """Whether about half of the network went."""
        least, most = ABOUT_HALF
        return self.share is not None and least <= self.share <= most


def read_pruning(root: Path) -> list[PruningResult]:
    """Read what ``compression.csv`` says of structured pruning alone, on ImageNet.

    Sparse weights keep their shapes and are left out, and so is what was quantised as well.
    """
    table = Table(root / "compression.csv", COMPRESSION_COLUMNS)
    return [
        PruningResult(
            network=row["network"],
            family=family_of(row["network"]),
            before=_needed(table, line, row, "top1_before_percent") / 100,
            after=_needed(table, line, row, "top1_after_percent") / 100,
            share=_share_of(table, line, row),
            source=row["source_ref"],
        )
        for line, row in table.records()
        if _is_pruned(row)
    ]


def _is_pruned(row: Mapping[str, str]) -> bool:
    return (
        bool(row["network"])
        and row["dataset"] == "ImageNet"
        and _PRUNED.search(row["method"]) is not None
        and "INT8" not in row["method"].upper()
    )


def _needed(table: Table, line: int, row: dict[str, str], column: str) -> float:
    number = table.number(line, column, row[column])
    if number is None:
        table.refuse(line, column, row[column], "a number is needed")
    return number


def _share_of(table: Table, line: int, row: dict[str, str]) -> float | None:
    if row["macs_before_m"] and row["macs_after_m"]:
        after = _needed(table, line, row, "macs_after_m")
        return 1 - after / _needed(table, line, row, "macs_before_m")
    told = _SHARE.search(row["method"])
    return float(told[1]) / 100 if told else None


class HalvedMacs(Record):
    """Change of top-1 to be expected where about half of the MACs of a network are pruned."""

    results: Sequence[PruningResult]

    def at(self, network: str, *, level: float) -> ExpectedChange | None:
        """Return the mean of a network's family with a prediction interval; None without figures.

        The spread is that within families, pooled (a one-way layout with Student's t): a family
        of one figure has no spread of its own.
        """
        own = self._families.get(family_of(network))
        if own is None or self._freedom < 1:
            return None
        middle = mean(one.change for one in own)
        half = student((1 + level) / 2, self._freedom) * self._spread
        half *= math.sqrt(1 + 1 / len(own))
        sources = sorted({one.source.partition("@")[0] for one in own})
        before = [100 * one.before for one in own]
        return ExpectedChange(
            value=middle,
            low=middle - half,
            high=middle + half,
            source=f"mean of {len(own)} published prunings of its family ({', '.join(sources)})",
            caveats=(
                "accuracy after pruning: published of weights with "
                f"{min(before):.0f} to {max(before):.0f} % top-1",
            ),
        )

    @cached_property
    def _families(self) -> Mapping[str, list[PruningResult]]:
        found: dict[str, list[PruningResult]] = defaultdict(list)
        for one in self.results:
            if one.is_about_half:
                found[one.family].append(one)
        return dict(found)

    @cached_property
    def _freedom(self) -> int:
        return sum(len(own) - 1 for own in self._families.values())

    @cached_property
    def _spread(self) -> float:
        """Standard deviation of a figure about the mean of its family."""
        squares = 0.0
        for own in self._families.values():
            middle = mean(one.change for one in own)
            squares += sum((one.change - middle) ** 2 for one in own)
        return math.sqrt(squares / self._freedom)
