"""JSON: documents as scripts read them, their schema, and reading them back."""

import json
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any, Never

from pydantic import ValidationError

from advisor.core.document import Recommendation
from advisor.core.filed import Document
from advisor.errors import UsageError
from advisor.reports import Layout

KINDS = {
    "recommendation": "advisor.core.document:Recommendation",
    "estimates": "advisor.core.document:Estimates",
    "procurement": "advisor.procurement.review:ProcurementReview",
    "trial": "advisor.trials.record:TrialRecord",
    "compression": "advisor.trials.compression_record:CompressionRecord",
}
"""Documents that a result file may hold, by their ``kind``; imported when one is read."""


class JsonWriter:
    """Writes a document with all its fields, SI units."""

    suffix = ".json"

    def render(self, document: Document, layout: Layout) -> str:
        """Return the document as indented JSON."""
        return document.model_dump_json(indent=1)


def document_type(kind: str) -> type[Document]:
    """Return the class of a kind of document."""
    module, _, name = KINDS[kind].partition(":")
    found: type[Document] = getattr(import_module(module), name)
    return found


def schema(kind: str = "recommendation") -> dict[str, Any]:
    """Return the JSON Schema of a kind of document, as it is written."""
    return document_type(kind).model_json_schema(mode="serialization")


def read(path: Path) -> Document:
    """Read a stored result; raises UsageError with file and field for an invalid one."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    return parse(text, str(path))


def read_recommendation(path: Path) -> Recommendation:
    """Read a stored recommendation; raises UsageError for any other document."""
    document = read(path)
    if not isinstance(document, Recommendation):
        raise UsageError(f"{path}: holds no recommendation but {type(document).__name__.lower()}")
    return document


def _no_number(text: str) -> Never:
    raise ValueError(f"{text} is no number; a figure that is not known is left out")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON keeps the last of two equal fields; a figure that silently wins is refused here."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, times in Counter(n for n, _ in pairs).items() if times > 1)
        raise ValueError(f"field {twice!r} appears twice; allowed: once")
    return found


def parse(text: str, origin: str) -> Document:
    """Read a document from JSON; ``origin`` is named in errors."""
    try:
        raw = json.loads(text, parse_constant=_no_number, object_pairs_hook=_once)
    except ValueError as error:
        raise UsageError(f"{origin}: is not JSON: {error}") from error
    kind = raw.get("kind") if isinstance(raw, dict) else None
    if kind not in KINDS:
        raise UsageError(f"{origin}: field 'kind' is {kind!r}; allowed: {', '.join(KINDS)}")
    try:
        return document_type(kind).model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{origin}: field {field!r}: {first['msg']}") from error
