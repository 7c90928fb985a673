"""Ranking by one metric or several, and Pareto fronts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.core.constraint import Constraint
from advisor.core.quantity import Metric
from advisor.core.ranking import dominates, front, order, scores, utility, weighing

FAST = {Metric.LATENCY: 0.001, Metric.TOP1: 0.60}
MIDDLE = {Metric.LATENCY: 0.010, Metric.TOP1: 0.75}
SLOW = {Metric.LATENCY: 0.100, Metric.TOP1: 0.80}


TOP1 = weighing({Metric.TOP1: 1.0})
BOTH = {Metric.TOP1: 0.5, Metric.LATENCY: 0.5}


def latency_at_most(seconds: float) -> Constraint:
    return Constraint(metric=Metric.LATENCY, at_most=seconds)


def test_costs_are_compared_by_ratio() -> None:
    worth = utility(Metric.LATENCY)
    assert [worth(t) for t in (0.001, 0.010, 0.100, 1.0)] == pytest.approx([1, 2 / 3, 1 / 3, 0])


def test_accuracies_are_compared_by_difference() -> None:
    worth = utility(Metric.TOP1)
    assert [worth(share) for share in (0.6, 0.75, 0.9)] == pytest.approx([0.0, 0.5, 1.0])


def test_ten_points_of_accuracy_are_worth_a_factor_of_ten_in_time() -> None:
    values = [{Metric.LATENCY: 0.1, Metric.TOP1: 0.8}, {Metric.LATENCY: 0.01, Metric.TOP1: 0.7}]
    first, second = scores(values, weighing(BOTH))
    assert first == pytest.approx(second)


def test_speed_beyond_the_limit_is_worth_nothing() -> None:
    weighed = weighing({Metric.TOP1: 0.4, Metric.LATENCY: 0.6}, [latency_at_most(0.1)])
    fast = {Metric.LATENCY: 0.0034, Metric.TOP1: 0.696}
    accurate = {Metric.LATENCY: 0.0054, Metric.TOP1: 0.747}
    assert order([fast, accurate], weighed) == [1, 0]


def test_speed_up_to_a_stated_need_is_worth_something() -> None:
    worth = utility(Metric.LATENCY, [latency_at_most(0.1)], {Metric.LATENCY: 0.004})
    assert worth(0.0054) < worth(0.004) == worth(0.002) == 1.0


def test_accuracy_beyond_its_floor_is_worth_more() -> None:
    floor = Constraint(metric=Metric.TOP1, at_least=0.7)
    worth = utility(Metric.TOP1, [floor])
    assert worth(0.8) > worth(0.75)


def test_a_single_objective_does_not_end_at_its_limit() -> None:
    weighed = weighing({Metric.LATENCY: 1.0}, [latency_at_most(0.1)])
    assert order([MIDDLE, FAST], weighed) == [1, 0]


def test_accuracy_alone_ranks_the_most_accurate_first() -> None:
    assert order([FAST, MIDDLE, SLOW], TOP1) == [2, 1, 0]


def test_weights_find_the_compromise() -> None:
    assert order([FAST, MIDDLE, SLOW], weighing(BOTH))[0] == 1


VALUES = st.fixed_dictionaries(
    {},
    optional={
        Metric.LATENCY: st.floats(1e-4, 10.0),
        Metric.TOP1: st.floats(0.1, 0.95),
        Metric.WEIGHTS: st.floats(1e5, 1e10),
    },
)


@given(
    candidates=st.lists(VALUES, min_size=2, max_size=8),
    shares=st.tuples(*[st.floats(0.05, 1.0)] * 3),
    limit=st.none() | st.floats(1e-3, 1.0),
    data=st.data(),
)
def test_taking_a_candidate_away_changes_no_order(
    candidates: list[dict[Metric, float]],
    shares: tuple[float, float, float],
    limit: float | None,
    data: st.DataObject,
) -> None:
    limits = [] if limit is None else [latency_at_most(limit)]
    metrics = (Metric.LATENCY, Metric.TOP1, Metric.WEIGHTS)
    weighed = weighing(dict(zip(metrics, shares, strict=True)), limits)
    gone = data.draw(st.integers(0, len(candidates) - 1))
    kept = [i for i in range(len(candidates)) if i != gone]
    after = [kept[i] for i in order([candidates[i] for i in kept], weighed)]
    assert after == [i for i in order(candidates, weighed) if i != gone]


def test_an_unknown_value_counts_as_worse_than_any_usual_one() -> None:
    assert order([{Metric.LATENCY: 0.001}, SLOW], TOP1) == [1, 0]


def test_of_equals_the_faster_comes_first() -> None:
    slower = {Metric.LATENCY: 0.02, Metric.TOP1: 0.75}
    assert order([slower, MIDDLE], TOP1) == [1, 0]


def test_dominance_needs_to_be_better_somewhere() -> None:
    assert dominates((1, 1), (1, 2))
    assert not dominates((1, 1), (1, 1))
    assert not dominates((0, 2), (1, 1))


def test_the_front_keeps_what_nothing_dominates() -> None:
    assert front([(1, 5), (2, 4), (3, 4), (4, 1), (2, 6)]) == [0, 1, 3]


def test_equal_points_share_the_front() -> None:
    assert front([(1, 1), (1, 1), (2, 2)]) == [0, 1]
