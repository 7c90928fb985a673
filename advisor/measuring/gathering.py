"""Turn the events of a measuring process into the records that the store keeps."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from advisor.measuring.journal import Event
from advisor.measuring.stability import Judgment, Machine, PassTiming, judge
from advisor.measuring.store import FigureRecord, SampleRecord


@dataclass(kw_only=True)
class Gathering:
    """What a session has told so far."""

    session: str
    threads: int | None
    """None where another unit than the CPU computes."""
    samples: list[SampleRecord] = field(default_factory=list)
    failures: dict[int, str] = field(default_factory=dict)
    warm_up: dict[int, tuple[int, bool]] = field(default_factory=dict)
    """Passes until a network settled, and whether it did."""
    energy: dict[int, float] = field(default_factory=dict)
    machine: Machine = field(default_factory=Machine)
    ended: bool = False
    """Whether the session came to its end by itself."""

    def take(self, event: Event) -> None:
        """Take up one event; those of no concern are ignored."""
        kind, position = event.get("e"), int(event.get("n", -1))
        if kind == "s":
            self.samples.append(
                SampleRecord(
                    session=self.session,
                    position=position,
                    number=len(self.samples),
                    turn=event["t"],
                    wall=event["w"],
                    cpu=event["c"],
                )
            )
        elif kind == "failed":
            self.failures[position] = event["reason"]
        elif kind == "warm":
            self.warm_up[position] = (event["passes"], event["settled"])
        elif kind == "energy":
            self.energy[position] = event["joules"]
        elif kind == "end":
            self.machine, self.ended = Machine(**event["machine"]), True

    def figures(self, begun: Sequence[FigureRecord], *, lost: str = "") -> list[FigureRecord]:
        """Complete the records with which the session began.

        ``lost`` says why a network without any sample has none.
        """
        return [self._figure(one, lost) for one in begun]

    def judgments(self) -> Mapping[int, Judgment]:
        """Judge every network that has samples."""
        groups: dict[int, list[PassTiming]] = {}
        for s in self.samples:
            timing = PassTiming(turn=s.turn, wall=s.wall, cpu=s.cpu or s.wall)
            groups.setdefault(s.position, []).append(timing)
        return {
            position: judge(
                timings,
                self.threads,
                self.machine,
                settled=self.warm_up.get(position, (0, True))[1],
            )
            for position, timings in groups.items()
        }

    def _figure(self, begun: FigureRecord, lost: str) -> FigureRecord:
        found = self.judgments().get(begun.position)
        if found is None:
            failure = self.failures.get(begun.position) or lost or "the session ended before it"
            return replace(begun, failure=failure)
        return replace(
            begun,
            latency=found.median,
            passes=found.passes,
            disturbed=found.disturbed,
            cpu_share=found.cpu_share,
            warm_up=self.warm_up.get(begun.position, (None, True))[0],
            energy=self.energy.get(begun.position),
            reasons=json.dumps(found.reasons),
        )


def gathered(session: str, threads: int | None, events: Iterable[Event]) -> Gathering:
    """Gather all events of a journal."""
    found = Gathering(session=session, threads=threads)
    for event in events:
        found.take(event)
    return found
