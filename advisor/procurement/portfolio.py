"""Portfolio: several workloads that have to share one device; times and memory add up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from advisor.core.constraint import Verdict
from advisor.core.document import DeviceFacts, Entry, Recommendation
from advisor.core.quantity import Metric, human
from advisor.procurement.amounts import exact, of_figure, scaled, total, unknown
from advisor.procurement.assumptions import Assumptions, Duty
from advisor.procurement.review import Amount, Portfolio, Share

COMBINATIONS = 2000
"""Most combinations of models that are tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """One model per workload, and what they ask of the device together."""

    entries: tuple[Entry, ...]
    shares: tuple[Share, ...]
    time: Amount
    memory: Amount


def portfolio(
    answers: Mapping[str, Recommendation], stated: Assumptions, facts: DeviceFacts
) -> Portfolio:
    """Choose a model per workload so that all fit one device, the most accurate ones that do.

    ``answers`` holds a recommendation per workload name.
    """
    limit = _memory_limit(facts, stated)
    options = [_options(answers[w.name], len(stated.workloads)) for w in stated.workloads]
    lacking = [w.name for w, found in zip(stated.workloads, options, strict=True) if not found]
    if lacking:
        return _impossible(stated, limit, lacking)
    trials = (_trial(stated.workloads, entries) for entries in product(*options))
    best = min(trials, key=lambda trial: _preference(trial, stated, limit))
    verdict, reasons = _judged(best, stated, limit)
    return Portfolio(
        verdict=verdict,
        shares=best.shares,
        time=best.time,
        memory=best.memory,
        time_limit=stated.max_utilisation,
        memory_limit=limit,
        reasons=tuple(reasons),
    )


def _memory_limit(facts: DeviceFacts, stated: Assumptions) -> Amount:
    if facts.memory is None:
        return unknown("B", "the memory of the device is not published")
    left = max(facts.memory - stated.system_memory, 0.0)
    return exact(left, "B", origin="computed", source="memory less what the system keeps")


def _options(document: Recommendation, workloads: int) -> list[Entry]:
    """Models to try for one workload: the most accurate and the fastest that meet its limits."""
    most = max(2, int(COMBINATIONS ** (1 / workloads)))
    timed = [e for e in document.ranked if Metric.LATENCY in e.metrics]
    fast = sorted(timed, key=lambda e: e.metrics[Metric.LATENCY].value)
    front = [e for e in timed if e.on_front]
    half = max(most // 3, 1)
    found = {id(e): e for e in [*timed[:half], *front[:half], *fast[:half]]}
    return list(found.values())[:most]


def _trial(workloads: Sequence[Duty], entries: Sequence[Entry]) -> _Trial:
    shares = tuple(_share(w, e) for w, e in zip(workloads, entries, strict=True))
    return _Trial(
        entries=tuple(entries),
        shares=shares,
        time=_summed([s.time for s in shares], "fraction"),
        memory=_summed([s.memory for s in shares], "B"),
    )


def _share(workload: Duty, entry: Entry) -> Share:
    latency = of_figure(entry.metrics.get(Metric.LATENCY), "latency unknown", "s")
    memory = entry.metrics.get(Metric.PEAK_MEMORY)
    return Share(
        workload=workload.name,
        candidate=entry.candidate,
        precision=entry.precision,
        rate=workload.rate,
        time=scaled(latency, workload.rate, "fraction"),
        memory=of_figure(memory, "peak memory unknown", "B"),
    )


def _summed(parts: Sequence[Amount], unit: str) -> Amount:
    lacking = next((part for part in parts if part.value is None), None)
    return lacking or total(parts, unit, "sum over the workloads")


def _verdict(amount: Amount, limit: float | None) -> Verdict:
    if amount.low is None or amount.high is None or limit is None:
        return Verdict.UNKNOWN
    if amount.high <= limit:
        return Verdict.MET
    return Verdict.VIOLATED if amount.low > limit else Verdict.UNCERTAIN


def _preference(trial: _Trial, stated: Assumptions, limit: Amount) -> tuple[float, ...]:
    """Order trials: the better verdict, then the higher accuracy, then the less time."""
    verdicts = (
        _verdict(trial.time, stated.max_utilisation).rank,
        _verdict(trial.memory, limit.value).rank,
    )
    top1 = sum(e.metrics[Metric.TOP1].value for e in trial.entries if Metric.TOP1 in e.metrics)
    return float(max(verdicts)), -top1, trial.time.value or 0.0


def _judged(trial: _Trial, stated: Assumptions, limit: Amount) -> tuple[Verdict, list[str]]:
    time, memory = _verdict(trial.time, stated.max_utilisation), _verdict(trial.memory, limit.value)
    worst = max(time, memory, key=lambda verdict: verdict.rank)
    return worst, [*_time_words(trial, stated), *_memory_words(trial, limit)]


def _time_words(trial: _Trial, stated: Assumptions) -> Iterator[str]:
    used = trial.time
    if used.value is None or used.high is None:
        yield f"time: {used.reason}"
    else:
        yield (
            f"time: {100 * used.value:.0f} % of the device is busy, at most "
            f"{100 * used.high:.0f} %; allowed {100 * stated.max_utilisation:.0f} %"
        )


def _memory_words(trial: _Trial, limit: Amount) -> Iterator[str]:
    if trial.memory.value is None or limit.value is None:
        yield f"memory: {trial.memory.reason or limit.reason}"
        return
    used, room = human(trial.memory.value, _BYTE), human(limit.value, _BYTE)
    yield f"memory: {used} if all run at once; {room} are free"


_BYTE = Metric.PEAK_MEMORY.unit


def _impossible(stated: Assumptions, limit: Amount, lacking: Sequence[str]) -> Portfolio:
    reason = f"no model is sure to meet the limits of {', '.join(lacking)}"
    return Portfolio(
        verdict=Verdict.VIOLATED,
        shares=(),
        time=unknown("fraction", reason),
        memory=unknown("B", reason),
        time_limit=stated.max_utilisation,
        memory_limit=limit,
        reasons=(reason,),
    )
