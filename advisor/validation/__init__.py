"""Validation: the estimator's error on what it has not seen, beside that of simple ones."""

from advisor.validation.measures import Accuracy, accuracy_of
from advisor.validation.report import Report, Row, Settings, validate

__all__ = ["Accuracy", "Report", "Row", "Settings", "accuracy_of", "validate"]
