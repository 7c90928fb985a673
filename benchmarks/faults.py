"""Draw inputs, kills and outages of every kind for minutes; count what may not happen.

    python -m benchmarks.faults --minutes 30

Prints the seed, so that a run can be repeated, and for each kind of input how many were tried and
what was found. Ctrl-C, or `kill` where it runs in the background, ends it with the counts so far.
The exit code is 1 where anything was found.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from multiprocessing.util import get_temp_dir
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.probes import PROBES
from tests.fuzz.processes import Command


def run_round(name: str, number: int, folder: Path) -> tuple[int, list[str]]:
    """Try some inputs of a kind; return their number and what was found."""
    found: list[str] = []
    tried = 0

    @seed(number)
    @settings(
        max_examples=PROBES[name].at_once,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        nonlocal tried
        drawn = data.draw(PROBES[name].drawn)
        tried += 1
        faults = PROBES[name].faults(drawn, folder)
        found.extend(f"{fault} | {drawn!r:.400}" for fault in faults)

    run()
    return tried, found


def _worked() -> float:
    """Seconds of processor time, of the commands that were killed too."""
    return time.process_time() + Command.worked


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0, help="of processor time")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--kinds", default=",".join(PROBES), help="separated by commas")
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}", flush=True)
    tried: Counter[str] = Counter()
    found: dict[str, list[str]] = {name: [] for name in wanted.kinds.split(",")}
    number = wanted.seed
    for ending in (signal.SIGINT, signal.SIGTERM):  # a shell's background ignores Ctrl-C
        signal.signal(ending, signal.default_int_handler)
    get_temp_dir()  # that of the fork server, which is removed after the folder below
    with tempfile.TemporaryDirectory() as place:
        os.environ["ADVISOR_HOME"] = f"{place}/home"
        os.environ["TMPDIR"] = tempfile.tempdir = place  # nothing waits for others' measurements
        with suppress(KeyboardInterrupt):  # what was tried by then is told
            while _worked() < 60 * wanted.minutes:
                for name in found:
                    count, faults = run_round(name, number, Path(place))
                    tried[name] += count
                    for fault in faults:
                        print(f"{name}, seed {number}: {fault}", flush=True)
                    found[name] += faults
                number += 1
    for name, faults in found.items():
        print(f"{name:>15}: {tried[name]:6} inputs, {len(faults):3} findings")
    print(f"{sum(tried.values())} inputs, {sum(map(len, found.values()))} findings, "
          f"{_worked() / 60:.1f} minutes of processor time")  # fmt: skip
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main())
