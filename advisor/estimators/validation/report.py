"""Report: every figure of the error, from predictions of left-out cells."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.catalog.accuracy import read_accuracies
from advisor.catalog.intake.importing import CAMPAIGNS
from advisor.catalog.intake.ledger import last_added
from advisor.catalog.measurements import read_all
from advisor.estimators.fit.fitting import Data, networks_of_lanes, read_data
from advisor.estimators.fit.leave_out import Split
from advisor.estimators.fit.publications import pairs_of
from advisor.estimators.fit.runs import FILE, SHOTS, RunResult, read_left_out, split_name
from advisor.estimators.fitted import ALL, LONG, read_fitted
from advisor.estimators.validation.decisions import LEVEL as DECISION_LEVEL
from advisor.estimators.validation.decisions import Decisions, decide
from advisor.estimators.validation.energies import EnergyRow, energy_rows
from advisor.estimators.validation.measures import ErrorSummary, Predicted, accuracy_of
from advisor.estimators.validation.noise import Noise, noise_of
from advisor.estimators.validation.running import ESTIMATOR, LEVEL, LINE, bounded, predictions
from advisor.estimators.validation.spreads import SpreadRow, spread_rows
from advisor.hardware.library import ProfileLibrary

Mask = NDArray[np.bool_]

SMALL, LARGE = 8, 15
"""Networks of a lane from which the two classes of lanes start."""
OWN = "lanes measured for the catalog"
EIGHT = "lanes with 8 or more networks"
FIFTEEN = "lanes with 15 or more networks"
MIDDLE = "lanes with 8 to 14 networks"
FEW = "lanes with 3 to 7 networks"
LONG_TABLES = "very long tables"
CPUS, GPUS, NPUS = (f"{unit} lanes with 8 or more networks" for unit in ("CPU", "GPU", "NPU"))
BY_UNIT = {("cpu",): CPUS, ("gpu",): GPUS, ("npu", "tpu", "dla"): NPUS}
EARLIER, LAST = "earlier tables", "last tables"
"""Lanes that had eight networks before the publications of the last day were added, and others."""
BY_LANE = frozenset({"pair", "architecture", "family"})
"""Runs that are reported lane by lane."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRow:
    """How often the interval of a published figure holds a second, independent publication."""

    pairs: int
    groups: int
    """Pairs of publications by device, which are left out together."""
    rows: float
    by_group: float
    error: float
    """Standard error of ``by_group``."""

    @staticmethod
    def of(inside: Mask, group: NDArray[np.str_]) -> "PublishedRow":
        """Count pairs, and groups alike."""
        _, position, size = np.unique(group, return_inverse=True, return_counts=True)
        shares = np.bincount(position, weights=inside) / size
        return PublishedRow(
            pairs=len(inside),
            groups=len(size),
            rows=float(inside.mean()),
            by_group=float(shares.mean()),
            error=float(shares.std(ddof=1) / np.sqrt(len(size))),
        )


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
    spreads: tuple[SpreadRow, ...]
    """Spreads of the calibration and of the shipped fits, by class of evidence."""
    energy: tuple[EnergyRow, ...] = ()
    """Error of the energy; empty where no board was measured."""
    published: PublishedRow | None
    """How often a published interval holds a second publication; None where too few are known."""

    def find(self, split: str, group: str, estimator: str = ESTIMATOR) -> ErrorSummary | None:
        """Return one row's accuracy; None where it was not run."""
        for row in self.rows:
            if (row.split, row.group, row.estimator) == (split, group, estimator):
                return row.accuracy
        return None


def when(group: str, added: str) -> str:
    """Name the lanes of a group whose tables were added before the last ones, or with them."""
    return f"{group}, {added}"


def groups_of_lanes(
    data: Data, measured: frozenset[str], last: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Mask]]:
    """Yield (group, mask over lanes); ``measured`` are devices measured for the catalog itself.

    Their lanes and very long tables are held only by the groups that say so. ``last`` are the
    publications that were added last: lanes which they made long enough are told apart.
    """
    facts, networks = data.lanes.facts, networks_of_lanes(data)
    huge = data.long_lanes
    own = np.array([f.lane.device in measured for f in facts])
    units = np.array([f.lane.unit for f in facts])
    usual = ~huge & ~own & (networks >= SMALL)
    main = {EIGHT: usual}
    main |= {name: usual & np.isin(units, unit) for unit, name in BY_UNIT.items()}
    main |= {FIFTEEN: usual & (networks >= LARGE), MIDDLE: usual & (networks < LARGE)}
    yield from main.items()
    if last:
        before = _networks_without(data, last) >= SMALL
        for name, mask in main.items():
            yield when(name, EARLIER), mask & before
            yield when(name, LAST), mask & ~before
    yield FEW, (networks >= 3) & (networks < SMALL)
    yield OWN, own
    yield LONG_TABLES, huge
    runtimes = np.array([f"{f.lane.runtime} {f.lane.unit}" for f in facts])
    for name in np.unique(runtimes[networks >= SMALL]):
        yield f"runtime {name}", (runtimes == name) & (networks >= SMALL) & ~own
    for position in np.flatnonzero(networks >= LARGE):
        lane = facts[position].lane
        yield f"lane {lane.device} {lane.name}", np.arange(len(facts)) == position


def _networks_without(data: Data, publications: frozenset[str]) -> NDArray[np.int64]:
    """Return how many architectures of each lane other publications measured."""
    theirs = [name.split(" ")[0] in publications for name in data.publications]
    return networks_of_lanes(data.take(np.flatnonzero(~np.array(theirs)[data.publication])))


COUNTS = tuple(sorted({probe.count for probe in SHOTS}))
"""Timings that lanes of unseen chips are told."""


def validate(
    root: Path,
    profiles: ProfileLibrary,
    splits: tuple[Split, ...] = tuple(Split),
    shots: tuple[int, ...] = COUNTS,
) -> Report:
    """Collect the estimator's error on cells of the catalog in ``root`` that were left out."""
    data = read_data(root, profiles)
    found = read_left_out(root / FILE, data)
    unasked = {probe.name for probe in SHOTS if probe.count not in shots}
    asked = {
        name: one
        for name, one in found.items()
        if _split_of(name) in splits and name.partition(", ")[2] not in unasked
    }
    report = report_of(root, data, asked)
    names = (ALL, LONG) if data.long_lanes.any() else (ALL,)
    fits = {name: read_fitted(root, name) for name in names}
    return replace(
        report,
        spreads=tuple(spread_rows(data, fits, asked)),
        energy=tuple(energy_rows(root, profiles, data)),
    )


def _split_of(name: str) -> Split:
    return Split(split_name(name).partition(",")[0])


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
    left = read_left_out(root / FILE, data)
    asked = {name: one for name, one in left.items() if _split_of(name) is split}
    found = predictions(data, asked)[str(split)]
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


def report_of(root: Path, data: Data, found: Mapping[str, RunResult]) -> Report:
    """Measure predictions of left-out cells."""
    top1 = _top1(root, data)
    own = frozenset(path.stem for path in (root / CAMPAIGNS).glob("*.csv"))
    groups = list(groups_of_lanes(data, own, last_added(root)))
    rows: list[ErrorRow] = []
    decisions: list[DecisionRow] = []
    for name, by_estimator in predictions(data, found).items():
        rows += _rows(name, by_estimator, groups)
    for name, predicted in bounded(data, found, DECISION_LEVEL).items():
        decisions += _decisions(name, predicted, groups, top1)
    measured = [row for device in read_all(root).values() for row in device]
    pairs = pairs_of(measured)
    inside = pairs.held_out(LEVEL)
    return Report(
        inputs=data.inputs,
        cells=len(data),
        lanes=len(np.unique(data.lane)),
        rows=tuple(rows),
        decisions=tuple(decisions),
        noise=tuple(noise_of(measured)),
        spreads=(),
        published=None if inside is None else PublishedRow.of(inside, pairs.group),
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
        if group in (EIGHT, FIFTEEN, LONG_TABLES):
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
