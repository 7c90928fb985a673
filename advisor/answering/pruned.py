"""Pruned networks that compete: published results of pruning, applied to the catalog's networks.

A network without 30 % of the channels of every layer, which is about half of its MACs, is the
variant of that width; ``advisor compress NETWORK --prune 30%`` makes it. Its accuracy is that of
the weights it is made from, changed by what was published of its family.
"""

from collections.abc import Sequence
from dataclasses import replace

from advisor.answering.assess import LaneAssessor, Subject, sampling_error
from advisor.answering.variants import changed_top1, is_priced, top1_at_precision
from advisor.catalog.accuracy import Accuracy
from advisor.catalog.pruning_results import HalvedMacs
from advisor.core.candidate import Candidate
from advisor.core.estimate import Estimate, Gap, Interval, Origin, Provenance
from advisor.core.quantity import Metric
from advisor.networks.blueprints.aliases import as_variant

SHARE = 0.3
"""Of the channels of every layer: 0.7 × 0.7 of the MACs are left."""


def pruned_subjects(
    proposed: Sequence[Subject], assessor: LaneAssessor, halved: HalvedMacs
) -> list[Subject]:
    """Return a pruned form of each proposed network whose family has published results."""
    made: dict[tuple[str, int], Subject] = {}
    for one in sorted(proposed, key=lambda one: -(one.weights.top1 if one.weights else 0.0)):
        pruned = pruned_form(one.candidate)
        if pruned is None or one.weights is None:
            continue
        top1 = _top1(one, one.weights, assessor, halved)
        if top1 is not None:
            subject = Subject(
                candidate=pruned,
                resolution=one.resolution,
                weights=None,
                top1=top1,
                recipe=f"{one.name} pruned by {100 * SHARE:.0f} %",
            )
            made.setdefault((pruned.network, one.resolution), subject)
    return list(made.values())


def pruned_form(candidate: Candidate) -> Candidate | None:
    """Return the variant that is left of a network; None where no blueprint knows its layers."""
    variant = as_variant(replace(candidate, tag=None))
    if not is_priced(variant):
        return None
    width = round(variant.axis("width") * (1 - SHARE), 3)
    axes = {**dict(variant.axes), "width": width}
    return replace(variant, resolution=candidate.resolution, axes=tuple(sorted(axes.items())))


def _top1(
    one: Subject, weights: Accuracy, assessor: LaneAssessor, halved: HalvedMacs
) -> Estimate | Gap | None:
    """Return what is left of the accuracy of some weights, at the lane's precision."""
    change = halved.at(one.candidate.architecture, level=assessor.level)
    if change is None:
        return None
    sampling = sampling_error(weights.top1, assessor.level)
    whole = Estimate(
        metric=Metric.TOP1,
        value=weights.top1,
        interval=Interval(
            low=max(weights.top1 - sampling, 0.0),
            high=min(weights.top1 + sampling, 1.0),
            level=assessor.level,
        ),
        provenance=Provenance(origin=Origin.PUBLISHED, source=weights.source_ref),
    )
    pruned = changed_top1(whole, change, "change by pruning")
    return top1_at_precision(pruned, one.candidate.architecture, assessor)
