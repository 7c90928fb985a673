"""Sheet: a report of tables and pictures in sections, for what needs no page of its own.

Trials and compressions are sheets; text, Markdown and HTML are written from the same one.
"""

from dataclasses import field

from advisor.core.frozen_record import Record


class SheetTable(Record):
    """Rows of text under a head; the first column names the row."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    @property
    def numbers(self) -> frozenset[int]:
        """Columns that hold figures, which are set flush right."""
        return frozenset(
            column
            for column in range(1, len(self.head))
            if all(not row[column] or row[column][0] in "0123456789−+<–" for row in self.rows)
        )


class SheetFigure(Record):
    """A drawing with what it shows."""

    title: str
    drawing: str
    """SVG."""
    note: str = ""


class Picture(Record):
    """A small picture with its caption."""

    png: str
    """Base64."""
    caption: str


class SheetSection(Record):
    """Part of a sheet."""

    title: str
    tables: tuple[SheetTable, ...] = ()
    figures: tuple[SheetFigure, ...] = ()
    pictures: tuple[Picture, ...] = ()
    text: tuple[str, ...] = ()
    brief: bool = False
    """Whether the terminal shows it too."""


class Sheet(Record):
    """Everything a report shows."""

    title: str
    subtitle: str
    headline: str
    sentences: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    sections: tuple[SheetSection, ...]
    command: str
    versions: tuple[tuple[str, str], ...] = field(default=())
