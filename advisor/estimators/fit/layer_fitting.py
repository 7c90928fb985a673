"""Fitting of the layer costs: small neural networks over the layers of very long lanes.

Needs PyTorch; predictions do not.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from advisor.core.workload_table import WorkloadTable
from advisor.estimators.columns import shape_amounts
from advisor.estimators.layer_costs import MOST, NOMINAL, LayerCosts, Perceptron, layer_inputs

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Singles = NDArray[np.float32]

HIDDEN = 64
PARTS = 12
"""Neural networks that are each fitted without one part of the families."""
WHOLE = 2
"""… and to all of them."""
STEPS = 200
RATE = 6e-3
PULL = 0.2
"""Weight of the mean squared log factor: without evidence a layer keeps its unit cost."""
NOISE = 0.05
"""Log error from which a cell counts linearly, so that odd rows pull no harder than others."""


def deal(families: Sequence[str], count: int = PARTS) -> dict[str, int]:
    """Deal the families of some cells into parts of about as many cells each."""
    sizes = Counter(families)
    order = sorted(sizes, key=lambda name: (-sizes[name], name))
    return {name: position % count for position, name in enumerate(order)}


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Timed networks, by position in a table and among some lanes."""

    lane: Integers
    network: Integers
    log_seconds: Floats
    part: Integers
    """Part that is fitted without each cell."""


def fit_layer_costs(
    table: WorkloadTable, lane_costs: Floats, of_parts: Sequence[Floats], cells: Cells
) -> LayerCosts:
    """Fit the corrections to cells of lanes whose unit costs are ``lane_costs``.

    ``of_parts`` are the unit costs without each part of the families. They go with the shift of the
    part's correction, which takes them for the costs of all.
    """
    used, positions = np.unique(table.shape_of, return_inverse=True)
    inputs = layer_inputs(table, used)
    center, scale = inputs.mean(axis=0), np.maximum(inputs.std(axis=0), 0.05)
    problem = _Problem(
        inputs=(inputs - center) / scale,
        work=shape_amounts(table, used).astype(np.float32),
        layer=positions,
        calls=table.calls.astype(np.float32),
        owner=table.owner,
        networks=len(table),
        cells=cells,
    )
    parts = []
    for part, without in enumerate(of_parts):
        found = problem.fitted(part, without)
        moved = (without - lane_costs).astype(np.float32)
        parts.append(replace(found, shift=found.shift + moved))
    whole = tuple(problem.fitted(-1 - seed, lane_costs) for seed in range(WHOLE))
    return LayerCosts(parts=tuple(parts), whole=whole, center=center, scale=scale)


@dataclass(frozen=True, kw_only=True)
class _Problem:
    """Everything that the parts have in common."""

    inputs: Singles
    work: Singles
    """(layers, columns): amounts of work of one call."""
    layer: Integers
    calls: Singles
    owner: Integers
    networks: int
    cells: Cells

    def fitted(self, part: int, lane_costs: Floats) -> Perceptron:
        """Fit one network to the cells of all other parts, by Adam over all of them at once.

        A negative part leaves out nothing and is a seed.
        """
        import torch
        from torch import nn

        torch.manual_seed(part % 1000)
        known = np.flatnonzero(self.cells.part != part)
        network, lane = (torch.tensor(x[known]) for x in (self.cells.network, self.cells.lane))
        wanted = torch.tensor(self.cells.log_seconds[known], dtype=torch.float32)
        inputs, work = torch.tensor(self.inputs), torch.tensor(self.work)
        costs = torch.tensor(lane_costs.astype(np.float32))
        shift = nn.Parameter(torch.zeros_like(costs))
        layer, owner = torch.tensor(self.layer), torch.tensor(self.owner)
        calls = torch.tensor(self.calls)[:, None]
        model = nn.Sequential(
            nn.Linear(inputs.shape[1], HIDDEN),
            nn.SiLU(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.SiLU(),
            nn.Linear(HIDDEN, len(costs)),
        )
        for made in model[-1].parameters():
            nn.init.zeros_(made)
        optimiser = torch.optim.AdamW([*model.parameters(), shift], lr=RATE, weight_decay=1e-3)
        pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=STEPS)
        for _ in range(STEPS):
            factors = torch.clamp(model(inputs), -MOST, MOST)
            charged = work @ torch.exp(costs + shift).T
            cost = (charged * torch.exp(factors))[layer] * calls
            seconds = torch.zeros(self.networks, len(costs)).index_add_(0, owner, cost)
            error = (torch.log(seconds.clamp_min(NOMINAL))[network, lane] - wanted) / NOISE
            loss = nn.functional.huber_loss(error, torch.zeros_like(error))
            loss = loss + PULL * ((factors**2).mean() + (shift**2).mean())
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            pace.step()
        linear = [module for module in model if isinstance(module, nn.Linear)]
        return Perceptron(
            shift=shift.detach().numpy().copy(),
            weights=tuple(one.weight.detach().numpy().T.copy() for one in linear),
            biases=tuple(one.bias.detach().numpy().copy() for one in linear),
        )
