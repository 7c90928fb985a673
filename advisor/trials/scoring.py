"""Score predictions: accuracy with interval, classes, confusion, calibration, mistakes."""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist, fmean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.core.spread import student
from advisor.trials.batches import Part
from advisor.trials.probing import log_loss
from advisor.trials.record import Bin, ClassScore, ImageAccuracy, Mistake

BINS = 10
MISTAKES = 24


def wilson(correct: float, images: int, level: float) -> ImageAccuracy:
    """Return an accuracy with Wilson's score interval (Wilson 1927)."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = correct / images
    middle = (share + z * z / (2 * images)) / (1 + z * z / images)
    half = z / (1 + z * z / images)
    half *= math.sqrt(share * (1 - share) / images + z * z / (4 * images * images))
    low, high = max(min(middle - half, share), 0.0), min(max(middle + half, share), 1.0)
    return ImageAccuracy(value=share, low=low, high=high, level=level, images=images)


def over_seeds(shares: Sequence[ImageAccuracy]) -> ImageAccuracy:
    """Join the accuracies of several seeds on the same images.

    The interval holds the sampling of the images and the uncertainty of the seeds' mean.
    """
    if len(shares) == 1:
        return shares[0]
    first = shares[0]
    mean = fmean(share.value for share in shares)
    images = wilson(mean * first.images, first.images, first.level)
    quantile = student((1 + first.level) / 2, len(shares) - 1)
    seeds = quantile * stdev(share.value for share in shares) / math.sqrt(len(shares))
    return ImageAccuracy(
        value=mean,
        low=max(mean - math.hypot(mean - images.low, seeds), 0.0),
        high=min(mean + math.hypot(images.high - mean, seeds), 1.0),
        level=first.level,
        images=first.images,
    )


def scores(
    probabilities: NDArray[np.float32], part: Part, *, level: float, pictures: bool = True
) -> Mapping[str, Any]:
    """Score the probabilities of a part's images: the fields of a TrialRun that tell how it did."""
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    truth, told = part.labels, probabilities.argmax(axis=1)
    names = part.images.classes
    numbers = np.arange(len(names))
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, told, labels=numbers, zero_division=0.0
    )
    present = support > 0
    bins = reliability(probabilities, truth)
    return {
        "accuracy": wilson(float((told == truth).sum()), len(truth), level),
        "balanced": float(recall[present].mean()),
        "log_loss": log_loss(probabilities, truth),
        "calibration_error": calibration_error(probabilities, truth),
        "calibration": bins,
        "classes": tuple(
            ClassScore(
                name=name,
                precision=float(precision[i]),
                recall=float(recall[i]),
                f1=float(f1[i]),
                images=int(support[i]),
            )
            for i, name in enumerate(names)
        ),
        "confusion": tuple(
            tuple(int(n) for n in row) for row in confusion_matrix(truth, told, labels=numbers)
        ),
        "predictions": tuple(int(n) for n in told),
        "mistakes": _mistakes(probabilities, part) if pictures else (),
    }


def calibration_error(probabilities: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """Expected calibration error over ten bins (Guo et al. 2017, arXiv 1706.04599)."""
    import torch
    from torchmetrics.functional.classification import multiclass_calibration_error

    error = multiclass_calibration_error(
        torch.from_numpy(probabilities),
        torch.from_numpy(truth),
        num_classes=probabilities.shape[1],
        n_bins=BINS,
    )
    return float(error)


def reliability(probabilities: NDArray[np.float32], truth: NDArray[np.int64]) -> tuple[Bin, ...]:
    """Group predictions by confidence; empty groups are left out."""
    confidence, told = probabilities.max(axis=1), probabilities.argmax(axis=1)
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return tuple(
        Bin(
            confidence=float(confidence[place == b].mean()),
            accuracy=float((told == truth)[place == b].mean()),
            images=int((place == b).sum()),
        )
        for b in range(BINS)
        if (place == b).any()
    )


def _mistakes(probabilities: NDArray[np.float32], part: Part) -> tuple[Mistake, ...]:
    """Return the wrong predictions of the highest confidence."""
    told = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(told != part.labels)
    order = wrong[np.argsort(-probabilities[wrong, told[wrong]], kind="stable")][:MISTAKES]
    names = part.images.classes
    return tuple(
        Mistake(
            image=part.images.names[int(part.indices[i])],
            truth=names[part.labels[i]],
            told=names[told[i]],
            confidence=float(probabilities[i, told[i]]),
            thumbnail=thumbnail(part, int(i)),
        )
        for i in order
    )


def thumbnail(part: Part, place: int) -> str:
    """Return a picture of a part as a small PNG in base64."""
    from PIL import Image

    picture = Image.fromarray(part.images.pictures[int(part.indices[place])])
    picture.thumbnail((64, 64))
    stream = io.BytesIO()
    picture.save(stream, format="PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()
