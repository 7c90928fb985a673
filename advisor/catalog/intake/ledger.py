"""The ledger of the import: what was kept, doubted and left out, by source and reason."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from advisor.catalog.caveats import CAVEATS, Gravity
from advisor.catalog.measurements import Measurement, read_all
from advisor.catalog.tables import Table

IMPORTS = "imports.csv"
LEDGER_COLUMNS = ("file", "rows", "sha256")
"""Columns that every ledger has; one that was begun earlier does not say when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSource:
    """How the figures of one publication were judged."""

    source: str
    kept: int
    caveat: int
    left_out: int
    doubts: tuple[tuple[str, int], ...]
    """(slug, rows) of what makes figures doubtful, most frequent first."""
    reasons: tuple[tuple[str, int], ...]
    """(slug, rows) of what keeps figures out, most frequent first."""

    @property
    def total(self) -> int:
        """All rows of the publication."""
        return self.kept + self.caveat + self.left_out


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFile:
    """One raw file that was imported."""

    file: str
    rows: int
    sha256: str
    added: str
    """Day, as ISO 8601 writes it; "" where a ledger does not say."""

    @property
    def publication(self) -> str:
        """Name that its figures carry as their source."""
        return Path(self.file).stem


def ledger(root: Path) -> list[LedgerSource]:
    """Summarise all measurements of the catalog under ``root``, one line a publication."""
    by_source: dict[str, list[Measurement]] = {}
    for rows in read_all(root).values():
        for row in rows:
            by_source.setdefault(row.source, []).append(row)
    return [_line(source, rows) for source, rows in sorted(by_source.items())]


def _line(source: str, rows: list[Measurement]) -> LedgerSource:
    statuses = Counter(row.status for row in rows)
    return LedgerSource(
        source=source,
        kept=statuses["kept"],
        caveat=statuses["caveat"],
        left_out=statuses["left_out"],
        doubts=_slugs(rows, Gravity.DOUBT),
        reasons=_slugs(rows, Gravity.REASON),
    )


def _slugs(rows: Iterable[Measurement], gravity: Gravity) -> tuple[tuple[str, int], ...]:
    counts = Counter(s for row in rows for s in row.caveats if CAVEATS[s].gravity is gravity)
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def raw_files(root: Path) -> list[RawFile]:
    """Read which raw files the catalog was imported from."""
    table = Table(root / IMPORTS, LEDGER_COLUMNS)
    return [
        RawFile(
            file=r["file"],
            rows=table.integer(n, "rows", r["rows"]) or 0,
            sha256=r["sha256"],
            added=r.get("added", ""),
        )
        for n, r in table.records()
    ]


def last_added(root: Path) -> frozenset[str]:
    """Return the publications added on the last day on which any was; none where all were."""
    files = raw_files(root) if (root / IMPORTS).is_file() else []
    last = max((one.added for one in files), default="")
    found = frozenset(one.publication for one in files if one.added == last)
    return found if len(found) < len(files) else frozenset()
