"""Same model on every device: what devices do with one network, and at equal accuracy.

Each device's own best model lies just under the limit, so its speed measures the limit; these
figures measure the device.
"""

from collections.abc import Iterator, Mapping, Sequence

from advisor.core.constraint import Constraint
from advisor.core.document import Entry, Figure, Recommendation, Rejection
from advisor.core.quantity import Metric
from advisor.procurement.amounts import of_figure, ratio, unknown
from advisor.procurement.review import Amount, SameModel

SHOWN = 6
"""Models that are compared on every device."""


def compared(documents: Sequence[Recommendation]) -> tuple[str, ...]:
    """Choose the models: each device's best, then those that spread over the accuracies.

    Only models with a time on every device are compared.
    """
    timed = [
        {
            item.candidate: item.metrics[Metric.TOP1].value
            for item in every(document)
            if Metric.TOP1 in item.metrics and rate_figure(item) is not None
        }
        for document in documents
    ]
    if not timed:
        return ()
    common = {name: top1 for name, top1 in timed[0].items() if all(name in one for one in timed)}
    best = [d.ranked[0].candidate for d in documents if d.ranked]
    first = [name for name in dict.fromkeys(best) if name in common][:SHOWN]
    met = {e.candidate for d in documents for e in d.ranked} & set(common)
    spread = sorted(met or common, key=lambda name: common[name])
    more = SHOWN - len(first) if spread else 0
    first += [spread[(len(spread) - 1) * place // max(more - 1, 1)] for place in range(more)]
    return tuple(sorted(dict.fromkeys(first), key=lambda name: -common[name]))


def every(document: Recommendation) -> Iterator[Entry | Rejection]:
    """All candidates of an answer."""
    yield from document.ranked
    yield from document.uncertain
    yield from document.rejected


def rate_figure(item: Entry | Rejection) -> Figure | None:
    """The latency of a candidate, else its throughput."""
    return item.metrics.get(Metric.LATENCY) or item.metrics.get(Metric.THROUGHPUT)


def images_a_second(item: Entry | Rejection | None, document: Recommendation | None) -> Amount:
    """Images a second of a model: stated, else one batch after the other."""
    if item is None or document is None:
        return unknown("1/s", "no model meets the limits")
    stated, latency = item.metrics.get(Metric.THROUGHPUT), item.metrics.get(Metric.LATENCY)
    if stated is not None:
        return of_figure(stated, "", "1/s")
    if latency is None:
        return unknown("1/s", item.gaps.get(Metric.LATENCY, "latency unknown"))
    lane = next((one for one in document.lanes if one.name == item.lane), document.lane)
    images = max(lane.batch, 1)
    ends = {"value": images / latency.value, "low": images / latency.high}
    found = of_figure(latency, "", "1/s")
    return found.model_copy(update={**ends, "high": images / latency.low, "origin": "computed"})


def on_device(
    names: Sequence[str], document: Recommendation | None, power: Amount, price: Amount
) -> tuple[SameModel, ...]:
    """Return what a device does with each of the models."""
    items: Mapping[str, Entry | Rejection] = {}
    if document is not None:
        items = {item.candidate: item for item in reversed(list(every(document)))}
    return tuple(_one(name, items.get(name), document, power, price) for name in names)


def _one(
    name: str,
    item: Entry | Rejection | None,
    document: Recommendation | None,
    power: Amount,
    price: Amount,
) -> SameModel:
    speed = images_a_second(item, document)
    latency = item.metrics.get(Metric.LATENCY) if item else None
    return SameModel(
        candidate=name,
        keeps=isinstance(item, Entry) and item.rank is not None,
        latency=of_figure(latency, "latency unknown", "s"),
        speed=speed,
        per_watt=ratio(speed, power, "1/J"),
        per_money=ratio(speed, price, f"1/s/{price.unit}"),
    )


def at_accuracy(document: Recommendation | None, top1: float) -> Entry | None:
    """The fastest model that keeps the limits and is at least as accurate as asked."""
    if document is None:
        return None
    fits = [
        entry
        for entry in (document.ranked or document.uncertain)
        if Metric.TOP1 in entry.metrics
        and entry.metrics[Metric.TOP1].value >= top1
        and rate_figure(entry) is not None
    ]
    return min(fits, key=_seconds, default=None)


def _seconds(entry: Entry) -> float:
    latency = entry.metrics.get(Metric.LATENCY)
    return latency.value if latency else 1 / entry.metrics[Metric.THROUGHPUT].value


def least_top1(limits: Sequence[Constraint], reference: float) -> float:
    """The accuracy at which devices are compared: that of the limit, else the reference."""
    found = (limit.at_least for limit in limits if limit.metric is Metric.TOP1)
    return next((bound for bound in found if bound is not None), reference)
