"""Which document has which sheet; each is imported when one of its kind is shown."""

from advisor.core.filed import Document
from advisor.errors import UsageError
from advisor.reports.sheet import Sheet


def sheet_of(document: Document, form: str) -> Sheet:
    """Return the sheet of a document; UsageError where ``form`` cannot show it."""
    from advisor.trials.record import TrialRecord

    if isinstance(document, TrialRecord):
        from advisor.reports.trial_sheet import trial_sheet

        return trial_sheet(document)
    from advisor.trials.compression_record import CompressionRecord

    if isinstance(document, CompressionRecord):
        from advisor.reports.compression_sheet import compression_sheet

        return compression_sheet(document)
    raise UsageError(f"{form}: cannot show {type(document).__name__}")
