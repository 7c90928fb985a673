"""Command line of the import: ``python -m advisor.catalog.intake.profiles RAW --out profiles``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from advisor.catalog.intake.profiles.writing import import_profiles
from advisor.errors import AdvisorError


def main(argv: Sequence[str] | None = None) -> int:
    """Write the profiles and say how many; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m advisor.catalog.intake.profiles", description=__doc__
    )
    parser.add_argument("raw", type=Path, help="folder with devices.csv and measurements/")
    parser.add_argument("--out", type=Path, default=Path("profiles"), help="folder to write")
    parser.add_argument("--campaigns", type=Path, help="folder with profiles of own campaigns")
    arguments = parser.parse_args(argv)
    try:
        count = import_profiles(arguments.raw, arguments.out, arguments.campaigns)
    except AdvisorError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{count} profiles in {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
