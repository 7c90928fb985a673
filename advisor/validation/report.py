"""Report: run the splits on the catalog and collect every figure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.catalog.accuracy import read_accuracies
from advisor.catalog.measurements import read_all
from advisor.estimators.fit import thinned
from advisor.estimators.fitted import read_fitted
from advisor.estimators.fitting import Data, read_data
from advisor.estimators.leave_out import Fitter, Split, fitter
from advisor.library import ProfileLibrary
from advisor.validation.decisions import LEVEL as DECISION_LEVEL
from advisor.validation.decisions import Decisions, decide
from advisor.validation.measures import Accuracy, Predicted, accuracy_of
from advisor.validation.noise import Noise, noise_of
from advisor.validation.running import (
    ESTIMATOR,
    Shots,
    SplitRun,
    calibrated,
    run_device,
    run_split,
)

Mask = NDArray[np.bool_]

SMALL, LARGE = 8, 15
"""Networks of a lane from which the two classes of lanes start."""
TIMM = frozenset({"core-i9-10940x", "geforce-rtx-3090", "geforce-rtx-4090"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What to run."""

    splits: tuple[Split, ...] = tuple(s for s in Split if s is not Split.LANE)
    folds: int = 5
    shots: tuple[int, ...] = (0, 5, 10, 20)
    repeats: int = 2
    thin: bool = True
    """Whether lanes of more than 300 networks are thinned, which makes a run five times faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Accuracy of one estimator on one group of cells of one split."""

    split: str
    group: str
    """``all``, ``lanes with 15 or more networks``, ``runtime ncnn``, ``lane …``."""
    estimator: str
    accuracy: Accuracy


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow:
    """Quality of the decisions in one group of one split."""

    split: str
    group: str
    decisions: Decisions


@dataclass(frozen=True, kw_only=True)
class Report:
    """All figures of one run."""

    inputs: str
    """Hash of the catalog files."""
    cells: int
    lanes: int
    settings: Settings
    rows: tuple[Row, ...]
    decisions: tuple[DecisionRow, ...]
    noise: tuple[Noise, ...]

    def find(self, split: str, group: str, estimator: str = ESTIMATOR) -> Accuracy | None:
        """Return one row's accuracy; None where it was not run."""
        for row in self.rows:
            if (row.split, row.group, row.estimator) == (split, group, estimator):
                return row.accuracy
        return None


@dataclass(frozen=True, kw_only=True)
class Groups:
    """Groups of cells by which errors are told apart."""

    data: Data
    networks: NDArray[np.int64] = field(init=False)
    """Networks of each lane, before anything is left out."""

    def __post_init__(self) -> None:
        pairs = np.unique(np.stack([self.data.lane, self.data.architecture_of_cells]), axis=1)
        counts = np.bincount(pairs[0], minlength=len(self.data.lanes))
        object.__setattr__(self, "networks", counts)

    def lanes(self) -> Iterator[tuple[str, Mask]]:
        """Yield (group, mask over lanes)."""
        facts = self.data.lanes.facts
        yield "lanes with 8 or more networks", self.networks >= SMALL
        yield "lanes with 15 or more networks", self.networks >= LARGE
        yield "lanes with 8 to 14 networks", (self.networks >= SMALL) & (self.networks < LARGE)
        yield "lanes with 3 to 7 networks", (self.networks >= 3) & (self.networks < SMALL)
        timm = [f.lane.device in TIMM and self.networks[i] > 300 for i, f in enumerate(facts)]
        yield "i9-10940X, RTX 3090 and RTX 4090", np.array(timm, bool)
        enough = self.networks >= SMALL
        runtimes = np.array([f"{f.lane.runtime} {f.lane.unit}" for f in facts])
        for name in np.unique(runtimes[enough]):
            yield f"runtime {name}", (runtimes == name) & enough
        for position in np.flatnonzero(self.networks >= LARGE):
            one = facts[position].lane
            mask = np.zeros(len(facts), bool)
            mask[position] = True
            yield f"lane {one.device} {one.name}", mask

    def rows(self, split: str, run: Mapping[str, Predicted]) -> Iterator[Row]:
        """Yield the accuracy of every group by every estimator."""
        for group, lanes in self.lanes():
            for name, found in run.items():
                accuracy = accuracy_of(found.take(lanes[found.lane]))
                if accuracy is not None:
                    yield Row(split=split, group=group, estimator=name, accuracy=accuracy)


def validate(root: Path, profiles: ProfileLibrary, settings: Settings) -> Report:
    """Recompute the estimator's error by leaving data out of the catalog in ``root``."""
    everything = read_data(root, profiles)
    groups = Groups(data=everything)
    data = thinned(everything) if settings.thin else everything
    make = fitter(read_fitted(root).variances)
    top1 = _top1(root, data)
    rows: list[Row] = []
    decisions: list[DecisionRow] = []
    for split in settings.splits:
        for name, run in _runs(data, groups, split, settings, make):
            rows += groups.rows(name, run.by_estimator)
            decisions += _decisions(name, data, groups, run, top1)
    return Report(
        inputs=everything.inputs,
        cells=len(data),
        lanes=len(np.unique(data.lane)),
        settings=settings,
        rows=tuple(rows),
        decisions=tuple(decisions),
        noise=tuple(noise_of(row for rows in read_all(root).values() for row in rows)),
    )


def _runs(
    data: Data, groups: Groups, split: Split, settings: Settings, make: Fitter
) -> Iterator[tuple[str, SplitRun]]:
    """Yield (name, predictions) of a split; the device split yields one per number of shots."""
    wanted = data.latency & (groups.networks[data.lane] >= 3)
    if split is not Split.DEVICE:
        yield split.value, run_split(data, split, folds=settings.folds, wanted=wanted, make=make)
        return
    enough = wanted & (groups.networks[data.lane] >= LARGE)
    shots = tuple(Shots(count=n, repeats=settings.repeats) for n in settings.shots)
    found = run_device(data, folds=settings.folds, wanted=enough, make=make, shots=shots)
    for count, run in found.items():
        yield f"{split.value}, {count} shots", run


def _decisions(
    name: str, data: Data, groups: Groups, run: SplitRun, top1: Mapping[int, float]
) -> Iterator[DecisionRow]:
    bounded = calibrated(data, run.left_out, run.fold, DECISION_LEVEL)
    for group, mask in (
        ("lanes with 8 or more networks", groups.networks >= SMALL),
        ("lanes with 15 or more networks", groups.networks >= LARGE),
    ):
        found = decide(bounded.take(mask[bounded.lane]), top1)
        if found is not None:
            yield DecisionRow(split=name, group=group, decisions=found)


def _top1(root: Path, data: Data) -> dict[int, float]:
    """Return the best published top-1 of each cell's network at its resolution."""
    best: dict[tuple[str, int], float] = {}
    for one in read_accuracies(root):
        key = (one.network, one.resolution)
        best[key] = max(one.top1, best.get(key, 0.0))
    names = data.table.networks
    found = {}
    for cell, row in enumerate(data.network.tolist()):
        value = best.get((names[row], int(data.table.resolutions[row])))
        if value is not None:
            found[cell] = value
    return found
