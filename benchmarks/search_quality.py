"""How good the search is: against Optuna's random and NSGA-II, and against the exhaustive front.

    python -m benchmarks.search_quality [--seeds 5] [--trials 300]

At equal evaluations on the same space, from the same distributions, without limits; the figure is
the dominated share of the box that the union of all results spans (hypervolume). The exhaustive
front is that of MobileNetV2's space.
"""

import argparse
from collections.abc import Sequence
from statistics import mean

import optuna

from advisor.core.estimate import Estimate
from advisor.core.quantity import Metric
from advisor.errors import NetworkError
from advisor.networks.blueprints.stock import blueprint
from advisor.networks.pricing.prices import price
from advisor.studies.families import Family, family
from advisor.studies.hypervolume import hypervolume
from advisor.studies.outcome import Answers, Assess, SearchPlan
from advisor.studies.searching import search
from advisor.studies.study import distributions
from benchmarks.search_speed import on_device, on_one_core

Pair = tuple[float, float]
OBJECTIVES = (Metric.TOP1, Metric.LATENCY)


def costs(answers: Answers) -> Pair:
    """Return -top-1 and latency."""
    top1, latency = answers[Metric.TOP1], answers[Metric.LATENCY]
    assert isinstance(top1, Estimate)
    assert isinstance(latency, Estimate)
    return -top1.value, latency.value


def ours(space: Family, assess: Assess, trials: int, seed: int) -> list[Pair]:
    """Return what the advisor's search evaluates."""
    request = SearchPlan(families=(space.name,), objectives=OBJECTIVES, trials=trials, seed=seed)
    return [costs(t.answers) for t in search(request, assess).trials if t.values]


def plain(sampler: str, space: Family, assess: Assess, trials: int, seed: int) -> list[Pair]:
    """Return what one of Optuna's samplers evaluates by itself."""
    kinds = {"random": optuna.samplers.RandomSampler, "NSGA-II": optuna.samplers.NSGAIISampler}
    study = optuna.create_study(
        directions=["minimize", "minimize"], sampler=kinds[sampler](seed=seed)
    )
    found: list[Pair] = []
    for _ in range(trials):
        trial = study.ask(distributions(space))
        candidate = space.candidate({n: _rounded(v) for n, v in trial.params.items()})
        try:
            blueprint(candidate)
        except NetworkError:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            continue
        found.append(costs(assess([candidate], price([candidate]))[0]))
        study.tell(trial, found[-1])
    return found


def _rounded(value: float | str) -> float | str:
    return value if isinstance(value, str) else round(value, 6)


def exhaustive(space: Family, assess: Assess) -> list[Pair]:
    """Return every point of a space."""
    points = [space.candidate(point) for point in space.points()]
    found: list[Pair] = []
    for place in range(0, len(points), 200):
        batch = points[place : place + 200]
        found += [costs(answers) for answers in assess(batch, price(batch))]
    return found


def shares(results: Sequence[Sequence[Pair]], box: Sequence[Pair]) -> list[float]:
    """Return the hypervolume of each result in the box that ``box`` spans."""
    low = [min(column) for column in zip(*box, strict=True)]
    high = [max(column) for column in zip(*box, strict=True)]
    spans = [b - a for a, b in zip(low, high, strict=True)]

    def scaled(points: Sequence[Pair]) -> list[list[float]]:
        return [[(x - a) / s for x, a, s in zip(p, low, spans, strict=True)] for p in points]

    return [hypervolume(scaled(points), [1.0, 1.0]) for points in results]


def main() -> None:
    """Compare and print."""
    on_one_core()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="jetson-nano")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=300)
    given = parser.parse_args()
    assess, _ = on_device(given.device)
    print(f"hypervolume after {given.trials} trials, mean of {given.seeds} seeds")
    print("family            advisor  NSGA-II   random  advisor at least as good in")
    for name in ("mobilenetv2", "efficientnet", "resnet", "regnety", "once-for-all"):
        _compare(family(name), assess, given.trials, given.seeds)
    space = family("mobilenetv2")
    every = exhaustive(space, assess)
    found = [ours(space, assess, 1000, seed) for seed in range(given.seeds)]
    *own, whole = shares([*found, every], every)
    print(
        f"\n{space.name}, {len(every)} points, 1,000 trials: "
        f"{100 * mean(own) / whole:.2f} % of the exhaustive front's hypervolume, "
        f"least {100 * min(own) / whole:.2f} %"
    )


def _compare(space: Family, assess: Assess, trials: int, seeds: int) -> None:
    rows = []
    for seed in range(seeds):
        results = [
            ours(space, assess, trials, seed),
            plain("NSGA-II", space, assess, trials, seed),
            plain("random", space, assess, trials, seed),
        ]
        rows.append(shares(results, [pair for points in results for pair in points]))
    means = [mean(column) for column in zip(*rows, strict=True)]
    wins = sum(row[0] >= max(row[1:]) for row in rows)
    figures = " ".join(f"{value:8.4f}" for value in means)
    print(f"{space.name:16s} {figures}  {wins} of {seeds}", flush=True)


if __name__ == "__main__":
    main()
