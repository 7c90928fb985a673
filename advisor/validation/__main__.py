"""Show the estimator's error on what it has not seen: python -m advisor.validation."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from advisor.estimators.latency import LatencyModel
from advisor.estimators.leave_out import Split
from advisor.library import catalog_directory, profile_library
from advisor.validation.external import against
from advisor.validation.report import Settings, validate
from advisor.validation.writing import external_table, to_json, to_markdown, to_table
from advisor.workload_table import read

NOTES = "validation.notes.md"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print or write the figures of the splits asked for."""
    given = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    root = given.catalog or catalog_directory()
    if given.against:
        model = LatencyModel.load(root, profile_library())
        sys.stdout.write(external_table(against(given.against, model, read(root))))
        return
    splits = tuple(Split(name) for name in given.split) if given.split else tuple(Split)
    settings = Settings(splits=splits, recompute=given.recompute)
    report = validate(root, profile_library(), settings)
    if given.output:
        notes = given.output / NOTES
        text = notes.read_text(encoding="utf-8") if notes.is_file() else ""
        (given.output / "validation.json").write_text(to_json(report), encoding="utf-8")
        (given.output / "validation.md").write_text(to_markdown(report, text), encoding="utf-8")
    form = {"table": to_table, "json": to_json, "markdown": to_markdown}[given.format]
    sys.stdout.write(form(report))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m advisor.validation", description=__doc__)
    parser.add_argument("--split", action="append", choices=[s.value for s in Split])
    parser.add_argument(
        "--recompute", action="store_true", help="leave out and predict again (half an hour)"
    )
    parser.add_argument("--against", type=Path, help="CSV of measurements outside the catalog")
    parser.add_argument("--format", choices=("table", "json", "markdown"), default="table")
    parser.add_argument("--output", type=Path, help="folder for validation.md and validation.json")
    parser.add_argument("--catalog", type=Path)
    return parser


if __name__ == "__main__":
    main()
