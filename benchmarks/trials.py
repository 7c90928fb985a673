"""What the docs claim of trials, recomputed from trial.json files and from processes killed.

    python benchmarks/trials.py probe  TRIAL.json…   how often the probe's first three hold the best
    python benchmarks/trials.py unseen TRIAL.json…   coverage of models left out, one at a time
    python benchmarks/trials.py kills  100           resumed runs against an undisturbed one

A repetition of ``probe`` is one seed of one file: run ``advisor trial … --seeds 20`` with at least
eight networks. ``unseen`` takes the best stage of each model.
"""

import argparse
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import comb
from pathlib import Path

from advisor.answering.evidence import Evidence
from advisor.catalog.naming import family_of
from advisor.core.candidate import Candidate
from advisor.trials.record import Stage, TrialRecord, read_trial
from advisor.trials.unseen_models import Tried, UnseenModels

FIRST = 3
LEVEL = 0.9
TIMED = ("seconds", "train_images_per_second", "images_per_second")
"""Fields of a run that differ between two runs of the same thing."""
TRIAL = (
    *("trial", "digits", "--models", "test_resnet,test_efficientnet", "--resolution", "32"),
    *("--stages", "probe,finetune", "--steps", "40", "--train-images", "300", "--no-mirror"),
    *("--threads", "1", "--format", "json"),
)


def probe(records: Sequence[TrialRecord]) -> None:
    """Compare the probe's order with the fine-tuned best, by seed."""
    hits, chances = [], []
    for record in records:
        for scores in _by_seed(record).values():
            names = sorted(set(scores[Stage.PROBE]) & set(scores[Stage.FINETUNE]))
            if len(names) <= FIRST:
                continue
            best = max(names, key=lambda name: scores[Stage.FINETUNE][name])
            first = sorted(names, key=lambda name: -scores[Stage.PROBE][name])[:FIRST]
            hits.append(best in first)
            chances.append(FIRST / len(names))
    if not hits:
        sys.exit("no seed with a probe and a fine-tuning of more than three networks")
    share = sum(hits) / len(hits)
    error = math.sqrt(share * (1 - share) / len(hits))
    chance = sum(chances) / len(chances)
    print(f"{len(hits)} repetitions: the probe's first {FIRST} hold the fine-tuned best in "
          f"{share:.0%} (standard error {error:.0%}); by chance {chance:.0%}")  # fmt: skip
    print(f"probability of so many by chance: {_tail(sum(hits), len(hits), chance):.2g}")


def _by_seed(record: TrialRecord) -> dict[int, dict[Stage, dict[str, float]]]:
    found: dict[int, dict[Stage, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for run in record.runs:
        if run.accuracy is not None:
            found[run.seed][run.stage][run.model] = run.accuracy.value
    return found


def _tail(hits: int, count: int, chance: float) -> float:
    return sum(
        comb(count, k) * chance**k * (1 - chance) ** (count - k) for k in range(hits, count + 1)
    )


def unseen(records: Sequence[TrialRecord]) -> None:
    """Leave each model out and see whether its interval holds; data sets count alike."""
    evidence = Evidence()
    shares = []
    for record in records:
        inside = list(_left_out(record, evidence))
        if not inside:
            sys.exit(f"{record.data.name}: no model has an ImageNet top-1 in the catalog")
        shares.append(sum(inside) / len(inside))
        print(f"{record.data.name}: {sum(inside)} of {len(inside)} models within {LEVEL:.0%}")
    mean = sum(shares) / len(shares)
    print(f"data sets alike: {mean:.0%}")


def _left_out(record: TrialRecord, evidence: Evidence) -> Iterator[bool]:
    tried = []
    for standing in record.standings:
        name = Candidate.parse(standing.model).architecture
        weights = evidence.weights_of(name)
        tried.append(
            Tried(
                network=name,
                family=family_of(name),
                imagenet=weights[0].top1 if weights else None,
                accuracy=standing.accuracy.value,
                images=standing.accuracy.images,
            )
        )
    for place, one in enumerate(tried):
        if one.imagenet is None:
            continue
        others = UnseenModels(tried=[*tried[:place], *tried[place + 1 :]])
        found = others.predict(one.network, one.family, one.imagenet, level=LEVEL)
        yield found.low <= one.accuracy <= found.high


def kills(count: int, seed: int = 0) -> None:
    """Kill a trial at random moments until ``count`` kills are done; compare what comes out."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        began = time.monotonic()
        whole = _runs(_start(Path(place) / "whole").communicate()[0])
        length = time.monotonic() - began
        done = trials = same = 0
        while done < count:
            home = Path(place) / f"killed{trials}"
            while True:
                process = _start(home)
                try:
                    text = process.communicate(timeout=draw.uniform(0.1, 0.9) * length)[0]
                    break
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    process.communicate()
                    done += 1
            trials += 1
            same += _runs(text) == whole
            print(f"{done} kills, {trials} trials, {same} with the undisturbed result", flush=True)
    sys.exit(0 if same == trials else 1)


def _start(home: Path) -> "subprocess.Popen[str]":
    environment = {**os.environ, "ADVISOR_HOME": str(home), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "advisor", "-q", *TRIAL]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def _runs(text: str) -> list[dict[str, object]]:
    runs = json.loads(text)["runs"]
    return [{name: v for name, v in run.items() if name not in TIMED} for run in runs]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    commands = parser.add_subparsers(dest="what", required=True)
    for name in ("probe", "unseen"):
        commands.add_parser(name).add_argument("trials", nargs="+", type=Path)
    commands.add_parser("kills").add_argument("count", type=int)
    asked = parser.parse_args()
    if asked.what == "kills":
        kills(asked.count)
    else:
        records = [read_trial(path) for path in asked.trials]
        (probe if asked.what == "probe" else unseen)(records)


if __name__ == "__main__":
    main()
