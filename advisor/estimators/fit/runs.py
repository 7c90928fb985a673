"""Runs: the leave-outs that calibrate the intervals and that validation reports on.

The variances that ship are tuned on one half of the chips and families. Everything is left out at
these variances, and the errors of all groups calibrate the intervals that ship. Validation reports
on groups that had no part in anything: those of the other half, and, in crossed runs, those of the
first half at variances that the other half tuned. All predictions are kept beside the fitted
parameters, so that figures of the error are read in a second and not computed for an hour.
"""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.errors import CatalogError
from advisor.estimators.covariance import Variances
from advisor.estimators.fit.fitting import (
    Data,
    Means,
    means_of,
    networks_of_lanes,
)
from advisor.estimators.fit.leave_out import (
    Around,
    LeftOut,
    Shots,
    Split,
    folds_of,
    groups_of,
    leave_out,
    leave_out_chips,
)
from advisor.estimators.fit.solving import Solved, solve
from advisor.estimators.fit.starting_variances import STARTING, STARTING_LONG
from advisor.estimators.fit.tuning import oddness, tune

Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

FILE = "estimator.left_out.npz"
TUNED = 1
"""The half of the chips and families on which the variances that ship are tuned."""
OTHER = 1 - TUNED
"""The half that tunes the variances of crossed runs."""
CELLS = 14000
"""Cells of all lanes that the fit knows, rare networks apart, and from which others are left out;
very long lanes have a fit of their own."""
TUNING_CELLS = 10000
"""… and of which the tuning draws its sample: fewer of the longer lanes, so that a lane shows in it
with several cells."""
LEAST_NETWORKS = 3
"""Networks of a lane whose cells are asked for."""
LEAST_OF_CHIP = 8
"""… where the whole chip is left out."""
NO_FOLD = -1
"""Fold of cells that stay."""
LEAST_TUNED = 30
"""Cells of a half without which it is not tuned on."""
SHOTS = (Shots(count=0), Shots(count=5), Shots(count=10), Shots(count=10, wrong=5.0))
_OF_LONG, _CROSSED = " of long lanes", "crossed "
Step = Callable[[str], None]
"""Is told what was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One way of leaving out."""

    split: Split
    folds: int
    long: bool = False
    """Only the very long lanes, by the fit that knows them alone."""
    crossed: bool = False
    """Only groups of the half that tunes what ships, at variances that others tuned."""

    @property
    def name(self) -> str:
        """Key of the run's predictions."""
        kind = f"{_CROSSED if self.crossed else ''}{self.split.value}"
        return f"{kind}{_OF_LONG if self.long else ''}"

    @property
    def tuned_by(self) -> Split | None:
        """Return whose other half tunes the variances; None where they are those that ship.

        Unseen chips are judged at those that the other half of chips and families tuned, all else
        at those of the other half of the families.
        """
        if not self.crossed:
            return None
        return Split.CHIP if self.split is Split.CHIP else Split.FAMILY

    def wanted(self, data: Data) -> Mask:
        """Return which cells are asked for: latencies of lanes that are worth the question."""
        least = LEAST_OF_CHIP if self.split is Split.CHIP else LEAST_NETWORKS
        wanted = data.latency & (networks_of_lanes(data)[data.lane] >= least)
        asked: Mask = wanted & (data.long_lanes[data.lane] == self.long)
        return asked


RUNS = (
    Run(split=Split.CHIP, folds=12),
    Run(split=Split.PAIR, folds=12),
    Run(split=Split.ARCHITECTURE, folds=16),
    Run(split=Split.FAMILY, folds=8),
    Run(split=Split.LANE, folds=2),
    Run(split=Split.FAMILY, folds=12, long=True),
    Run(split=Split.ARCHITECTURE, folds=4, long=True),
    Run(split=Split.PAIR, folds=2, long=True),
    Run(split=Split.CHIP, folds=6, crossed=True),
    Run(split=Split.PAIR, folds=6, crossed=True),
    Run(split=Split.ARCHITECTURE, folds=8, crossed=True),
    Run(split=Split.FAMILY, folds=4, crossed=True),
    Run(split=Split.FAMILY, folds=6, long=True, crossed=True),
    Run(split=Split.ARCHITECTURE, folds=2, long=True, crossed=True),
    Run(split=Split.PAIR, folds=2, long=True, crossed=True),
)
"""Folds by how much of what is asked about goes at once: little of it, because who asks about one
network or device has the catalog's others. That is a sixteenth of the architectures, a twelfth of
the pairs and of the chips, whose means are fitted again, and an eighth of the families. A crossed
run's folds deal the groups of one half."""


def with_folds(runs: tuple[Run, ...], most: int) -> tuple[Run, ...]:
    """Return the runs with no more than ``most`` folds each."""
    return tuple(replace(run, folds=min(run.folds, most)) for run in runs)


def half_of(names: NDArray[np.str_]) -> Integers:
    """Return the half, 0 or 1, that each name belongs to, whatever else there is."""
    unique, position = np.unique(names, return_inverse=True)
    halves = [zlib.crc32(name.encode()) >> 7 & 1 for name in unique.tolist()]
    found: Integers = np.array(halves, np.int64)[position]
    return found


@dataclass(frozen=True, kw_only=True)
class FitPart:
    """The data of one of the two fits, and the means around which it deviates."""

    data: Data
    cells: Integers
    """Its cells in the whole data."""
    means: Means

    @staticmethod
    def of(data: Data, near: Means) -> "FitPart":
        """Return what is left out of the fit with the means ``near``."""
        if near.is_of_long:
            cells = data.of_long_lanes()
            return FitPart(data=data.take(cells), cells=cells, means=near)
        cells = data.for_all_lanes(CELLS)
        part = data.take(cells)
        return FitPart(data=part, cells=cells, means=means_of(part, near))

    @property
    def start(self) -> Variances:
        """Variances that the tuning sets out from."""
        return STARTING_LONG if self.means.is_of_long else STARTING

    @cached_property
    def half_of_family(self) -> Integers:
        """Half of each cell's family."""
        return half_of(self.data.families_of_cells)

    @cached_property
    def half_of_chip(self) -> Integers:
        """Half of each cell's chip; all the same where lanes are too few to be halved."""
        if self.means.is_of_long:
            return self.half_of_family
        return half_of(self.data.chips)

    def half(self, split: Split) -> Integers:
        """Return the half that each cell's group belongs to."""
        return self.half_of_chip if split in (Split.CHIP, Split.LANE) else self.half_of_family

    def tuned(self) -> Variances:
        """Tune what ships: on one half of the chips and families."""
        return self._tuned((self.half_of_chip == TUNED) & (self.half_of_family == TUNED))

    def tuned_on_others(self, split: Split) -> Variances:
        """Tune what crossed runs are judged at: on the other half of the families.

        For unseen chips it is that of the chips as well.
        """
        mine = self.half_of_family == OTHER
        if split is Split.CHIP:
            mine = mine & (self.half_of_chip == OTHER)
        return self._tuned(mine)

    def _tuned(self, mine: Mask) -> Variances:
        """Tune on some cells, on all where they are too few."""
        drawn = np.zeros(len(self.data), bool)
        drawn[self.data.thinned(TUNING_CELLS)] = True
        chosen = mine & (drawn | self.means.is_of_long)
        few = chosen.sum() < LEAST_TUNED
        part = self.data if few else self.data.take(np.flatnonzero(chosen))
        return tune(part, self.means, self.start)

    def solved(self, variances: Variances) -> Solved:
        """Fit all cells."""
        data = self.data
        if not self.means.is_of_long:
            odd = oddness(data, self.means, variances)
            data = replace(data, lanes=data.lanes.with_odd(odd))
        return solve(data, self.means, variances)


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What a run left out."""

    left: LeftOut
    own: Mask
    """Whether the group is of the half on which the variances were tuned."""
    folds: int
    """Into how many folds the groups were dealt."""


def execute(
    part: FitPart, runs: tuple[Run, ...], variances: Variances
) -> Iterator[tuple[str, RunResult]]:
    """Yield (name, predictions) of some runs, as cells of the whole data."""
    solved: Solved | None = None
    for run in runs:
        wanted = run.wanted(part.data)
        of_tuned = part.half(run.split) == TUNED
        if run.crossed:
            wanted &= of_tuned
        if not wanted.any():
            continue
        fold = folds_of(part.data, run.split, run.folds)
        if run.crossed:
            fold[~of_tuned] = NO_FOLD
        solved = solved or part.solved(variances)
        if run.split is Split.CHIP:
            found = leave_out_chips(Around(solved=solved), fold, wanted, SHOTS)
            named = {f"{run.name}, {shots.name}": left for shots, left in found.items()}
        else:
            named = {run.name: leave_out(solved, fold, wanted)}
        for name, left in named.items():
            own = of_tuned[left.cell] & (not run.crossed)
            moved = replace(left, cell=part.cells[left.cell])
            yield name, RunResult(left=moved, own=own, folds=run.folds)


def group_of_class(data: Data, left: LeftOut) -> NDArray[np.str_]:
    """Return the group that each left-out cell counts in: its chip, family or architecture."""
    cells = left.cell
    found = groups_of(data, Split.ARCHITECTURE)[cells].astype(object)
    family = np.char.startswith(left.key, "family/")
    found[family] = data.families_of_cells[cells][family]
    lane = np.char.partition(left.key, "/")[:, 2]
    chip = np.isin(lane, ("profile", "device", "own_few", "own_some"))
    found[chip] = data.chips[cells][chip]
    return found.astype(np.str_)


def split_name(run: str) -> str:
    """Return a run's name whether crossed or not, of long lanes or of the others."""
    return run.removeprefix(_CROSSED).removesuffix(_OF_LONG)


def is_crossed(run: str) -> bool:
    """Tell whether a run was made at variances that do not ship."""
    return run.startswith(_CROSSED)


def is_of_long(run: str) -> bool:
    """Tell whether a run is of the very long lanes."""
    return run.endswith(_OF_LONG)


def write_left_out(found: Mapping[str, RunResult], data: Data, path: Path) -> None:
    """Write predictions of left-out cells, by the names of the cells."""
    keys = sorted({str(key) for one in found.values() for key in np.unique(one.left.key)})
    code = {key: number for number, key in enumerate(keys)}
    arrays: dict[str, Any] = {}
    for number, one in enumerate(found.values()):
        left = one.left
        arrays[f"cell{number}"] = left.cell.astype(np.int32)
        arrays[f"mean{number}"] = left.mean.astype(np.float32)
        arrays[f"spread{number}"] = left.spread.astype(np.float32)
        arrays[f"key{number}"] = np.array([code[str(key)] for key in left.key], np.int8)
        arrays[f"own{number}"] = one.own
    about = {
        "inputs": data.inputs,
        "runs": list(found),
        "folds": [one.folds for one in found.values()],
        "keys": keys,
        "cells": data.names(),
    }
    np.savez_compressed(path, about=np.array(json.dumps(about)), **arrays)


def read_left_out(path: Path, data: Data) -> dict[str, RunResult]:
    """Read what ``write_left_out`` wrote, as cells of ``data``; cells it lacks are dropped."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        about = json.loads(str(arrays["about"]))
        here = {name: cell for cell, name in enumerate(data.names())}
        place = np.array([here.get(name, -1) for name in about["cells"]], np.int64)
        keys = np.array(about["keys"], np.str_)
        return {
            name: replace(_placed(arrays, number, place, keys), folds=about["folds"][number])
            for number, name in enumerate(about["runs"])
        }
    except (OSError, KeyError, ValueError) as error:
        raise CatalogError(
            f"cannot read {path}: {error}; 'advisor catalog fit' writes it"
        ) from error


def _placed(
    arrays: Mapping[str, NDArray[Any]], number: int, place: Integers, keys: NDArray[np.str_]
) -> RunResult:
    cell = place[arrays[f"cell{number}"]]
    known = cell >= 0
    left = LeftOut(
        cell=cell[known],
        mean=arrays[f"mean{number}"][known].astype(np.float64),
        spread=arrays[f"spread{number}"][known].astype(np.float64),
        key=keys[arrays[f"key{number}"][known]],
    )
    return RunResult(
        left=left,
        own=arrays[f"own{number}"][known],
        folds=0,
    )
