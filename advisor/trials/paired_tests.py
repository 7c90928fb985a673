"""Compare models on the same test images: who is better, and who is tied."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from math import comb
from statistics import NormalDist, fmean

from advisor.trials.record import Comparison, Stage, Standing, TrialRun
from advisor.trials.scoring import over_seeds

SIGNIFICANT = 0.05


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided exact p of McNemar's test: the binomial of the images on which two differ."""
    differing = only_first + only_second
    if differing == 0:
        return 1.0
    fewer = min(only_first, only_second)
    tail = sum(comb(differing, k) for k in range(fewer + 1))
    return min(1.0, 2.0 * tail / float(2**differing))


def paired_change(
    before: Sequence[int], after: Sequence[int], truth: Sequence[int], level: float
) -> tuple[float, float, float]:
    """Return the change of accuracy on the same images with its interval (Agresti & Min 2005)."""
    marks = list(zip(before, after, truth, strict=True))
    lost = sum(b == t != a for b, a, t in marks)
    won = sum(a == t != b for b, a, t in marks)
    images = len(marks)
    change = (won - lost) / images
    fewer, more, count = lost + 0.5, won + 0.5, images + 2
    middle = (more - fewer) / count
    half = NormalDist().inv_cdf((1 + level) / 2)
    half *= math.sqrt(more + fewer - (more - fewer) ** 2 / count) / count
    return change, min(middle - half, change), max(middle + half, change)


def holm(values: Sequence[float]) -> list[float]:
    """Adjust p values of several tests (Holm 1979)."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    adjusted = [0.0] * len(values)
    highest = 0.0
    for place, i in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - place) * values[i]))
        adjusted[i] = highest
    return adjusted


def compare(best: Mapping[str, TrialRun], truth: Sequence[int]) -> tuple[Comparison, ...]:
    """Test each pair of models, one run each, on the test images."""
    pairs = list(combinations(best, 2))
    counts = []
    for first, second in pairs:
        marks = list(zip(best[first].predictions, best[second].predictions, truth, strict=True))
        counts.append(
            (
                sum(a == t != b for a, b, t in marks),
                sum(b == t != a for a, b, t in marks),
            )
        )
    adjusted = holm([mcnemar(*pair) for pair in counts])
    return tuple(
        Comparison(
            first=first,
            second=second,
            only_first=count[0],
            only_second=count[1],
            p=p,
            tied=p >= SIGNIFICANT,
        )
        for (first, second), count, p in zip(pairs, counts, adjusted, strict=True)
    )


def best_runs(runs: Sequence[TrialRun]) -> dict[str, list[TrialRun]]:
    """Return the runs of each model's best way, all its seeds; validation decides."""
    ways: dict[str, dict[tuple[Stage, float], list[TrialRun]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for run in runs:
        if run.state == "complete" and run.accuracy is not None:
            scale = run.recipe.scale if run.recipe else 1.0
            ways[run.model][run.stage, scale].append(run)
    return {model: max(found.values(), key=_validation) for model, found in ways.items()}


def _validation(runs: Sequence[TrialRun]) -> float:
    return fmean(run.validation or 0.0 for run in runs)


def standings(
    runs: Sequence[TrialRun], truth: Sequence[int]
) -> tuple[tuple[Standing, ...], tuple[Comparison, ...]]:
    """Rank the models by the accuracy of their best way, and tell which are tied with the best."""
    chosen = best_runs(runs)
    means = {
        model: over_seeds([run.accuracy for run in found if run.accuracy])
        for model, found in chosen.items()
    }
    order = sorted(chosen, key=lambda model: (-means[model].value, model))
    tests = compare({model: chosen[model][0] for model in order}, truth)
    tied = {c.second for c in tests if order and c.first == order[0] and c.tied}
    found = tuple(
        Standing(
            model=model,
            resolution=chosen[model][0].resolution,
            stage=chosen[model][0].stage,
            trained_weights=chosen[model][0].weights.trained
            and chosen[model][0].stage is not Stage.SCRATCH,
            accuracy=means[model],
            seeds=len(chosen[model]),
            tied_with_best=model in tied,
        )
        for model in order
    )
    return found, tests
