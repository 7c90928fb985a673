"""Answer for candidates: top-1 under a named recipe, published where it is, else predicted."""

from collections.abc import Mapping, Sequence

import numpy as np

from advisor.core.candidate import Candidate
from advisor.core.estimate import Estimate, Gap, Interval, Origin, Provenance
from advisor.core.quantity import Metric
from advisor.core.workload_table import WorkloadTable
from advisor.estimators.accuracy.model import LEVEL, AccuracyPrediction, VariantAccuracy

SOURCE = "variant-accuracy/1"
SERIES: Mapping[str, tuple[str, str]] = {
    "mobilenetv1_100": ("MobileNetV1", "tf-slim-MobileNetV1"),
    "mobilenetv2_100": ("MobileNetV2", "tf-slim-MobileNetV2"),
    "mobilenetv3_large_100": ("MobileNetV3-Large", "tf-slim-MobileNetV3"),
    "mobilenetv3_small_100": ("MobileNetV3-Small", "tf-slim-MobileNetV3"),
    "mnasnet_100": ("MnasNet-B1", "timm:rmsp_in1k"),
    "semnasnet_100": ("MnasNet-A1", "timm:rmsp_in1k"),
    "efficientnet_b0": ("EfficientNet", "effnet-paper-v1"),
    "efficientnet_lite0": ("EfficientNet-Lite", "effnet-paper-v1"),
    "tf_efficientnetv2_b0": ("EfficientNetV2", "timm:in1k"),
    "efficientnetv2_s": ("EfficientNetV2", "timm:in1k"),
    "ghostnet_100": ("GhostNet", "ghostnet-paper"),
    "shufflenet_v2_x1_0": ("ShuffleNetV2", "megvii-ShuffleNetV2"),
    "ofa_mobilenetv3": ("OFA-MobileNetV3/Proxyless", "ofa-mbv3-ft25"),
}
"""The published family of each stock network, and the recipe taken where none is asked for."""
_PREFIXES: Mapping[str, tuple[str, str]] = {
    "regnetx_": ("RegNetX", "pycls-dds"),
    "regnety_": ("RegNetY", "pycls-dds"),
    "resnet": ("ResNet", "torchvision-v1-ResNet"),
}


def series_of(architecture: str) -> tuple[str, str] | None:
    """Return the published family of a stock network and its reference recipe; None for none."""
    if architecture in SERIES:
        return SERIES[architecture]
    for prefix, (family, recipe) in _PREFIXES.items():
        if architecture.startswith(prefix):
            deep = prefix == "resnet" and architecture.endswith("d")
            return ("ResNet-D" if deep else family), recipe
    return None


def reference_recipe(architecture: str) -> str:
    """Return the recipe taken for a stock network where none is asked for; empty for none."""
    series = series_of(architecture)
    return series[1] if series else ""


def accuracy_estimates(
    model: VariantAccuracy,
    candidates: Sequence[Candidate],
    table: WorkloadTable,
    *,
    recipe: str | None = None,
    level: float = LEVEL,
) -> list[Estimate | Gap]:
    """Return the top-1 of each candidate when trained with ``recipe``, in the float precision.

    ``table`` has a row for each candidate. Without a recipe each takes its family's reference
    recipe. Raises UsageError for a recipe that no published series has.
    """
    if recipe is not None:
        model.check(recipe)
    answers: list[Estimate | Gap] = [_no_series(candidate) for candidate in candidates]
    asked: dict[str, list[int]] = {}
    for row, candidate in enumerate(candidates):
        series = series_of(candidate.architecture)
        if series is not None:
            asked.setdefault(recipe or series[1], []).append(row)
    for name, rows in asked.items():
        for row, answer in zip(rows, _predicted(model, table, rows, name, level), strict=True):
            answers[row] = answer
    return answers


def _no_series(candidate: Candidate) -> Gap:
    reason = f"no series of widths, depths or resolutions of {candidate.architecture} is published"
    if candidate.architecture.startswith("cifar_"):
        reason = f"{candidate.architecture} is a network for CIFAR, which has no ImageNet accuracy"
    return Gap(metric=Metric.TOP1, reason=reason)


def _family(network: str) -> str:
    series = series_of(network.partition(":")[0])
    assert series is not None
    return series[0]


def _predicted(
    model: VariantAccuracy, table: WorkloadTable, rows: Sequence[int], recipe: str, level: float
) -> list[Estimate | Gap]:
    chosen = table.rows(rows)
    families = [_family(network) for network in chosen.networks]
    places = model.published(chosen, families, recipe)
    unknown = [row for row, place in enumerate(places) if place < 0]
    theirs = [families[row] for row in unknown]
    found = model.predict(chosen.rows(unknown), theirs, recipe, level=level) if unknown else None
    number = {row: position for position, row in enumerate(unknown)}
    return [
        _published(model, place, recipe)
        if found is None or place >= 0
        else _estimate(model, found, families[row], recipe, number[row])
        for row, place in enumerate(places)
    ]


def _published(model: VariantAccuracy, place: int, recipe: str) -> Estimate:
    value = float(model.top1[place])
    return Estimate(
        metric=Metric.TOP1,
        value=value,
        interval=Interval.exact(value),
        provenance=Provenance(
            origin=Origin.PUBLISHED,
            source=str(model.source[place]),
            caveats=(f"with the recipe {recipe}",),
        ),
    )


def _estimate(
    model: VariantAccuracy, found: AccuracyPrediction, family: str, recipe: str, row: int
) -> Estimate:
    value = float(np.clip(found.value[row], 0.0, 1.0))
    caveats = [f"needs training; predicted for the recipe {recipe}"]
    if recipe not in model.recipes.get(family, []):
        caveats.append(f"no {family} with the recipe {recipe} is published")
    if found.beyond[row]:
        sizes = " and ".join(found.beyond[row])
        caveats.append(f"no published {family} is as small or as large in {sizes}")
    return Estimate(
        metric=Metric.TOP1,
        value=value,
        interval=Interval(
            low=min(float(found.low[row]), value),
            high=max(float(found.high[row]), value),
            level=found.level,
        ),
        provenance=Provenance(
            origin=Origin.PREDICTED,
            source=f"{SOURCE}, recipe {recipe}",
            caveats=tuple(caveats),
        ),
    )
