"""Count every network that the catalog's figures speak of, in several processes."""

import csv
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from advisor.core.extras import COUNTING, require
from advisor.core.workload import Workload
from advisor.core.workload_table import WorkloadTable, write
from advisor.errors import NetworkError

CHUNK = 20
"""Networks that a worker process counts before it reports back."""

Wanted = tuple[str, int]
_Counted = tuple[list[Workload], dict[Wanted, str]]


def published(root: Path) -> list[Wanted]:
    """List the (network, resolution) pairs that the catalog has an accuracy or a figure of."""
    tables = [root / "accuracy.csv", *sorted((root / "measurements").glob("*.csv"))]
    return sorted({pair for path in tables if path.is_file() for pair in _pairs(path)})


def wanted(root: Path) -> list[Wanted]:
    """List the (network, resolution) pairs to ship.

    The published ones, and every architecture that can be built, at the input its default weights
    were made for.
    """
    require("counting networks", *COUNTING)
    from advisor.networks.building import architectures, default_resolution

    buildable = {(name, default_resolution(name)) for name in architectures()}
    return sorted(buildable.union(published(root)))


def _pairs(path: Path) -> Iterator[Wanted]:
    with path.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["network"] and row["resolution"]:
                yield row["network"], int(row["resolution"])


def survey(
    pairs: list[Wanted],
    folder: Path,
    *,
    kept: Sequence[Workload] = (),
    processes: int,
    progress: Callable[[int], None],
) -> dict[Wanted, str]:
    """Count all pairs and write the table to ``folder``; returns the failures with their reason.

    ``kept`` are workloads counted before, which are not counted again. ``progress`` is called
    with the number of networks that were counted since the last call. One process is this one.
    """
    known = {(w.network, w.resolution) for w in kept}
    missing = [pair for pair in pairs if pair not in known]
    if missing:
        require("counting networks", *COUNTING)
    chunks = [missing[i : i + CHUNK] for i in range(0, len(missing), CHUNK)]
    workloads = [w for w in kept if (w.network, w.resolution) in set(pairs)]
    failures: dict[Wanted, str] = {}
    for counted, failed in _counted(chunks, processes):
        workloads += counted
        failures |= failed
        progress(len(counted) + len(failed))
    workloads.sort(key=lambda w: (w.network, w.resolution))
    write(WorkloadTable.of(workloads), folder)
    return failures


def _counted(chunks: list[list[Wanted]], processes: int) -> Iterator[_Counted]:
    if processes == 1:
        yield from map(_count, chunks)
        return
    spawn = get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawn, initializer=_use_one_thread) as pool:
        for done in as_completed([pool.submit(_count, chunk) for chunk in chunks]):
            yield done.result()


def _use_one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _count(chunk: list[Wanted]) -> _Counted:
    from advisor.networks.building import describe_all

    workloads: list[Workload] = []
    failures: dict[Wanted, str] = {}
    for network, resolution, result in describe_all(chunk):
        if isinstance(result, NetworkError):
            failures[network, resolution] = str(result)
        else:
            workloads.append(result)
    return workloads, failures
