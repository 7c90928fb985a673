"""PDF: the HTML page on paper, through WeasyPrint."""

import logging
from importlib.util import find_spec

from advisor.core.extras import install
from advisor.core.filed import Document
from advisor.errors import PluginError
from advisor.reports import Layout
from advisor.reports.html import page


class PdfWriter:
    """Prints the page; needs the extra ``pdf``."""

    suffix = ".pdf"

    def missing(self) -> str | None:
        """Say how to install WeasyPrint; None where it is installed."""
        if find_spec("weasyprint") is None:
            return f"a PDF needs WeasyPrint; install with {install('weasyprint')}"
        return None

    def render(self, document: Document, layout: Layout) -> bytes:
        """Return the PDF; raises PluginError that says how to install WeasyPrint."""
        try:
            from weasyprint import HTML
        except (ImportError, OSError) as error:
            raise PluginError(
                f"a PDF needs WeasyPrint with its libraries ({error}); install with "
                + install("weasyprint")
            ) from error
        # It warns of every rule that only screens need.
        logging.getLogger("weasyprint").setLevel(logging.ERROR)
        printed: bytes = HTML(string=page(document, layout, paged=True)).write_pdf()
        return printed
