"""Energies: how far they are off on networks and boards that were left out."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.fit.energy_fitting import (
    LeftOutEnergies,
    fit_power,
    left_out_energies,
    read_watts,
)
from advisor.estimators.fit.fitting import Data, read_data
from advisor.estimators.fit.runs import FILE, read_left_out
from advisor.hardware.library import ProfileLibrary

ALL_BOARDS = "all boards"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyRow:
    """Error of the energy of an image, of all boards together or of one."""

    left_out: str
    board: str
    cells: int
    groups: int
    """Architectures or boards that were left out together."""
    median_error: float
    """Median of |predicted / measured − 1|."""
    coverage: float
    """Share of cells inside the 90 % interval that the other groups lead to."""
    half_width: float
    """Median factor from the value to an end of the interval."""


def validate_energy(root: Path, profiles: ProfileLibrary) -> list[EnergyRow]:
    """Measure the error of energies on what was left out of the catalog in ``root``."""
    return energy_rows(root, profiles, read_data(root, profiles))


def energy_rows(root: Path, profiles: ProfileLibrary, data: Data) -> list[EnergyRow]:
    """Measure the error of energies; ``data`` are the latencies of the same catalog."""
    watts = read_watts(root, profiles)
    left = left_out_energies(watts, fit_power(watts), data, read_left_out(root / FILE, data))
    rows = []
    for kind, found in left.items():
        inside, scale = found.inside(), found.scale()
        rows.append(_row(kind, ALL_BOARDS, found, inside, scale))
        for board in np.unique(found.board).tolist():
            mine = found.board == board
            rows.append(_row(kind, str(board), found.take(mine), inside[mine], scale))
    return rows


def _row(
    kind: str, board: str, found: LeftOutEnergies, inside: NDArray[np.bool_], scale: float
) -> EnergyRow:
    return EnergyRow(
        left_out=kind,
        board=board,
        cells=len(found.error),
        groups=len(np.unique(found.group)),
        median_error=float(np.median(np.abs(np.expm1(found.error)))),
        coverage=float(inside.mean()),
        half_width=float(np.exp(scale * np.median(found.reach))),
    )
