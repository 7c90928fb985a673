"""The catalog: published measurements and accuracies, each with its source and its caveats.

``python -m advisor.catalog RAW_DIR`` imports raw tables; the other modules read the result.
"""
