"""Layer costs: what lanes with very many networks teach about single layers.

The unit costs charge every layer of a kind alike. Where a thousand networks were timed, a small
neural network learns from each layer's shape by which factor it departs from that charge, so that a
network of an unseen family is priced by layers that other families have. Several such networks are
fitted, each without a part of the families and around unit costs that have not seen them either: a
known network is priced by the one that does not know its family, so that what is left of its time
is an honest residual, and an unknown one by those that were fitted to all.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from advisor.core.frozen_record import Record
from advisor.core.workload_table import OPERATORS, WorkloadTable
from advisor.estimators.columns import shape_amounts

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Singles = NDArray[np.float32]

OPERATIONS = (
    *("convolution", "mul", "add", "native_batch_norm", "addmm", "bmm", "cat", "relu", "mean"),
    *("clone", "silu", "gelu", "native_layer_norm", "constant_pad_nd", "mm", "hardtanh"),
    *("sigmoid", "avg_pool2d", "_safe_softmax", "div", "hardswish", "_softmax", "pow", "var"),
    *("linalg_vector_norm", "native_group_norm", "max_pool2d_with_indices", "addcmul"),
    *("upsample_nearest2d", "clamp_min", "sum", "index", "hardsigmoid", "leaky_relu", "sub"),
    *("roll", "stack", "rsqrt", "amax", "neg"),
)
"""Operations that layers are told apart by; the others are known by their operator class."""
ALIGNMENTS = (8, 32, 64)
"""Channels that kernels take at once."""
MOST = 3.0
"""Largest log factor of a layer."""
NOMINAL = 1e-15
"""Seconds that keep logarithms finite where a network has no layers."""


class Perceptron(Record):
    """Two hidden layers with SiLU: from a layer's inputs to a log factor in each lane."""

    shift: Singles
    """(lanes, columns): what is added to the log of the unit costs first; they are those of all
    families."""
    weights: tuple[Singles, ...]
    biases: tuple[Singles, ...]

    def log_factors(self, inputs: Singles) -> Singles:
        """Evaluate: (layers, inputs) -> (layers, lanes)."""
        found = inputs
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            found = found @ weight + bias
            found = found / (1 + np.exp(-np.clip(found, -60, 60)))
        last: Singles = np.clip(found @ self.weights[-1] + self.biases[-1], -MOST, MOST)
        return last


class LayerCosts(Record):
    """Factors by which the layers of very long lanes depart from the unit costs."""

    parts: tuple[Perceptron, ...]
    """Each fitted without one part of the families."""
    whole: tuple[Perceptron, ...]
    """Fitted to all families."""
    center: Singles
    scale: Singles
    """Of the inputs, over the layers that were fitted."""

    def of(
        self,
        table: WorkloadTable,
        families: Sequence[str],
        lane_costs: Floats,
        part_of_family: Mapping[str, int],
    ) -> Floats:
        """Return what a network's layers add to its log seconds: (networks, lanes).

        That of the part that has not seen its family; for families that none has seen, the mean of
        those that were fitted to all.
        """
        part = np.array([part_of_family.get(one, _NO_PART) for one in families], np.int64)
        found = np.zeros((len(table), len(lane_costs)))
        for number in np.unique(part).tolist():
            rows = np.flatnonzero(part == number)
            chosen = self.whole if number == _NO_PART else self.parts[number : number + 1]
            found[rows] = self._added(chosen, table.rows(rows.tolist()), lane_costs)
        return found

    def _added(
        self, perceptrons: Sequence[Perceptron], table: WorkloadTable, lane_costs: Floats
    ) -> Floats:
        """Return what some perceptrons add to the log seconds in the mean: (networks, lanes)."""
        used, positions = np.unique(table.shape_of, return_inverse=True)
        work = shape_amounts(table, used)
        inputs = (layer_inputs(table, used) - self.center) / self.scale
        plain = table.summed((work @ np.exp(lane_costs).T)[positions]) + NOMINAL
        found = np.zeros(plain.shape)
        for one in perceptrons:
            cost = work @ np.exp(lane_costs + one.shift).T * np.exp(one.log_factors(inputs))
            found += np.log((table.summed(cost[positions]) + NOMINAL) / plain)
        return found / len(perceptrons)


_NO_PART = -1
"""Part of families that were not fitted."""


class Corrections(Record):
    """What layers add to the log seconds in some lanes of a fit; nothing in the others."""

    costs: LayerCosts
    lanes: tuple[int, ...]
    """Lanes of the fit that are corrected."""
    known: Floats
    """(networks of the fit, lanes corrected)."""
    part_of_family: Mapping[str, int]
    """Part that has not seen a family."""

    def at(self, network: Integers, lane: Integers) -> Floats:
        """Return what is added to cells of the fit's networks and lanes: (cells,)."""
        found = np.zeros(len(network))
        for column, position in enumerate(self.lanes):
            mine = lane == position
            found[mine] = self.known[network[mine], column]
        return found

    def of(
        self, table: WorkloadTable, families: Sequence[str], lane: int, lane_costs: Floats
    ) -> Floats:
        """Return what is added to other networks in one lane; ``lane_costs`` are of all lanes."""
        if lane not in self.lanes:
            return np.zeros(len(table))
        added = self.costs.of(table, families, lane_costs[list(self.lanes)], self.part_of_family)
        wanted: Floats = added[:, self.lanes.index(lane)]
        return wanted


def layer_inputs(table: WorkloadTable, used: Integers) -> Singles:
    """Return what the correction sees of some distinct layers: (layers, inputs)."""

    def column(name: str) -> Floats:
        return table.column(name)[used].astype(np.float64)

    def log(values: Floats) -> Floats:
        found: Floats = np.log2(np.maximum(values, 1))
        return found

    names = np.array(table.kinds)[table.column("kind")[used]]
    groups = np.maximum(column("groups"), 1)
    widths = (column("in_channels") / groups, column("out_channels") / groups)
    moved = column("reads") + column("writes")
    columns = [
        *(table.column("operator")[used] == code for code in range(len(OPERATORS))),
        *(names == name for name in OPERATIONS),
        *(width % step != 0 for step in ALIGNMENTS for width in widths),
        column("fusion") > 0,
        *(log(width) for width in widths),
        log(column("out_h") * column("out_w")),
        log(column("kernel_h") * column("kernel_w")),
        np.minimum(column("stride"), 4),
        log(groups),
        log(moved),
        log(column("macs")),
        log(column("weights")),
        log(column("macs")) - log(moved),
        log(column("in_h")),
    ]
    return np.stack([np.asarray(one, np.float32) for one in columns], axis=1)
