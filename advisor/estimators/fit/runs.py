"""Runs: the leave-outs that calibrate the intervals and that validation reports on.

Their predictions are kept beside the fitted parameters, so that figures of the error are read in a
second and not computed for an hour.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.errors import CatalogError
from advisor.estimators.fit.fitting import Data
from advisor.estimators.fit.leave_out import (
    LeftOut,
    Shots,
    Split,
    folds_of,
    leave_out,
    leave_out_devices,
)

logger = logging.getLogger(__name__)

Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

FILE = "estimator.left_out.npz"
_OF_LONG = " of long lanes"
KEPT_OF_LARGE = 0.15
LEAST_NETWORKS = 3
"""Networks of a lane whose cells are asked for."""
LEAST_OF_DEVICE = 8
"""… where the whole device is left out."""
SHOTS = (Shots(count=0), Shots(count=5, repeats=2), Shots(count=10, repeats=2), Shots(count=20))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One way of leaving out."""

    split: Split
    folds: int
    long: bool = False
    """Only the very long lanes, and all of their networks; without, those are not asked for."""

    thin: bool = True
    """Whether those lanes are thinned; otherwise a run takes five times as long."""

    @property
    def name(self) -> str:
        """Key of the run's predictions."""
        return f"{self.split.value}{_OF_LONG if self.long else ''}"

    def cells(self, data: Data) -> Integers:
        """Return the cells that take part."""
        big = long_cells(data)
        if self.long:
            return np.flatnonzero(big)
        if not self.thin:
            return np.arange(len(data))
        common = np.isin(data.network, np.unique(data.network[~big]))
        sample = np.random.default_rng(0).random(len(data.table)) < KEPT_OF_LARGE
        return np.flatnonzero(~big | common | sample[data.network])

    def wanted(self, data: Data) -> Mask:
        """Return which cells are asked for: latencies of lanes that are worth the question."""
        least = LEAST_OF_DEVICE if self.split is Split.DEVICE else LEAST_NETWORKS
        wanted = data.latency & (networks_of_lanes(data)[data.lane] >= least)
        if self.split in (Split.DEVICE, Split.LANE):  # there the long lane itself is unknown
            return wanted
        asked: Mask = wanted & (long_cells(data) == self.long)
        return asked


RUNS = (
    Run(split=Split.FAMILY, folds=24, long=True),
    Run(split=Split.ARCHITECTURE, folds=18),
    Run(split=Split.DEVICE, folds=4),
    Run(split=Split.PAIR, folds=4),
    Run(split=Split.ARCHITECTURE, folds=3, long=True),
    Run(split=Split.PAIR, folds=2, long=True),
    Run(split=Split.FAMILY, folds=4),
    Run(split=Split.DEVICE_PAIR, folds=2),
    Run(split=Split.LANE, folds=2),
)


def with_folds(runs: tuple[Run, ...], most: int) -> tuple[Run, ...]:
    """Return the runs with no more than ``most`` folds each."""
    return tuple(replace(run, folds=min(run.folds, most)) for run in runs)


def as_left_out(runs: tuple[Run, ...], found: Mapping[str, LeftOut]) -> tuple[Run, ...]:
    """Return the runs with as many folds as their predictions were made in."""
    folds = {name.partition(",")[0]: int(left.fold.max()) + 1 for name, left in found.items()}
    return tuple(replace(run, folds=folds.get(run.name, run.folds)) for run in runs)


def long_cells(data: Data) -> Mask:
    """Return which cells belong to very long lanes."""
    return data.long_lanes[data.lane]


def networks_of_lanes(data: Data) -> Integers:
    """Return how many architectures are measured in each lane."""
    pairs = np.unique(np.stack([data.lane, data.architecture_of_cells]), axis=1)
    counts: Integers = np.bincount(pairs[0], minlength=len(data.lanes))
    return counts


def execute(data: Data, run: Run) -> Iterator[tuple[str, LeftOut]]:
    """Yield (name, predictions); cells are indices into ``data``. Nothing where none is asked."""
    cells = run.cells(data)
    wanted = run.wanted(data)[cells]
    if not wanted.any():
        return
    part = data.take(cells)
    fold = folds_of(part, run.split, run.folds)
    if run.split is Split.DEVICE:
        for count, left in leave_out_devices(part, fold, wanted, SHOTS).items():
            yield shots_name(run, count), moved(left, cells)
    else:
        yield run.name, moved(leave_out(part, fold, wanted), cells)


def split_name(run: str) -> str:
    """Return a run's name whether of long lanes or of the others."""
    return run.removesuffix(_OF_LONG)


def shots_name(run: Run, count: int) -> str:
    """Name the predictions from some timings."""
    return f"{run.name}, {count} shots"


def moved(left: LeftOut, cells: Integers) -> LeftOut:
    """Count the cells of a part of the data as those of the whole."""
    return LeftOut(
        cell=cells[left.cell], mean=left.mean, spread=left.spread, key=left.key, fold=left.fold
    )


def execute_all(data: Data, runs: tuple[Run, ...] = RUNS, jobs: int = 1) -> dict[str, LeftOut]:
    """Execute several runs, ``jobs`` of them at once."""
    from joblib import Parallel, delayed

    def one(run: Run) -> dict[str, LeftOut]:
        return dict(execute(data, run))

    found: dict[str, LeftOut] = {}
    work = Parallel(n_jobs=jobs, return_as="generator", inner_max_num_threads=1)
    for run, left in zip(runs, work(delayed(one)(run) for run in runs), strict=True):
        found.update(left)
        logger.info("left out: %s", run.name)
    return found


def write_left_out(found: Mapping[str, LeftOut], data: Data, root: Path) -> None:
    """Write predictions of left-out cells, by the names of the cells, into the folder ``root``."""
    keys = sorted({str(key) for left in found.values() for key in np.unique(left.key)})
    code = {key: number for number, key in enumerate(keys)}
    arrays: dict[str, Any] = {}
    for number, left in enumerate(found.values()):
        arrays[f"cell{number}"] = left.cell.astype(np.int32)
        arrays[f"mean{number}"] = left.mean.astype(np.float32)
        arrays[f"spread{number}"] = left.spread.astype(np.float32)
        arrays[f"key{number}"] = np.array([code[str(key)] for key in left.key], np.int8)
        arrays[f"fold{number}"] = left.fold.astype(np.int8)
    about = {"inputs": data.inputs, "runs": list(found), "keys": keys, "cells": data.names()}
    np.savez_compressed(root / FILE, about=np.array(json.dumps(about)), **arrays)


def read_left_out(root: Path, data: Data) -> dict[str, LeftOut]:
    """Read what ``write_left_out`` wrote, as cells of ``data``; cells it lacks are dropped."""
    try:
        with np.load(root / FILE, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        about = json.loads(str(arrays["about"]))
        here = {name: cell for cell, name in enumerate(data.names())}
        place = np.array([here.get(name, -1) for name in about["cells"]], np.int64)
        keys = np.array(about["keys"])
        return {
            name: _placed(arrays, number, place, keys) for number, name in enumerate(about["runs"])
        }
    except (OSError, KeyError, ValueError) as error:
        raise CatalogError(
            f"cannot read {root / FILE}: {error}; 'advisor catalog fit' writes it"
        ) from error


def _placed(
    arrays: Mapping[str, NDArray[Any]], number: int, place: Integers, keys: NDArray[np.str_]
) -> LeftOut:
    cell = place[arrays[f"cell{number}"]]
    known = cell >= 0
    return LeftOut(
        cell=cell[known],
        mean=arrays[f"mean{number}"][known].astype(np.float64),
        spread=arrays[f"spread{number}"][known].astype(np.float64),
        key=keys[arrays[f"key{number}"][known]],
        fold=arrays[f"fold{number}"][known].astype(np.int64),
    )
