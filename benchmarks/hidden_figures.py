"""How good the three answers are: figures around the limit are hidden, then the answers judged.

    python benchmarks/hidden_figures.py [--lanes N] [--confidence 0.9] [--tight 0.5] [-o CSV]
    python benchmarks/hidden_figures.py --read A.csv,B.csv

In every lane with at least 20 published networks whose accuracy is known, the limit is a quantile
of their latencies, and the ten networks nearest to it are hidden: from the published figures and
from the estimator, which is fitted again without them (its variances and the calibration of its
intervals stay as shipped). The networks published in the lane compete for top-1. Each answer is
then judged by the figures that were hidden. Every lane counts alike; ± is the standard error, with
the lanes of one device counted as one draw. ``-o`` keeps the outcome of every lane, and ``--read``
sums up such files.
"""

import argparse
import csv
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from advisor.answering.evidence import Evidence
from advisor.answering.recommend import judged_networks, recommendation
from advisor.answering.write import lane_record
from advisor.core.constraint import Constraint
from advisor.core.document import Pick, Recommendation
from advisor.core.lane import Lane
from advisor.core.quantity import Metric
from advisor.core.request import Request
from advisor.errors import EvidenceError
from advisor.estimators.fit.fitting import Data, means_of, read_data
from advisor.estimators.fit.solving import solve
from advisor.estimators.fit.tuning import oddness
from advisor.estimators.latency import LatencyModel
from advisor.hardware.profile import DeviceProfile

CELLS = 8000
"""Cells that the blind estimator knows, as many of every lane."""
HIDDEN = 10
LEAST = 20
Key = tuple[Lane, str, int]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One lane with its limit and what is hidden of it."""

    profile: DeviceProfile
    lane: Lane
    limit: float
    truth: dict[tuple[str, int], float]
    """Published seconds of every network of the lane."""
    hidden: frozenset[Key]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the hidden figures say of the answers in one lane."""

    device: str
    lane: str
    quantile: float
    networks: int
    """Published in the lane."""
    safe_keeps: bool | None
    """None where there is no safe answer."""
    safe_hidden: bool
    safe_probability: float | None
    """Probability of keeping the limit that the answer stated."""
    likely_keeps: bool | None
    likely_gain: float | None
    """Points of top-1 that it gains on the safe one, falling back to it where it fails."""
    promised: float | None
    measured_improves: bool | None
    measured_gain: float | None
    best_possible: float | None
    """Points of top-1 between the safe answer and the best network that keeps the limit."""


def cases(evidence: Evidence, data: Data, quantile: float) -> Iterator[Case]:
    """Find the lanes, their limits and the ten networks around each."""
    accurate = {(w.network, w.resolution) for w in evidence.weights}
    cells: dict[Lane, dict[tuple[str, int], float]] = defaultdict(dict)
    for lane, row in zip(data.lane.tolist(), range(len(data)), strict=True):
        at = int(data.network[row])
        key = (data.table.networks[at], int(data.table.resolutions[at]))
        if key in accurate:
            cells[data.lanes.facts[lane].lane][key] = float(np.exp(data.log_seconds[row]))
    for lane, truth in sorted(cells.items(), key=lambda item: (item[0].device, item[0].name)):
        if len(truth) < LEAST or evidence.latency.fitted.is_long(lane) or lane.is_bulk:
            continue
        limit = float(np.quantile(list(truth.values()), quantile))
        near = sorted(truth, key=lambda key: abs(math.log(truth[key] / limit)))[:HIDDEN]
        yield Case(
            profile=evidence.profiles.load(lane.device),
            lane=lane,
            limit=limit,
            truth=truth,
            hidden=frozenset((lane, *key) for key in near),
        )


def without(evidence: Evidence, data: Data, hidden: frozenset[Key]) -> Evidence:
    """Return the evidence without some cells, with an estimator that never saw them."""
    shipped = evidence.latency.fitted
    keys = [
        (data.lanes.facts[lane].lane, data.table.networks[at], int(data.table.resolutions[at]))
        for lane, at in zip(data.lane.tolist(), data.network.tolist(), strict=True)
    ]
    rest = data.take(np.array([i for i, key in enumerate(keys) if key not in hidden]))
    kept = rest.take(rest.for_all_lanes(CELLS))
    means = means_of(kept)
    odd = oddness(kept, means, shipped.variances)
    kept = replace(kept, lanes=kept.lanes.with_odd(odd))
    known = solve(kept, means, shipped.variances).whole()
    fitted = replace(known, calibration=shipped.calibration)
    blind = Evidence(root=evidence.root, profiles=evidence.profiles, hidden=hidden)
    blind.__dict__["latency"] = LatencyModel(
        fitted=fitted, profiles=evidence.profiles, long=evidence.latency.long
    )
    return blind


def asked(case: Case, evidence: Evidence, confidence: float) -> Recommendation:
    """Ask for the most accurate of the lane's networks under the limit."""
    request = Request(
        device=case.profile.id,
        limits=(Constraint(metric=Metric.LATENCY, at_most=case.limit),),
        models=tuple(sorted({network for network, _ in case.truth})),
        confidence=confidence,
    )
    judged = [
        one
        for one in judged_networks(request, case.profile, [case.lane], evidence)
        if (one.subject.candidate.network, one.subject.resolution) in case.truth
    ]
    records = (lane_record(case.profile, case.lane, request, evidence),)
    return recommendation(request, records, judged, evidence)


def answered(
    chosen: list[Case], evidence: Evidence, confidence: float
) -> Iterator[tuple[Case, Recommendation]]:
    """Ask in every lane; those of pipelines, which publish no latency, are left out."""
    for case in chosen:
        try:
            yield case, asked(case, evidence, confidence)
        except EvidenceError:
            continue


def judged(case: Case, document: Recommendation, quantile: float) -> Outcome:
    """Hold the answers against the hidden figures."""
    answers = document.answers
    entries = {e.candidate: e for e in (*document.ranked, *document.uncertain)}
    names = {
        e.candidate: (e.architecture if not e.axes else e.candidate, e.resolution)
        for e in entries.values()
    }
    top1 = {name: e.metrics[Metric.TOP1].value for name, e in entries.items()}

    def keeps(pick: Pick | None) -> bool | None:
        return None if pick is None else case.truth[names[pick.candidate]] <= case.limit

    safe, likely, measure = answers.safe, answers.likely, answers.worth_measuring
    base = top1[safe.candidate] if safe else None
    kept = [top1[n] for n, key in names.items() if case.truth[key] <= case.limit]

    def gain(pick: Pick | None) -> float | None:
        if pick is None or base is None:
            return None
        return max(top1[pick.candidate] - base, 0.0) if keeps(pick) else 0.0

    measured = gain(measure)
    return Outcome(
        device=case.profile.id,
        lane=case.lane.name,
        quantile=quantile,
        networks=len(case.truth),
        safe_keeps=keeps(safe),
        safe_hidden=safe is not None and (case.lane, *names[safe.candidate]) in case.hidden,
        safe_probability=safe.probability if safe else None,
        likely_keeps=keeps(likely),
        likely_gain=gain(likely),
        promised=likely.gain if likely and safe else None,
        measured_improves=None if measured is None else measured > 0,
        measured_gain=measured,
        best_possible=max(kept) - base if kept and base is not None else None,
    )


def mean(found: Sequence[Outcome], value: Callable[[Outcome], float | bool | None]) -> str:
    """Write the mean of what is known with its standard error over devices, and the count."""
    known = [(one.device, float(x)) for one in found if (x := value(one)) is not None]
    if not known:
        return "none"
    average = sum(x for _, x in known) / len(known)
    apart: dict[str, float] = defaultdict(float)
    for device, x in known:
        apart[device] += x - average
    count = len(apart)
    spread = math.sqrt(sum(x * x for x in apart.values())) / len(known)
    error = spread * math.sqrt(count / (count - 1)) if count > 1 else math.nan
    return f"{100 * average:.1f} ± {100 * error:.1f} ({len(known)} lanes of {count} devices)"


def summary(found: Sequence[Outcome]) -> Iterator[str]:
    """Write how the answers fare, a line for each question."""
    yield f"  a safe answer exists, %:        {mean(found, lambda o: o.safe_keeps is not None)}"
    yield f"  the safe answer keeps it, %:    {mean(found, lambda o: o.safe_keeps)}"
    yield f"  … and said so with, %:          {mean(found, lambda o: o.safe_probability)}"
    held = [o for o in found if o.safe_hidden]
    yield f"  … where its figure was hidden:  {mean(held, lambda o: o.safe_keeps)}"
    yield f"    and said so with, %:          {mean(held, lambda o: o.safe_probability)}"
    yield f"  the likely answer keeps it, %:  {mean(found, lambda o: o.likely_keeps)}"
    yield f"  it gains on the safe, points:   {mean(found, lambda o: o.likely_gain)}"
    yield f"  … and promised:                 {mean(found, lambda o: o.promised)}"
    yield f"  one measurement improves, %:    {mean(found, lambda o: o.measured_improves)}"
    yield f"  … and gains, points:            {mean(found, lambda o: o.measured_gain)}"
    yield f"  all that could be gained:       {mean(found, lambda o: o.best_possible)}"


def read(paths: Sequence[Path]) -> list[Outcome]:
    """Read outcomes that were kept."""
    found = []
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            found += [Outcome(**{k: _value(k, v) for k, v in row.items()})
                      for row in csv.DictReader(file)]  # fmt: skip
    return found


def _value(name: str, text: str) -> Any:
    if name in ("device", "lane"):
        return text
    known = {"": None, "True": 1.0, "False": 0.0}
    return known[text] if text in known else float(text)


def write(path: Path, found: Sequence[Outcome]) -> None:
    """Keep outcomes, a line for each lane."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [one.name for one in fields(Outcome)])
        writer.writeheader()
        writer.writerows(asdict(one) for one in found)


def run(
    evidence: Evidence, data: Data, quantile: float, lanes: int, confidence: float
) -> list[Outcome]:
    """Hide the figures around a limit in all lanes at once, fit without them, and ask."""
    chosen = list(cases(evidence, data, quantile))[: lanes or None]
    hidden = frozenset().union(*(case.hidden for case in chosen))
    blind = without(evidence, data, hidden)
    for part in ("table", "weights", "memory", "precision_changes", "operator_support"):
        blind.__dict__[part] = getattr(evidence, part)
    return [judged(*pair, quantile) for pair in answered(chosen, blind, confidence)]


def main() -> None:
    """Print a table of how the answers fare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lanes", type=int, default=0, help="first lanes only; 0 for all")
    parser.add_argument("--confidence", type=float, default=0.9)
    parser.add_argument("--tight", default="0.5", help="quantiles at which limits are set")
    parser.add_argument("--read", default="", help="files of outcomes to sum up, none to run")
    parser.add_argument("-o", "--output", type=Path, help="file for the outcome of every lane")
    stated = parser.parse_args()
    if stated.read:
        found = read([Path(name) for name in stated.read.split(",")])
    else:
        evidence = Evidence()
        data = read_data(evidence.root, evidence.profiles)
        found = []
        for quantile in map(float, stated.tight.split(",")):
            found += run(evidence, data, quantile, stated.lanes, stated.confidence)
    if stated.output:
        write(stated.output, found)
    for quantile in sorted({one.quantile for one in found}):
        print(f"limit at the {quantile:g} quantile of the lane's latencies")
        print("\n".join(summary([one for one in found if one.quantile == quantile])))


if __name__ == "__main__":
    main()
