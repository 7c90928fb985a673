"""Predict the accuracy of models that a trial did not try, and say which to try next.

A regression on logits: accuracy on the user's images against ImageNet top-1, with a residual that
models of one family share. Conjugate priors keep it honest with few tried models: the interval is
Student's t, as wide as the tried ones scatter and never narrower than the prior scatter allows.
Transfer follows ImageNet: Kornblith et al. 2019 (arXiv 1805.08974).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from advisor.core.spread import student
from advisor.trials.record import Likeness

SLOPE, SLOPE_SPREAD = 0.6, 0.6
"""Prior of the logits gained on the user's images per logit of ImageNet top-1."""
SCATTER, SCATTER_WEIGHT = 0.35, 4
"""Prior scatter of models about the line, in logits, and how many models it counts as."""
SAME_FAMILY, SAME_NETWORK = 0.4, 0.8
"""Correlation of the residuals of two models of one family, and of one network at two inputs."""
_EDGE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A model that was tried."""

    network: str
    family: str
    imagenet: float | None
    """ImageNet top-1, a fraction; None where nobody published it."""
    accuracy: float
    """On the user's images, a fraction."""
    images: int
    """Test images that it was counted on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedAccuracy:
    """An accuracy that nobody has measured; fractions."""

    value: float
    low: float
    high: float
    gain: float
    """Accuracy to be expected beyond the best that was tried: what trying it is worth."""


def kin_by_name(network: str, family: str, other: Tried) -> float:
    """Correlation of the residuals of a model and one that was tried, by network and family."""
    if network == other.network:
        return SAME_NETWORK
    return SAME_FAMILY if family == other.family else 0.0


def kin_by_likeness(likeness: Likeness) -> Callable[[str, str, Tried], float]:
    """Return the correlation of residuals by the likeness of frozen features."""

    def kin(network: str, _: str, other: Tried) -> float:
        return SAME_NETWORK * likeness.between(network, other.network)

    return kin


@dataclass(frozen=True, kw_only=True)
class UnseenModels:
    """Predicts models from those that were tried."""

    tried: Sequence[Tried]
    kin: Callable[[str, str, Tried], float] = kin_by_name
    """Correlation of the residuals of a network of a family and one that was tried."""

    def predict(
        self, network: str, family: str, imagenet: float, *, level: float
    ) -> ExpectedAccuracy:
        """Return the accuracy to be expected of a model, with its prediction interval."""
        kin = np.array([self.kin(network, family, one) for one in self.tried])
        row = np.array([1.0, _logit(imagenet) - self._centre])
        pulled = self._inverse @ kin
        rest = row - self._design.T @ pulled
        mean = float(row @ self._line + pulled @ (self._values - self._design @ self._line))
        spread = 1.0 - float(kin @ pulled) + float(rest @ self._uncertain @ rest)
        scale = math.sqrt(self._variance * max(spread, 1e-6))
        half = student((1 + level) / 2, self._freedom) * scale
        best = max(_logit(one.accuracy) for one in self.tried)
        return ExpectedAccuracy(
            value=_share(mean),
            low=_share(mean - half),
            high=_share(mean + half),
            gain=_expected_gain(mean, scale, best),
        )

    @cached_property
    def _imagenet(self) -> NDArray[np.float64]:
        known = [_logit(one.imagenet) for one in self.tried if one.imagenet is not None]
        middle = float(np.mean(known)) if known else _logit(0.7)
        return np.array(
            [middle if one.imagenet is None else _logit(one.imagenet) for one in self.tried]
        )

    @cached_property
    def _centre(self) -> float:
        return float(self._imagenet.mean())

    @cached_property
    def _design(self) -> NDArray[np.float64]:
        return np.stack([np.ones(len(self.tried)), self._imagenet - self._centre], axis=1)

    @cached_property
    def _values(self) -> NDArray[np.float64]:
        return np.array([_logit(one.accuracy) for one in self.tried])

    @cached_property
    def _inverse(self) -> NDArray[np.float64]:
        """Inverse of the tried models' correlation, with the sampling of their test images."""
        kin = np.array([[self.kin(a.network, a.family, b) for b in self.tried] for a in self.tried])
        np.fill_diagonal(kin, 1.0)
        sampling = [
            1 / max(one.images * one.accuracy * (1 - one.accuracy), 1.0) for one in self.tried
        ]
        inverse: NDArray[np.float64] = np.asarray(
            np.linalg.inv(kin + np.diag(sampling) / SCATTER**2), np.float64
        )
        return inverse

    @cached_property
    def _prior(self) -> NDArray[np.float64]:
        return np.diag([1e-6, (SCATTER / SLOPE_SPREAD) ** 2])

    @cached_property
    def _uncertain(self) -> NDArray[np.float64]:
        """Covariance of the line, in units of the scatter."""
        known = self._prior + self._design.T @ self._inverse @ self._design
        uncertain: NDArray[np.float64] = np.asarray(np.linalg.inv(known), np.float64)
        return uncertain

    @cached_property
    def _line(self) -> NDArray[np.float64]:
        prior = self._prior @ np.array([0.0, SLOPE])
        line: NDArray[np.float64] = self._uncertain @ (
            prior + self._design.T @ self._inverse @ self._values
        )
        return line

    @cached_property
    def _freedom(self) -> int:
        return SCATTER_WEIGHT + len(self.tried) - 1

    @cached_property
    def _variance(self) -> float:
        rest = self._values - self._design @ self._line
        off = self._line - np.array([0.0, SLOPE])
        seen = float(rest @ self._inverse @ rest + off @ self._prior @ off)
        return (SCATTER_WEIGHT * SCATTER**2 + seen) / self._freedom


def _logit(share: float) -> float:
    kept = min(max(share, _EDGE), 1 - _EDGE)
    return math.log(kept / (1 - kept))


def _share(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def _expected_gain(mean: float, scale: float, best: float) -> float:
    """Expected improvement over the best, as a share of images (normal on the logits)."""
    z = (mean - best) / scale
    normal = NormalDist()
    gain = scale * (z * normal.cdf(z) + normal.pdf(z))
    return gain * _share(best) * (1 - _share(best))
