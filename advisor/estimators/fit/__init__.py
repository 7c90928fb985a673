"""Fitting the estimators to the catalog, and leaving parts of it out."""
