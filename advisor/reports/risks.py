"""Risks: what could go wrong with a recommendation, and what it did not check."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from advisor.core.document import DeviceFacts, Entry, LaneRecord, Recommendation
from advisor.core.estimate import Origin
from advisor.core.quantity import Metric
from advisor.reports.wording import batch_words, event_words, joined

REVIEW_AFTER = timedelta(days=183)
"""Runtimes, drivers and published weights change on the scale of half a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """One thing that could go wrong, and what to do about it."""

    title: str
    text: str
    remedy: str


def review_by(document: Recommendation) -> date | None:
    """Return the day until which the answer can be used unseen; None for an unreadable date."""
    try:
        return (datetime.fromisoformat(document.created) + REVIEW_AFTER).date()
    except ValueError:
        return None


def unchecked(entry: Entry | None) -> tuple[str, ...]:
    """Say what the answer rests on nobody having checked."""
    found = ["accuracy on your own images", "speed after minutes of constant load"]
    if entry is None:
        return tuple(found)
    top1 = entry.metrics.get(Metric.TOP1)
    if top1 is not None and top1.origin is Origin.MEASURED:  # by a trial on the user's images
        del found[0]
    latency = entry.metrics.get(Metric.LATENCY)
    if latency is not None and latency.origin is not Origin.MEASURED:
        found.insert(0, "speed on your own board")
    missing = [metric.label.lower() for metric in entry.gaps if metric in _ASKED]
    if missing:
        found.append(f"{joined(missing)} (no figure)")
    return tuple(found)


_ASKED = (Metric.ENERGY, Metric.POWER, Metric.PEAK_MEMORY, Metric.TOP1, Metric.LATENCY)


def risks(document: Recommendation, entry: Entry | None) -> tuple[Risk, ...]:
    """Collect the risks that apply to this answer, the most specific first."""
    of_entry = _of_entry(entry, document.lane) if entry is not None else ()
    return (*of_entry, *_of_supply(document.device), *_general(document))


def _of_entry(entry: Entry, lane: LaneRecord) -> Iterator[Risk]:
    latency = entry.metrics.get(Metric.LATENCY)
    if latency is not None and latency.origin in (Origin.PREDICTED, Origin.ANALYTIC):
        yield Risk(
            title="The speed was not measured",
            text=f"The latency of {entry.candidate} is {latency.origin}: {latency.source}.",
            remedy=f"Time it once on the board: {entry.settle or _kit(entry, lane)}",
        )
    if entry.needs_training:
        yield Risk(
            title="Nobody has trained this variant",
            text="Its accuracy is an estimate for the training recipe "
            f"{entry.recipe or 'of its family'}; weights have to be trained first.",
            remedy="Plan the training, or choose a model whose weights exist.",
        )
    if not entry.license and not entry.needs_training:
        yield Risk(
            title="The licence is not stated",
            text=f"Nobody states under which licence the weights of {entry.candidate} may be used.",
            remedy="Ask its authors before commercial use, or narrow the choice with --license.",
        )
    elif "-nc" in entry.license.lower():
        yield Risk(
            title="The licence forbids commercial use",
            text=f"The weights of {entry.candidate} are under {entry.license}.",
            remedy="Narrow the choice with --license, or train the network yourself.",
        )
    if entry.precision.startswith(("int", "w8")):
        yield Risk(
            title="Reduced precision can cost accuracy",
            text=f"Converted to {entry.precision}, the model can lose more accuracy on your images "
            "than on ImageNet, and operators without such a version fall back to a slower one.",
            remedy="Check the accuracy after conversion on a few hundred of your own images.",
        )
    tight = [metric for metric, margin in entry.margins.items() if 0 <= margin < 0.05]
    if tight:
        yield Risk(
            title="Little room to the limit",
            text=f"Less than 5 % is left on {joined(Metric(m).label.lower() for m in tight)}.",
            remedy="Keep the next faster model of the table in reserve.",
        )
    for caveat in dict.fromkeys(c for figure in entry.metrics.values() for c in figure.caveats):
        yield Risk(title="Caveat on a figure", text=caveat, remedy="See the sources below.")


def _kit(entry: Entry, lane: LaneRecord) -> str:
    return (
        f"advisor kit --device {lane.device} --models {entry.candidate} "
        f"--runtime {lane.runtime} --precision {entry.precision}"
    )


def _of_supply(device: DeviceFacts | None) -> Iterator[Risk]:
    if device is None or device.status not in ("eol", "eol_announced"):
        return
    dates = "; ".join(event_words(*event) for event in device.events)
    yield Risk(
        title="The device will not be sold much longer",
        text=f"{dates or 'End of life'}. Source: {device.status_source} "
        f"({device.status_confidence or 'unknown'} confidence).",
        remedy="Ask the vendor for dates, and compare successors with advisor procure.",
    )


def _general(document: Recommendation) -> Iterator[Risk]:
    yield Risk(
        title="Heat",
        text="Small boards slow down when they get hot; few publications say how warm theirs was.",
        remedy="Run the chosen model for half an hour in its housing before release.",
    )
    if not document.on_own_images:
        yield Risk(
            title="Your images are not ImageNet",
            text="Accuracy is stated for ImageNet's 1,000 everyday classes. On other images the "
            "order of close models can change.",
            remedy="Train the top three on your own images: advisor trial DATASET --models …",
        )
    yield Risk(
        title="More than the model runs",
        text=f"The latency is of the model alone, {batch_words(document.lane.batch)}; "
        "camera, resizing and drawing come on top.",
        remedy="Keep part of the time budget for them.",
    )
