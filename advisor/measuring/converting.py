"""Convert all networks of an order in one process, and go on behind one that crashes it."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from advisor.measuring import exports
from advisor.measuring.child import Ending, Runner, run_child
from advisor.measuring.jobs import Job, Kind
from advisor.measuring.journal import Event
from advisor.measuring.order import Order, Way, Wish
from advisor.measuring.runtimes import where

LONGEST = 3600.0
"""Seconds that the conversion of one network may take."""

Failed = Callable[[str, str], None]
"""Gets the network and the reason."""


@dataclass(kw_only=True)
class _Batch:
    """What a converting process has told about the networks it was given."""

    wishes: Sequence[Wish]
    way: Way
    failed: Failed
    say: Callable[[str], None]
    begun: int = -1
    told: set[int] = field(default_factory=set)

    def follow(self, event: Event) -> None:
        """Take up one event."""
        position = event.get("n", -1)
        if event["e"] == "begin":
            self.begun = position
            self.say(f"converting {self.wishes[position].spelling} for {self.way.label}")
        elif event["e"] == "failed":
            self.failed(self.wishes[position].spelling, event["reason"])
        if event["e"] in ("failed", "prepared"):
            self.told.add(position)

    def rest(self, ending: Ending) -> Sequence[Wish]:
        """Networks that are left after the process ended early; its victim is reported."""
        if ending.code == 0:
            return ()
        victim = max(self.begun, 0)
        if victim not in self.told:
            self.failed(self.wishes[victim].spelling, ending.reason)
        return self.wishes[victim + 1 :]


def converted(
    order: Order,
    way: Way,
    *,
    failed: Failed,
    say: Callable[[str], None],
    run_job: Runner = run_child,
    reference: bool = False,
    kind: Kind = "prepare",
) -> list[Wish]:
    """Convert what was not converted before; return the order's networks that are ready.

    ``kind`` ``export`` writes ONNX files alone, for kits.
    """

    def ready(wish: Wish) -> bool:
        item = order.item(wish, way, 0)
        if kind == "export":
            return bool(item.onnx_file) or exports.kept(item.onnx_key) is not None
        return exports.kept(item.key) is not None

    wishes = order.with_reference(order.wishes) if reference else list(order.wishes)
    pending: Sequence[Wish] = [wish for wish in wishes if not ready(wish)]
    while pending:
        batch = _Batch(wishes=pending, way=way, failed=failed, say=say)
        journal = Path(tempfile.gettempdir()) / f"advisor-{uuid.uuid4().hex}.jsonl"
        job = Job(
            kind=kind,
            journal=str(journal),
            measurer=where(way.name),
            settings=way.settings,
            items=tuple(order.item(wish, way, i) for i, wish in enumerate(pending)),
            calibration=str(order.calibration or ""),
            labelled=str(order.labelled or ""),
        )
        try:
            ending = run_job(job, batch.follow, LONGEST * len(pending))
        finally:
            journal.unlink(missing_ok=True)
        pending = batch.rest(ending)
    return [wish for wish in order.wishes if ready(wish)]
