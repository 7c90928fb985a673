"""The timing protocol: warm up until it settles, then take turns in rounds.

All networks of a session, with a reference network among them, run in rounds, so that a drift of
the machine meets all of them alike. In its turn a network runs once unseen, to bring its weights
back into the caches, and then a few times that count. A network leaves the rounds when the
interval of its median is narrow; the session ends when all have, or when its time is up.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Protocol

from advisor.core.spread import relative_width


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingPlan:
    """Numbers that decide how long and how often."""

    narrow: float = 0.015
    """Half the relative width of the median's interval at which a network is done."""
    least_rounds: int = 10
    budget: float = 60.0
    """Seconds of one session, warm-up included."""
    turn: float = 0.08
    """Seconds that a turn aims at."""
    least_passes: int = 3
    """Passes that count in a turn, at least."""
    most_passes: int = 20
    warm_up_passes: int = 10
    """Warm-up passes, at least."""
    warm_up_seconds: float = 4.0
    """Longest warm-up of one network, unless the fewest passes take longer."""
    settled: float = 0.05
    """Relative difference of two windows of warm-up below which it has settled."""


class Clock(Protocol):
    """What a timing reads; a test puts its own in the place of the machine's."""

    def wall(self) -> float:
        """Seconds on a clock that never jumps."""

    def cpu(self) -> float:
        """Seconds of CPU time of this process, all threads."""

    def switches(self) -> int:
        """Involuntary context switches of this process so far."""


class MachineClock:
    """The clocks of the operating system."""

    wall = staticmethod(time.perf_counter)
    cpu = staticmethod(time.process_time)

    def switches(self) -> int:
        """Involuntary context switches of this process so far."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One timed pass."""

    network: int
    """Position of the network in the session."""
    turn: int
    wall: float
    """Seconds."""
    cpu: float
    """Seconds of CPU time, all threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """How a network warmed up."""

    network: int
    passes: int
    settled: bool
    seconds: float
    """Time of the last passes, the first idea of the latency."""


Listener = Callable[[Sample | WarmUp], None]


@dataclass(kw_only=True)
class Session:
    """A session under way: what every network has shown so far."""

    passes: Mapping[int, Callable[[], object]]
    """One pass of each network, by position."""
    clock: Clock
    listen: Listener
    plan: TimingPlan
    turns: dict[int, list[float]] = field(default_factory=dict)
    """Medians of the turns, by network."""

    def run(self) -> bool:
        """Warm up and take turns; tell whether every interval is narrow."""
        end = self.clock.wall() + self.plan.budget
        expected = {n: self.warm_up(n).seconds for n in self.passes}
        round_number = 0
        while self.open_networks() and (round_number == 0 or self.clock.wall() < end):
            for network in self._order(round_number):
                self.turn(network, round_number, expected[network])
                if self.clock.wall() >= end and round_number > 0:
                    break
            round_number += 1
        return not self.open_networks()

    def open_networks(self) -> list[int]:
        """Networks whose interval is not narrow yet."""
        least = self.plan.least_rounds
        return [n for n in self.passes if not self._done(self.turns.get(n, []), least)]

    def _done(self, medians: Sequence[float], least: int) -> bool:
        return len(medians) >= least and relative_width(medians) <= self.plan.narrow

    def _order(self, round_number: int) -> list[int]:
        """Networks of a round: the open ones and the first, beginning elsewhere every time."""
        keep = sorted({*self.open_networks(), min(self.passes)})
        shift = round_number % len(keep)
        return keep[shift:] + keep[:shift]

    def warm_up(self, network: int) -> WarmUp:
        """Run a network until two windows of passes take the same time."""
        plan, window = self.plan, max(2, self.plan.warm_up_passes // 2)
        begin = self.clock.wall()
        times: list[float] = []
        settled = False
        while not settled:
            times.append(self._timed(network)[0])
            enough = len(times) >= max(plan.warm_up_passes, 2 * window)
            if enough:
                before, now = median(times[-2 * window : -window]), median(times[-window:])
                settled = abs(before - now) <= plan.settled * now
                if self.clock.wall() - begin > plan.warm_up_seconds:
                    break
        done = WarmUp(
            network=network,
            passes=len(times),
            settled=settled,
            seconds=median(times[-window:]),
        )
        self.listen(done)
        return done

    def turn(self, network: int, number: int, expected: float) -> None:
        """Run a network once unseen, then as often as fills a turn."""
        plan = self.plan
        count = int(plan.turn / max(expected, 1e-9))
        self.passes[network]()
        walls = []
        for _ in range(min(max(count, plan.least_passes), plan.most_passes)):
            wall, cpu = self._timed(network)
            walls.append(wall)
            self.listen(Sample(network=network, turn=number, wall=wall, cpu=cpu))
        self.turns.setdefault(network, []).append(median(walls))

    def _timed(self, network: int) -> tuple[float, float]:
        run, clock = self.passes[network], self.clock
        cpu, wall = clock.cpu(), clock.wall()
        run()
        return clock.wall() - wall, clock.cpu() - cpu
