"""Price candidates: their workloads by arithmetic, in columns, without building a network.

Counting the built network gives the same records, so MACs, parameters, layers and peak
activations are equal to the last one.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from advisor.core.candidate import Candidate
from advisor.core.workload import Workload
from advisor.core.workload_table import NUMBERS, LayerLists, WorkloadTable
from advisor.networks.blueprints.stock import (
    Blueprint,
    CifarPlan,
    GhostPlan,
    MobilePlan,
    RegNetPlan,
    ResNetPlan,
    ShufflePlan,
    blueprint,
    resolution_of,
)
from advisor.networks.pricing import mobile, residual, shuffled
from advisor.networks.pricing.tape import KINDS, ROWS, Block, Plane, Row, image

_CHAINS: dict[type, Callable[[Any, Plane], list[Block]]] = {
    MobilePlan: mobile.chain,
    ResNetPlan: residual.resnet_chain,
    CifarPlan: residual.cifar_chain,
    RegNetPlan: residual.regnet_chain,
    GhostPlan: shuffled.ghost_chain,
    ShufflePlan: shuffled.shuffle_chain,
}


class CountedWork(NamedTuple):
    """Totals of one network and the numbers of its layers."""

    rows: tuple[int, ...]
    calls: tuple[int, ...]
    parameters: int
    buffers: int
    peak: int


@lru_cache(maxsize=1 << 13)
def _price(plan: Blueprint, side: int) -> CountedWork:
    blocks = _CHAINS[type(plan)](plan, image(side))
    counted: dict[int, int] = {}
    for block in blocks:
        for row in block.rows:
            counted[row] = counted.get(row, 0) + 1
    return CountedWork(
        tuple(counted),
        tuple(counted.values()),
        sum(block.parameters for block in blocks),
        sum(block.buffers for block in blocks),
        max(block.peak for block in blocks),
    )


def price(candidates: Sequence[Candidate]) -> WorkloadTable:
    """Return the workloads of candidates, one row each, in order.

    Raises NetworkError for an axis that cannot be, UsageError for a network without axes.
    """
    sides = [resolution_of(candidate) for candidate in candidates]
    prices = [_price(blueprint(c), side) for c, side in zip(candidates, sides, strict=True)]
    lengths = [len(priced.rows) for priced in prices]
    rows = np.fromiter((row for p in prices for row in p.rows), np.int64, sum(lengths))
    calls = np.fromiter((n for p in prices for n in p.calls), np.int64, sum(lengths))
    used, shape_of = np.unique(rows, return_inverse=True)
    return WorkloadTable(
        networks=tuple(candidate.network for candidate in candidates),
        resolutions=np.array(sides, np.int64),
        parameters=np.array([p.parameters for p in prices], np.int64),
        buffers=np.array([p.buffers for p in prices], np.int64),
        peak_activations=np.array([p.peak for p in prices], np.int64),
        uncounted=((),) * len(prices),
        caveats=((),) * len(prices),
        layers=LayerLists(
            kinds=KINDS,
            shapes=_shapes(used),
            start=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            shape_of=shape_of.astype(np.int64),
            calls=calls,
        ).themselves,
    )


_known: list[Row] = []


def _shapes(used: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows of some layers by their numbers."""
    if len(_known) < len(ROWS):
        _known.extend(list(ROWS)[len(_known) :])
    rows = [_known[number] for number in used.tolist()]
    return np.array(rows, np.int64).reshape(-1, 3 + len(NUMBERS))


def price_one(candidate: Candidate) -> Workload:
    """Return the workload of one candidate."""
    return price([candidate]).workload(0)
