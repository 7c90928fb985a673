"""Advice: when to take which family of networks, said by the figures at hand and nothing else."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from advisor.core.document import Entry, Recommendation, Rejection
from advisor.core.quantity import Metric, human
from advisor.reports.wording import plural

FAMILIES = (
    (
        "ResNet",
        r"(wide_)?(legacy_|ec|gc|lambda_|seresnet|se_?|s)?res(net|next|nest)|skresn|gluon_res",
    ),
    ("MobileNet", r"mobilenet(v[234])?"),
    ("EfficientNet", r"efficientnet(v2)?|mixnet|fbnet|mnasnet|spnasnet|semnasnet"),
    ("RegNet", r"regnet"),
    ("GhostNet", r"ghostnet"),
    ("ConvNeXt", r"convnext"),
    ("Vision transformer", r"vit|deit|beit|eva|cait|naflexvit"),
    ("Swin", r"swin"),
    (
        "Transformer with convolutions",
        r"mobilevit|levit|efficientformer|coat|maxvit|fastvit|tiny_vit",
    ),
    ("DenseNet", r"densenet"),
    ("SqueezeNet and ShuffleNet", r"squeezenet|shufflenet"),
)
"""Label and pattern of the families people ask about; what fits none is left out."""
NOTABLE = 0.9
"""Share of the first choice's time below which a model counts as faster."""
LEAST = 2
"""Members from which a family is spoken of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyLine:
    """What the figures say of one family."""

    family: str
    met: str
    best: str
    """Most accurate member that meets every limit, or the nearest one."""
    figures: str
    advice: str


def family_advice(document: Recommendation) -> tuple[FamilyLine, ...]:
    """Say for each family whether and when to take it on this device under these limits."""
    best_of = {e.candidate for e in document.ranked[:1]}
    lines = []
    for family, pattern in FAMILIES:
        members = _members(document, pattern)
        if len(members) >= LEAST:
            lines.append(_line(family, members, document, best_of))
    lines.sort(key=lambda pair: pair[0])
    return tuple(line for _, line in lines)


def _members(document: Recommendation, pattern: str) -> list[Entry | Rejection]:
    every: list[Entry | Rejection] = [
        *document.ranked,
        *document.uncertain,
        *document.rejected,
    ]
    fits = re.compile(rf"(tf_)?({pattern})", re.IGNORECASE)
    return [item for item in every if fits.match(item.candidate)]


def _line(
    family: str,
    members: Sequence[Entry | Rejection],
    document: Recommendation,
    first: set[str],
) -> tuple[float, FamilyLine]:
    """Return (place in the list, line): families with better members come earlier."""
    met = [e for e in members if isinstance(e, Entry) and e.rank is not None]
    count = f"{len(met):,} of {len(members):,}"
    if not met:
        nearest = members[0]
        advice, place = _not_met(members), 1.0
    else:
        nearest = max(met, key=_accuracy)
        advice, place = _met(nearest, document, first), -_accuracy(nearest)
    line = FamilyLine(
        family=family,
        met=count,
        best=nearest.candidate,
        figures=_figures(nearest),
        advice=advice,
    )
    return place, line


def _accuracy(item: Entry | Rejection) -> float:
    figure = item.metrics.get(Metric.TOP1)
    return figure.value if figure else 0.0


def _figures(item: Entry | Rejection) -> str:
    found = []
    for metric in (Metric.LATENCY, Metric.TOP1):
        figure = item.metrics.get(metric)
        found.append(human(figure.value, figure.unit) if figure else "unknown")
    return ", ".join(found)


def _not_met(members: Sequence[Entry | Rejection]) -> str:
    open_ones = [item for item in members if isinstance(item, Entry)]
    if open_ones:
        return (
            f"None is sure to meet the limits; {plural(len(open_ones), 'model')} may. "
            "Measure before choosing it."
        )
    nearest = members[0]
    assert isinstance(nearest, Rejection)
    return f"None meets the limits. The nearest: {nearest.reason}."


def _met(best: Entry, document: Recommendation, first: set[str]) -> str:
    if best.candidate in first:
        return "First choice: by these figures and this ranking no other model comes before it."
    better = _dominator(best, document.ranked)
    if better is not None:
        return _dominated(best, better)
    faster = best.metrics.get(Metric.LATENCY)
    top = document.ranked[0].metrics.get(Metric.LATENCY)
    if faster is not None and top is not None and faster.value < NOTABLE * top.value:
        return (
            f"Take it when time is shorter: it needs {100 * faster.value / top.value:.0f} % of "
            "the time of the first choice, and no faster model is as accurate."
        )
    return "A fair alternative: no model is both at least as fast and as accurate."


def _dominator(best: Entry, ranked: Iterable[Entry]) -> Entry | None:
    """The most accurate model that is nowhere worse in speed and accuracy and somewhere better."""
    mine = _pair(best)
    if mine is None:
        return None
    for other in ranked:
        theirs = _pair(other)
        if theirs is None or theirs == mine:
            continue
        if theirs[0] <= mine[0] and theirs[1] >= mine[1]:
            return other
    return None


def _pair(item: Entry) -> tuple[float, float] | None:
    latency, top1 = item.metrics.get(Metric.LATENCY), item.metrics.get(Metric.TOP1)
    return (latency.value, top1.value) if latency and top1 else None


def _dominated(best: Entry, better: Entry) -> str:
    """Advise against a family, or say that the intervals leave the comparison open."""
    figures = _figures(better)
    mine, theirs = best.metrics[Metric.LATENCY], better.metrics[Metric.LATENCY]
    if mine.low <= theirs.high and theirs.low <= mine.high:
        return (
            f"By these figures {better.candidate} is at least as fast and as accurate ({figures}), "
            "but the intervals of their times overlap: measure both before ruling it out."
        )
    return (
        f"Nothing speaks for it here: {better.candidate} is at least as fast and as accurate "
        f"({figures})."
    )
