"""Fit the process to the published series: python -m advisor.estimators.accuracy CATALOG.

Hyper-parameters maximise the marginal likelihood with a log-normal prior about the values of
``kernel.INITIAL`` (Rasmussen & Williams 2006, section 5.4). They are also chosen once for each
fold of each way to leave out, without that fold, so that the validation can be honest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from advisor.catalog.accuracy import SeriesPoint, read_series
from advisor.core.candidate import Candidate
from advisor.core.workload_table import WorkloadTable, read
from advisor.estimators.accuracy.features import Floats, Rows, flags, sizes, trunk
from advisor.estimators.accuracy.kernel import INITIAL, NAMES, gradient, noise, parts
from advisor.estimators.accuracy.leaving_out import FOLDS, WAYS, folds_of
from advisor.estimators.accuracy.model import VariantAccuracy, to_target
from advisor.estimators.accuracy.scatter import stretches
from advisor.networks.blueprints.stock import BASES
from advisor.networks.pricing.prices import price

_ONCE_FOR_ALL = "OFA-MobileNetV3/Proxyless"
"""A family whose sub-networks were published with their counts, not with their layers."""


class Published:
    """Published points of the series whose layers, or at least whose counts, are known."""

    def __init__(self, root: Path) -> None:
        self._table = read(root)
        found = [(p, table) for p in read_series(root) if (table := self._known(p)) is not None]
        self.points = [point for point, _ in found]
        self.sizes = np.concatenate([self._sizes(point, table) for point, table in found])
        self.flags = np.concatenate([flags(table) for _, table in found])

    def _known(self, point: SeriesPoint) -> WorkloadTable | None:
        if point.top1 is None:
            return None
        if point.family == _ONCE_FOR_ALL:
            return price([Candidate(architecture="ofa_mobilenetv3", resolution=192)])
        if not point.network or point.resolution is None:
            return None
        row = self._table.index.get((point.network, point.resolution))
        if row is not None:
            return self._table.rows([row])
        candidate = Candidate.parse(point.network)
        if candidate.architecture not in BASES:
            return None
        return price([replace(candidate, resolution=point.resolution)])

    def _sizes(self, point: SeriesPoint, table: WorkloadTable) -> Floats:
        own = sizes(table)
        if point.family == _ONCE_FOR_ALL and point.macs and point.parameters:
            own[0, 0] += np.log(point.macs / table.macs[0])
            known = trunk(table)[0]
            head = float(table.parameters[0]) - known
            own[0, 1] += np.log((point.parameters - head) / known)
        return own


def rows_of(published: Published) -> Rows:
    """Return the features of the published points; flags are the mean of the family."""
    points = published.points
    family = np.array([point.family for point in points])
    kinds = published.flags.copy()
    for name in np.unique(family):
        kinds[family == name] = kinds[family == name].mean(axis=0)
    return Rows(
        published.sizes,
        kinds,
        family,
        np.array([point.recipe_id for point in points]),
        np.array([point.network or point.variant for point in points]),
        np.array([_group(point) for point in points]),
    )


def _group(point: SeriesPoint) -> str:
    name = f"{point.family}|{point.recipe_id}|{point.network or point.variant}"
    # timm reports the same weights at several resolutions, the others train for each
    return name if point.recipe_id.startswith("timm:") else f"{name}|{point.resolution}"


def fit(root: Path) -> VariantAccuracy:
    """Fit the process, and once more without each fold of each way to leave out."""
    published = Published(root)
    rows = rows_of(published)
    top1 = np.array([point.top1 for point in published.points], np.float64)
    chosen: Mapping[str, Floats] = {
        way: np.array(list(_without_each_fold(rows, top1, way))) for way in WAYS
    }
    fitted = VariantAccuracy(
        rows=rows,
        top1=top1,
        source=np.array([point.source_ref for point in published.points]),
        values=choose(rows, to_target(top1)),
        folds=chosen,
        stretch={},
    )
    return replace(fitted, stretch=stretches(fitted))


def _without_each_fold(rows: Rows, top1: Floats, way: str) -> Iterator[Floats]:
    folds = folds_of(rows, way)
    for fold in range(FOLDS):
        kept = folds != fold
        yield choose(rows.take(kept), to_target(top1[kept]))


def choose(rows: Rows, target: Floats) -> Floats:
    """Return the hyper-parameters that make the targets most likely."""
    from scipy.optimize import minimize

    centre = np.log([INITIAL[name] for name in NAMES])
    centred = target - target.mean()

    def loss(logs: Floats) -> tuple[float, Floats]:
        value, slope = _unlikeliness(np.exp(logs), rows, centred)
        apart = logs - centre
        return value + 0.5 * float(apart @ apart), slope + apart

    found = minimize(loss, centre, jac=True, method="L-BFGS-B", options={"maxiter": 60})
    chosen: Floats = np.exp(found.x)
    return chosen


def _unlikeliness(values: Floats, rows: Rows, target: Floats) -> tuple[float, Floats]:
    """Return the negative log marginal likelihood and its gradient (equations 5.8 and 5.9)."""
    from scipy.linalg import cho_factor, cho_solve

    found = parts(values, rows, rows)
    amplitudes = dict(zip(NAMES, values.tolist(), strict=True))
    matrix = np.zeros((len(target), len(target)))
    for part in found:
        matrix += amplitudes[part.amplitude] ** 2 * part.shape
    matrix[np.diag_indices(len(matrix))] += noise(values) + 1e-6
    factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    inverse = cho_solve(factor, np.eye(len(target)), check_finite=False)
    solved = inverse @ target
    value = 0.5 * float(target @ solved) + float(np.log(np.diag(factor[0])).sum())
    slopes = gradient(values, found, np.outer(solved, solved) - inverse)
    return value, -0.5 * slopes
