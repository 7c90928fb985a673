"""Variants on a lane: join the search with what assesses candidates and predicts accuracies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import hypot

from advisor.answering.assess import LaneAssessor, Subject
from advisor.catalog.accuracy import Accuracy
from advisor.catalog.accuracy_at_precision import ExpectedChange
from advisor.core.candidate import Candidate
from advisor.core.estimate import Assessment, Estimate, Gap, Interval, Origin, Provenance
from advisor.core.quantity import Metric
from advisor.core.workload_table import WorkloadTable
from advisor.estimators.accuracy.answers import accuracy_estimates, series_of
from advisor.estimators.accuracy.model import VariantAccuracy
from advisor.networks.blueprints.aliases import as_variant
from advisor.networks.blueprints.stock import BASES
from advisor.networks.pricing.prices import price
from advisor.studies.families import Family
from advisor.studies.outcome import Answers, Assess, Trial


def assess_on(
    assessor: LaneAssessor, accuracy: VariantAccuracy, recipe: str | None = None
) -> Assess:
    """Return what the search asks for figures: every metric on one lane, top-1 by recipe."""

    def assess(candidates: Sequence[Candidate], table: WorkloadTable) -> list[Answers]:
        subjects = variant_subjects(candidates, table, assessor, accuracy, recipe)
        found = assessor.assess(subjects, table)
        return [{**one.gaps, **one.estimates} for one in found]

    return assess


def variant_subjects(
    candidates: Sequence[Candidate],
    table: WorkloadTable,
    assessor: LaneAssessor,
    accuracy: VariantAccuracy,
    recipe: str | None = None,
) -> list[Subject]:
    """Return candidates as subjects with the accuracy of a recipe, at the lane's precision."""
    predicted = accuracy_estimates(accuracy, candidates, table, recipe=recipe, level=assessor.level)
    return [
        Subject(
            candidate=replace(candidate, resolution=int(table.resolutions[row])),
            resolution=int(table.resolutions[row]),
            weights=None,
            top1=top1_at_precision(top1, table.networks[row], assessor),
        )
        for row, (candidate, top1) in enumerate(zip(candidates, predicted, strict=True))
    ]


def assess_variants(
    candidates: Sequence[Candidate],
    assessor: LaneAssessor,
    accuracy: VariantAccuracy,
    recipe: str | None = None,
) -> list[tuple[Subject, Assessment]]:
    """Assess variants on a lane; their workloads are priced, not counted."""
    table = price(candidates)
    subjects = variant_subjects(candidates, table, assessor, accuracy, recipe)
    return list(zip(subjects, assessor.assess(subjects, table), strict=True))


def recipe_estimates(
    candidates: Sequence[Candidate],
    assessor: LaneAssessor,
    accuracy: VariantAccuracy,
    recipe: str | None = None,
) -> list[Estimate | Gap | None]:
    """Return the top-1 of candidates under a recipe, at the lane's precision.

    None for a network that belongs to no published series of variants.
    """
    if recipe is not None:
        accuracy.check(recipe)
    variants = [as_variant(replace(candidate, tag=None)) for candidate in candidates]
    known = [i for i, v in enumerate(variants) if series_of(v.architecture) and is_priced(v)]
    found: list[Estimate | Gap | None] = [None] * len(candidates)
    if known:
        chosen = [variants[i] for i in known]
        subjects = variant_subjects(chosen, price(chosen), assessor, accuracy, recipe)
        for i, subject in zip(known, subjects, strict=True):
            found[i] = subject.top1
    return found


def is_priced(candidate: Candidate) -> bool:
    """Whether the search's families know the candidate's stock network."""
    return candidate.architecture in BASES


def top1_at_precision(top1: Estimate | Gap, network: str, assessor: LaneAssessor) -> Estimate | Gap:
    """Change a float accuracy by what was published for the lane's precision."""
    if isinstance(top1, Gap):
        return top1
    lane = assessor.lane
    change = assessor.changes.at(
        network, lane.precision, runtime=lane.runtime, level=assessor.level, unit=lane.unit
    )
    if change is None:
        return top1
    return changed_top1(top1, change, f"change at {lane.precision}")


def changed_top1(top1: Estimate, change: ExpectedChange, told: str) -> Estimate:
    """Add an expected change to an accuracy; their intervals, of one level, are independent."""
    low = hypot(top1.value - top1.interval.low, change.value - change.low)
    high = hypot(top1.interval.high - top1.value, change.high - change.value)
    value = min(max(top1.value + change.value, 0.0), 1.0)
    return Estimate(
        metric=Metric.TOP1,
        value=value,
        interval=Interval(
            low=max(value - low, 0.0), high=min(value + high, 1.0), level=top1.interval.level
        ),
        provenance=Provenance(
            origin=Origin.PREDICTED,
            source=f"{top1.provenance.source}; {told}: {change.source}",
            caveats=(*top1.provenance.caveats, *change.caveats),
        ),
    )


def start_points(
    families: Sequence[Family], weights: Sequence[Accuracy], most: int = 30
) -> tuple[Candidate, ...]:
    """Return the catalog's trained networks of some families as variants, the best first."""
    wanted = {name for family in families for name in family.architectures}
    found: dict[Candidate, None] = {}
    for one in sorted(weights, key=lambda w: -w.top1):
        plain = Candidate(architecture=one.network, resolution=one.resolution)
        variant = as_variant(plain)
        if variant.architecture in wanted:
            found.setdefault(variant)
    return tuple(found)[:most]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedAlternative:
    """The trained network that comes nearest to a variant, and what it gives up."""

    name: str
    top1_lost: float
    """Top-1 of the variant minus that of the trained network, a fraction."""
    latency_ratio: float
    """Latency of the trained network by that of the variant."""


def nearest_trained(
    trial: Trial, trained: Mapping[str, Mapping[Metric, Estimate]]
) -> TrainedAlternative | None:
    """Return the most accurate trained network that is not slower; else the least slow one.

    ``trained`` are estimates by name. None where nothing trained has both figures.
    """
    own = {m: e for m, e in trial.answers.items() if isinstance(e, Estimate)}
    if Metric.LATENCY not in own or Metric.TOP1 not in own:
        return None
    seconds, share = own[Metric.LATENCY].value, own[Metric.TOP1].value
    known = [
        (name, found[Metric.LATENCY].value / seconds, found[Metric.TOP1].value)
        for name, found in trained.items()
        if Metric.LATENCY in found and Metric.TOP1 in found
    ]
    quick = [one for one in known if one[1] <= 1.0]
    if quick:
        best = max(quick, key=lambda one: one[2])
    elif known:
        best = min(known, key=lambda one: one[1])
    else:
        return None
    return TrainedAlternative(name=best[0], top1_lost=share - best[2], latency_ratio=best[1])
