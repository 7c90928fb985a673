"""Validation: the estimator's error on what it has not seen, beside that of simple ones."""

from advisor.estimators.validation.external import External, against
from advisor.estimators.validation.measures import ErrorSummary, accuracy_of
from advisor.estimators.validation.report import (
    ErrorRow,
    Report,
    report_of,
    validate,
)

__all__ = [
    "ErrorRow",
    "ErrorSummary",
    "External",
    "Report",
    "accuracy_of",
    "against",
    "report_of",
    "validate",
]
