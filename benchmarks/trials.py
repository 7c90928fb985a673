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
    *("trial", "digits", "--models", "test_resnet", "--resolution", "32", "--no-mirror"),
    *("--stages", "probe,finetune", "--steps", "20", "--train-images", "100"),
    *("--test-images", "50", "--batch", "8"),
    *("--learning-rate", "0.003", "--threads", "1", "--format", "json"),
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
    """Kill a trial at random moments until ``count`` kills are done; compare what comes out.

    Each trial is a process of its own, forked from this one after the slow imports, so that the
    kills fall into the work; moments are drawn in processor time, which others do not stretch.
    """
    draw = random.Random(seed)
    _import_all()
    with tempfile.TemporaryDirectory() as place:
        whole = _Forked(Path(place) / "whole").result()
        again = _Forked(Path(place) / "again")
        if again.result() != whole:
            sys.exit("two undisturbed trials differ")
        length = again.worked
        print(f"undisturbed: {length:.1f} s of processor time", flush=True)
        done = trials = same = 0
        while done < count:
            home, before = Path(tempfile.mkdtemp(dir=place)), done
            while True:
                process = _Forked(home)
                if process.ends_after(draw.uniform(0.05, 0.9) * length):
                    break
                process.kill()
                done += 1
                if done >= count:
                    process = _Forked(home)
                    break
            result = process.result()
            if done == before:
                continue
            trials += 1
            same += result == whole
            print(f"{done} kills, {trials} trials, {same} with the undisturbed result", flush=True)
    sys.exit(0 if same == trials else 1)


def _import_all() -> None:
    """Import what a trial needs, without computing anything: threads do not survive a fork."""
    os.environ["OMP_NUM_THREADS"] = "1"
    import optuna  # noqa: F401
    import sklearn.linear_model  # noqa: F401
    import timm  # noqa: F401
    import torchmetrics  # noqa: F401

    import advisor.answering.trial
    import advisor.cli.trial  # noqa: F401


class _Forked:
    """A trial in a process of its own."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._out = home / "out.json"
        self._ended: int | None = None
        self.worked = 0.0
        self._pid = os.fork()
        if self._pid == 0:
            os.environ["ADVISOR_HOME"] = str(home)
            with self._out.open("w") as out, Path(os.devnull).open("w") as error:
                os.dup2(out.fileno(), 1)
                os.dup2(error.fileno(), 2)
                from advisor.cli.main import run

                code = run([*TRIAL])
                sys.stdout.flush()
            os._exit(code or 0)

    def ends_after(self, seconds: float) -> bool:
        """Tell whether it ends by itself within so many seconds of processor time."""
        ticks = seconds * os.sysconf("SC_CLK_TCK")
        while not self._reaped(os.WNOHANG):
            fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
            if int(fields[11]) + int(fields[12]) > ticks:  # of the user, of the system
                return False
            time.sleep(0.01)
        return True

    def _reaped(self, options: int) -> bool:
        if self._ended is None:
            pid, status, used = os.wait4(self._pid, options)
            self._ended = status if pid else None
            self.worked = used.ru_utime + used.ru_stime
        return self._ended is not None

    def kill(self) -> None:
        """End it as the kernel would, without a chance to write anything down."""
        os.kill(self._pid, signal.SIGKILL)
        self._reaped(0)

    def result(self) -> list[dict[str, object]]:
        """Wait for its end and return its runs."""
        self._reaped(0)
        return _runs(self._out.read_text(encoding="utf-8"))


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
