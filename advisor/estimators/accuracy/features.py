"""Features of a network from which its accuracy is predicted; logarithms of counts, and flags."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from advisor.core.workload import OperatorClass
from advisor.core.workload_table import OPERATORS, WorkloadTable

Floats = NDArray[np.float64]
Words = NDArray[np.str_]

SIZES = ("MACs", "trunk", "resolution", "layers", "activations")
"""Columns of ``sizes``, natural logarithms about a typical network's.

The trunk are the parameters without the classifier, which most of a narrow network can be."""
FLAGS = ("depthwise", "grouped", "dense", "gated", "smooth", "layer norm", "attention")
"""Columns of ``flags``: what kind of network it is; the mean over its family."""
_TYPICAL = np.log([1e9, 1e7, 224.0, 60.0, 1e7])
_GATES = ("sigmoid", "hardsigmoid")
_SMOOTH = ("silu", "hardswish", "gelu", "mish")
_ACUTE = ("relu", "hardtanh", "leaky_relu")
_CONVOLUTIONS = (
    OperatorClass.STEM,
    OperatorClass.DENSE,
    OperatorClass.POINTWISE,
    OperatorClass.DEPTHWISE,
    OperatorClass.GROUPED,
)


class Rows(NamedTuple):
    """What the Gaussian process knows of each network."""

    sizes: Floats
    """(networks, SIZES)."""
    flags: Floats
    """(networks, FLAGS)."""
    family: Words
    recipe: Words
    network: Words
    group: Words
    """Trained weights: several resolutions of the same weights are one group."""

    @property
    def series(self) -> Words:
        """Family and recipe."""
        return np.char.add(np.char.add(self.family, "|"), self.recipe)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Rows":
        """Return some rows."""
        return Rows(
            self.sizes[rows],
            self.flags[rows],
            self.family[rows],
            self.recipe[rows],
            self.network[rows],
            self.group[rows],
        )


def sizes(table: WorkloadTable) -> Floats:
    """Return the SIZES of each network."""
    on_plane = _is(table, _CONVOLUTIONS) & (table.column("in_h") > 1)
    layers = table.total(on_plane.astype(np.float64))
    weighted = np.where(table.column("weights") > 0, table.column("writes"), 0)
    columns = [
        table.macs,
        trunk(table),
        table.resolutions.astype(np.float64),
        layers + 2,
        table.total(weighted.astype(np.float64)),
    ]
    return np.log(np.maximum(np.stack(columns, axis=1), 1.0)) - _TYPICAL


def trunk(table: WorkloadTable) -> Floats:
    """Return the parameters of each network without those of its classifier."""
    on_vector = _is(table, (OperatorClass.FULLY_CONNECTED,)) & (table.column("in_h") == 1)
    head = table.total(np.where(on_vector, table.column("weights"), 0).astype(np.float64))
    return np.maximum(table.parameters - head, 1.0)


def flags(table: WorkloadTable) -> Floats:
    """Return the FLAGS of each network, before the mean over its family is taken."""
    macs = table.column("macs").astype(np.float64)

    def share(operator: OperatorClass) -> Floats:
        return table.total(np.where(_is(table, (operator,)), macs, 0.0)) / np.maximum(table.macs, 1)

    def count(kinds: Sequence[str]) -> Floats:
        named = np.isin(np.array(table.kinds)[table.column("kind")], kinds)
        return table.total(named.astype(np.float64))

    smooth, acute = count(_SMOOTH), count(_ACUTE)
    columns = [
        5 * share(OperatorClass.DEPTHWISE),
        share(OperatorClass.GROUPED),
        share(OperatorClass.DENSE),
        count(_GATES) > 0,
        smooth / (smooth + acute + 1),
        count(("native_layer_norm",)) > 0,
        share(OperatorClass.ATTENTION) > 0,
    ]
    return np.stack([np.asarray(column, np.float64) for column in columns], axis=1)


def _is(table: WorkloadTable, operators: Sequence[OperatorClass]) -> NDArray[np.bool_]:
    codes = [OPERATORS.index(operator) for operator in operators]
    return np.isin(table.column("operator"), codes)
