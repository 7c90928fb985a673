"""Answers: the documents that the Python API returns, which show and save themselves."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from advisor.answering.explain import Explanation
from advisor.answering.listings import DeviceList, ModelList
from advisor.answering.next_measurements import Narrowing
from advisor.core.document import Estimates, Recommendation
from advisor.core.extras import require
from advisor.core.filed import Document
from advisor.errors import UsageError
from advisor.procurement.review import ProcurementReview

if TYPE_CHECKING:
    from pandas import DataFrame


class Shown(Document):
    """A document with ways to look at it; its fields are those of the document."""

    def save(self, *files: str | Path) -> None:
        """Write it to files; the suffix picks the format: .html .json .csv .md .xlsx .pdf .txt.

        Raises UsageError for an unknown suffix or a format that cannot show this document.
        """
        from advisor.reports import check_outputs, write_file

        paths = [Path(file) for file in files]
        check_outputs(paths)
        for path in paths:
            write_file(self, path)

    def to_records(self) -> list[dict[str, Any]]:
        """Return one row of plain values for each candidate, device, lane or part; SI units."""
        from advisor.reports.records import records

        return records(self)

    def to_dataframe(self) -> "DataFrame":
        """Return the records as a pandas data frame; UsageError where pandas is missing."""
        require("to_dataframe()", "pandas", kind=UsageError)
        from pandas import DataFrame

        return DataFrame(self.to_records())

    def _repr_html_(self) -> str:
        from advisor.reports.notebook import fragment

        return fragment(self)


class RecommendationAnswer(Shown, Recommendation):
    """What ``advisor recommend`` and ``advisor search`` answer."""


class EstimatesAnswer(Shown, Estimates):
    """What ``advisor estimate``, ``compare`` and ``measure`` answer."""


class ExplanationAnswer(Shown, Explanation):
    """What ``advisor explain`` answers."""


class ReviewAnswer(Shown, ProcurementReview):
    """What ``advisor procure`` answers."""


class NarrowingAnswer(Shown, Narrowing):
    """What ``advisor calibrate`` answers."""


class DevicesAnswer(Shown, DeviceList):
    """What ``advisor devices ls`` lists."""


class ModelsAnswer(Shown, ModelList):
    """What ``advisor models ls`` lists."""


Kind = TypeVar("Kind", bound=Shown)


def shown(kind: type[Kind], document: Document) -> Kind:
    """Return a document with the ways to look at it."""
    return kind(**dict(document))
