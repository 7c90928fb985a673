"""SearchView: how searched variants were found, and what each takes to become real."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from advisor.core.document import Figure, SearchedVariant, SearchRecord
from advisor.core.quantity import Unit, human, human_interval, significant
from advisor.reports.charts import stacked_bars
from advisor.reports.curve import curve
from advisor.reports.wording import joined, percent, plural

SHOWN = 12
"""Variants in the table; the JSON result holds all."""
SMALL = 0.03
"""Share of the variation below which an axis is shown among the others."""
HEAD = ("Variant", "Recipe", "Training", "Nearest trained network", "What that one gives up")
FRONT_HEAD = ("Variant", "Training", "Latency", "Accuracy expected before", "Accuracy measured")
FRONT_NOTE = (
    "What is expected of a variant comes from those trained before it and from the ImageNet top-1 "
    "to be expected of each. Front: no other trained variant is quicker and more accurate at once. "
    "Predicted front: variants that the trained ones let expect to be on it, and nobody trained."
)
TRAINING_NOTE = (
    "Training is the multiply-accumulates (MACs) of one run: epochs × images × MACs of one image "
    "× 3, for the forward pass and both gradients; 1 PMAC is 10¹⁵. The nearest trained network is "
    "the most accurate one that is not slower; where all are slower, the fastest."
)
_SAMPLER = {
    "nsga2": "NSGA-II",
    "nsga3": "NSGA-III",
    "tpe": "TPE",
    "gp": "Gaussian process",
    "random": "random",
}
_STOPPED = {
    "trials": "all trials asked for were made",
    "time": "the time was up",
    "stagnation": "no new variant entered the front",
    "interrupted": "it was interrupted",
    "exhausted": "every point of the space was tried",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantLine:
    """What one variant takes, and what does without; each cell is a text and a note."""

    variant: str
    recipe: str
    training: tuple[str, str]
    trained: str
    loss: tuple[str, str]

    @property
    def cells(self) -> tuple[tuple[str, str], ...]:
        """The cells in the order of the head."""
        return (self.variant, ""), (self.recipe, ""), self.training, (self.trained, ""), self.loss


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontView:
    """The measured front beside the predicted one, of a search that trained."""

    title: str
    head: tuple[str, ...]
    lines: tuple[tuple[tuple[str, str], ...], ...]
    """Each cell is a text and a note."""
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchView:
    """How the variants of a recommendation were found."""

    facts: tuple[tuple[str, str], ...]
    convergence: str
    """Drawing of the hypervolume against the trials; empty where there is none."""
    importances: str
    """Drawing of what decides each objective; empty where nothing is known."""
    head: tuple[str, ...]
    lines: tuple[VariantLine, ...]
    more: int
    """Variants beyond the table."""
    note: str
    fronts: FrontView | None = None
    """None where nothing was trained."""


def search_view(record: SearchRecord, *, shown: int = SHOWN) -> SearchView:
    """Put the record of a search into words, drawings and the lines of a table."""
    return SearchView(
        facts=_facts(record),
        convergence=_convergence(record),
        importances=_importances(record),
        head=HEAD,
        lines=tuple(_line(one) for one in record.variants[:shown]),
        more=max(0, len(record.variants) - shown),
        note=TRAINING_NOTE,
        fronts=_fronts(record, shown) if record.taught else None,
    )


def _fronts(record: SearchRecord, shown: int) -> FrontView:
    measured = sorted(record.taught, key=lambda one: -one.measured.value)
    lines = [
        (
            (one.candidate, "front" if one.on_front else ""),
            (f"round {one.round}", f"{one.start}; {significant(one.epochs)} epochs"),
            _figure(one.latency),
            _figure(one.expected, "nothing was trained before"),
            _figure(one.measured),
        )
        for one in measured
    ]
    lines += [
        (
            (one.candidate, "predicted front"),
            ("not trained", ""),
            _figure(one.latency),
            _figure(one.expected),
            ("–", ""),
        )
        for one in record.untaught[:shown]
    ]
    return FrontView(
        title=f"Trained on {record.data}: the measured front beside the predicted one",
        head=FRONT_HEAD,
        lines=tuple(lines),
        note=FRONT_NOTE,
    )


def _figure(figure: Figure | None, otherwise: str = "") -> tuple[str, str]:
    if figure is None:
        return "–", otherwise
    reach = human_interval(figure.low, figure.high, figure.unit, like=figure.value)
    return human(figure.value, figure.unit), reach


def _facts(record: SearchRecord) -> tuple[tuple[str, str], ...]:
    lost = [
        f"{count:,} {what}"
        for count, what in (
            (record.pruned, "dropped early"),
            (record.failed, "without a figure"),
        )
        if count
    ]
    counts = [f"{record.feasible:,} within every limit", *lost]
    return (
        ("Families", ", ".join(record.families)),
        ("Objectives", joined(metric.label for metric in record.objectives)),
        ("Trials", f"{record.trials:,}: {joined(counts)}"),
        ("Sampler and seed", f"{_SAMPLER.get(record.sampler, record.sampler)}, {record.seed}"),
        (
            "Stopped",
            f"{_STOPPED.get(record.stopped, record.stopped)}, "
            f"after {human(record.seconds, Unit.SECOND)}",
        ),
    )


def _convergence(record: SearchRecord) -> str:
    points = [(point.trials, point.hypervolume) for point in record.convergence]
    if not any(share > 0 for _, share in points):
        return ""
    (first, low), (last, high) = points[0], points[-1]
    return curve(
        points,
        across="Trials",
        up="Hypervolume",
        title=f"Hypervolume of the front: {percent(low)} after {plural(first, 'trial')}, "
        f"{percent(high)} after {plural(last, 'trial')}",
    )


def _importances(record: SearchRecord) -> str:
    rows = [
        (metric.label, parts)
        for metric, shares in record.importances.items()
        if (parts := _parts(shares))
    ]
    if not rows:
        return ""
    told = "; ".join(
        f"{label}: {', '.join(f'{name} {100 * share:.0f} %' for name, share in parts)}"
        for label, parts in rows
    )
    return stacked_bars(rows, title=f"What decides each objective. {told}")


def _parts(shares: Mapping[str, float]) -> Sequence[tuple[str, float]]:
    """Order axes by their share and put the small ones together."""
    large = [(name.replace("_", " "), share) for name, share in shares.items() if share >= SMALL]
    large.sort(key=lambda part: -part[1])
    rest = sum(share for share in shares.values() if share < SMALL)
    return [*large, ("other", rest)] if rest > 0 else large


def _line(one: SearchedVariant) -> VariantLine:
    return VariantLine(
        variant=one.candidate,
        recipe=one.recipe,
        training=(
            f"{significant(one.training_macs / 1e15)} PMACs",
            f"{one.epochs:,} epochs ({one.epochs_basis}) × {one.images:,} images × "
            f"{human(one.macs, Unit.COUNT)} MACs\u00a0×\u00a03",
        ),
        trained=one.trained or "none with figures for this lane",
        loss=_loss(one),
    )


def _loss(one: SearchedVariant) -> tuple[str, str]:
    """Say what is given up by taking the trained network instead."""
    if not one.trained:
        return "–", ""
    points = 100 * one.trained_top1_lost
    ratio = f"at {one.trained_latency_ratio:.2f} × the latency"
    if points >= 0.05:
        return f"{points:.1f} points of top-1", ratio
    if points > -0.05:
        return "nothing", f"as accurate, {ratio}"
    return "nothing", f"{-points:.1f} points better, {ratio}"
