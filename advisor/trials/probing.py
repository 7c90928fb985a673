"""Linear probe: a logistic regression on frozen features, its strength chosen by validation."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.trials.datasets.image_set import ImageSet, Numbers

STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)
"""Inverse penalties that compete."""
BASELINE_SIDE = 28
Values = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A fitted probe on features as they come (the standardisation is folded in)."""

    weight: Values
    """Classes × features."""
    bias: Values
    strength: float
    """The inverse penalty that was chosen."""

    def probabilities(self, features: Values) -> Values:
        """Return a row of class probabilities for each row of features."""
        scores = features @ self.weight.T + self.bias
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares: Values = scores / scores.sum(axis=1, keepdims=True)
        return shares


def fit_probe(
    features: Values, labels: Numbers, validation: Values, truth: Numbers, classes: int
) -> Probe:
    """Fit on the training features; the penalty with the least validation loss is taken."""
    scale = _Standard(centre=features.mean(axis=0), spread=np.maximum(features.std(axis=0), 1e-6))
    standard = (features - scale.centre) / scale.spread
    best: tuple[float, Probe] | None = None
    start: _Start | None = None
    for strength in STRENGTHS:
        weight, bias, start = _fitted(standard, labels, strength, start)
        full, offset = scale.folded(weight, bias, np.unique(labels), classes)
        probe = Probe(weight=full, bias=offset, strength=strength)
        loss = log_loss(probe.probabilities(validation), truth)
        if best is None or loss < best[0]:
            best = (loss, probe)
    assert best is not None  # there is at least one strength
    return best[1]


_Start = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Weights that the next fit starts from."""


@dataclass(frozen=True, kw_only=True)
class _Standard:
    """Mean and spread of the features, folded into the weights at the end."""

    centre: Values
    spread: Values

    def folded(
        self, weight: Values, bias: Values, seen: Numbers, classes: int
    ) -> tuple[Values, Values]:
        """Return weights on features as they come; a class that was not seen is never told."""
        full = np.zeros((classes, weight.shape[1]), np.float32)
        offset = np.full(classes, -1e4, np.float32)
        full[seen] = weight / self.spread
        offset[seen] = bias - full[seen] @ self.centre
        return full, offset


def _fitted(
    features: Values, labels: Numbers, strength: float, start: _Start | None
) -> tuple[Values, Values, _Start]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, max_iter=200, warm_start=True)
    if start is not None:
        model.coef_, model.intercept_ = start
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # nearly there is good enough here
        model.fit(features, labels)
    weight, bias = model.coef_, model.intercept_
    kept = (weight, bias)
    if len(weight) == 1:  # two classes: scikit-learn keeps the difference of their scores
        weight = np.concatenate([-weight / 2, weight / 2])
        bias = np.concatenate([-bias / 2, bias / 2])
    return weight.astype(np.float32), bias.astype(np.float32), kept


def log_loss(probabilities: Values, truth: Numbers) -> float:
    """Mean negative log-likelihood of the true classes."""
    own = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(own, 1e-12)).mean())


def raw_pixels(images: ImageSet, indices: Numbers) -> Values:
    """Return pictures as rows of numbers 0-1: what a baseline without a network sees."""
    from PIL import Image

    first = images.pictures[int(indices[0])]
    side = min(BASELINE_SIDE, *first.shape[:2])
    grey = bool((first == first[..., :1]).all())
    rows = []
    for i in indices:
        picture = Image.fromarray(images.pictures[int(i)]).convert("L" if grey else "RGB")
        small = picture.resize((side, side), Image.Resampling.BOX)
        rows.append(np.asarray(small, np.float32).reshape(-1) / 255)
    return np.stack(rows)
