"""Energy fitting: from rows with a measured power to the model of ``estimators.board_power``.

Leaves out networks and boards to see how far its energies are off; the latencies that go with them
are those that the latency estimator predicted of cells it did not know.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.catalog.measurements import read_all
from advisor.core.lane import Lane
from advisor.estimators.board_power import (
    OTHER_BOARD,
    RAIL,
    SAME_BOARD,
    SHARED,
    STARTING,
    LaneDraw,
    LanePower,
    PowerModel,
    lane_power,
)
from advisor.estimators.calibration import Calibration, Scores, weights_of
from advisor.estimators.fit.fitting import Data
from advisor.estimators.fit.leave_out import Split
from advisor.estimators.fit.runs import FILE as LEFT_OUT
from advisor.estimators.fit.runs import RunResult, group_of_class, read_left_out
from advisor.hardware.library import ProfileLibrary

Floats = NDArray[np.float64]
Cell = tuple[Lane, str, int]

PRIOR_SPREAD = 0.5
"""How far the logarithm of a spread is believed to lie from where the fit sets out."""
NORMAL_90 = 1.645
"""Half width of a 90 % interval in standard deviations."""
LEVEL = 0.9
"""Level at which intervals are scaled."""
PARTS = 10
"""Parts of the groups whose latencies are bounded by the others."""


@dataclass(frozen=True, kw_only=True)
class Watts:
    """Log watts of cells with a measured power, by lane."""

    cells: Mapping[Cell, float]
    """Median over rows."""
    lanes: Mapping[Lane, LanePower]
    """What each lane shares with others."""

    def lane(self, lane: Lane, without: str = "") -> LanePower | None:
        """Return a lane with the mean over its networks, without one; None if none is left."""
        seen = [v for (one, name, _), v in self.cells.items() if one == lane and name != without]
        if not seen:
            return None
        return replace(self.lanes[lane], log_watts=float(np.mean(seen)), networks=len(seen))

    def all_lanes(self) -> tuple[LanePower, ...]:
        """Return every lane with the mean over its networks."""
        found = (
            self.lane(lane) for lane in sorted(self.lanes, key=lambda one: (one.device, one.name))
        )
        return tuple(one for one in found if one is not None)


def read_watts(root: Path, profiles: ProfileLibrary) -> Watts:
    """Read the rows with a power, of boards at the wall and of microcontrollers at the chip."""
    seen: dict[Cell, list[float]] = defaultdict(list)
    lanes: dict[Lane, LanePower] = {}
    for device, rows in read_all(root).items():
        measured = [row for row in rows if row.usable and row.power and row.energy]
        if not measured:
            continue
        profile = profiles.load(device)
        for row in measured:
            shares = lane_power(profile, row.lane)
            if shares is not None and row.resolution is not None and row.power is not None:
                lanes[row.lane] = shares
                seen[row.lane, row.network, row.resolution].append(float(np.log(row.power)))
    return Watts(cells={cell: float(np.median(v)) for cell, v in seen.items()}, lanes=lanes)


def fit_power(watts: Watts) -> PowerModel:
    """Find the most likely spreads, under a prior around those it sets out from."""
    from scipy.optimize import minimize

    lanes = watts.all_lanes()
    boards = tuple(one for one in lanes if not one.kind.startswith(RAIL))
    if len(boards) < len(SHARED):
        return PowerModel(lanes=lanes, spreads=STARTING)
    start = np.log([STARTING[name] for name in SHARED])
    within = _within(watts)

    def cost(logs: Floats) -> float:
        spreads = dict(zip(SHARED, np.exp(logs).tolist(), strict=True))
        likelihood = _log_likelihood(PowerModel(lanes=boards, spreads=spreads))
        networks = -len(within) * logs[-1] - (within**2).sum() / (2 * np.exp(2 * logs[-1]))
        belief = (((logs - start) / PRIOR_SPREAD) ** 2).sum() / 2
        return float(belief - likelihood - networks)

    best = minimize(cost, start, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-3})
    spreads = dict(zip(SHARED, np.exp(best.x).tolist(), strict=True))
    return PowerModel(lanes=lanes, spreads=spreads)


def _within(watts: Watts) -> Floats:
    """Return how far networks of a lane lie from its mean."""
    means = {lane: watts.lane(lane) for lane in watts.lanes}
    found = [
        (value - mean.log_watts) * np.sqrt(mean.networks / (mean.networks - 1))
        for (lane, _, _), value in watts.cells.items()
        if (mean := means[lane]) is not None and mean.networks > 1
    ]
    return np.array(found)


def _log_likelihood(model: PowerModel) -> float:
    covariance, shifts = model._covariance, model._shifts
    _, logdet = np.linalg.slogdet(covariance)
    return float(-(logdet + shifts @ np.linalg.solve(covariance, shifts)) / 2)


@dataclass(frozen=True, kw_only=True)
class LeftOutEnergies:
    """Energies of cells that were left out in one way."""

    error: Floats
    """Log of predicted over measured energy."""
    reach: Floats
    """Half width of the 90 % interval before it is scaled, in the logarithm."""
    group: NDArray[np.str_]
    """What each cell was left out with: its architecture or its board."""
    board: NDArray[np.str_]

    def scale(self, level: float = LEVEL) -> float:
        """Return the factor of the half width that holds ``level`` of the cells.

        A group of n cells counts as the square root of n. Not below 1 where boards were left out,
        which are few: an energy there is never surer than its latency.
        """
        scores = np.abs(self.error) / self.reach
        order = np.argsort(scores)
        below = np.cumsum(weights_of(self.group)[order])
        found = float(scores[order][np.searchsorted(below, level * below[-1])])
        return max(found, 1.0) if (self.group == self.board).all() else found

    def inside(self) -> NDArray[np.bool_]:
        """Return of each cell whether the interval, scaled by the other groups, holds it."""
        found = np.zeros(len(self.error), bool)
        for name in np.unique(self.group):
            mine = self.group == name
            rest = self.take(~mine)
            factor = rest.scale() if len(np.unique(rest.group)) > 1 else 1.0
            found[mine] = np.abs(self.error[mine]) <= factor * self.reach[mine]
        return found

    def take(self, mask: NDArray[np.bool_]) -> "LeftOutEnergies":
        """Return some of the cells."""
        return LeftOutEnergies(
            error=self.error[mask],
            reach=self.reach[mask],
            group=self.group[mask],
            board=self.board[mask],
        )


UNSEEN_PAIR = "a network measured elsewhere, never in this lane"
UNSEEN_NETWORK = "an architecture never measured anywhere"
UNSEEN_POWER = "a board whose power was never measured, latency known"
UNSEEN_BOARD = "a board of which nothing was measured"
_RUNS = {
    UNSEEN_PAIR: str(Split.PAIR),
    UNSEEN_NETWORK: str(Split.ARCHITECTURE),
    UNSEEN_BOARD: f"{Split.CHIP}, 0 shots",
}


def left_out_energies(
    watts: Watts, model: PowerModel, data: Data, found: Mapping[str, RunResult]
) -> dict[str, LeftOutEnergies]:
    """Predict every measured energy of a board without its network, and without its board."""
    known = {cell: _Latency(error=0.0, reach=0.0, group="") for cell in watts.cells}
    latencies = {
        UNSEEN_POWER: known,
        **{kind: _latencies(data, found[run]) for kind, run in _RUNS.items() if run in found},
    }
    drawn = _Drawn(watts=watts, model=model)
    result = {}
    for kind, of_cells in sorted(latencies.items()):
        by_board = kind in (UNSEEN_BOARD, UNSEEN_POWER)
        rows = []
        for cell, value in watts.cells.items():
            lane, network, _ = cell
            if watts.lanes[lane].kind.startswith(RAIL) or cell not in of_cells:
                continue
            latency = of_cells[cell]
            draw = drawn.without_board(lane) if by_board else drawn.without_network(lane, network)
            reach = float(np.hypot(latency.reach, NORMAL_90 * draw.spread))
            group = lane.device if by_board else latency.group
            rows.append((latency.error + draw.mean - value, reach, group, lane.device))
        if rows:
            error, reaches, groups, boards = zip(*rows, strict=True)
            result[kind] = LeftOutEnergies(
                error=np.array(error),
                reach=np.array(reaches),
                group=np.array(groups, np.str_),
                board=np.array(boards, np.str_),
            )
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Latency:
    """A latency that was predicted without knowing it, in the logarithm."""

    error: float
    reach: float
    group: str


@dataclass(frozen=True, kw_only=True)
class _Drawn:
    """Power that is predicted without a part of what was measured."""

    watts: Watts
    model: PowerModel
    _kept: dict[tuple[Lane, str], LaneDraw] = field(default_factory=dict)

    def without_network(self, lane: Lane, network: str) -> LaneDraw:
        """Return the power in a lane that has not seen a network."""
        if (lane, network) not in self._kept:
            asked, mean = self.watts.lanes[lane], self.watts.lane(lane, without=network)
            others = [
                one
                for one in self.model.lanes
                if (one.device, one.lane) != (asked.device, asked.lane)
            ]
            lanes = (*others, *([mean] if mean else []))
            self._kept[lane, network] = self._draw(replace(self.model, lanes=lanes), asked)
        return self._kept[lane, network]

    def without_board(self, lane: Lane) -> LaneDraw:
        """Return the power in a lane of a board that was never measured."""
        if (lane, "") not in self._kept:
            model = self.model.without(lane.device)
            self._kept[lane, ""] = self._draw(model, self.watts.lanes[lane])
        return self._kept[lane, ""]

    def _draw(self, model: PowerModel, asked: LanePower) -> LaneDraw:
        """Return the power; as the profile has it where no figure of its kind was measured."""
        alone = float(np.sqrt(sum(model.spreads[name] ** 2 for name in SHARED)))
        profile = LaneDraw(mean=asked.prior, spread=alone, seen=False, measured=False)
        return model.draw(asked) or profile


def _latencies(data: Data, judged: RunResult) -> dict[Cell, _Latency]:
    """Return the left-out latency of each cell, with an interval that other groups calibrate."""
    left = judged.left
    error = left.mean - data.log_seconds[left.cell]
    group, classes = group_of_class(data, left), left.classes(data)
    _, number = np.unique(group, return_inverse=True)
    reach = np.zeros(len(error))
    for part in range(PARTS):
        here = number % PARTS == part
        scores = np.abs(error[~here]) / left.spread[~here]
        calibration = Calibration.of(Scores.by_class(classes[~here], scores, group[~here]))
        factor = {key: calibration.quantile_of(key, LEVEL) for key in set(classes[here].tolist())}
        reach[here] = left.spread[here] * np.array([factor[key] for key in classes[here].tolist()])
    names, sides = data.table.networks, data.table.resolutions.tolist()
    found: dict[Cell, list[tuple[float, float, str]]] = defaultdict(list)
    for i, cell in enumerate(left.cell.tolist()):
        row = int(data.network[cell])
        key = (data.lanes.facts[data.lane[cell]].lane, names[row], sides[row])
        found[key].append((float(error[i]), float(reach[i]), str(group[i])))
    middle = {key: sorted(values)[len(values) // 2] for key, values in found.items()}
    return {key: _Latency(error=e, reach=r, group=g) for key, (e, r, g) in middle.items()}


def fit_energy(root: Path, profiles: ProfileLibrary, data: Data) -> PowerModel:
    """Fit the power, and scale the intervals of the energy by what was left out."""
    watts = read_watts(root, profiles)
    model = fit_power(watts)
    if not (root / LEFT_OUT).is_file():
        return model
    found = left_out_energies(watts, model, data, read_left_out(root / LEFT_OUT, data))
    scales = {
        name: found[kind].scale()
        for name, kind in ((SAME_BOARD, UNSEEN_NETWORK), (OTHER_BOARD, UNSEEN_BOARD))
        if kind in found and len(np.unique(found[kind].group)) > 1
    }
    return replace(model, scales=scales)
