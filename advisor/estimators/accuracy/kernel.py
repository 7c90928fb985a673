"""Kernel of the Gaussian process: how alike the accuracies of two networks are expected to be.

A sum of parts: straight lines and a smooth surface over sizes that all networks share, a smooth
one over kinds of network, and for each family, recipe and series (family with recipe) an offset
with its own slopes. Rasmussen & Williams 2006, chapters 2, 4 and 5.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from advisor.estimators.accuracy.features import FLAGS, SIZES, Floats, Rows

INITIAL = {
    "constant": 70.0,
    **{f"line {name}": value for name, value in zip(SIZES, (3, 2, 2, 1, 1), strict=True)},
    "surface": 4.0,
    **{f"surface {name}": value for name, value in zip(SIZES, (2, 2, 1, 1, 2), strict=True)},
    "kind": 2.0,
    **{f"kind {name}": 1.0 for name in FLAGS},
    "kind sizes": 4.0,
    "family": 1.0,
    "family line MACs": 0.5,
    "family line trunk": 0.5,
    "family line resolution": 0.5,
    "family surface": 1.0,
    "family sizes": 2.0,
    "recipe": 2.0,
    "recipe line MACs": 0.5,
    "recipe line resolution": 0.5,
    "series": 0.7,
    "series line MACs": 0.3,
    "series line resolution": 0.3,
    "series surface": 0.5,
    "series sizes": 1.0,
    "weights": 0.3,
    "network": 0.3,
    "noise": 0.3,
}
"""Centre of the prior of each hyper-parameter: amplitudes in twentieths of a log error, and
length scales (the names with sizes or flags of a surface or kind) in units of the features."""
NAMES = tuple(INITIAL)
_AT = {name: place for place, name in enumerate(NAMES)}
_CORE = 3
"""MACs, trunk and resolution, over which families and series have surfaces of their own."""


class KernelPart(NamedTuple):
    """One summand, and the hyper-parameters it depends on."""

    amplitude: str
    shape: Floats
    """Matrix of the summand at an amplitude of one."""
    scales: tuple[tuple[str, Floats], ...] = ()
    """Length scales with their matrices of squared distances in units of them."""


def parts(values: Floats, a: Rows, b: Rows) -> list[KernelPart]:
    """Return the summands between rows ``a`` and ``b``; ``values`` in the order of NAMES."""
    return list(_parts(values, a, b, scaled=True))


def _parts(values: Floats, a: Rows, b: Rows, *, scaled: bool) -> Iterator[KernelPart]:
    """Yield the summands, with the distances of their length scales only where ``scaled``."""
    own = dict(zip(NAMES, values.tolist(), strict=True))
    yield KernelPart("constant", np.ones((len(a.sizes), len(b.sizes))))
    for place, name in enumerate(SIZES):
        yield _line(f"line {name}", a, b, place)
    yield _smooth("surface", _of_sizes(own, a, b), scaled=scaled)
    yield _smooth("kind", _of_kind(own, a, b), scaled=scaled)
    for group in ("family", "recipe", "series"):
        same = _same(getattr(a, group), getattr(b, group))
        yield from _grouped(own, group, (a, b), same, scaled=scaled)
    yield KernelPart("weights", _same(a.group, b.group))
    yield KernelPart("network", _same(a.network, b.network))


def covariance(values: Floats, a: Rows, b: Rows) -> Floats:
    """Return the covariance of rows ``a`` with rows ``b``, without noise.

    One summand at a time: all of them are many times as large as their sum.
    """
    own = dict(zip(NAMES, values.tolist(), strict=True))
    total = np.zeros((len(a.sizes), len(b.sizes)))
    for part in _parts(values, a, b, scaled=False):
        total += own[part.amplitude] ** 2 * part.shape
    return total


def gradient(values: Floats, found: list[KernelPart], weight: Floats) -> Floats:
    """Return the sums of ``weight`` times the derivative by the log of each hyper-parameter."""
    slopes = np.zeros(len(NAMES))
    for part in found:
        weighted = weight * part.shape * values[_AT[part.amplitude]] ** 2
        slopes[_AT[part.amplitude]] += 2 * weighted.sum()
        for name, distance in part.scales:
            slopes[_AT[name]] += float(np.vdot(weighted, distance))
    slopes[_AT["noise"]] += 2 * values[_AT["noise"]] ** 2 * np.trace(weight)
    return slopes


def noise(values: Floats) -> float:
    """Return the variance of what no feature explains, such as the seed of the training."""
    amplitude = float(values[_AT["noise"]])
    return amplitude * amplitude


def _same(a: NDArray[np.str_], b: NDArray[np.str_]) -> Floats:
    _, codes = np.unique(np.concatenate([a, b]), return_inverse=True)
    return np.asarray(codes[: len(a), None] == codes[None, len(a) :], np.float64)


def _line(name: str, a: Rows, b: Rows, place: int) -> KernelPart:
    return KernelPart(name, np.outer(a.sizes[:, place], b.sizes[:, place]))


def _squared(a: Floats, b: Floats, scale: float) -> Floats:
    distance: Floats = ((a[:, None] - b[None, :]) / scale) ** 2
    return distance


def _smooth(amplitude: str, distances: Iterable[tuple[str, Floats]], *, scaled: bool) -> KernelPart:
    """Bell over the sum of some squared distances, which are kept where ``scaled``."""
    total: Floats | None = None
    kept: list[tuple[str, Floats]] = []
    for name, distance in distances:
        if scaled:
            kept.append((name, distance))
        if total is None:
            total = distance.copy() if scaled else distance
        else:
            total += distance
    assert total is not None
    total *= -0.5
    np.exp(total, out=total)
    return KernelPart(amplitude, total, tuple(kept))


def _of_sizes(own: dict[str, float], a: Rows, b: Rows) -> Iterator[tuple[str, Floats]]:
    for place, size in enumerate(SIZES):
        name = f"surface {size}"
        yield name, _squared(a.sizes[:, place], b.sizes[:, place], own[name])


def _of_kind(own: dict[str, float], a: Rows, b: Rows) -> Iterator[tuple[str, Floats]]:
    for place, flag in enumerate(FLAGS):
        name = f"kind {flag}"
        yield name, _squared(a.flags[:, place], b.flags[:, place], own[name])
    yield "kind sizes", _core(a, b, own["kind sizes"])


def _core(a: Rows, b: Rows, scale: float) -> Floats:
    total = np.zeros((len(a.sizes), len(b.sizes)))
    for place in range(_CORE):
        total += _squared(a.sizes[:, place], b.sizes[:, place], scale)
    return total


def _grouped(
    own: dict[str, float], name: str, rows: tuple[Rows, Rows], same: Floats, *, scaled: bool
) -> Iterator[KernelPart]:
    """Offset, slopes and surface that the members of a group share."""
    a, b = rows
    yield KernelPart(name, same)
    for place, size in enumerate(SIZES):
        if f"{name} line {size}" in own:
            line = _line(f"{name} line {size}", a, b, place)
            yield KernelPart(line.amplitude, same * line.shape)
    if f"{name} surface" in own:
        scale = (f"{name} sizes", _core(a, b, own[f"{name} sizes"]))
        part = _smooth(f"{name} surface", [scale], scaled=scaled)
        yield part._replace(shape=same * part.shape)
