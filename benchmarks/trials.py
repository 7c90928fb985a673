"""What the docs claim of trials, recomputed from trial.json files and from processes killed.

    python -m benchmarks.trials probe  TRIAL.json…      does the probe's first three hold the best?
    python -m benchmarks.trials unseen TRIAL.json…      coverage of models left out, one at a time
    python -m benchmarks.trials similarity TRIAL.json…  the same, with the likeness of features
    python -m benchmarks.trials kills  100              resumed runs against an undisturbed one

A repetition of ``probe`` is one seed of one file. ``unseen`` takes the best stage of each model.
``similarity`` needs the trial's images and weights on this machine.
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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import comb
from pathlib import Path

import numpy as np

from advisor.answering.evidence import Evidence
from advisor.catalog.family_names import family_of
from advisor.core.candidate import Candidate
from advisor.trials.record import Stage, TrialRecord, read_trial
from advisor.trials.unseen_models import (
    ExpectedAccuracy,
    Tried,
    UnseenModels,
    kin_by_likeness,
    kin_by_name,
)
from benchmarks.shares import share_with_error, standard_error

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
    hits, chances, worths = [], [], []
    for record in records:
        for scores in _by_seed(record).values():
            names = sorted(set(scores[Stage.PROBE]) & set(scores[Stage.FINETUNE]))
            if len(names) <= FIRST:
                continue
            tuned = scores[Stage.FINETUNE]
            first = sorted(names, key=lambda name: -scores[Stage.PROBE][name])[:FIRST]
            best = max(tuned[name] for name in names)
            hits.append(any(tuned[name] == best for name in first))
            bests = sum(tuned[name] == best for name in names)
            chances.append(1 - comb(len(names) - bests, FIRST) / comb(len(names), FIRST))
            worths.append(best - max(tuned[name] for name in first))
    if not hits:
        sys.exit("no seed with a probe and a fine-tuning of more than three networks")
    chance = sum(chances) / len(chances)
    print(f"{len(hits)} repetitions: the probe's first {FIRST} hold a fine-tuned best in "
          f"{share_with_error([float(hit) for hit in hits])}; by chance {chance:.0%}")  # fmt: skip
    print(f"probability of so many by chance: {_tail(sum(hits), len(hits), chance):.2g}")
    print(f"the best of the first {FIRST} gets {np.mean(worths):.2%} of the images less right than "
          f"the best of all (standard error {standard_error(worths):.2%})")  # fmt: skip


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


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A model that was predicted from all others of its trial; fractions."""

    network: str
    accuracy: float
    expected: ExpectedAccuracy

    @property
    def inside(self) -> bool:
        """Whether the interval holds the accuracy."""
        return self.expected.low <= self.accuracy <= self.expected.high

    @property
    def score(self) -> float:
        """Interval score, low is good (Gneiting, Raftery 2007, DOI 10.1198/016214506000001437)."""
        low, high, miss = self.expected.low, self.expected.high, 2 / (1 - LEVEL)
        below, above = max(low - self.accuracy, 0.0), max(self.accuracy - high, 0.0)
        return high - low + miss * (below + above)


def unseen(records: Sequence[TrialRecord]) -> None:
    """Leave each model out and see whether its interval holds; data sets count alike."""
    _print_coverage("by family", records, [kin_by_name] * len(records))


def similarity(records: Sequence[TrialRecord]) -> None:
    """The same, with the likeness of frozen features in place of the families."""
    unseen(records)
    _print_coverage("by features", records, [kin_by_features(record) for record in records])


def _print_coverage(
    told: str, records: Sequence[TrialRecord], kins: Sequence[Callable[[str, str, Tried], float]]
) -> None:
    evidence = Evidence()
    by_set: dict[str, dict[str, list[LeftOut]]] = defaultdict(lambda: defaultdict(list))
    for record, kin in zip(records, kins, strict=True):
        for one in _left_out(record, evidence, kin):
            by_set[record.data.name][one.network].append(one)
    shares, errors = [], []
    for name, networks in by_set.items():
        units = [float(np.mean([one.inside for one in ones])) for ones in networks.values()]
        every = [one for ones in networks.values() for one in ones]
        off = [abs(one.accuracy - one.expected.value) for one in every]
        wide = [one.expected.high - one.expected.low for one in every]
        print(f"{told}, {name}: {sum(one.inside for one in every)} of {len(every)} within "
              f"{LEVEL:.0%}, {len(networks)} networks: {share_with_error(units)}; off by "
              f"{np.median(off):.1%} in the median, {np.median(wide):.0%} wide, interval score "
              f"{np.mean([one.score for one in every]):.3f}")  # fmt: skip
        shares.append(float(np.mean(units)))
        errors.append(standard_error(units))
    error = math.sqrt(sum(one**2 for one in errors)) / len(errors)
    print(f"{told}, data sets alike: {np.mean(shares):.0%} (standard error {error:.0%})")


def _left_out(
    record: TrialRecord, evidence: Evidence, kin: Callable[[str, str, Tried], float]
) -> Iterator[LeftOut]:
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
    if not any(one.imagenet is not None for one in tried):
        sys.exit(f"{record.data.name}: no model has an ImageNet top-1 in the catalog")
    for place, one in enumerate(tried):
        if one.imagenet is None:
            continue
        others = UnseenModels(tried=[*tried[:place], *tried[place + 1 :]], kin=kin)
        found = others.predict(one.network, one.family, one.imagenet, level=LEVEL)
        yield LeftOut(network=one.network, accuracy=one.accuracy, expected=found)


def kin_by_features(record: TrialRecord) -> Callable[[str, str, Tried], float]:
    """Correlate residuals as frozen features of the training images are alike."""
    from advisor.hardware.library import advisor_home
    from advisor.trials.bench import prepare
    from advisor.trials.likeness import likeness

    return kin_by_likeness(
        likeness(prepare(record.request, folder=None, home=advisor_home() / "trials"))
    )


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
    for name in ("probe", "unseen", "similarity"):
        commands.add_parser(name).add_argument("trials", nargs="+", type=Path)
    commands.add_parser("kills").add_argument("count", type=int)
    asked = parser.parse_args()
    if asked.what == "kills":
        kills(asked.count)
    else:
        records = [read_trial(path) for path in asked.trials]
        {"probe": probe, "unseen": unseen, "similarity": similarity}[asked.what](records)


if __name__ == "__main__":
    main()
