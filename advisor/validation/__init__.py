"""Validation: the estimator's error on what it has not seen, beside that of simple ones."""

from advisor.validation.external import External, against
from advisor.validation.measures import Accuracy, accuracy_of
from advisor.validation.report import Report, Row, Settings, report_of, validate

__all__ = [
    "Accuracy",
    "External",
    "Report",
    "Row",
    "Settings",
    "accuracy_of",
    "against",
    "report_of",
    "validate",
]
