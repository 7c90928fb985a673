"""A toy catalog: thirty small networks in six lanes, timed by a law that the tests know.

The law is not the estimator's: each layer takes the longer of its arithmetic and its traffic, and
traffic beyond a cache is several times slower, so that times jump where a sum over kinds of work
is smooth. What a machine is like is drawn from a seed, and its profile tells only the nominal
figures. A few cells are never published: what the law says of them is the truth to be found.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from advisor.catalog.accuracy_columns import ACCURACY_COLUMNS
from advisor.catalog.intake.importing import RAW_COLUMNS
from advisor.core.lane import Lane
from advisor.core.workload_table import WorkloadTable, read, write
from advisor.networks.survey import survey

Floats = NDArray[np.float64]

NETWORKS: tuple[tuple[str, int], ...] = (
    *((f"test_{name}", 160) for name in ("byobnet", "convnext", "convnext2", "efficientnet")),
    *((f"test_{name}", 160) for name in ("mambaout", "resnet", "vit")),
    *((name, 160) for name in ("alexnet", "resnet18", "squeezenet1_1")),
    *((name, 176) for name in ("resnet10t", "resnet14t")),
    *((name, 224) for name in ("alexnet", "squeezenet1_0", "squeezenet1_1", "test_efficientnet")),
    *((name, 224) for name in ("test_resnet", "vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn")),
    *((name, 224) for name in ("vgg13_bn", "resnet18", "resnet26")),
    *((name, 256) for name in ("darknet17", "darknet21", "mobilenetv1_100h")),
    ("cifar_resnet20", 32),
    ("tinynet_e", 106),
)
"""Small networks that are quickly counted, of a dozen families and of all classes of operators."""
HIDDEN = 5
"""Networks of each lane that are not published."""
UNSEEN = 2
"""Architectures that are published nowhere."""
NOT_YET_COUNTED = frozenset({"alexnet", "vgg11"})
"""Networks whose workload the catalog lacks until it is counted."""
SOURCE = "toy-bench"
_WIDTH = {"fp32": 4, "fp16": 2, "int8": 1}


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One lane and what its law needs, in SI."""

    lane: Lane
    peak: float
    """FLOP/s that are really reached by wide layers."""
    bandwidth: float
    """Bytes a second beyond the cache."""
    cache: float
    """Bytes that a layer may touch before it spills."""
    boost: float
    """How many times faster traffic inside the cache is."""
    launch: float
    """Seconds of each operator, whatever it does."""
    narrow: float
    """Channels at which half of the peak is reached."""
    noise: float
    """Standard deviation of the log of a published figure."""

    def seconds(self, table: WorkloadTable) -> Floats:
        """Return the time of one pass of each network, without noise."""
        width = _WIDTH[self.lane.precision]
        column = {
            name: table.column(name).astype(np.float64)
            for name in ("macs", "reads", "writes", "weights", "in_channels", "groups", "fusion")
        }
        channels = column["in_channels"] / np.maximum(column["groups"], 1)
        busy = np.maximum(channels, 1) / (np.maximum(channels, 1) + self.narrow)
        arithmetic = 2 * column["macs"] / (self.peak * busy)
        touched = width * (column["reads"] + column["writes"] + column["weights"])
        speed = np.where(touched <= self.cache, self.boost, 1.0) * self.bandwidth
        layer = np.maximum(arithmetic, touched / speed) + self.launch
        return table.total(layer * (column["fusion"] == 0))


@dataclass(frozen=True, kw_only=True)
class Nominal:
    """What the profile of a device says of one of its units."""

    device: str
    unit: str
    gflops: Mapping[str, float]
    bandwidth: float
    """Gigabytes a second."""
    launch: float
    """Microseconds of an operator on a typical machine of the kind."""


NOMINAL = (
    Nominal(device="toy-phone", unit="cpu", gflops={"fp32": 60, "int8": 200}, bandwidth=15,
            launch=4),
    Nominal(device="toy-phone", unit="gpu", gflops={"fp32": 500, "fp16": 1000}, bandwidth=15,
            launch=30),
    Nominal(device="toy-board", unit="cpu", gflops={"fp32": 40}, bandwidth=25, launch=5),
    Nominal(device="toy-board", unit="gpu", gflops={"fp32": 700, "fp16": 1400}, bandwidth=25,
            launch=20),
    Nominal(device="toy-desktop", unit="cpu", gflops={"fp32": 150}, bandwidth=40, launch=2),
)  # fmt: skip
LANES = tuple(
    Lane(device=device, unit=unit, runtime=runtime, precision=precision, threads=threads)
    for device, unit, runtime, precision, threads in (
        ("toy-phone", "cpu", "ncnn", "fp32", 4),
        ("toy-phone", "cpu", "ncnn", "int8", 4),
        ("toy-phone", "gpu", "tensorrt", "fp16", None),
        ("toy-board", "cpu", "ncnn", "fp32", 4),
        ("toy-board", "gpu", "tensorrt", "fp16", None),
        ("toy-desktop", "cpu", "onnxruntime", "fp32", 4),
    )
)


def machines(random: np.random.Generator) -> tuple[Machine, ...]:
    """Draw what the machines behind the nominal figures are like."""
    return tuple(_machine(lane, random) for lane in LANES)


def _machine(lane: Lane, random: np.random.Generator) -> Machine:
    nominal = next(n for n in NOMINAL if (n.device, n.unit) == (lane.device, lane.unit))
    return Machine(
        lane=lane,
        peak=1e9 * nominal.gflops[lane.precision] * random.uniform(0.4, 0.8),
        bandwidth=1e9 * nominal.bandwidth * random.uniform(0.4, 0.8),
        cache=float(np.exp(random.uniform(np.log(5e5), np.log(8e6)))),
        boost=random.uniform(2, 5),
        launch=1e-6 * nominal.launch * random.uniform(0.6, 1.6),
        narrow=random.uniform(2, 12),
        noise=random.uniform(0.02, 0.05),
    )


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A network in a lane that was not published, and what the law says of it."""

    lane: Lane
    row: int
    """Of the table of all networks."""
    seconds: float
    """With the noise of a figure."""
    unseen: bool
    """Whether the architecture is published nowhere."""


@dataclass(frozen=True, kw_only=True)
class ToyCatalog:
    """Where the toy lies and what it hides."""

    raw: Path
    """Raw tables, before the import."""
    root: Path
    """Catalog: workloads and accuracies; measurements once they are imported."""
    profiles: Path
    table: WorkloadTable
    """Workloads of all networks."""
    machines: tuple[Machine, ...]
    """What is behind each lane."""
    hidden: tuple[Truth, ...]

    def memory(self, lane: Lane) -> Floats:
        """Return the published peak of each network in bytes."""
        alive = (self.table.parameters + self.table.peak_activations).astype(np.float64)
        peak: Floats = 20e6 + 1.2 * _WIDTH[lane.precision] * alive
        return peak


def counted(folder: Path) -> WorkloadTable:
    """Count the networks into ``folder``, where they are not there yet."""
    if not (folder / "networks.csv").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        failures = survey(sorted(NETWORKS), folder, processes=1, progress=lambda _: None)
        assert not failures, failures
    return read(folder)


def toy_catalog(folder: Path, counts: Path, seed: int = 0) -> ToyCatalog:
    """Write raw tables, profiles and most workloads under ``folder``.

    The workloads come from ``counts``, where they are counted unless they are there.
    """
    table = counted(counts)
    random = np.random.default_rng(seed)
    raw, root, profiles = (folder / name for name in ("raw", "catalog", "profiles"))
    for path in (raw / "measurements", root, profiles):
        path.mkdir(parents=True)
    toy = ToyCatalog(
        raw=raw,
        root=root,
        profiles=profiles,
        table=table,
        machines=machines(random),
        hidden=(),
    )
    kept = [row for row, name in enumerate(table.networks) if name not in NOT_YET_COUNTED]
    write(table.rows(kept), root)
    _write_accuracies(root, table)
    for device in sorted({lane.device for lane in LANES}):
        _write_profile(profiles, device)
    return replace(toy, hidden=tuple(_publish(toy, random)))


def _publish(toy: ToyCatalog, random: np.random.Generator) -> Iterator[Truth]:
    """Write the raw tables; yield what they do not hold."""
    count = len(toy.table)
    unseen = set(random.choice(count, UNSEEN, replace=False).tolist())
    rows: list[dict[str, str]] = []
    for machine in toy.machines:
        noise = np.exp(machine.noise * random.standard_normal(count))
        seconds = machine.seconds(toy.table) * noise
        memory = toy.memory(machine.lane)
        left = unseen.union(random.choice(count, HIDDEN, replace=False).tolist())
        for row in range(count):
            if row in left:
                one = float(seconds[row])
                yield Truth(lane=machine.lane, row=row, seconds=one, unseen=row in unseen)
            else:
                rows.append(_raw(machine.lane, toy.table, row, seconds[row], memory[row]))
    _write(toy.raw / "measurements" / "toy.csv", RAW_COLUMNS, rows)
    columns = ("device_id", "unit", "supports_fp16", "supports_int8")
    _write(toy.raw / "devices.csv", columns, [])


def _raw(
    lane: Lane, table: WorkloadTable, row: int, seconds: float, memory: float
) -> dict[str, str]:
    side = str(table.resolutions[row])
    return {
        **dict.fromkeys(RAW_COLUMNS, ""),
        "source": SOURCE,
        "source_ref": f"{SOURCE}@1:table",
        "date": "2024-01",
        "device": lane.device,
        "device_id": lane.device,
        "chip": "toy",
        "unit": lane.unit,
        "runtime": lane.runtime,
        "precision": lane.precision,
        "threads": "" if lane.threads is None else str(lane.threads),
        "model_raw": table.networks[row],
        "timm_name": table.networks[row],
        "match": "exact",
        "input_h": side,
        "input_w": side,
        "batch": "1",
        "latency_ms": f"{1e3 * seconds:.6g}",
        "memory_mb": f"{memory / 1e6:.6g}",
    }


def _write_accuracies(root: Path, table: WorkloadTable) -> None:
    rows = [
        {
            **dict.fromkeys(ACCURACY_COLUMNS, ""),
            "network": network,
            "tag": "toy",
            "resolution": str(side),
            "top1_percent": f"{50 + 3 * np.log(macs / 1e7):.2f}",
            "training_data": "in1k",
            "distilled": "no",
            "source": SOURCE,
            "source_ref": f"{SOURCE}@1:table",
        }
        for network, side, macs in zip(
            table.networks, table.resolutions.tolist(), table.macs.tolist(), strict=True
        )
    ]
    _write(root / "accuracy.csv", ACCURACY_COLUMNS, rows)


def _write_profile(folder: Path, device: str) -> None:
    units = [one for one in NOMINAL if one.device == device]
    first = next(lane for lane in LANES if lane.device == device)
    document = {
        "id": device,
        "name": device,
        "units": [
            {
                "kind": one.unit,
                "name": f"{device} {one.unit}",
                **({"cores": 4} if one.unit == "cpu" else {}),
                "peak_gflops": {n: float(v) for n, v in one.gflops.items() if n != "int8"},
                "peak_gops": {n: float(v) for n, v in one.gflops.items() if n == "int8"},
                "source": "invented",
                "confidence": "high",
                "runtimes_source": "invented",
            }
            for one in units
        ],
        "memory": {
            "capacity_gb": 8.0,
            "bandwidth_gb_s": float(units[0].bandwidth),
            "source": "invented",
            "confidence": "high",
        },
        "default_lane": {
            "unit": first.unit, "runtime": first.runtime, "precision": first.precision,
            "threads": first.threads,
        },
    }  # fmt: skip
    (folder / f"{device}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")


def _write(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)


__all__ = ["LANES", "NETWORKS", "Machine", "ToyCatalog", "Truth", "counted", "toy_catalog"]
