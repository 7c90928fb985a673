"""Fit the estimators to the catalog and write their parameters beside it."""

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from advisor.estimators.arena import fit_arena, read_arenas
from advisor.estimators.calibration import Calibration, Scores
from advisor.estimators.fit.fitting import Data, fit, means_of, read_data, read_peaks
from advisor.estimators.fit.leave_out import LeftOut, starting
from advisor.estimators.fit.runs import (
    RUNS,
    Run,
    execute_all,
    long_cells,
    read_left_out,
    write_left_out,
)
from advisor.estimators.fit.tuning import tune
from advisor.estimators.fitted import ALL, LONG, Fitted, write_fitted
from advisor.estimators.memory import fit_memory
from advisor.hardware.library import ProfileLibrary

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

    By the name of their files: the fit to all lanes and, where there are very long ones, the fit
    to those alone.
    """
    parts = {ALL: data}
    if data.long_lanes.any():
        parts[LONG] = data.take(np.flatnonzero(long_cells(data)))
    fits = {}
    for name, part in parts.items():
        means = means_of(part)
        fitted = fit(part, means, tune(part, means, starting(means)))
        calibration = calibration_of(data, found, CALIBRATING[name == LONG])
        fits[name] = replace(fitted, calibration=calibration)
    return fits


def refit(
    root: Path,
    profiles: ProfileLibrary,
    *,
    runs: tuple[Run, ...] = RUNS,
    keep_left_out: bool = False,
    jobs: int = 1,
) -> None:
    """Leave out, fit, calibrate, and write what was found into the catalog's folder ``root``.

    ``runs`` are the leave-outs, ``jobs`` of which run at once; with ``keep_left_out`` those of the
    last fit are taken instead.
    """
    started = time.monotonic()
    data = read_data(root, profiles)
    logger.info("%d cells of %d lanes", len(data), len(data.lanes))
    arena = fit_arena(read_arenas(root, data.table, data.architecture))
    fit_memory(read_peaks(root, data)).with_arena(arena).write(root)
    if keep_left_out:
        found = read_left_out(root, data)
    else:
        found = execute_all(data, runs, jobs)
        write_left_out(found, data, root)
    for name, fitted in fit_all(data, found).items():
        write_fitted(fitted, root, name)
    logger.info("written to %s in %.0f s", root, time.monotonic() - started)
