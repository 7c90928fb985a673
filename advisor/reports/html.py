"""HTML: one file without any outside reference, readable without script and in print."""

import base64
import hashlib
import re
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
    text = (
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
    return breakable(text)


_UNTOUCHED = re.compile(r"(<(script|style|title|svg|pre|textarea)\b.*?</\2>|<[^>]*>)", re.DOTALL)
"""Tags, and elements whose text is no prose."""
_LONG = re.compile(r"[\w.@:/=,+-]{25,}")
_PARTED = re.compile(r"(?<=\w)[_.@:/=,-](?=\w)")


def breakable(page: str) -> str:
    """Let long names break between their parts, before a narrow column breaks them anywhere."""
    parts = _UNTOUCHED.split(page)
    # of each three parts the first is text, the second what splits it, the third its element
    for place in range(0, len(parts), 3):
        parts[place] = _LONG.sub(lambda name: _PARTED.sub(r"\g<0><wbr>", name[0]), parts[place])
    return "".join(part for place, part in enumerate(parts) if place % 3 != 2)


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
