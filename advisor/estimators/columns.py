"""Columns: what a network asks of a device, as amounts of work of about forty kinds.

Each kind is work that costs about the same per unit everywhere in a network: multiply-accumulates
of convolutions of one shape class, activation elements moved by one class of operators, weights
read, and operators launched. A latency is then a non-negative sum of amounts times unit costs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from advisor.core.workload import Fusion
from advisor.core.workload_table import OPERATORS, LayerLists, WorkloadTable

Floats = NDArray[np.float64]

COSTLY = frozenset(
    (
        *("silu", "gelu", "hardswish", "sigmoid", "hardsigmoid", "mish", "tanh", "elu"),
        *("_softmax", "softplus", "exp", "_safe_softmax", "leaky_relu"),
    )
)
"""Activations that need more than a comparison per element."""
LARGE_PLANE, SMALL_PLANE = 700, 100
"""Output pixels above and below which a 1×1 convolution is bound differently."""
THIN = 32
"""Channels below which a 1×1 convolution leaves vector lanes idle."""
NARROW = 64
"""Channels below which a dense 3×3 convolution does."""
THIN_GROUP = 16
ALIGNED = 8
"""Channels are read in groups of this many by matrix units; odd counts fall off that path."""
TILE = 32
"""Channels that kernels pad to."""
SPILL_WEIGHTS = 2.5e6
"""Weights of one layer that no longer stay in a cache of about ten megabytes."""
SOME_WEIGHTS = 3e5
"""… of about one megabyte."""
SPILL_ACTIVATIONS = 4.8e6
"""Elements that one operator moves beyond a cache of about twenty megabytes."""
ROOT_SCALE = 50.0
"""Brings the sum of MACs to the power 3/4 to the size of a sum of MACs."""


class WorkKind(StrEnum):
    """What the amount of a column counts."""

    COMPUTE = "compute"
    """Multiply-accumulates."""
    MEMORY = "memory"
    """Activation elements read and written."""
    WEIGHTS = "weights"
    """Weight elements read."""
    LAUNCHES = "launches"
    """Operator calls."""


class _Shapes:
    """The distinct layers of a table as arrays that the column rules read."""

    def __init__(self, table: WorkloadTable) -> None:
        def column(name: str) -> Floats:
            return table.column(name).astype(np.float64)

        operator = table.column("operator")
        self._of = {op.value: operator == code for code, op in enumerate(OPERATORS)}
        kind = table.column("kind")
        costly = [code for code, name in enumerate(table.kinds) if name in COSTLY]
        self.costly = np.isin(kind, costly)
        self.kept = table.column("fusion") == int(Fusion.NONE)
        self.macs, self.weights = column("macs"), column("weights")
        self.moved = column("reads") + column("writes")
        self.kernel = column("kernel_h") * column("kernel_w")
        self.strided = column("stride") > 1
        self.pixels = column("out_h") * column("out_w")
        groups = np.maximum(column("groups"), 1)
        self.group_width = column("in_channels") / groups
        self.channels = np.minimum(column("in_channels"), column("out_channels"))
        self.name = np.array(table.kinds)[kind]
        width_in, width_out = self.group_width, column("out_channels") / groups
        used = np.maximum(width_in * width_out, 1)
        padded = TILE**2 * np.ceil(width_in / TILE) * np.ceil(width_out / TILE)
        self.waste = np.clip(padded / used - 1, 0, 50)
        self.unaligned = (width_in % ALIGNED != 0) | (width_out % ALIGNED != 0)
        self.square3: NDArray[np.bool_] = (column("kernel_h") == 3) & (column("kernel_w") == 3)

    def of(self, *names: str) -> NDArray[np.bool_]:
        """Return which shapes are of one of the operator classes."""
        found: NDArray[np.bool_] = np.any([self._of[name] for name in names], axis=0)
        return found


Rule = Callable[[_Shapes], Floats]


def _macs(where: Callable[[_Shapes], NDArray[np.bool_]]) -> Rule:
    return lambda s: s.macs * where(s)


def _moved(where: Callable[[_Shapes], NDArray[np.bool_]]) -> Rule:
    return lambda s: s.moved * where(s)


def _calls(where: Callable[[_Shapes], NDArray[np.bool_]]) -> Rule:
    return lambda s: where(s).astype(np.float64)


def _winograd(s: _Shapes) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = s.of("dense") & s.square3 & ~s.strided
    return found


def _wide_pointwise(s: _Shapes) -> NDArray[np.bool_]:
    return s.of("pointwise") & (s.pixels > 1)


def _matrix(s: _Shapes) -> NDArray[np.bool_]:
    attention = s.of("attention") & (s.macs > 0)
    conv = s.of("dense", "depthwise", "grouped", "stem") | _wide_pointwise(s)
    return conv | s.of("fully_connected", "matmul") | attention


def _tiled(s: _Shapes) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = s.of("dense", "grouped", "stem") | _wide_pointwise(s)
    return found


def _convolution(s: _Shapes) -> NDArray[np.bool_]:
    return s.of("dense", "pointwise", "depthwise", "grouped", "stem")


@dataclass(frozen=True, slots=True)
class Column:
    """One kind of work."""

    name: str
    kind: WorkKind
    operator: str
    """Operator class that ``breakdown`` books its time to."""
    rule: Rule


_C, _M, _W, _N = WorkKind.COMPUTE, WorkKind.MEMORY, WorkKind.WEIGHTS, WorkKind.LAUNCHES
COLUMNS = (
    Column("stem", _C, "stem", _macs(lambda s: s.of("stem"))),
    Column("dense_3x3", _C, "dense", _macs(lambda s: _winograd(s) & (s.channels >= NARROW))),
    Column("dense_3x3_narrow", _C, "dense", _macs(lambda s: _winograd(s) & (s.channels < NARROW))),
    Column("dense_other", _C, "dense", _macs(lambda s: s.of("dense") & ~_winograd(s))),
    Column(
        "pointwise_large",
        _C,
        "pointwise",
        _macs(lambda s: s.of("pointwise") & (s.pixels >= LARGE_PLANE) & (s.channels >= THIN)),
    ),
    Column(
        "pointwise_large_thin",
        _C,
        "pointwise",
        _macs(lambda s: s.of("pointwise") & (s.pixels >= LARGE_PLANE) & (s.channels < THIN)),
    ),
    Column(
        "pointwise_medium",
        _C,
        "pointwise",
        _macs(lambda s: s.of("pointwise") & (s.pixels < LARGE_PLANE) & (s.pixels >= SMALL_PLANE)),
    ),
    Column(
        "pointwise_small",
        _C,
        "pointwise",
        _macs(lambda s: _wide_pointwise(s) & (s.pixels < SMALL_PLANE)),
    ),
    Column(
        "depthwise_3x3",
        _C,
        "depthwise",
        _macs(lambda s: s.of("depthwise") & (s.kernel <= 9) & ~s.strided),
    ),
    Column(
        "depthwise_3x3_strided",
        _C,
        "depthwise",
        _macs(lambda s: s.of("depthwise") & (s.kernel <= 9) & s.strided),
    ),
    Column(
        "depthwise_5x5",
        _C,
        "depthwise",
        _macs(lambda s: s.of("depthwise") & (s.kernel > 9) & (s.kernel <= 25)),
    ),
    Column("depthwise_7x7", _C, "depthwise", _macs(lambda s: s.of("depthwise") & (s.kernel > 25))),
    Column(
        "grouped", _C, "grouped", _macs(lambda s: s.of("grouped") & (s.group_width >= THIN_GROUP))
    ),
    Column(
        "grouped_thin",
        _C,
        "grouped",
        _macs(lambda s: s.of("grouped") & (s.group_width < THIN_GROUP)),
    ),
    Column(
        "fully_connected",
        _C,
        "fully_connected",
        _macs(lambda s: s.of("fully_connected") & (s.pixels > 1)),
    ),
    Column("attention", _C, "attention", _macs(lambda s: s.of("attention"))),
    Column("matmul", _C, "attention", _macs(lambda s: s.of("matmul"))),
    Column(
        "dense_small",
        _C,
        "dense",
        _macs(lambda s: s.of("dense", "stem") & (s.pixels < SMALL_PLANE)),
    ),
    Column(
        "unaligned",
        _C,
        "pointwise",
        _macs(lambda s: s.unaligned & (_tiled(s) | s.of("fully_connected"))),
    ),
    Column("channel_waste", _C, "pointwise", lambda s: s.waste * s.macs * _tiled(s)),
    Column(
        "fully_connected_spill",
        _C,
        "fully_connected",
        _macs(lambda s: s.of("fully_connected") & (s.weights > SPILL_WEIGHTS)),
    ),
    Column(
        "convolution_spill",
        _C,
        "dense",
        _macs(lambda s: _tiled(s) & (s.weights > SPILL_WEIGHTS)),
    ),
    Column(
        "macs_root",
        _C,
        "dense",
        lambda s: ROOT_SCALE * s.macs**0.75 * (s.of("dense", "grouped") | _wide_pointwise(s)),
    ),
    Column("moved_dense", _M, "dense", _moved(lambda s: s.of("dense", "stem", "grouped"))),
    Column("moved_pointwise", _M, "pointwise", _moved(_wide_pointwise)),
    Column("moved_depthwise", _M, "depthwise", _moved(lambda s: s.of("depthwise"))),
    Column(
        "moved_fully_connected", _M, "fully_connected", _moved(lambda s: s.of("fully_connected"))
    ),
    Column("elementwise", _M, "elementwise", _moved(lambda s: s.of("elementwise") & s.kept)),
    Column("residual", _M, "elementwise", _moved(lambda s: s.of("elementwise") & ~s.kept)),
    Column("normalisation", _M, "normalisation", _moved(lambda s: s.of("normalisation") & s.kept)),
    Column(
        "normalisation_folded",
        _M,
        "normalisation",
        _moved(lambda s: s.of("normalisation") & ~s.kept),
    ),
    Column("activation_costly", _M, "activation", _moved(lambda s: s.of("activation") & s.costly)),
    Column("activation_cheap", _M, "activation", _moved(lambda s: s.of("activation") & ~s.costly)),
    Column("multiplication", _M, "elementwise", _moved(lambda s: s.kept & (s.name == "mul"))),
    Column(
        "group_normalisation",
        _M,
        "normalisation",
        _moved(lambda s: s.kept & (s.name == "native_group_norm")),
    ),
    Column(
        "moved_depthwise_spill",
        _M,
        "depthwise",
        _moved(lambda s: s.of("depthwise") & (s.moved > SPILL_ACTIVATIONS)),
    ),
    Column(
        "softmax", _M, "attention", _moved(lambda s: np.isin(s.name, ["_softmax", "_safe_softmax"]))
    ),
    Column("averaging", _M, "pooling", _moved(lambda s: s.name == "mean")),
    Column("padding", _M, "movement", _moved(lambda s: s.name == "constant_pad_nd")),
    Column("pooling", _M, "pooling", _moved(lambda s: s.of("pooling"))),
    Column("movement", _M, "movement", _moved(lambda s: s.of("movement"))),
    Column("moved_attention", _M, "attention", _moved(lambda s: s.of("attention", "matmul"))),
    Column(
        "weights_convolution",
        _W,
        "dense",
        lambda s: s.weights * (_convolution(s) & (s.pixels > 1)),
    ),
    Column("weights_large", _W, "dense", lambda s: s.weights * (s.weights > SOME_WEIGHTS)),
    Column(
        "weights_vector",
        _W,
        "fully_connected",
        lambda s: s.weights * (s.of("fully_connected") | (s.of("pointwise") & (s.pixels == 1))),
    ),
    Column("calls_matrix", _N, "dense", _calls(_matrix)),
    Column("calls_depthwise", _N, "depthwise", _calls(lambda s: s.of("depthwise", "grouped"))),
    Column("calls_tiny", _N, "pointwise", _calls(lambda s: s.of("pointwise") & (s.pixels == 1))),
    Column(
        "calls_other",
        _N,
        "elementwise",
        _calls(
            lambda s: s.kept & ~_convolution(s) & ~s.of("fully_connected", "matmul") & (s.macs == 0)
        ),
    ),
    Column("calls_folded", _N, "activation", _calls(lambda s: ~s.kept)),
    Column(
        "calls_layer_norm", _N, "normalisation", _calls(lambda s: s.name == "native_layer_norm")
    ),
    Column(
        "calls_batch_norm", _N, "normalisation", _calls(lambda s: s.name == "native_batch_norm")
    ),
)
"""All columns, in the order of every array of amounts."""
EXTRA = frozenset(
    (
        *("macs_root", "dense_small", "unaligned", "channel_waste", "fully_connected_spill"),
        *("convolution_spill", "multiplication", "group_normalisation", "softmax"),
        *("moved_depthwise_spill", "averaging", "padding", "weights_large"),
        *("calls_layer_norm", "calls_batch_norm"),
    )
)
"""Columns whose work other columns count too: what it costs more than there."""
KINDS = tuple(WorkKind)
KIND_OF = np.array([[column.kind is kind for kind in KINDS] for column in COLUMNS], np.float64)
"""(columns, kinds): 1 where the column is of the kind."""
LEAST = 1e-9
"""Stands for an amount of zero under a logarithm: its cost never shows."""


def amounts(table: WorkloadTable) -> Floats:
    """Return the amounts of work: (networks, columns); MACs, elements or calls at batch 1."""
    used, positions = np.unique(table.shape_of, return_inverse=True)
    return table.summed(shape_amounts(table, used)[positions])


def shape_amounts(table: WorkloadTable, used: NDArray[np.int64]) -> Floats:
    """Return the amounts of work of one call of some distinct layers: (layers, columns)."""
    shapes = _Shapes(_only(table, used))
    return np.stack([column.rule(shapes) for column in COLUMNS], axis=1)


def _only(table: WorkloadTable, used: NDArray[np.int64]) -> WorkloadTable:
    """Return a table with nothing but some shapes, for reading their columns."""
    none = np.zeros(0, np.int64)
    return WorkloadTable(
        networks=(),
        resolutions=none,
        parameters=none,
        buffers=none,
        peak_activations=none,
        uncounted=(),
        caveats=(),
        layers=LayerLists(
            kinds=table.kinds,
            shapes=table.shapes[used],
            start=np.zeros(1, np.int64),
            shape_of=none,
            calls=none,
        ).themselves,
    )


def features(work: Floats, resolutions: Floats, parameters: Floats) -> Floats:
    """Return coordinates in which networks that run alike lie close: (networks, features).

    Logarithms of the totals, and square roots of each column's share of its kind (Hellinger
    coordinates, so that rare kinds of work count).
    """
    by_kind = work @ KIND_OF
    totals = np.log(np.stack([by_kind[:, 0], parameters, by_kind[:, 1], by_kind[:, 3]], 1) + 1)
    size = np.concatenate([totals, np.log(resolutions)[:, None]], axis=1)
    scale = np.array([0.6, 0.5, 0.6, 0.6, 0.4])
    shares = []
    for kind, weight in ((0, 1.5), (1, 1.5), (3, 1.0)):
        mine = work[:, KIND_OF[:, kind] > 0]
        part = mine / np.maximum(mine.sum(axis=1, keepdims=True), 1)
        shares.append(weight * np.sqrt(part))
    return np.concatenate([size * scale, *shares], axis=1)
