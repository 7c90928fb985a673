"""Fit the process to a catalog and write it: python -m advisor.estimators.accuracy CATALOG."""

import sys
from pathlib import Path

from advisor.estimators.accuracy.learning import fit
from advisor.estimators.accuracy.storing import write

if __name__ == "__main__":
    catalog = Path(sys.argv[1])
    write(fit(catalog), catalog)
