"""Series: covariances of one family and recipe with all published networks, quickly.

The same numbers as ``kernel.covariance`` gives for networks of the series that nobody published:
its parts are gathered into one product and two bells.
"""

import numpy as np

from advisor.estimators.accuracy.features import FLAGS, SIZES, Floats, Rows
from advisor.estimators.accuracy.kernel import NAMES

_CORE = 3
_FLAT = (
    "constant",
    "surface",
    "kind",
    "family",
    "family surface",
    "recipe",
    "series",
    "series surface",
    "weights",
    "network",
)
"""Amplitudes of the parts whose prior variance is the same for every network."""


class Series:
    """One family under one recipe."""

    def __init__(self, values: Floats, rows: Rows, family: str, recipe: str, flags: Floats) -> None:
        own = dict(zip(NAMES, values.tolist(), strict=True))
        groups = {
            "family": rows.family == family,
            "recipe": rows.recipe == recipe,
            "series": (rows.family == family) & (rows.recipe == recipe),
        }
        self._own = own
        self._rows = rows.sizes
        self._offset = np.full(len(rows.sizes), own["constant"] ** 2)
        slopes = np.tile([own[f"line {name}"] ** 2 for name in SIZES], (len(rows.sizes), 1))
        for group, members in groups.items():
            self._offset += own[group] ** 2 * members
            for place, name in enumerate(SIZES):
                slopes[:, place] += own.get(f"{group} line {name}", 0.0) ** 2 * members
        self._lines = rows.sizes * slopes
        self._scales = np.array([own[f"surface {name}"] for name in SIZES])
        kinds = np.array([own[f"kind {name}"] for name in FLAGS])
        apart = ((rows.flags - flags) / kinds) ** 2
        self._kind = own["kind"] ** 2 * np.exp(-0.5 * apart.sum(axis=1))
        self._members = {name: np.flatnonzero(groups[name]) for name in ("family", "series")}

    def covariance(self, sizes: Floats) -> Floats:
        """Return the covariance of networks of these sizes with the published ones."""
        total = sizes @ self._lines.T
        total += self._offset
        total += self._own["surface"] ** 2 * np.exp(
            -0.5 * _squared(sizes / self._scales, self._rows / self._scales)
        )
        core = _squared(sizes[:, :_CORE], self._rows[:, :_CORE])
        total += self._kind * np.exp(-0.5 / self._own["kind sizes"] ** 2 * core)
        for name, members in self._members.items():
            scale = self._own[f"{name} sizes"]
            bell = np.exp(-0.5 / scale**2 * core[:, members])
            total[:, members] += self._own[f"{name} surface"] ** 2 * bell
        return np.asarray(total, np.float64)

    def variance(self, sizes: Floats) -> Floats:
        """Return the prior variance of new networks of these sizes, without noise."""
        total = np.full(len(sizes), sum(self._own[name] ** 2 for name in _FLAT))
        groups = ("", "family ", "recipe ", "series ")
        for place, name in enumerate(SIZES):
            slopes = [self._own.get(f"{group}line {name}", 0.0) for group in groups]
            total += sum(slope**2 for slope in slopes) * sizes[:, place] ** 2
        return np.asarray(total, np.float64)


def _squared(a: Floats, b: Floats) -> Floats:
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2.0 * (a @ b.T)
    return np.asarray(np.maximum(squares, 0.0), np.float64)
