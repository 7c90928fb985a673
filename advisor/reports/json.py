"""JSON: documents as scripts read them, their schema, and reading them back."""

from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from advisor.core.document import Recommendation
from advisor.core.filed import Document
from advisor.errors import UsageError
from advisor.files.json_text import json_value
from advisor.files.plain_text import text_of
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
    return parse(text_of(path, UsageError), str(path))


def read_recommendation(path: Path) -> Recommendation:
    """Read a stored recommendation; raises UsageError for any other document."""
    document = read(path)
    if not isinstance(document, Recommendation):
        raise UsageError(f"{path}: holds no recommendation but {type(document).__name__.lower()}")
    return document


def parse(text: str, origin: str) -> Document:
    """Read a document from JSON; ``origin`` is named in errors."""
    raw = json_value(text, origin, UsageError)
    kind = raw.get("kind") if isinstance(raw, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise UsageError(f"{origin}: field 'kind' is {kind!r}; allowed: {', '.join(KINDS)}")
    try:
        document = document_type(kind).model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{origin}: field {field!r}: {first['msg']}") from error
    for said in document.contradictions():
        raise UsageError(f"{origin}: {said}; the file was changed, or is damaged")
    return document
