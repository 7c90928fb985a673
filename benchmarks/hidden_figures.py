"""How good the three answers are: figures around the limit are hidden, then the answers judged.

    python benchmarks/hidden_figures.py [--lanes N] [--confidence 0.9] [--tight 0.3,0.5,0.7]

In every lane with at least 20 published networks whose accuracy is known, the limit is a quantile
of their latencies, and the ten networks nearest to it are hidden: from the published figures and
from the estimator, which is fitted again without them (its variances and the calibration of its
intervals stay as shipped). The networks published in the lane compete for top-1. Each answer is
then judged by the figures that were hidden. Every lane counts alike; ± is the standard error over
lanes.
"""

import argparse
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from advisor.answering.evidence import Evidence
from advisor.answering.recommend import judged_networks, recommendation
from advisor.answering.write import lane_record
from advisor.catalog.published import PublishedFigures
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

CELLS = 10000
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
    safe_keeps: bool | None
    """None where there is no safe answer."""
    safe_hidden: bool
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
    kept = rest.take(rest.thinned(CELLS))
    means = means_of(kept)
    odd = oddness(kept, means, shipped.variances)
    kept = replace(kept, lanes=kept.lanes.with_odd(odd))
    known = solve(kept, means, shipped.variances).whole()
    fitted = replace(known, calibration=shipped.calibration)
    blind = Evidence(root=evidence.root, profiles=evidence.profiles)
    blind.__dict__["latency"] = LatencyModel(
        fitted=fitted, profiles=evidence.profiles, long=evidence.latency.long
    )
    return blind


def asked(case: Case, evidence: Evidence, confidence: float) -> Recommendation:
    """Ask for the most accurate of the lane's networks under the limit."""
    if case.profile.id not in evidence._published:
        evidence._published[case.profile.id] = PublishedFigures(
            root=evidence.root, device=case.profile.id
        )
    figures = evidence._published[case.profile.id]
    evidence._published[case.profile.id] = replace(figures, without=figures.without | case.hidden)
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


def judged(case: Case, document: Recommendation) -> Outcome:
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

    return Outcome(
        device=case.profile.id,
        safe_keeps=keeps(safe),
        safe_hidden=safe is not None and (case.lane, *names[safe.candidate]) in case.hidden,
        likely_keeps=keeps(likely),
        likely_gain=gain(likely),
        promised=likely.gain if likely and safe else None,
        measured_improves=None if gain(measure) is None else (gain(measure) or 0.0) > 0,
        measured_gain=gain(measure),
        best_possible=max(kept) - base if kept and base is not None else None,
    )


def mean(values: list[float | bool | None]) -> str:
    """Write the mean of what is known with its standard error and count."""
    known = np.array([float(value) for value in values if value is not None])
    if not len(known):
        return "none"
    error = known.std(ddof=1) / math.sqrt(len(known)) if len(known) > 1 else math.nan
    return f"{100 * known.mean():.1f} ± {100 * error:.1f} ({len(known)} lanes)"


def main() -> None:
    """Print a table of how the answers fare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lanes", type=int, default=0, help="first lanes only; 0 for all")
    parser.add_argument("--confidence", type=float, default=0.9)
    parser.add_argument("--tight", default="0.5", help="quantiles at which limits are set")
    stated = parser.parse_args()
    evidence = Evidence()
    data = read_data(evidence.root, evidence.profiles)
    for quantile in map(float, stated.tight.split(",")):
        chosen = list(cases(evidence, data, quantile))[: stated.lanes or None]
        hidden = frozenset().union(*(case.hidden for case in chosen))
        blind = without(evidence, data, hidden)
        found = [judged(*pair) for pair in answered(chosen, blind, stated.confidence)]
        devices = len({one.device for one in found})
        print(f"limit at the {quantile:g} quantile: {len(found)} lanes of {devices} devices, "
              f"{len(hidden)} figures hidden")  # fmt: skip
        print("  a safe answer exists, %:       ", mean([o.safe_keeps is not None for o in found]))
        print("  the safe answer keeps it, %:   ", mean([o.safe_keeps for o in found]))
        held = [o.safe_keeps for o in found if o.safe_hidden]
        print("  … where its figure was hidden: ", mean(held))
        print("  the likely answer keeps it, %: ", mean([o.likely_keeps for o in found]))
        print("  it gains on the safe, points:  ", mean([o.likely_gain for o in found]))
        print("  … and promised:                ", mean([o.promised for o in found]))
        print("  one measurement improves, %:   ", mean([o.measured_improves for o in found]))
        print("  … and gains, points:           ", mean([o.measured_gain for o in found]))
        print("  all that could be gained:      ", mean([o.best_possible for o in found]))


if __name__ == "__main__":
    main()
