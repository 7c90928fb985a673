"""Realistic documents for tests of reports: one board, fifty networks, every verdict."""

import random
from collections.abc import Iterable

from advisor.core.constraint import Constraint, Verdict
from advisor.core.document import (
    ConvergencePoint,
    Entry,
    EstimateEntry,
    Estimates,
    Figure,
    Input,
    LaneRecord,
    LedgerLine,
    Recommendation,
    Rejection,
    Relaxation,
    SearchedVariant,
    SearchRecord,
)
from advisor.core.error import NORMAL, Error
from advisor.core.estimate import Origin
from advisor.core.quantity import Metric
from advisor.core.request import Request

FAMILIES = (
    "mobilenetv3_large_100.ra_in1k",
    "mobilenetv2_100.ra_in1k",
    "resnet18.a1_in1k",
    "efficientnet_b0.ra_in1k",
    "regnety_008.pycls_in1k",
    "mnasnet_100.rmsp_in1k",
    "ghostnet_100.in1k",
    "tf_efficientnetv2_b0.in1k",
    "convnextv2_femto.fcmae_ft_in1k",
    "vit_tiny_patch16_224.augreg_in21k_ft_in1k",
)
LANE_NAME = "gpu tensorrt fp16 batch 1"
ORIGINS = (Origin.PUBLISHED, Origin.PREDICTED, Origin.ANALYTIC, Origin.MEASURED)


def lane(**changes: object) -> LaneRecord:
    """Return the default lane of the Jetson Nano, with changes."""
    fields: dict[str, object] = {
        "device": "jetson-nano",
        "device_name": "Jetson Nano 4GB",
        "unit": "gpu",
        "runtime": "tensorrt",
        "precision": "fp16",
        "threads": None,
        "batch": 1,
        "variant": "",
        "name": LANE_NAME,
        "is_default": True,
        "published_networks": 24,
        "others": ("cpu ncnn fp32 batch 1, 4 threads", "gpu pytorch fp32 batch 1"),
    }
    return LaneRecord.model_validate(fields | changes)


def figure(
    metric: Metric,
    value: float,
    *,
    spread: float = 0.0,
    origin: Origin = Origin.PREDICTED,
    caveats: tuple[str, ...] = (),
    source: str = "",
) -> Figure:
    """Return a figure whose interval reaches ``spread`` of the value to both sides."""
    return Figure(
        value=value,
        low=value * (1 - spread),
        high=value * (1 + spread),
        level=0.9 if spread else 1.0,
        unit=metric.unit,
        origin=origin,
        source=source or f"{origin}-source/1",
        date="2026-05",
        caveats=caveats,
    )


def metrics(
    latency: float, top1: float, *, spread: float = 0.1, origin: Origin = Origin.PREDICTED
) -> dict[Metric, Figure]:
    """Return the figures of a network whose size follows from its latency."""
    parameters = 2e6 + latency * 6e8
    caveats = ("power mode not stated",) if origin is Origin.PUBLISHED else ()
    return {
        Metric.LATENCY: figure(
            Metric.LATENCY, latency, spread=spread, origin=origin, caveats=caveats
        ),
        Metric.TOP1: figure(Metric.TOP1, top1, spread=0.01, origin=Origin.PUBLISHED),
        Metric.PEAK_MEMORY: figure(
            Metric.PEAK_MEMORY, parameters * 2.4 + 3e6, origin=Origin.ANALYTIC
        ),
        Metric.WEIGHTS: figure(Metric.WEIGHTS, parameters * 2, origin=Origin.ANALYTIC),
        Metric.PARAMETERS: figure(Metric.PARAMETERS, parameters, origin=Origin.ANALYTIC),
        Metric.MACS: figure(Metric.MACS, latency * 5e10, origin=Origin.ANALYTIC),
    }


def keeps(figures: dict[Metric, Figure], limit: float) -> float:
    """Probability that a latency is at most ``limit`` seconds."""
    f = figures[Metric.LATENCY]
    error = Error.of(Metric.LATENCY, f.value, f.low, f.high, f.level)
    return NORMAL.cdf(error.standing(limit))


def entry(
    candidate: str,
    latency: float,
    top1: float,
    *,
    verdict: Verdict = Verdict.MET,
    **changes: object,
) -> Entry:
    """Return a candidate with a latency in seconds and a top-1 fraction."""
    name, _, resolution = candidate.partition("@")
    architecture, _, tag = name.partition(".")
    origin = changes.pop("origin", Origin.PREDICTED)
    assert isinstance(origin, Origin)
    fields: dict[str, object] = {
        "candidate": candidate,
        "architecture": architecture,
        "tag": tag or None,
        "resolution": int(resolution or 224),
        "precision": "fp16",
        "lane": LANE_NAME,
        "verdict": verdict,
        "verdicts": {"latency": verdict},
        "margins": {"latency": (0.010 - latency * 1.1) / 0.010},
        "probability": keeps(metrics(latency, top1), 0.010),
        "metrics": metrics(latency, top1, origin=origin),
        "gaps": {Metric.ENERGY: "no power figure for this lane"},
        "license": "apache-2.0",
        "training_data": "in1k",
        "time_by_operator": {"pointwise": 0.55, "depthwise": 0.3, "stem": 0.1, "pooling": 0.05},
    }
    return Entry.model_validate(fields | changes)


def searched_variant(**changes: object) -> SearchedVariant:
    """Return a variant that a quicker trained network nearly equals."""
    fields: dict[str, object] = {
        "candidate": "mobilenetv2_100@192:width=1.3",
        "family": "mobilenetv2",
        "recipe": "tf-slim-MobileNetV2",
        "epochs": 300,
        "epochs_basis": "stated by the recipe",
        "images": 1_000_000,
        "macs": 4e8,
        "training_macs": 3.6e17,
        "trained": "mobilenetv2_110d.ra_in1k",
        "trained_top1_lost": 0.012,
        "trained_latency_ratio": 0.9,
    }
    return SearchedVariant.model_validate(fields | changes)


def search_record(variants: int = 3, **changes: object) -> SearchRecord:
    """Return the record of a search of 100 trials as a recommendation holds it."""
    fields: dict[str, object] = {
        "families": ("mobilenetv2",),
        "objectives": (Metric.TOP1, Metric.LATENCY),
        "sampler": "nsga2",
        "seed": 7,
        "trials": 100,
        "pruned": 5,
        "failed": 0,
        "feasible": 80,
        "stopped": "stagnation",
        "seconds": 1.5,
        "variants": tuple(
            searched_variant(candidate=f"mobilenetv2_100@{96 + 16 * i}:width=1.3")
            for i in range(variants)
        ),
        "convergence": (
            ConvergencePoint(trials=10, hypervolume=0.4, front=3),
            ConvergencePoint(trials=100, hypervolume=0.8, front=variants),
        ),
        "importances": {
            Metric.TOP1: {"width": 0.6, "resolution": 0.38, "depth": 0.02},
            Metric.LATENCY: {"width": 0.3, "resolution": 0.7},
        },
    }
    return SearchRecord.model_validate(fields | changes)


def recommendation(count: int = 50, *, limit: float = 0.010, **changes: object) -> Recommendation:
    """Return an answer for ``count`` networks under one limit on latency, in seconds."""
    rng = random.Random(7)
    ranked: list[Entry] = []
    uncertain: list[Entry] = []
    rejected: list[Rejection] = []
    for index in range(count):
        candidate = f"{FAMILIES[index % len(FAMILIES)]}@{160 + 32 * (index // len(FAMILIES))}"
        latency = 0.002 * 1.06**index
        top1 = 0.62 + 0.07 * (index / count) + 0.05 * rng.random()
        origin = ORIGINS[index % len(ORIGINS)]
        if latency * 1.1 <= limit:
            ranked.append(entry(candidate, latency, top1, origin=origin))
        elif latency * 0.9 <= limit:
            command = f"advisor measure {candidate} --runtime tensorrt"
            uncertain.append(
                entry(
                    candidate,
                    latency,
                    top1,
                    verdict=Verdict.UNCERTAIN,
                    origin=origin,
                    settle=command,
                )
            )
        else:
            rejected.append(rejection(candidate, latency, top1, limit, origin=origin))
    ranked.sort(key=lambda item: -item.metrics[Metric.TOP1].value)
    uncertain.sort(key=lambda item: -(item.probability or 0.0))
    front = _front(ranked)
    fields: dict[str, object] = {
        "advisor_version": "0.1.0",
        "created": "2026-11-21T11:00:00Z",
        "command": "advisor recommend --device jetson-nano --max-latency 10ms",
        "request": Request(
            device="jetson-nano", limits=(Constraint(metric=Metric.LATENCY, at_most=limit),)
        ),
        "lane": lane(),
        "lanes": (lane(),),
        "considered": count,
        "ranked": tuple(
            item.model_copy(update={"rank": place, "on_front": item.candidate in front})
            for place, item in enumerate(ranked, 1)
        ),
        "uncertain": tuple(uncertain),
        "rejected": tuple(rejected),
        "front": front,
        "ledger": (
            LedgerLine(
                constraint="latency",
                rejected=len(rejected),
                uncertain=len(uncertain),
                only=len(rejected),
            ),
        ),
        "inputs": (Input(name="catalog/measurements.csv", sha256="ab" * 32),),
    }
    return Recommendation.model_validate(fields | changes)


def rejection(
    candidate: str,
    latency: float,
    top1: float,
    limit: float,
    *,
    origin: Origin = Origin.PREDICTED,
) -> Rejection:
    """Return a candidate that is too slow."""
    return Rejection(
        candidate=candidate,
        constraint="latency",
        reason=f"latency {1e3 * latency:.1f} ms is above {1e3 * limit:.1f} ms",
        excess=latency / limit - 1,
        precision="fp16",
        lane=LANE_NAME,
        metrics=metrics(latency, top1, origin=origin),
    )


def infeasible() -> Recommendation:
    """Return an answer in which nothing meets the limit."""
    relaxation = Relaxation(
        metric=Metric.LATENCY,
        limit=0.001,
        relaxed=0.0022,
        candidate=f"{FAMILIES[0]}@160",
        text="raise the limit on latency from 1.00 ms to 2.20 ms",
    )
    return recommendation(limit=0.001, relaxations=(relaxation,))


def estimates(names: Iterable[str] = ("resnet18.a1_in1k", "resnet50.a1_in1k")) -> Estimates:
    """Return estimates of the named candidates; the last has no latency."""
    rows = [
        EstimateEntry(
            candidate=name,
            device="jetson-nano",
            lane=LANE_NAME,
            precision="fp16",
            resolution=224,
            metrics=metrics(0.011 * (index + 1), 0.72),
        )
        for index, name in enumerate(names)
    ]
    gap = EstimateEntry(
        candidate="mystery_net",
        device="jetson-nano",
        lane=LANE_NAME,
        precision="fp16",
        resolution=224,
        metrics={},
        gaps={Metric.LATENCY: "the network cannot be built"},
    )
    return Estimates(
        advisor_version="0.1.0",
        created="2026-11-21T11:00:00Z",
        command="advisor estimate resnet18.a1_in1k --device jetson-nano",
        lanes=(lane(),),
        estimates=(*rows, gap),
    )


def _front(ranked: list[Entry]) -> tuple[str, ...]:
    front, best = [], -1.0
    for item in sorted(ranked, key=lambda e: e.metrics[Metric.LATENCY].value):
        if item.metrics[Metric.TOP1].value > best:
            best = item.metrics[Metric.TOP1].value
            front.append(item.candidate)
    return tuple(front)
