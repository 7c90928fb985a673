"""Fit the estimators to the catalog and write their parameters beside it.

Run: python -m advisor.estimators.fit
"""

import argparse
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.calibration import Calibration
from advisor.estimators.covariance import Variances
from advisor.estimators.fitted import Fitted, write_fitted
from advisor.estimators.fitting import Data, fit, read_data, read_peaks
from advisor.estimators.leave_out import LeftOut, Split, fitter, folds_of, leave_out
from advisor.estimators.memory import fit_memory
from advisor.estimators.starting_variances import STARTING
from advisor.library import catalog_directory, profile_library

logger = logging.getLogger(__name__)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CALIBRATED = (
    (Split.PAIR, 2),
    (Split.ARCHITECTURE, 4),
    (Split.FAMILY, 4),
    (Split.LANE, 3),
    (Split.DEVICE, 3),
)
"""Splits whose left-out cells calibrate the intervals, and the folds of each."""
BIG_LANE = 300
"""Networks above which a lane is thinned for fits that only serve small lanes."""
KEPT_OF_BIG = 0.15


def thinned(data: Data, seed: int = 0) -> Data:
    """Return the data with big lanes thinned to networks of small lanes and a sample of others."""
    count = np.bincount(data.lane, minlength=len(data.lanes))
    small = count[data.lane] <= BIG_LANE
    common = np.isin(data.network, np.unique(data.network[small]))
    sample = np.random.default_rng(seed).random(len(data.table)) < KEPT_OF_BIG
    return data.take(np.flatnonzero(small | common | sample[data.network]))


def calibrate(data: Data, variances: Variances) -> Calibration:
    """Calibrate the intervals on cells that were left out in each of the splits."""
    scores: dict[str, list[Floats]] = {}
    for split, count in CALIBRATED:
        fold = folds_of(data, split, count)
        everything = np.ones(len(data), bool)
        for part in leave_out(data, fold, everything, fitter(variances)):
            for key, values in normalised(data, part).items():
                scores.setdefault(key, []).append(values)
        logger.info("calibrated on left-out %s", split)
    return Calibration.of({key: np.concatenate(parts) for key, parts in scores.items()})


def normalised(data: Data, part: LeftOut) -> dict[str, Floats]:
    """Return |error| / spread of left-out cells by evidence class."""
    score = np.abs(data.log_seconds[part.cell] - part.mean) / part.spread
    return {str(key): score[part.key == key] for key in np.unique(part.key)}


def fit_all(data: Data, variances: Variances = STARTING) -> Fitted:
    """Fit and calibrate the latency estimator."""
    logger.info("%d cells of %d lanes", len(data), len(data.lanes))
    calibration = calibrate(thinned(data), variances)
    return replace(fit(data, variances), calibration=calibration)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, calibrate and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--catalog", type=Path, default=None, help="folder of the catalog")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    root = given.catalog or catalog_directory()
    started = time.monotonic()
    data = read_data(root, profile_library())
    fit_memory(read_peaks(root, data)).write(root)
    write_fitted(fit_all(data), root)
    logger.info("written to %s in %.0f s", root, time.monotonic() - started)


if __name__ == "__main__":
    main()
