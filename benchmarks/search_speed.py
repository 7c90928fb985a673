"""How fast variants are priced: by arithmetic, against building with timm and counting.

    python benchmarks/search_speed.py [--device jetson-nano] [--family mobilenetv2]

One process, one core. Candidates a second of processor time for the workload, for workload and
estimates together (latency, memory, energy, accuracy), and for "build with timm, count with
ptflops"; and the seconds of wall time of 1,000 Optuna trials end to end with the default local
storage.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from advisor.answering.evidence import Evidence
from advisor.answering.recommend import assessor_on
from advisor.answering.search import lane_of
from advisor.answering.variants import assess_on
from advisor.core.constraint import Constraint
from advisor.core.quantity import Metric
from advisor.core.request import Request
from advisor.estimators.accuracy.storing import load
from advisor.networks.pricing.prices import price
from advisor.studies.families import Family, family
from advisor.studies.outcome import Assess, SearchPlan
from advisor.studies.searching import search

BATCH = 50
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def on_one_core() -> None:
    """Start again with one thread for linear algebra, which numpy reads when it is imported."""
    if any(os.environ.get(name) != "1" for name in THREADS):
        again = [sys.executable, *sys.orig_argv[1:]]  # with -m where it was run so
        os.execve(sys.executable, again, os.environ | dict.fromkeys(THREADS, "1"))


def on_device(device: str) -> tuple[Assess, float]:
    """Return what assesses on a device's default lane, and the seconds to load it."""
    began = time.perf_counter()
    evidence = Evidence()
    request = Request(device=device)
    profile = evidence.profiles.load(device)
    assessor = assessor_on(lane_of(request, profile), profile, request, evidence)
    found = assess_on(assessor, load(evidence.root))
    warm = family("ghostnet").sample(random.Random(0), 2)
    found(warm, price(warm))
    return found, time.perf_counter() - began


def arithmetic(space: Family, assess: Assess, count: int) -> tuple[float, float]:
    """Return candidates a second: priced alone, priced and assessed."""
    drawn = space.sample(random.Random(1), count)
    batches = [drawn[place : place + BATCH] for place in range(0, count, BATCH)]
    began = time.process_time()
    tables = [price(batch) for batch in batches]
    priced = time.process_time()
    for batch, table in zip(batches, tables, strict=True):
        assess(batch, table)
    ended = time.process_time()
    return count / (priced - began), count / (ended - began)


def built(space: Family, count: int) -> float:
    """Return candidates a second of building with timm and counting with ptflops."""
    import ptflops

    from advisor.networks.building import build

    drawn = space.sample(random.Random(2), count + 1)
    began = 0.0
    for place, candidate in enumerate(drawn):
        if place == 1:  # the first one pays for imports
            began = time.process_time()
        side = candidate.resolution or 224
        ptflops.get_model_complexity_info(
            build(candidate, side, device="cpu"),
            (3, side, side),
            as_strings=False,
            print_per_layer_stat=False,
            verbose=False,
        )
    return count / (time.process_time() - began)


def thousand_trials(space: Family, assess: Assess) -> float:
    """Return the seconds of a search of 1,000 trials in a journal file."""
    with tempfile.TemporaryDirectory() as folder:
        request = SearchPlan(
            families=(space.name,),
            constraints=(Constraint(metric=Metric.LATENCY, at_most=0.01),),
            storage=str(Path(folder) / "study.log"),
        )
        began = time.perf_counter()
        search(request, assess)
        return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    on_one_core()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="jetson-nano")
    parser.add_argument("--family", action="append")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--built", type=int, default=10)
    given = parser.parse_args()
    assess, seconds = on_device(given.device)
    print(f"loading the estimators: {seconds:.1f} s; device {given.device}, one core")
    print("family                 priced/s  priced+assessed/s  built+ptflops/s  1,000 trials")
    for name in given.family or ["mobilenetv2", "resnet", "efficientnet", "once-for-all"]:
        space = family(name)
        alone, both = arithmetic(space, assess, given.count)
        slow = built(space, given.built)
        trials = thousand_trials(space, assess)
        print(f"{name:22s} {alone:8.0f} {both:18.0f} {slow:16.1f} {trials:11.1f} s", flush=True)


if __name__ == "__main__":
    main()
