"""WorkloadTable: the workloads of many networks as columns of numbers.

Distinct layer shapes are kept once; a network is a list of (shape, calls). On disk that is
``networks.csv`` (one row of totals per network and resolution), ``layers.npz`` (the shapes), which
is read when a layer is asked for, and ``layer_weights.npy`` (their weights by network).
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from advisor.core.frozen_record import Record
from advisor.core.workload import Fusion, Layer, OperatorClass, Workload
from advisor.errors import CatalogError

OPERATORS = tuple(OperatorClass)
"""Operator classes by the code that the ``operator`` column holds."""
NUMBERS = (
    "in_channels",
    "out_channels",
    "groups",
    "kernel_h",
    "kernel_w",
    "stride",
    "in_h",
    "in_w",
    "out_h",
    "out_w",
    "macs",
    "weights",
    "reads",
    "writes",
)
"""Integer fields of a Layer, in the order of the columns."""
TOTALS = (
    "network",
    "resolution",
    "macs",
    "parameters",
    "buffers",
    "activations",
    "peak_activations",
    "launches",
    "uncounted",
    "caveats",
)
ONE_BYTE = "one_byte"
"""Column of totals that is there where a network has such parameters."""
WEIGHTS = "layer_weights.npy"
"""File with the weights that the layers of each network read, by the row of ``networks.csv``."""
_SEPARATOR = "; "
KIND = 1
"""Column of the shapes with the code of the kind."""


class LayerLists(Record):
    """The layers of several networks; ``start`` delimits each network's calls."""

    kinds: tuple[str, ...]
    """Names of operations by code."""
    shapes: NDArray[np.int64]
    """One row per distinct layer: operator code, kind code, fusion, then NUMBERS."""
    start: NDArray[np.int64]
    """Network i owns entries ``start[i]:start[i + 1]`` of ``shape_of`` and ``calls``."""
    shape_of: NDArray[np.int64]
    calls: NDArray[np.int64]

    def themselves(self) -> "LayerLists":
        """Return the lists, for tables that have nothing left to read."""
        return self

    def joined(self, other: "LayerLists") -> "LayerLists":
        """Return the layers of these networks and then those of others."""
        kinds = tuple(dict.fromkeys((*self.kinds, *other.kinds)))
        code = np.array([kinds.index(kind) for kind in other.kinds], np.int64)
        shapes = other.shapes.copy()
        shapes[:, KIND] = code[shapes[:, KIND]]
        return LayerLists(
            kinds=kinds,
            shapes=np.concatenate([self.shapes, shapes]),
            start=np.concatenate([self.start, self.start[-1] + other.start[1:]]),
            shape_of=np.concatenate([self.shape_of, len(self.shapes) + other.shape_of]),
            calls=np.concatenate([self.calls, other.calls]),
        )

    def rows(self, rows: Sequence[int]) -> "LayerLists":
        """Return the layers of some networks, in the order given; the shapes are shared."""
        lengths = [int(self.start[r + 1] - self.start[r]) for r in rows]
        entries = (
            np.concatenate([np.arange(self.start[r], self.start[r + 1]) for r in rows])
            if len(rows)
            else np.zeros(0, np.int64)
        )
        return LayerLists(
            kinds=self.kinds,
            shapes=self.shapes,
            start=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            shape_of=self.shape_of[entries],
            calls=self.calls[entries],
        )


class WorkloadTable(Record):
    """Workloads in columns; the layers' shapes are shared."""

    networks: tuple[str, ...]
    resolutions: NDArray[np.int64]
    parameters: NDArray[np.int64]
    buffers: NDArray[np.int64]
    peak_activations: NDArray[np.int64]
    uncounted: tuple[tuple[str, ...], ...]
    caveats: tuple[tuple[str, ...], ...]
    layers: Callable[[], LayerLists]
    """Gives the layers; those of files are read when they are first asked for."""
    sums: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """Sums over the layers of each network, by the field, that are known without reading them."""
    one_byte: NDArray[np.int64] | None = None
    """Parameters stored as bytes whatever the lane; None where no network has any."""

    def __len__(self) -> int:
        return len(self.networks)

    @cached_property
    def index(self) -> dict[tuple[str, int], int]:
        """Row of each (network, resolution)."""
        pairs = zip(self.networks, self.resolutions.tolist(), strict=True)
        return {pair: row for row, pair in enumerate(pairs)}

    @cached_property
    def _lists(self) -> LayerLists:
        return self.layers()

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of operations by code."""
        return self._lists.kinds

    @property
    def shapes(self) -> NDArray[np.int64]:
        """One row per distinct layer: operator code, kind code, fusion, then NUMBERS."""
        return self._lists.shapes

    @property
    def start(self) -> NDArray[np.int64]:
        """Network i owns entries ``start[i]:start[i + 1]`` of ``shape_of`` and ``calls``."""
        return self._lists.start

    @property
    def shape_of(self) -> NDArray[np.int64]:
        """Shape of each entry."""
        return self._lists.shape_of

    @property
    def calls(self) -> NDArray[np.int64]:
        """How often a pass runs the layer of each entry."""
        return self._lists.calls

    @cached_property
    def owner(self) -> NDArray[np.int64]:
        """Network row of each entry of ``shape_of``."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    def weight_bytes(self, row: int, per_weight: float) -> float:
        """Size of a network's weights, of which each takes ``per_weight`` or is stored smaller."""
        small = 0 if self.one_byte is None else int(self.one_byte[row])
        return (float(self.parameters[row]) - small) * per_weight + small * min(per_weight, 1.0)

    @cached_property
    def macs(self) -> NDArray[np.float64]:
        """MACs of each network."""
        return self.sum_of("macs")

    def sum_of(self, name: str) -> NDArray[np.float64]:
        """Sum a Layer field over the calls of each network."""
        known = self.sums.get(name)
        return self.total(self.column(name).astype(np.float64)) if known is None else known

    def column(self, name: str) -> NDArray[np.int64]:
        """Return a Layer field over the distinct shapes; ``operator``, ``kind`` as codes."""
        columns: NDArray[np.int64] = self.shapes[
            :, ("operator", "kind", "fusion", *NUMBERS).index(name)
        ]
        return columns

    def total(self, per_shape: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum over the calls of each network: (shapes[, k]) -> (networks[, k])."""
        return self.summed(per_shape[self.shape_of])

    def summed(self, per_entry: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum each network's entries of ``shape_of``, times their calls, to (networks[, k])."""
        values = per_entry * self.calls.reshape(-1, *[1] * (per_entry.ndim - 1))
        summed = np.zeros((len(self), *per_entry.shape[1:]))
        filled = self.start[:-1] < self.start[1:]
        if filled.any():
            summed[filled] = np.add.reduceat(values, self.start[:-1][filled], axis=0)
        return summed

    def workload(self, row: int) -> Workload:
        """Return one network as a Workload."""
        entries = slice(int(self.start[row]), int(self.start[row + 1]))
        return Workload(
            network=self.networks[row],
            resolution=int(self.resolutions[row]),
            parameters=int(self.parameters[row]),
            buffers=int(self.buffers[row]),
            peak_activations=int(self.peak_activations[row]),
            layers=tuple(
                self._layer(int(shape), int(calls))
                for shape, calls in zip(self.shape_of[entries], self.calls[entries], strict=True)
            ),
            one_byte=0 if self.one_byte is None else int(self.one_byte[row]),
            uncounted=self.uncounted[row],
            caveats=self.caveats[row],
        )

    def _layer(self, shape: int, calls: int) -> Layer:
        operator, kind, fusion, *numbers = self.shapes[shape].tolist()
        return Layer(
            operator=OPERATORS[operator],
            kind=self.kinds[kind],
            fusion=Fusion(fusion),
            count=calls,
            **dict(zip(NUMBERS, numbers, strict=True)),
        )

    def rows(self, rows: Sequence[int]) -> "WorkloadTable":
        """Return the table of some rows, in the order given; the shapes are shared."""
        picked = np.asarray(rows, np.int64)
        return WorkloadTable(
            networks=tuple(self.networks[r] for r in rows),
            resolutions=self.resolutions[picked],
            parameters=self.parameters[picked],
            buffers=self.buffers[picked],
            peak_activations=self.peak_activations[picked],
            uncounted=tuple(self.uncounted[r] for r in rows),
            caveats=tuple(self.caveats[r] for r in rows),
            layers=partial(self._layers_of, tuple(rows)),
            sums={name: values[picked] for name, values in self.sums.items()},
            one_byte=None if self.one_byte is None else self.one_byte[picked],
        )

    def _layers_of(self, rows: Sequence[int]) -> LayerLists:
        return self._lists.rows(rows)

    def joined(self, other: "WorkloadTable") -> "WorkloadTable":
        """Return the rows of this table and then those of another."""
        return WorkloadTable(
            networks=(*self.networks, *other.networks),
            resolutions=np.concatenate([self.resolutions, other.resolutions]),
            parameters=np.concatenate([self.parameters, other.parameters]),
            buffers=np.concatenate([self.buffers, other.buffers]),
            peak_activations=np.concatenate([self.peak_activations, other.peak_activations]),
            uncounted=(*self.uncounted, *other.uncounted),
            caveats=(*self.caveats, *other.caveats),
            layers=lambda: self._lists.joined(other._lists),
            sums={
                name: np.concatenate([values, other.sum_of(name)])
                for name, values in self.sums.items()
            },
            one_byte=_or_none([*_bytes_of(self), *_bytes_of(other)]),
        )

    @staticmethod
    def of(workloads: Iterable[Workload]) -> "WorkloadTable":
        """Build the table of some workloads, one row each, in order."""
        items = list(workloads)
        kinds: dict[str, int] = {}
        codes: dict[tuple[int, ...], int] = {}
        shape_of: list[int] = []
        calls: list[int] = []
        start = [0]
        for workload in items:
            for layer in workload.layers:
                code = _codes(layer, kinds)
                shape_of.append(codes.setdefault(code, len(codes)))
                calls.append(layer.count)
            start.append(len(shape_of))
        return WorkloadTable(
            networks=tuple(w.network for w in items),
            resolutions=np.array([w.resolution for w in items], np.int64),
            parameters=np.array([w.parameters for w in items], np.int64),
            buffers=np.array([w.buffers for w in items], np.int64),
            peak_activations=np.array([w.peak_activations for w in items], np.int64),
            uncounted=tuple(w.uncounted for w in items),
            caveats=tuple(w.caveats for w in items),
            layers=LayerLists(
                kinds=tuple(kinds),
                shapes=np.array(list(codes), np.int64).reshape(-1, 3 + len(NUMBERS)),
                start=np.array(start, np.int64),
                shape_of=np.array(shape_of, np.int64),
                calls=np.array(calls, np.int64),
            ).themselves,
            one_byte=_or_none([w.one_byte for w in items]),
        )


def _bytes_of(table: WorkloadTable) -> list[int]:
    return [0] * len(table) if table.one_byte is None else table.one_byte.tolist()


def _codes(layer: Layer, kinds: dict[str, int]) -> tuple[int, ...]:
    kind = kinds.setdefault(layer.kind, len(kinds))
    head = (OPERATORS.index(layer.operator), kind, int(layer.fusion))
    return (*head, *(getattr(layer, name) for name in NUMBERS))


def write(table: WorkloadTable, folder: Path) -> None:
    """Write ``networks.csv``, ``layers.npz`` and ``layer_weights.npy`` into ``folder``."""
    with (folder / "networks.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        columns = TOTALS if table.one_byte is None else (*TOTALS, ONE_BYTE)
        writer.writerow(columns)
        writer.writerows(_totals(table, columns))
    np.savez_compressed(
        folder / "layers.npz",
        kinds=np.array(table.kinds),
        shapes=table.shapes,
        start=table.start.astype(np.int32),
        shape_of=table.shape_of.astype(np.int32),
        calls=table.calls.astype(np.int32),
    )
    np.save(folder / WEIGHTS, table.sum_of("weights").astype(np.int64))


def _totals(table: WorkloadTable, columns: Sequence[str]) -> Iterator[list[Any]]:
    for row in range(len(table)):
        workload = table.workload(row)
        joined = {
            "uncounted": _SEPARATOR.join(workload.uncounted),
            "caveats": _SEPARATOR.join(workload.caveats),
        }
        yield [joined.get(name, getattr(workload, name)) for name in columns]


def read(folder: Path) -> WorkloadTable:
    """Read the table that ``write`` wrote; its layers when they are first asked for.

    Raises CatalogError where a file is missing or torn, one of the layers at that time.
    """
    with _reading(folder):
        totals = _columns(folder / "networks.csv")
        sums = {"macs": np.array(list(map(float, totals["macs"])), np.float64)}
        weights = folder / WEIGHTS
        if weights.is_file():  # older versions kept counts without
            sums["weights"] = np.load(weights, allow_pickle=False).astype(np.float64)
            if len(sums["weights"]) != len(sums["macs"]):
                raise ValueError(
                    f"{len(sums['weights'])} rows of weights for {len(sums['macs'])} networks"
                )
        return WorkloadTable(
            networks=totals["network"],
            resolutions=_integers(totals["resolution"]),
            parameters=_integers(totals["parameters"]),
            buffers=_integers(totals["buffers"]),
            peak_activations=_integers(totals["peak_activations"]),
            uncounted=tuple(map(_split, totals["uncounted"])),
            caveats=tuple(map(_split, totals["caveats"])),
            layers=partial(_read_layers, folder),
            sums=sums,
            one_byte=_or_none([int(cell or 0) for cell in totals.get(ONE_BYTE, ())]),
        )


def _read_layers(folder: Path) -> LayerLists:
    with _reading(folder), np.load(folder / "layers.npz", allow_pickle=False) as arrays:
        return LayerLists(
            kinds=tuple(arrays["kinds"].tolist()),
            shapes=arrays["shapes"].astype(np.int64),
            start=arrays["start"].astype(np.int64),
            shape_of=arrays["shape_of"].astype(np.int64),
            calls=arrays["calls"].astype(np.int64),
        )


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    """Say in one line what is wrong with a file."""
    try:
        yield
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise CatalogError(
            f"cannot read the workloads in {folder}: {error}; "
            "'advisor catalog count' writes them again"
        ) from error


def _or_none(numbers: list[int]) -> NDArray[np.int64] | None:
    return np.array(numbers, np.int64) if any(numbers) else None


def _columns(path: Path) -> dict[str, tuple[str, ...]]:
    """Return the cells of a table by column; ValueError for a row of another length."""
    with path.open(newline="", encoding="utf-8") as stream:
        header, *rows = csv.reader(stream)
    return dict(zip(header, zip(*rows, strict=True), strict=True))


def _integers(cells: Sequence[str]) -> NDArray[np.int64]:
    return np.array(list(map(int, cells)), np.int64)


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split(_SEPARATOR)) if text else ()
