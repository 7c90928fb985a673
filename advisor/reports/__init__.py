"""Reports: documents written as table, JSON, CSV, Markdown, HTML or PDF.

Writers are imported on first use, so that a terminal table does not pay for templates.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, TextIO, runtime_checkable

from advisor.core.document import Recommendation
from advisor.core.filed import Document
from advisor.core.frozen_record import Record
from advisor.core.plug_in import blamed, entry_points_of, made
from advisor.errors import PluginError, UsageError, unknown_name
from advisor.files.saving import check_writable, save

GROUP = "advisor.reports"
"""Entry-point group by which other packages add formats."""


class Layout(Record):
    """What a writer may know of the place it writes for."""

    width: int = 120
    """Characters of a line, for the terminal table."""
    color: bool = False
    against: Recommendation | None = None
    """An earlier result to show the difference to."""


PLAIN = Layout()


@runtime_checkable
class ReportWriter(Protocol):
    """Turns a document into the content of a file."""

    suffix: str
    """File suffix with its dot; empty for a format that is only printed."""

    def render(self, document: Document, layout: Layout) -> str | bytes:
        """Return the whole content; raises UsageError for a document it cannot show."""


BUILT_IN = {
    "table": "advisor.reports.text:TextWriter",
    "json": "advisor.reports.json:JsonWriter",
    "csv": "advisor.reports.csv:CsvWriter",
    "markdown": "advisor.reports.markdown:MarkdownWriter",
    "html": "advisor.reports.html:HtmlWriter",
    "pdf": "advisor.reports.pdf:PdfWriter",
    "xlsx": "advisor.reports.xlsx:XlsxWriter",
}
NO_WORKBOOK = "xlsx: only a procurement review (advisor procure) has a workbook"
_SUFFIX = {
    ".json": "json",
    ".csv": "csv",
    ".md": "markdown",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".xlsx": "xlsx",
    ".txt": "table",
}


def formats() -> tuple[str, ...]:
    """Names of all formats, the built-in ones first."""
    return (*BUILT_IN, *sorted(set(_plugins()) - set(BUILT_IN)))


def writer(name: str) -> ReportWriter:
    """Return the writer of a format; raises UsageError that names the known ones."""
    target = BUILT_IN.get(name) or _plugins().get(name)
    if target is None:
        raise unknown_name("format", name, formats(), "advisor plugins")
    found = made(f"format {name!r}", target)
    if not isinstance(found, ReportWriter):
        raise PluginError(f"format {name!r}: {target} has no suffix and render()")
    return found


def lack(name: str) -> str:
    """Say in one line why a format cannot be written here; nothing where it can."""
    try:
        needs = getattr(writer(name), "missing", None)
        with blamed(f"format {name!r}"):
            return (needs and needs()) or ""
    except PluginError as error:
        return str(error)


def format_of(path: Path) -> str:
    """Return the format that a file's suffix asks for.

    A plug-in that cannot be loaded keeps no other from its files.
    """
    suffix = path.suffix.lower()
    if suffix in _SUFFIX:
        return _SUFFIX[suffix]
    known, broken = dict[str, str](), list[str]()
    for name in _plugins():
        try:
            known[writer(name).suffix] = name
        except PluginError as error:
            broken.append(f"; {error}")
    if suffix in known:
        return known[suffix]
    allowed = " ".join([*_SUFFIX, *sorted(filter(None, known))])
    raise UsageError(
        f"{path}: no format is known for suffix {suffix!r}; allowed: {allowed}{''.join(broken)}"
    )


def _content(document: Document, name: str, layout: Layout) -> str | bytes:
    """Return what a format makes of a document; a plug-in's faults are told as its own."""
    made_by = writer(name)
    if name in BUILT_IN:
        return made_by.render(document, layout)
    with blamed(f"format {name!r} of {_plugins()[name]}"):
        found = made_by.render(document, layout)
        if not isinstance(found, str | bytes):
            raise TypeError(f"render() returned {type(found).__name__} instead of str or bytes")
        return found


def render(document: Document, name: str, layout: Layout = PLAIN) -> str:
    """Return a document as text in a format; raises UsageError for a binary format."""
    content = _content(document, name, layout)
    if isinstance(content, bytes):
        raise UsageError(f"format {name!r} cannot be printed; write it to a file with -o")
    return content


def print_report(document: Document, name: str, stream: TextIO, layout: Layout = PLAIN) -> None:
    """Write a document to an open text stream, such as stdout."""
    content = render(document, name, layout)
    stream.write(content if content.endswith("\n") else content + "\n")


def write_file(document: Document, path: Path, layout: Layout = PLAIN) -> None:
    """Write a document to a file, whole or not at all; the suffix picks the format."""
    save(path, _content(document, format_of(path), layout))


def check_outputs(paths: Sequence[Path], *, of_review: bool = False) -> None:
    """Refuse output files that cannot be written, before any work is done for them.

    ``of_review`` tells that it may be a procurement review that is written.
    """
    for path in paths:
        if format_of(path) == "xlsx" and not of_review:
            raise UsageError(NO_WORKBOOK)
        check_writable(path)


def _plugins() -> Mapping[str, str]:
    return entry_points_of(GROUP)
