"""Which operator classes each accelerator runtime has been seen to run.

A CPU or GPU runs every operator; a neural accelerator runs what its compiler supports and hands
the rest back, or refuses the network. Whether a network runs that has a class of operators which
no published network of the runtime has is unknown.
"""

import csv
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from advisor.catalog.measurements import read_all
from advisor.core.frozen_record import Record
from advisor.core.lane import Lane
from advisor.core.workload import OperatorClass
from advisor.core.workload_table import OPERATORS, WorkloadTable
from advisor.errors import CatalogError

FILE = "runtime_operators.csv"
ACCELERATORS = frozenset({"npu", "tpu", "dla"})
"""Units that may lack operators."""
ENOUGH = 5
"""Networks of a runtime from which a class that none of them has counts as never seen."""
_ANYWHERE = frozenset(
    {OperatorClass.MOVEMENT, OperatorClass.ELEMENTWISE, OperatorClass.NORMALISATION}
)
"""Classes whose absence says nothing: they fold into others or are handled by every runtime."""
_PRODUCTS = frozenset({OperatorClass.ATTENTION, OperatorClass.MATMUL})
"""Classes that need the same products of activations."""

_PARTLY = frozenset({"ncnn"})
"""Runtimes whose converters take some networks with products of activations and refuse most."""

REFUSED: Mapping[tuple[str, str], tuple[frozenset[OperatorClass], str]] = {
    ("edgetpu", "tpu"): (
        _PRODUCTS,
        "the Edge TPU's compiler takes no products of activations (coral.ai/docs/edgetpu/"
        "models-intro, supported operations)",
    ),
    ("vitis-ai", "npu"): (
        _PRODUCTS,
        "the DPU takes no products of activations (Xilinx UG1414, operators supported by the DPU)",
    ),
}
"""Operator classes that a compiler is documented not to take, by (runtime, unit), and the source.
The rest of such a network would run on the host's CPU, at another speed."""


class Seen(Record):
    """What the published networks of one runtime on one kind of unit consist of."""

    operators: frozenset[OperatorClass]
    networks: int


class OperatorSupport(Record):
    """Operator classes seen by (runtime, unit)."""

    seen: Mapping[tuple[str, str], Seen]

    def reasons(self, lane: Lane, table: WorkloadTable) -> list[str]:
        """Say for each network why nobody knows whether it runs in the lane; empty where it does.

        Lanes of CPUs and GPUs, and runtimes with too few published networks, give no reasons.
        """
        known = self.seen.get((lane.runtime, lane.unit))
        if lane.unit not in ACCELERATORS or known is None or known.networks < ENOUGH:
            return [""] * len(table)
        seen = known.operators | _ANYWHERE
        if seen & _PRODUCTS:
            seen |= _PRODUCTS
        unseen = [op for op in OPERATORS if op not in seen]
        masks = _masks(table)
        return [_reason([op for op in unseen if mask & _bit(op)], lane) for mask in masks]

    def refusals(self, lane: Lane, table: WorkloadTable) -> list[str]:
        """Say for each network which of its operators the compiler is known not to take."""
        refused, source = REFUSED.get((lane.runtime, lane.unit), (frozenset(), ""))
        if not refused:
            return [""] * len(table)
        return [
            f"{source}; it has {_listed(found)}"
            if (found := [op for op in OPERATORS if op in refused and mask & _bit(op)])
            else ""
            for mask in _masks(table)
        ]

    def measurable(self, lane: Lane, table: WorkloadTable) -> list[bool]:
        """Say for each network whether its runtime is likely to take it, on any kind of unit.

        True throughout for runtimes with too few published networks.
        """
        known = self.seen.get((lane.runtime, lane.unit))
        seen = set(OPERATORS)
        if known is not None and known.networks >= ENOUGH:
            seen &= known.operators | _ANYWHERE
        if lane.runtime in _PARTLY:
            seen -= _PRODUCTS
        allowed = sum(_bit(operator) for operator in seen)
        return [mask & ~allowed == 0 for mask in _masks(table)]


def _reason(missing: list[OperatorClass], lane: Lane) -> str:
    if not missing:
        return ""
    return (
        f"no network with {_listed(missing, 'or')} operators is published on {lane.runtime} "
        f"({lane.unit}); whether it runs there is unknown"
    )


def _listed(operators: list[OperatorClass], word: str = "and") -> str:
    return f" {word} ".join(str(operator) for operator in operators)


def _bit(operator: OperatorClass) -> int:
    return 1 << OPERATORS.index(operator)


def _masks(table: WorkloadTable) -> list[int]:
    """Return the operator classes of each network as bits."""
    bits = np.left_shift(1, table.column("operator"))[table.shape_of]
    filled = table.start[:-1] < table.start[1:]
    masks = np.zeros(len(table), np.int64)
    if filled.any():
        masks[filled] = np.bitwise_or.reduceat(bits, table.start[:-1][filled])
    found: list[int] = masks.tolist()
    return found


def read_support(root: Path) -> OperatorSupport:
    """Read what ``write_support`` wrote."""
    path = root / FILE
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        seen = {
            (row["runtime"], row["unit"]): Seen(
                operators=frozenset(map(OperatorClass, row["operators"].split())),
                networks=int(row["networks"]),
            )
            for row in rows
        }
    except (OSError, KeyError, ValueError) as error:
        raise CatalogError(
            f"cannot read {path}: {error}; 'advisor catalog count' writes it again"
        ) from error
    return OperatorSupport(seen=seen)


def write_support(root: Path, table: WorkloadTable) -> None:
    """Note the operator classes of all published networks by runtime and unit."""
    masks = dict(zip(table.index, _masks(table), strict=True))
    networks: dict[tuple[str, str], set[str]] = defaultdict(set)
    bits: dict[tuple[str, str], int] = defaultdict(int)
    for rows in read_all(root).values():
        for row in rows:
            place = (row.network, row.resolution or 0)
            if row.usable and place in masks:
                key = (row.lane.runtime, row.lane.unit)
                networks[key].add(row.network)
                bits[key] |= masks[place]
    with (root / FILE).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["runtime", "unit", "networks", "operators"])
        for (runtime, unit), mask in sorted(bits.items()):
            operators = [str(op) for op in OPERATORS if mask & _bit(op)]
            writer.writerow([runtime, unit, len(networks[runtime, unit]), " ".join(operators)])
