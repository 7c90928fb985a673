"""Builds ``profiles/``: ``python -m advisor.catalog.intake.profiles RAW --out profiles``.

RAW holds ``devices.csv`` (figures of devices) and ``measurements/*.csv``. The result depends on
nothing else, so that a change of a rule shows as a change of files.
"""
