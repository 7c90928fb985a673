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

from advisor.estimators.calibration import Calibration, Scores
from advisor.estimators.fit.fitting import Data, fit, means_of, read_data, read_peaks
from advisor.estimators.fit.leave_out import LeftOut, starting
from advisor.estimators.fit.runs import (
    RUNS,
    execute_all,
    long_cells,
    read_left_out,
    write_left_out,
)
from advisor.estimators.fit.tuning import tune
from advisor.estimators.fitted import ALL, LONG, Fitted, write_fitted
from advisor.estimators.memory import fit_memory
from advisor.hardware.library import catalog_directory, profile_library

logger = logging.getLogger(__name__)

CALIBRATING = {
    long: frozenset(run.name for run in RUNS if run.split != "device-pair" and run.long == long)
    for long in (False, True)
}
"""Runs whose errors calibrate the intervals of the fit to all lanes, and of that to the very long
ones; the stricter pair split only reports."""


def calibration_of(data: Data, found: Mapping[str, LeftOut], runs: frozenset[str]) -> Calibration:
    """Calibrate the intervals on left-out cells of some runs."""
    scores: list[Scores] = []
    for name, left in found.items():
        if name.partition(",")[0] in runs:
            error = np.abs(data.log_seconds[left.cell] - left.mean) / left.spread
            scores += Scores.by_class(left.classes(data), error, data.lane[left.cell])
    return Calibration.of(scores)


def fit_all(data: Data, found: Mapping[str, LeftOut]) -> dict[str, Fitted]:
    """Tune and fit the latency estimator, and calibrate it by what was left out.

    Two fits, by the name of their files: to all lanes, and to the very long ones alone.
    """
    parts = {ALL: data, LONG: data.take(np.flatnonzero(long_cells(data)))}
    fits = {}
    for name, part in parts.items():
        means = means_of(part)
        fitted = fit(part, means, tune(part, means, starting(means)))
        calibration = calibration_of(data, found, CALIBRATING[name == LONG])
        fits[name] = replace(fitted, calibration=calibration)
    return fits


def main(arguments: Sequence[str] | None = None) -> None:
    """Leave out, fit, calibrate and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--catalog", type=Path, default=None, help="folder of the catalog")
    parser.add_argument(
        "--keep-left-out", action="store_true", help="calibrate by the stored predictions"
    )
    parser.add_argument("--jobs", type=int, default=1, help="leave-outs that run at once")
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
        found = execute_all(data, jobs=given.jobs)
        write_left_out(found, data, root)
    for name, fitted in fit_all(data, found).items():
        write_fitted(fitted, root, name)
    logger.info("written to %s in %.0f s", root, time.monotonic() - started)


if __name__ == "__main__":
    main()
