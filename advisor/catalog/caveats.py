"""Every caveat a figure can carry: its slug, how grave it is, and one sentence about it.

A *note* tells something that leaves the figure as good as it was; a *doubt* is about the figure
itself; a *reason* keeps the figure out of every estimate.
"""

from dataclasses import dataclass
from enum import StrEnum


class Gravity(StrEnum):
    """What a caveat does to the row that carries it."""

    NOTE = "kept"
    DOUBT = "caveat"
    REASON = "left_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caveat:
    """One thing that a reader of a figure has to know."""

    slug: str
    gravity: Gravity
    text: str


def _table(gravity: Gravity, texts: dict[str, str]) -> dict[str, Caveat]:
    return {slug: Caveat(slug=slug, gravity=gravity, text=t) for slug, t in texts.items()}


CAVEATS: dict[str, Caveat] = {
    **_table(
        Gravity.NOTE,
        {
            "random-weights": "Timed with random weights.",
            "date-approximate": "The date is that of the publication, roughly.",
            "bulk-batch": (
                "Steady state of one large batch; it says nothing about the latency of a single "
                "image."
            ),
            "throughput-only": (
                "Only throughput was published, and it may be pipelined: it is no latency."
            ),
            "end-to-end": (
                "Includes the CPU's pre- and post-processing, a constant that every latency of "
                "this source carries."
            ),
            "includes-copies": "Includes the copies of the data to and from the accelerator.",
            "compute-only": "Time of the network alone, without pre- and post-processing.",
            "latency-from-fps": "The latency was computed from the published images per second.",
            "accuracy-of-float-model": (
                "The accuracy beside it belongs to the float network, not to the one that was "
                "timed."
            ),
            "accuracy-on-a-sample": "The accuracy beside it was taken on a small sample of images.",
            "threads-unstated": "The number of CPU threads is not stated.",
            "power-mode-unstated": "The board's power mode is not stated.",
            "software-unstated": "The version of the runtime is not stated.",
            "single-job": "One timing job without a spread.",
            "copied-by-hand": "Copied from a printed table.",
            "input-assumed": "The input size is not stated; the usual one is assumed.",
            "large-head": "Its last layer has a class more than the usual 1,000.",
            "sparse-weights": (
                "Most weights are zero and the runtime skips them; the dense network is slower."
            ),
            "unmatched": (
                "No network of the catalog is the same, so that it takes no part in estimates."
            ),
            "memory-is-total-ram": "The memory figure adds internal and external RAM.",
            "data-pipeline": "Includes the benchmark's data pipeline.",
            "throughput-of-streams": (
                "The throughput is of several passes at once, so that it is above one over the "
                "latency."
            ),
            "several-sockets": "Ran on all processors of a machine that has several.",
            "whole-system-power": (
                "Power and energy are of the whole system at the wall, idle share and supply "
                "included."
            ),
            "supply-rail-power": "Power and energy are of the board's supply rail.",
            "before-review": "From the submitter's own repository, before the official review.",
        },
    ),
    **_table(
        Gravity.DOUBT,
        {
            "close-match": "The network that ran differs a little from the one named here.",
            "small-head": "Its head has a few classes instead of 1,000.",
            "precision-inferred": (
                "The precision is inferred from the chip or the default, not stated."
            ),
            "precision-mislabelled": (
                "The value looks like that of another precision than the column's."
            ),
            "fp16-weights-only": (
                "Stored as fp16, computed in fp32: the cores have no fp16 arithmetic or the "
                "runtime does not use it."
            ),
            "fp16-use-doubtful": "Whether the runtime used fp16 on this RISC-V core is doubtful.",
            "noisy-mean": (
                "The mean is more than one and a half times the minimum; the minimum is used."
            ),
            "whole-milliseconds": (
                "Published in whole milliseconds; below 20 ms the rounding is over 2.5 %."
            ),
            "rounded-to-tenths": (
                "Published in tenths of a millisecond; below 2 ms the rounding is over 2.5 %."
            ),
            "vulkan-run-on-cpu": "Listed in a Vulkan run, but these layers ran on the CPU.",
            "unit-assumed": "Which unit of the chip ran it is not stated.",
            "device-assumed": "The publication names the device only in part; the rest is assumed.",
            "proxy-device": "Timed on a stand-in for the device.",
            "cpu-fallback": "Most of the network fell back to the CPU.",
            "partly-on-cpu": "Some layers ran on the CPU.",
            "batch-unstated": "The batch is not stated.",
            "throughput-disagrees": (
                "Latency and throughput, timed separately, differ by more than 10 %."
            ),
            "throughput-of-whole-frame": (
                "The throughput is that of the whole camera loop, the latency that of the network."
            ),
            "sources-disagree": "Two publications of the same cell differ by more than half.",
            "row-disagrees": "Differs by more than half from the other rows of its cell.",
            "far-from-siblings": (
                "More than three times off what the lane's other networks and the network's other"
                " lanes suggest."
            ),
            "older-run": "A run older than the one in the publication's summary.",
            "larger-batch-not-slower": (
                "A larger batch is published with the same or a shorter time."
            ),
            "threads-inferred": (
                "The number of threads is inferred from how slow the run is, not stated."
            ),
            "open-division": "From an open division: the network may differ from the one named.",
            "unmarked-fallback": (
                "Operators that the accelerator lacks ran on the CPU without being marked."
            ),
            "reference-kernels": "So slow that reference kernels are likely.",
            "odd-placement": "The table names one input size, the file that was timed another.",
        },
    ),
    **_table(
        Gravity.REASON,
        {
            "training-form": (
                "Timed in the form it is trained in; deployed, its parallel branches are merged "
                "into single convolutions."
            ),
            "reprint": (
                "Repeats a figure that is already in the catalog; it is no evidence of its own."
            ),
            "typing-error": (
                "Contradicts its neighbours in the same table in a way that only a typing error "
                "explains."
            ),
            "misaligned-table": "Stands in a column of its table that is misaligned or copied.",
            "precision-not-supported": "The chip's unit has no arithmetic of this precision.",
            "not-a-classifier": "The network is a detector.",
            "incomplete": (
                "The publication lacks what the figure means: input size, runtime or precision."
            ),
            "refuted-by-siblings": (
                "Another publication of the same cell fits the lane's other figures and this one "
                "does not."
            ),
            "superseded": "An older run, contradicted by the same publisher's later one.",
            "outvoted": (
                "More than four times off the other figures of the same publication for the same "
                "cell, which agree with one another."
            ),
            "failed-run": (
                "Printed after the benchmark's device had failed: a heavy network seems to take a "
                "fraction of a light one's time."
            ),
            "implausible": (
                "Over 20 times slower than the same runtime's other figures suggest: not this "
                "network, or not wholly on this unit."
            ),
            "swapped-columns": "Latency and throughput contradict each other.",
            "faster-than-peak": (
                "Faster than the unit's arithmetic allows: another precision than the one stated, "
                "a pruned network, or several chips."
            ),
            "unsynchronised": "Timed without waiting for the accelerator to finish.",
        },
    ),
}
"""Every caveat by slug."""


def status(slugs: set[str]) -> str:
    """Return the gravest effect among the caveats of a row: kept, caveat or left_out."""
    found = {CAVEATS[slug].gravity for slug in slugs}
    for gravity in (Gravity.REASON, Gravity.DOUBT):
        if gravity in found:
            return gravity.value
    return Gravity.NOTE.value
