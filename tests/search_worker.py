"""A worker process of a shared search: STORAGE TRIALS SECONDS, the last how long a trial takes.

With a fourth argument it stops for good in its second trial, after writing that file.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from advisor.core.candidate import Candidate
from advisor.core.constraint import Constraint
from advisor.core.quantity import Metric
from advisor.core.workload_table import WorkloadTable
from advisor.studies.outcome import Answers, SearchPlan
from advisor.studies.searching import run_worker
from tests.search_stand_in import assess


def main() -> None:
    storage, trials, seconds, *stuck = sys.argv[1:]
    calls = 0

    def slow(candidates: Sequence[Candidate], table: WorkloadTable) -> list[Answers]:
        nonlocal calls
        calls += 1
        if stuck and calls == 2:
            Path(stuck[0]).write_text(candidates[0].name)
            time.sleep(600)
        time.sleep(float(seconds))
        return assess(candidates, table)

    request = SearchPlan(
        families=("mobilenetv2",),
        constraints=(Constraint(metric=Metric.LATENCY, at_most=0.005),),
        trials=int(trials),
        storage=storage,
        grace=3,
    )
    print(len(run_worker(request, slow).front))


if __name__ == "__main__":
    main()
