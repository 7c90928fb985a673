"""Likeness of networks: how alike they see the user's images before anything is taught.

Linear centred kernel alignment of frozen features (Kornblith et al. 2019, arXiv 1905.00414). It
takes a pass over a few hundred images and no training, so networks can be looked at that are not
tried.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from advisor.errors import AdvisorError
from advisor.trials.bench import Bench
from advisor.trials.record import Likeness, Stage
from advisor.trials.unit_run import Runner
from advisor.trials.units import Units

IMAGES = 500
"""Training images that are looked at, at most."""
Tell = Callable[[int, int, str], None]


def likeness(bench: Bench, tell: Tell = lambda _done, _all, _name: None) -> Likeness:
    """Compare the networks of a trial with those that are only looked at.

    One that cannot be built is left out.
    """
    request = bench.request
    models = (*request.models, *(one for one in request.looked if one not in request.models))
    alone = request.model_copy(update={"models": models, "stages": (Stage.PROBE,), "seeds": 1})
    seen = replace(bench, request=alone)
    grams: dict[str, NDArray[np.float64]] = {}
    units = Units(bench=seen).of(Stage.PROBE)
    for place, unit in enumerate(units):
        tell(place, len(units), unit.candidate.name)
        try:
            found, _ = Runner(bench=seen).frozen(unit, ("train",), most=IMAGES)
        except AdvisorError:
            continue
        grams.setdefault(unit.candidate.architecture, centred_gram(found["train"].values))
    rows = [[float((a * b).sum()) for b in grams.values()] for a in grams.values()]
    return Likeness(
        networks=tuple(grams), values=tuple(tuple(round(v, 4) for v in row) for row in rows)
    )


def centred_gram(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the centred products of all pairs of images (rows of features), of norm one."""
    centred = features.astype(np.float64) - features.mean(axis=0)
    gram = centred @ centred.T
    scaled: NDArray[np.float64] = gram / max(float(np.linalg.norm(gram)), 1e-30)
    return scaled
