"""Recompute the estimator's error by leaving data out: python -m advisor.validation."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from advisor.estimators.leave_out import Split
from advisor.library import catalog_directory, profile_library
from advisor.validation.report import Settings, validate
from advisor.validation.writing import to_json, to_markdown, to_table

NOTES = "validation.notes.md"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the splits asked for and print or write the figures."""
    parser = argparse.ArgumentParser(prog="python -m advisor.validation", description=__doc__)
    parser.add_argument("--split", action="append", choices=[s.value for s in Split])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--full", action="store_true", help="keep every network of large lanes")
    parser.add_argument("--format", choices=("table", "json", "markdown"), default="table")
    parser.add_argument("--output", type=Path, help="folder for validation.md and validation.json")
    parser.add_argument("--catalog", type=Path)
    given = parser.parse_args(arguments)
    chosen = tuple(Split(name) for name in given.split) if given.split else Settings().splits
    settings = Settings(splits=chosen, folds=given.folds, thin=not given.full)
    report = validate(given.catalog or catalog_directory(), profile_library(), settings)
    if given.output:
        notes = given.output / NOTES
        text = notes.read_text(encoding="utf-8") if notes.is_file() else ""
        (given.output / "validation.json").write_text(to_json(report), encoding="utf-8")
        (given.output / "validation.md").write_text(to_markdown(report, text), encoding="utf-8")
    form = {"table": to_table, "json": to_json, "markdown": to_markdown}[given.format]
    sys.stdout.write(form(report))


if __name__ == "__main__":
    main()
