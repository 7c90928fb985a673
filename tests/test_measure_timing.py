"""The timing protocol on a clock that only moves when a network runs."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from advisor.measuring.timing import Sample, Session, TimingPlan, WarmUp


@dataclass(kw_only=True)
class FakeClock:
    """Time passes when ``pass_`` is called."""

    now: float = 0.0
    used: float = 0.0

    def wall(self) -> float:
        return self.now

    def cpu(self) -> float:
        return self.used

    def switches(self) -> int:
        return 0

    def pass_(self, seconds: float, share: float = 1.0) -> None:
        self.now += seconds
        self.used += seconds * share


@dataclass(kw_only=True)
class Bench:
    """A session of networks with given times, and what it told."""

    times: dict[int, Callable[[int], float]]
    plan: TimingPlan = field(default_factory=TimingPlan)
    clock: FakeClock = field(default_factory=FakeClock)
    calls: dict[int, int] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    told: list[Sample | WarmUp] = field(default_factory=list)

    def run(self) -> bool:
        passes = {n: lambda n=n: self._pass(n) for n in self.times}
        return Session(
            passes=passes, clock=self.clock, listen=self.told.append, plan=self.plan
        ).run()

    def _pass(self, network: int) -> None:
        count = self.calls.get(network, 0)
        self.calls[network] = count + 1
        self.order.append(network)
        self.clock.pass_(self.times[network](count))

    def samples(self, network: int) -> list[Sample]:
        return [s for s in self.told if isinstance(s, Sample) and s.network == network]

    def warm_up(self, network: int) -> WarmUp:
        return next(w for w in self.told if isinstance(w, WarmUp) and w.network == network)


def steady(seconds: float) -> Callable[[int], float]:
    return lambda _: seconds


def test_a_steady_network_is_done_after_the_fewest_rounds() -> None:
    bench = Bench(times={0: steady(0.01)})
    assert bench.run()
    assert max(s.turn for s in bench.samples(0)) + 1 == bench.plan.least_rounds


def test_samples_hold_the_wall_and_cpu_time_of_single_passes() -> None:
    bench = Bench(times={0: steady(0.01)})
    bench.run()
    assert {(round(s.wall, 9), round(s.cpu, 9)) for s in bench.samples(0)} == {(0.01, 0.01)}


def test_warm_up_goes_on_until_passes_stop_getting_faster() -> None:
    bench = Bench(times={0: lambda n: 0.01 * (1 + 2 * 0.8**n)})
    bench.run()
    assert bench.warm_up(0).settled
    assert bench.warm_up(0).passes > bench.plan.warm_up_passes


def test_a_warm_up_that_never_settles_ends_and_says_so() -> None:
    bench = Bench(times={0: lambda n: 0.01 * 1.05**n}, plan=TimingPlan(budget=1.0))
    bench.run()
    assert not bench.warm_up(0).settled


def test_networks_take_turns_within_each_round() -> None:
    bench = Bench(times={0: steady(0.01), 1: steady(0.02)})
    bench.run()
    rounds = {s.turn for s in bench.samples(0)}
    assert rounds == {s.turn for s in bench.samples(1)}
    assert len(rounds) == bench.plan.least_rounds


def test_the_first_pass_of_a_turn_is_not_counted() -> None:
    bench = Bench(times={0: steady(0.1)}, plan=TimingPlan(least_passes=3, turn=0.1))
    bench.run()
    turns = bench.plan.least_rounds
    assert bench.calls[0] == bench.warm_up(0).passes + turns * (3 + 1)
    assert len(bench.samples(0)) == turns * 3


def test_a_fast_network_runs_more_often_in_a_turn_than_a_slow_one() -> None:
    bench = Bench(times={0: steady(0.001), 1: steady(1.0)}, plan=TimingPlan(budget=1e9))
    bench.run()
    assert len(bench.samples(0)) > len(bench.samples(1))


def test_the_session_ends_with_its_budget_while_intervals_are_wide() -> None:
    noisy = Bench(times={0: lambda n: 0.01 * (1 + n % 7)}, plan=TimingPlan(budget=5.0, narrow=1e-6))
    assert not noisy.run()
    assert noisy.clock.now < 5.5


def test_a_network_that_is_done_leaves_the_rounds_but_the_reference_stays() -> None:
    plan = TimingPlan(budget=20.0, narrow=0.001, turn=0.03)
    bench = Bench(
        times={0: steady(0.01), 1: steady(0.01), 2: lambda n: 0.01 + 0.001 * (n * 7919 % 13)},
        plan=plan,
    )
    bench.run()
    last = {n: max(s.turn for s in bench.samples(n)) for n in (0, 1, 2)}
    assert last[1] < last[2]
    assert last[0] == pytest.approx(last[2], abs=1)


def test_every_network_gets_a_turn_even_when_warm_up_used_the_budget() -> None:
    bench = Bench(times={0: steady(1.0), 1: steady(1.0)}, plan=TimingPlan(budget=1.0))
    bench.run()
    assert bench.samples(0)
    assert bench.samples(1)
