"""Import raw tables into the catalog: ``python -m advisor.catalog RAW_DIR [--out catalog/]``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from advisor.catalog.intake.importing import import_counts, import_measurements
from advisor.catalog.intake.importing_accuracy import import_accuracies
from advisor.catalog.intake.ledger import ledger
from advisor.errors import AdvisorError


def main(argv: Sequence[str] | None = None) -> int:
    """Import everything and print the ledger; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m advisor.catalog", description=__doc__)
    parser.add_argument(
        "raw_dir", type=Path, help="folder with measurements/, accuracy/, devices.csv"
    )
    parser.add_argument("--out", type=Path, default=Path("catalog"), help="the catalog's folder")
    options = parser.parse_args(argv)
    try:
        run(options.raw_dir, options.out)
    except AdvisorError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def run(raw_dir: Path, out: Path) -> None:
    """Import measurements and accuracies, then print how the figures were judged."""
    import_measurements(raw_dir, out)
    import_accuracies(raw_dir, out)
    import_counts(raw_dir, out)
    print(f"{'source':28}{'rows':>7}{'kept':>7}{'caveat':>8}{'left out':>10}  reasons")
    for line in ledger(out):
        reasons = ", ".join(f"{slug} {count}" for slug, count in line.reasons)
        counts = f"{line.total:>7}{line.kept:>7}{line.caveat:>8}{line.left_out:>10}"
        print(f"{line.source:28}{counts}  {reasons}".rstrip())


if __name__ == "__main__":
    raise SystemExit(main())
