"""What speaks against a session, and what its interval is worth."""

import math
import random
from statistics import NormalDist, median

import pytest

from advisor.core.spread import agree, between_sessions, median_interval, relative_width, student
from advisor.measuring.stability import Machine, PassTiming, judge

QUIET = Machine()


def timings(*, turns: int = 12, wall: float = 0.01, share: float = 1.0) -> list[PassTiming]:
    return [
        PassTiming(turn=turn, wall=wall, cpu=wall * share)
        for turn in range(turns)
        for _ in range(3)
    ]


def test_a_quiet_session_is_stable() -> None:
    judged = judge(timings(), 1, QUIET)
    assert judged.stable
    assert judged.median == 0.01


def test_interrupted_passes_are_left_out_of_the_median() -> None:
    interrupted = [PassTiming(turn=1, wall=0.05, cpu=0.01)] * 5
    assert judge([*timings(), *interrupted], 1, QUIET).median == 0.01


def test_many_interrupted_passes_are_named_with_a_remedy() -> None:
    interrupted = [PassTiming(turn=1, wall=0.05, cpu=0.01)] * 9
    (reason,) = judge([*timings(), *interrupted], 1, QUIET).reasons
    assert reason == "20 % of the passes were interrupted by other work: stop it and measure again"


def test_where_every_pass_is_interrupted_the_figure_is_cpu_time_and_says_so() -> None:
    judged = judge(timings(wall=0.02, share=0.5), 1, QUIET)
    assert judged.median == 0.01
    assert any("the figure is CPU time" in reason for reason in judged.reasons)


def test_a_few_passes_that_were_left_alone_stand_for_the_session() -> None:
    alone = [PassTiming(turn=n, wall=0.01, cpu=0.01) for n in range(20)]
    assert judge([*timings(turns=30, wall=0.05, share=0.5), *alone], 1, QUIET).median == 0.01


def test_on_another_unit_the_cpu_time_tells_nothing() -> None:
    judged = judge(timings(share=0.1), None, QUIET)
    assert judged.median == 0.01
    assert judged.stable


def test_threads_that_wait_for_each_other_are_not_taken_for_interruptions() -> None:
    assert judge(timings(share=1.6), 2, QUIET).disturbed == 0


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        (Machine(steal=0.1), "the host took 10 % of the CPU time"),
        (Machine(load=1.0), "other processes kept 1.0 CPUs busy"),
        (Machine(governor="powersave"), "cpupower frequency-set -g performance"),
        (Machine(temperature=95.0), "reached 95 °C"),
        (Machine(clock_ratio=0.7), "clock fell by 30 %: it throttles"),
    ],
)
def test_each_disturbance_of_the_machine_is_named(machine: Machine, said: str) -> None:
    (reason,) = judge(timings(), 1, machine).reasons
    assert said in reason


def test_a_session_that_slows_down_is_named() -> None:
    slow = [PassTiming(turn=t.turn, wall=0.01 + 0.0001 * t.turn, cpu=0.02) for t in timings()]
    assert any("slower during the session" in r for r in judge(slow, 1, QUIET).reasons)


def test_too_few_turns_are_named() -> None:
    (reason,) = judge(timings(turns=3), 1, QUIET).reasons
    assert "only 3 turns" in reason


def test_an_unsettled_warm_up_is_named() -> None:
    (reason,) = judge(timings(), 1, QUIET, settled=False).reasons
    assert "warm-up did not settle" in reason


def test_the_interval_of_a_median_holds_the_true_one_as_often_as_it_says() -> None:
    rng = random.Random(0)
    hits = 0
    for _ in range(2000):
        low, high = median_interval([rng.gauss(0, 1) for _ in range(15)])
        hits += low <= 0 <= high
    assert 0.94 <= hits / 2000 <= 0.99


def test_few_values_give_no_width() -> None:
    assert relative_width([1.0, 1.0]) == math.inf


def test_sessions_that_agree_give_a_narrower_interval_than_one() -> None:
    _, low, high = between_sessions([0.01, 0.0101, 0.0099], 0.9)
    _, low_one, high_one = between_sessions([0.01], 0.9)
    assert high / low < high_one / low_one


def test_sessions_that_differ_give_an_interval_that_holds_them() -> None:
    value, low, high = between_sessions([0.010, 0.014, 0.011], 0.9)
    assert value == pytest.approx(0.011)
    assert low < 0.010
    assert high > 0.014


def test_nine_of_ten_further_sessions_fall_into_the_interval() -> None:
    rng = random.Random(1)
    hits = 0
    for _ in range(3000):
        base = rng.uniform(-7, -2)
        sessions = [math.exp(base + rng.gauss(0, 0.05)) for _ in range(4)]
        _, low, high = between_sessions(sessions[:3], 0.9)
        hits += low <= sessions[3] <= high
    assert 0.87 <= hits / 3000 <= 0.95


@pytest.mark.parametrize(
    ("freedom", "expected"), [(3, 2.353), (5, 2.015), (10, 1.812), (100, 1.660)]
)
def test_quantiles_of_students_distribution(freedom: int, expected: float) -> None:
    assert student(0.95, freedom) == pytest.approx(expected, rel=0.01)
    assert student(0.95, 10**6) == pytest.approx(NormalDist().inv_cdf(0.95), rel=1e-4)


def test_sessions_agree_within_ten_percent() -> None:
    assert agree([0.0100, 0.0109])
    assert not agree([0.0100, 0.0112])
    assert median([0.0100, 0.0109]) < 0.0105
