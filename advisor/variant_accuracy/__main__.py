"""Fit the process to a catalog and write it there: python -m advisor.variant_accuracy CATALOG."""

import sys
from pathlib import Path

from advisor.variant_accuracy.fitting import fit
from advisor.variant_accuracy.storing import write

if __name__ == "__main__":
    catalog = Path(sys.argv[1])
    write(fit(catalog), catalog)
