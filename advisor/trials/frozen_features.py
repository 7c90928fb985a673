"""Frozen features, kept by the content of everything that they depend on."""

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from advisor.trials.batches import Part
from advisor.trials.classifiers import features_of

FORM = 1
"""Changes when features are computed in another way, so that kept ones are not used again."""
BATCH = 32


@dataclass(frozen=True, kw_only=True)
class Features:
    """What the last layer is given for each image of a part."""

    values: NDArray[np.float32]
    """Images × features."""
    images_per_second: float | None
    """None where they were kept from earlier."""


def features_key(part: Part, data: str, weights: str) -> str:
    """Return a digest of images, view and weights."""
    told = {
        "form": FORM,
        "data": data,
        "indices": hashlib.sha256(part.indices.tobytes()).hexdigest(),
        "side": part.view.side,
        "scaling": [part.view.scaling.mean, part.view.scaling.spread],
        "weights": weights,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def features(
    network: nn.Module,
    part: Part,
    *,
    folder: Path,
    key: str,
    beat: Callable[[], None] | None = None,
) -> Features:
    """Return the features of a part, from the folder where they are kept already."""
    path = folder / f"{key}.npy"
    if path.is_file():
        return Features(values=np.load(path, allow_pickle=False), images_per_second=None)
    network.eval()
    began = time.perf_counter()
    with features_of(network) as collected, torch.inference_mode():
        for images, _ in part.in_order(BATCH):
            network(images)
            if beat is not None:
                beat()
    values = torch.cat(collected).float().numpy()
    rate = len(part) / (time.perf_counter() - began)
    _keep(path, values)
    return Features(values=values, images_per_second=rate)


def _keep(path: Path, values: NDArray[np.float32]) -> None:
    """Write the file whole or not at all: others may be reading the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as stream:
        np.save(stream, values, allow_pickle=False)
    Path(temporary).replace(path)


def settle(network: nn.Module, part: Part, batches: int = 8) -> None:
    """Give the batch norms of a random network the statistics of the user's images.

    Without them the features of a random twin would say how it was initialised, not how it sees.
    """
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    norms = [norm for norm in norms if norm.track_running_stats]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the average over the batches
    network.train()
    with torch.no_grad():
        for count, (images, _) in enumerate(part.in_order(BATCH)):
            if count == batches or len(images) == 1:
                break
            network(images)
    network.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
