"""Fit the estimators to the catalog and write their parameters beside it.

Run: advisor catalog fit
"""

import argparse
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.calibration import Calibration
from advisor.estimators.fitted import Fitted, write_fitted
from advisor.estimators.fitting import Data, fit, read_data, read_peaks, unit_costs_of
from advisor.estimators.leave_out import LeftOut, tuned_on
from advisor.estimators.memory import fit_memory
from advisor.estimators.runs import RUNS, execute_all, read_left_out, write_left_out
from advisor.library import catalog_directory, profile_library

logger = logging.getLogger(__name__)

Floats = NDArray[np.float64]

CALIBRATING = frozenset(run.name for run in RUNS if run.split != "device-pair")
"""Runs whose errors calibrate the intervals; the stricter pair split only reports."""


def calibration_of(data: Data, found: Mapping[str, LeftOut]) -> Calibration:
    """Calibrate the intervals on left-out cells of all runs."""
    scores: dict[str, list[Floats]] = {}
    for name, left in found.items():
        if name.partition(",")[0] in CALIBRATING:
            error = np.abs(data.log_seconds[left.cell] - left.mean) / left.spread
            classes = left.classes(data)
            for key in np.unique(classes):
                scores.setdefault(str(key), []).append(error[classes == key])
    return Calibration.of({key: np.concatenate(parts) for key, parts in scores.items()})


def fit_all(data: Data, found: Mapping[str, LeftOut]) -> Fitted:
    """Tune and fit the latency estimator, and calibrate it by what was left out."""
    variances = tuned_on(data)
    fitted = fit(data, unit_costs_of(data), variances)
    return replace(fitted, calibration=calibration_of(data, found))


def main(arguments: Sequence[str] | None = None) -> None:
    """Leave out, fit, calibrate and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--catalog", type=Path, default=None, help="folder of the catalog")
    parser.add_argument(
        "--keep-left-out", action="store_true", help="calibrate by the stored predictions"
    )
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    root = given.catalog or catalog_directory()
    started = time.monotonic()
    data = read_data(root, profile_library())
    logger.info("%d cells of %d lanes", len(data), len(data.lanes))
    fit_memory(read_peaks(root, data)).write(root)
    if given.keep_left_out:
        found = read_left_out(root, data)
    else:
        found = execute_all(data)
        write_left_out(found, data, root)
    write_fitted(fit_all(data, found), root)
    logger.info("written to %s in %.0f s", root, time.monotonic() - started)


if __name__ == "__main__":
    main()
