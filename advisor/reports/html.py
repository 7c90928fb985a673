"""HTML: one file without any outside reference, readable without script and in print."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.core.document import Estimates, Recommendation
from advisor.core.filed import Document
from advisor.reports import Layout

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


class HtmlWriter:
    """Writes the page."""

    suffix = ".html"

    def render(self, document: Document, layout: Layout) -> str:
        """Return the page as one string."""
        return page(document, layout)


def page(document: Document, layout: Layout, *, paged: bool = False) -> str:
    """Render a document; ``paged`` opens everything that a reader could open by a click."""
    if isinstance(document, Recommendation):
        from advisor.reports.page import page_of

        return _rendered("recommendation.html", paged=paged, page=page_of(document, layout.against))
    if isinstance(document, Estimates):
        from advisor.reports.page import estimate_sources
        from advisor.reports.view import view_of_estimates

        view, sources = view_of_estimates(document), estimate_sources(document)
        return _rendered("estimates.html", paged=paged, page=view, sources=sources)
    from advisor.procurement.review import ProcurementReview

    if isinstance(document, ProcurementReview):
        from advisor.reports.purchase.sections import purchase_of

        return _rendered("procurement.html", paged=paged, page=purchase_of(document))
    from advisor.reports.sheets import sheet_of

    return _rendered("sheet.html", paged=paged, page=sheet_of(document, "html"))


def _rendered(template: str, *, paged: bool, **values: object) -> str:
    script = _asset("report.js")
    return (
        _environment()
        .get_template(template)
        .render(
            style=_asset("report.css"),
            script=script,
            script_hash=_hash(script),
            paged=paged,
            **values,
        )
    )


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """Hash by which the page allows this script and no other."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
