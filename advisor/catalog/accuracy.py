"""Read the catalog's accuracies, and what a precision costs.

Percent and points in files, fractions 0-1 here.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, stdev

from advisor.catalog.accuracy_columns import (
    ACCURACY_COLUMNS,
    CHANGE_COLUMNS,
    CIFAR_COLUMNS,
    CLAIM_COLUMNS,
    MULTIPLIER_COLUMNS,
)
from advisor.catalog.family_names import family_of, is_gated
from advisor.catalog.tables import CellColumns, Table
from advisor.core.frozen_record import Record

LEVEL = 0.9
"""Share of new changes that the interval of ``precision_change`` is meant to hold."""
ENOUGH = 19
"""Fewest values whose extremes hold 90 % of new ones: (n - 1) / (n + 1) = 0.9."""
LEAST = 3
"""Fewest values of a network or family before the next wider group is asked."""
OTHER_SETS = ("real", "v2", "a", "r", "sketch")
"""Variants of ImageNet that networks were judged on besides."""
_T95 = (6.31, 2.92, 2.35, 2.13, 2.02, 1.94, 1.89, 1.86, 1.83, 1.81, 1.80, 1.78, 1.77, 1.76)
"""95 % quantile of Student's t for 1, 2, … degrees of freedom."""
RUNTIME_SOURCES = {
    "hailort": "hailo-model-zoo",
    "qnn": "qai-hub-models",
    "vitis-ai": "vitis-ai-model-zoo",
    "stedgeai": "stm32ai-modelzoo",
    "hobot-dnn": "rdk-model-zoo",
}
"""Publications whose figures were made with a runtime's own tools."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """Published accuracy of one set of trained weights at one resolution."""

    network: str
    tag: str
    resolution: int
    top1: float
    """Fraction of ImageNet-1k validation."""
    top5: float | None
    others: tuple[tuple[str, float], ...]
    """(data set, top-1 fraction) of ``real``, ``v2``, ``a``, ``r``, ``sketch``, where published."""
    parameters: float | None
    """Count."""
    training_data: str
    """Chain of data sets, such as ``in22k->in1k``."""
    distilled: bool
    license: str
    """As timm states it; empty where it states none."""
    source: str
    source_ref: str


class CifarAccuracy(Record):
    """Published accuracy of one network on CIFAR."""

    network: str
    """Name in the catalog; empty where the catalog cannot build it."""
    model: str
    width: float | None
    parameters: float | None
    macs: float | None
    cifar10_top1: float | None
    """Fraction."""
    cifar100_top1: float | None
    """Fraction."""
    from_scratch: bool
    caveats: tuple[str, ...]
    source_ref: str


class SeriesPoint(Record):
    """One network of a series that was trained with one recipe."""

    recipe_id: str
    family: str
    variant: str
    network: str
    """Candidate's spelling; empty where the catalog cannot build it."""
    resolution: int | None
    width: float | None
    depth: str
    """Multiplier, or the number of layers as the source counts it."""
    top1: float | None
    """Fraction."""
    parameters: float | None
    macs: float | None
    build: str
    """Expression that builds it with timm; empty where there is none."""
    parameters_check: str
    """Whether the built network has the published parameters: ok, differs or unstated."""
    source_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyChange:
    """Published change of top-1 from float to a precision, of one network."""

    network: str
    family: str
    precision: str
    method: str
    delta: float
    """Fraction; negative is a loss."""
    images: int | None
    """Images it was measured on; None where unstated."""
    collapsed: bool
    """Whether most of the accuracy is gone: a broken conversion, which nobody would deploy."""
    source: str
    source_ref: str


class PrecisionChange(Record):
    """What is to be expected of top-1 when a network is run in a precision."""

    median: float
    """Fraction, to be added to the float network's top-1; negative is a loss."""
    low: float
    high: float
    level: float
    """Share of new networks or toolchains that the interval is meant to hold."""
    scope: str
    """``network``, ``family``, ``gated`` (networks with squeeze-excitation and swish) or ``all``:
    what the figures are of."""
    count: int
    """Published changes behind the median."""
    sources: tuple[str, ...]


class Claim(Record):
    """A well-known claim and what the official sources say."""

    claim: str
    verdict: str
    """right, right-with-limits, wrong or unverifiable."""
    official_value: str
    source_ref: str


def _scaled(table: Table, line: int, row: dict[str, str], column: str, by: float) -> float | None:
    if not row[column]:
        return None
    number = table.number(line, column, row[column])
    # Rounded, so that 67.8 % is 0.678 and not 0.6779999999999999.
    return None if number is None else round(number * by, 12)


def _whole(table: Table, line: int, row: dict[str, str], column: str) -> int | None:
    return table.integer(line, column, row[column])


def read_accuracies(root: Path) -> list[Accuracy]:
    """Read ``accuracy.csv``: trained weights of timm, and of networks that timm lacks."""
    table = Table(root / "accuracy.csv", ACCURACY_COLUMNS)
    columns = table.columns_of_cells()
    cells = columns.cells
    for line, cell in zip(columns.lines, cells["distilled"], strict=True):
        if cell not in {"yes", "no"}:
            table.refuse(line, "distilled", cell, "allowed: yes, no")
    resolutions = columns.integers("resolution")
    top1 = columns.numbers("top1_percent", digits=-2)
    return [
        Accuracy(
            network=network,
            tag=tag,
            resolution=resolution,
            top1=share,
            top5=top5,
            others=others,
            parameters=parameters,
            training_data=data,
            distilled=distilled == "yes",
            license=license_name,
            source=source,
            source_ref=source_ref,
        )
        for (
            network, tag, resolution, share, top5, others, parameters, data, distilled,
            license_name, source, source_ref,
        ) in zip(
            cells["network"],
            cells["tag"],
            columns.needed("resolution", resolutions, "a whole number"),
            columns.needed("top1_percent", top1, "a number"),
            columns.numbers("top5_percent", digits=-2),
            _other_sets(columns),
            columns.numbers("parameters_m", digits=6),
            cells["training_data"],
            cells["distilled"],
            cells["license"],
            cells["source"],
            cells["source_ref"],
            strict=True,
        )
    ]  # fmt: skip


def _other_sets(columns: CellColumns) -> Iterator[tuple[tuple[str, float], ...]]:
    """Yield the accuracies of each row on other sets of images, where they are published."""
    numbers = [columns.numbers(f"{name}_top1_percent", digits=-2) for name in OTHER_SETS]
    for row in zip(*numbers, strict=True):
        yield tuple(
            (s, value) for s, value in zip(OTHER_SETS, row, strict=True) if value is not None
        )


def read_cifar(root: Path) -> list[CifarAccuracy]:
    """Read ``cifar.csv``."""
    table = Table(root / "cifar.csv", CIFAR_COLUMNS)
    return [
        CifarAccuracy(
            network=row["network"],
            model=row["model"],
            width=_scaled(table, line, row, "width", 1),
            parameters=_scaled(table, line, row, "parameters_m", 1e6),
            macs=_scaled(table, line, row, "macs_m", 1e6),
            cifar10_top1=_scaled(table, line, row, "cifar10_top1_percent", 0.01),
            cifar100_top1=_scaled(table, line, row, "cifar100_top1_percent", 0.01),
            from_scratch=row["training"] == "scratch",
            caveats=tuple(row["caveats"].split()),
            source_ref=row["source_ref"],
        )
        for line, row in table.records()
    ]


def read_series(root: Path) -> list[SeriesPoint]:
    """Read ``multipliers.csv``: series of widths, depths and resolutions by recipe."""
    table = Table(root / "multipliers.csv", MULTIPLIER_COLUMNS)
    return [
        SeriesPoint(
            recipe_id=row["recipe_id"],
            family=row["family"],
            variant=row["variant"],
            network=row["network"],
            resolution=_whole(table, line, row, "resolution"),
            width=_scaled(table, line, row, "width", 1),
            depth=row["depth"],
            top1=_scaled(table, line, row, "top1_percent", 0.01),
            parameters=_scaled(table, line, row, "parameters_m", 1e6),
            macs=_scaled(table, line, row, "macs_m", 1e6),
            build=row["build"],
            parameters_check=row["parameters_check"],
            source_ref=row["source_ref"],
        )
        for line, row in table.records()
    ]


def read_changes(root: Path) -> list[AccuracyChange]:
    """Read ``precision_changes.csv``."""
    columns = Table(root / "precision_changes.csv", CHANGE_COLUMNS).columns_of_cells()
    cells, deltas = columns.cells, columns.numbers("delta_points", digits=-2)
    return [
        AccuracyChange(
            network=network,
            family=family,
            precision=precision,
            method=method,
            delta=delta,
            images=images,
            collapsed="collapsed" in caveats.split(),
            source=source,
            source_ref=source_ref,
        )
        for network, family, precision, method, delta, images, caveats, source, source_ref in zip(
            cells["network"],
            cells["family"],
            cells["precision"],
            cells["method"],
            columns.needed("delta_points", deltas, "a number"),
            columns.integers("images"),
            cells["caveats"],
            cells["source"],
            cells["source_ref"],
            strict=True,
        )
    ]


def read_claims(root: Path) -> list[Claim]:
    """Read ``claims.csv``."""
    table = Table(root / "claims.csv", CLAIM_COLUMNS)
    return [Claim(**{name: row[name] for name in CLAIM_COLUMNS}) for _, row in table.records()]


def precision_change(
    changes: Iterable[AccuracyChange], network: str, precision: str, *, runtime: str = ""
) -> PrecisionChange | None:
    """Return the change to be expected, from the network's figures, its family's, or all.

    ``runtime`` prefers the figures of that runtime's own publication where there are enough. None
    where nothing is published about the precision. Collapsed conversions do not count.
    """
    mine = [one for one in changes if one.precision == precision and not one.collapsed]
    own = [change for change in mine if change.source == RUNTIME_SOURCES.get(runtime)]
    pool = own if len(own) >= ENOUGH else mine
    if len(pool) < 2:
        return None
    family = family_of(network)
    for scope, key, wanted in (
        ("network", _network, network.partition(":")[0]),
        ("family", _family, family),
    ):
        found = [change for change in pool if key(change) == wanted]
        if len(found) >= LEAST:
            return _summary(found, scope, _leave_one_out(pool, key))
    return _summary(pool, "all", [])


def change_of_gated(
    changes: Iterable[AccuracyChange], precision: str, *, without: str = ""
) -> PrecisionChange | None:
    """Return the change of networks with squeeze-excitation and swish in integers.

    From those that were quantised after their training, whatever their family and toolchain: the
    families are few, and the next toolchain may be the one that loses many points. ``without`` is
    a family that is left out.
    """
    found = [
        one
        for one in changes
        if one.precision == precision
        and is_gated(one.network)
        and one.family != without
        and not one.method.startswith("qat")
    ]
    return _summary(found, "gated", []) if len(found) >= LEAST else None


def _network(change: AccuracyChange) -> str:
    return change.network.partition(":")[0]


def _family(change: AccuracyChange) -> str:
    return change.family


def _leave_one_out(
    pool: Iterable[AccuracyChange], key: Callable[[AccuracyChange], str]
) -> list[float]:
    """Return how far each change is from the median of the others of its group.

    This is what the median of a few figures is worth for a further one; a group's own spread
    would look too small where the group is small.
    """
    groups: dict[str, list[float]] = defaultdict(list)
    for change in pool:
        if key(change):
            groups[key(change)].append(change.delta)
    return [
        value - median(values[:i] + values[i + 1 :])
        for values in groups.values()
        if len(values) >= LEAST
        for i, value in enumerate(values)
    ]


def _summary(found: list[AccuracyChange], scope: str, residuals: list[float]) -> PrecisionChange:
    values = [change.delta for change in found]
    middle = median(values)
    if len(values) >= ENOUGH:
        low, high = _extremes(values)
    elif len(residuals) >= ENOUGH:
        below, above = _extremes(residuals)
        low, high = min(middle + below, *values), max(middle + above, *values)
    else:
        freedom = min(len(values) - 1, len(_T95))
        half = _T95[freedom - 1] * stdev(values) * math.sqrt(1 + 1 / len(values))
        low, high = middle - half, middle + half
    return PrecisionChange(
        median=middle,
        low=min(low, middle),
        high=max(high, middle),
        level=LEVEL,
        scope=scope,
        count=len(values),
        sources=tuple(sorted({change.source for change in found})),
    )


def _extremes(values: list[float]) -> tuple[float, float]:
    """Return the 5 % and 95 % quantiles for a further value: ranks of n + 1, not of n."""
    import numpy as np  # a list of models is quicker without

    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values, (tail, 1 - tail), method="weibull").tolist()
    return low, high
