"""On how many devices a searched variant beats what is trained.

    python benchmarks/variants_on_devices.py [--devices 24] [--trials 300]

Devices are drawn by a fixed seed from those with a measured lane. On the default lane of each the
limit is the latency that a quarter of the catalog's trained networks keep; of both kinds the most
accurate one that keeps it with 90 % probability counts. A variant's accuracy is the one to be
expected with its family's reference recipe: nobody trained it.
"""

import argparse
import random

import numpy as np

from advisor.answering.evidence import Evidence
from advisor.answering.recommend import recommend
from advisor.answering.search import recommend_with_variants
from advisor.core.constraint import Constraint
from advisor.core.document import Entry
from advisor.core.quantity import Metric
from advisor.core.request import Request
from advisor.errors import AdvisorError

SHARE = 0.25


def limit_on(device: str, evidence: Evidence) -> Constraint:
    """Return the latency that a quarter of the trained networks keep on a device."""
    found = recommend(Request(device=device), evidence)
    entries = [*found.ranked, *found.uncertain]
    seconds = [e.metrics[Metric.LATENCY].value for e in entries if Metric.LATENCY in e.metrics]
    return Constraint(metric=Metric.LATENCY, at_most=float(np.quantile(seconds, SHARE)))


def best_of(entries: list[Entry]) -> Entry | None:
    """Return the most accurate entry."""
    return max(entries, key=lambda e: e.metrics[Metric.TOP1].value, default=None)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="variants against trained networks")
    parser.add_argument("--devices", type=int, default=24)
    parser.add_argument("--trials", type=int, default=300)
    asked = parser.parse_args()
    evidence = Evidence()
    known = sorted(path.stem for path in (evidence.root / "measurements").glob("*.csv"))
    drawn = random.Random(0).sample(known, min(asked.devices, len(known)))
    gains, sure = [], 0
    for device in sorted(drawn):
        try:
            limit = limit_on(device, evidence)
            request = Request(device=device, limits=(limit,), search=asked.trials)
            found = recommend_with_variants(request, evidence)
        except (AdvisorError, ValueError) as error:
            print(f"{device}: left out: {error}")
            continue
        variant = best_of([e for e in found.ranked if e.needs_training])
        trained = best_of([e for e in found.ranked if not e.needs_training])
        if variant is None or trained is None:
            print(f"{device}: no {'variant' if variant is None else 'trained network'} in time")
            continue
        assert limit.at_most is not None
        own, others = variant.metrics[Metric.TOP1], trained.metrics[Metric.TOP1]
        gains.append(own.value - others.value)
        sure += own.low > others.value
        print(f"{device} within {1e3 * limit.at_most:.3g} ms: {variant.candidate} {own.value:.1%}, "
              f"{trained.candidate} {others.value:.1%}", flush=True)  # fmt: skip
    better = sum(gain > 0 for gain in gains)
    print(f"a variant is expected to be better on {better} of {len(gains)} devices, by more than")
    print(f"its interval on {sure}; median difference {100 * np.median(gains):+.1f} points")


if __name__ == "__main__":
    main()
