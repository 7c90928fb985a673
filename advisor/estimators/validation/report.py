"""Report: every figure of the error, from predictions of left-out cells."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.catalog.accuracy import read_accuracies
from advisor.catalog.intake.importing import CAMPAIGNS
from advisor.catalog.measurements import read_all
from advisor.estimators.fit.fitting import Data, read_data
from advisor.estimators.fit.leave_out import LeftOut, Split
from advisor.estimators.fit.runs import (
    RUNS,
    SHOTS,
    Run,
    as_left_out,
    execute_all,
    networks_of_lanes,
    read_left_out,
)
from advisor.estimators.fitted import LONG_LANE
from advisor.estimators.validation.decisions import LEVEL as DECISION_LEVEL
from advisor.estimators.validation.decisions import Decisions, decide
from advisor.estimators.validation.measures import ErrorSummary, Predicted, accuracy_of
from advisor.estimators.validation.noise import Noise, noise_of
from advisor.estimators.validation.running import ESTIMATOR, LINE, bounded, predictions
from advisor.hardware.library import ProfileLibrary

Mask = NDArray[np.bool_]

SMALL, LARGE = 8, 15
"""Networks of a lane from which the two classes of lanes start."""
TIMM = frozenset({"core-i9-10940x", "geforce-rtx-3090", "geforce-rtx-4090"})
OWN = "lanes measured for the catalog"
EIGHT = "lanes with 8 or more networks"
FIFTEEN = "lanes with 15 or more networks"
MIDDLE = "lanes with 8 to 14 networks"
FEW = "lanes with 3 to 7 networks"
WITH_LARGE = "lanes with 15 or more networks, timm's lanes included"
WITH_PROFILE = "lanes with 15 or more networks and a known peak"
BY_LANE = frozenset({"pair", "architecture", "family"})
"""Runs that are reported lane by lane."""
TIMM_LANES = "i9-10940X, RTX 3090 and RTX 4090"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRow:
    """Accuracy of one estimator on one group of cells of one run."""

    split: str
    group: str
    estimator: str
    accuracy: ErrorSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow:
    """Quality of the decisions in one group of one run."""

    split: str
    group: str
    decisions: Decisions


@dataclass(frozen=True, kw_only=True)
class Report:
    """All figures."""

    inputs: str
    """Hash of the catalog files."""
    cells: int
    lanes: int
    rows: tuple[ErrorRow, ...]
    decisions: tuple[DecisionRow, ...]
    noise: tuple[Noise, ...]

    def find(self, split: str, group: str, estimator: str = ESTIMATOR) -> ErrorSummary | None:
        """Return one row's accuracy; None where it was not run."""
        for row in self.rows:
            if (row.split, row.group, row.estimator) == (split, group, estimator):
                return row.accuracy
        return None


def groups_of_lanes(data: Data, measured: frozenset[str]) -> Iterator[tuple[str, Mask]]:
    """Yield (group, mask over lanes); ``measured`` are devices measured for the catalog itself.

    Their lanes and timm's very long tables are held only by the groups that say so.
    """
    facts, networks = data.lanes.facts, networks_of_lanes(data)
    huge = networks > LONG_LANE
    own = np.array([f.lane.device in measured for f in facts])
    usual = ~huge & ~own
    yield EIGHT, (networks >= SMALL) & usual
    yield FIFTEEN, (networks >= LARGE) & usual
    yield WITH_LARGE, (networks >= LARGE) & ~own
    yield WITH_PROFILE, (networks >= LARGE) & usual & ~np.isnan(data.lanes.logs("peak"))
    yield OWN, own
    yield MIDDLE, (networks >= SMALL) & (networks < LARGE)
    yield FEW, (networks >= 3) & (networks < SMALL)
    yield TIMM_LANES, np.array([f.lane.device in TIMM for f in facts]) & huge
    runtimes = np.array([f"{f.lane.runtime} {f.lane.unit}" for f in facts])
    for name in np.unique(runtimes[networks >= SMALL]):
        yield f"runtime {name}", (runtimes == name) & (networks >= SMALL) & ~own
    for position in np.flatnonzero(networks >= LARGE):
        lane = facts[position].lane
        yield f"lane {lane.device} {lane.name}", np.arange(len(facts)) == position


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationSettings:
    """What to report."""

    splits: tuple[Split, ...] = tuple(Split)
    shots: tuple[int, ...] = tuple(one.count for one in SHOTS)
    """Numbers of timings from which lanes of unseen devices are predicted."""
    thin: bool = True
    """Whether very long tables are thinned; otherwise everything is predicted again, for hours."""
    recompute: bool = False
    """Whether to predict again what the fit has stored, which takes an hour."""


def validate(
    root: Path, profiles: ProfileLibrary, settings: ValidationSettings | None = None
) -> Report:
    """Collect the estimator's error on cells of the catalog in ``root`` that were left out."""
    settings = settings or ValidationSettings()
    data = read_data(root, profiles)
    runs = tuple(replace(run, thin=settings.thin) for run in RUNS if run.split in settings.splits)
    recompute = settings.recompute or not settings.thin
    found = execute_all(data, runs) if recompute else read_left_out(root, data)
    runs = as_left_out(runs, found)
    unasked = {f", {one.count} shots" for one in SHOTS if one.count not in settings.shots}
    asked = {n: left for n, left in found.items() if not any(n.endswith(u) for u in unasked)}
    return report_of(root, data, asked, runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneRow:
    """Median error of the estimator and of the line in log MACs in one lane."""

    lane: str
    cells: int
    estimator: float
    line: float


def by_lane(root: Path, profiles: ProfileLibrary, split: Split = Split.PAIR) -> list[LaneRow]:
    """Compare the estimator with a line in log MACs in every lane of 8 networks or more."""
    data = read_data(root, profiles)
    networks = networks_of_lanes(data)
    left = read_left_out(root, data)
    found = predictions(data, left, as_left_out(RUNS, left))[str(split)]
    rows = []
    for position in np.flatnonzero(networks >= SMALL):
        parts = {name: found[name].take(found[name].lane == position) for name in (ESTIMATOR, LINE)}
        own, line = accuracy_of(parts[ESTIMATOR]), accuracy_of(parts[LINE])
        lane = data.lanes.facts[position].lane
        if own is not None and line is not None:
            name = f"{lane.device} {lane.name}"
            rows.append(
                LaneRow(
                    lane=name,
                    cells=own.cells,
                    estimator=own.median_error,
                    line=line.median_error,
                )
            )
    return rows


def report_of(
    root: Path, data: Data, found: Mapping[str, LeftOut], runs: tuple[Run, ...] = RUNS
) -> Report:
    """Measure predictions of left-out cells."""
    top1 = _top1(root, data)
    own = frozenset(path.stem for path in (root / CAMPAIGNS).glob("*.csv"))
    groups = list(groups_of_lanes(data, own))
    rows: list[ErrorRow] = []
    decisions: list[DecisionRow] = []
    for name, by_estimator in predictions(data, found, runs).items():
        rows += _rows(name, by_estimator, groups)
    for name, predicted in bounded(data, found, DECISION_LEVEL).items():
        decisions += _decisions(name, predicted, groups, top1)
    measured = [row for device in read_all(root).values() for row in device]
    return Report(
        inputs=data.inputs,
        cells=len(data),
        lanes=len(np.unique(data.lane)),
        rows=tuple(rows),
        decisions=tuple(decisions),
        noise=tuple(noise_of(measured)),
    )


def _rows(
    name: str, by_estimator: Mapping[str, Predicted], groups: list[tuple[str, Mask]]
) -> Iterator[ErrorRow]:
    for group, lanes in groups:
        if group.startswith("lane ") and name not in BY_LANE:
            continue
        for estimator, predicted in by_estimator.items():
            accuracy = accuracy_of(predicted.take(lanes[predicted.lane]))
            if accuracy is not None:
                yield ErrorRow(split=name, group=group, estimator=estimator, accuracy=accuracy)


def _decisions(
    name: str, predicted: Predicted, groups: list[tuple[str, Mask]], top1: Mapping[int, float]
) -> Iterator[DecisionRow]:
    for group, mask in groups:
        if group in (EIGHT, FIFTEEN, WITH_LARGE, TIMM_LANES):
            found = decide(predicted.take(mask[predicted.lane]), top1)
            if found is not None:
                yield DecisionRow(split=name, group=group, decisions=found)


def _top1(root: Path, data: Data) -> dict[int, float]:
    """Return the best published top-1 of each cell's network at its resolution."""
    best: dict[tuple[str, int], float] = {}
    for one in read_accuracies(root):
        key = (one.network, one.resolution)
        best[key] = max(one.top1, best.get(key, 0.0))
    table = data.table
    keys = list(zip(table.networks, table.resolutions.tolist(), strict=True))
    rows = enumerate(data.network.tolist())
    return {cell: best[keys[row]] for cell, row in rows if keys[row] in best}
