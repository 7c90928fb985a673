"""Ranking by one metric or several, and Pareto fronts."""

import pytest

from advisor.core.quantity import Metric
from advisor.core.ranking import dominates, front, order, scores, utility

FAST = {Metric.LATENCY: 0.001, Metric.TOP1: 0.60}
MIDDLE = {Metric.LATENCY: 0.010, Metric.TOP1: 0.75}
SLOW = {Metric.LATENCY: 0.100, Metric.TOP1: 0.80}


def test_costs_are_compared_by_ratio() -> None:
    assert utility([0.001, 0.010, 0.100], Metric.LATENCY) == pytest.approx([1.0, 0.5, 0.0])


def test_accuracies_are_compared_by_difference() -> None:
    assert utility([0.60, 0.75, 0.80], Metric.TOP1) == pytest.approx([0.0, 0.75, 1.0])


def test_equal_values_are_all_best() -> None:
    assert utility([0.5, 0.5], Metric.TOP1) == [1.0, 1.0]


def test_accuracy_alone_ranks_the_most_accurate_first() -> None:
    assert order([FAST, MIDDLE, SLOW], {Metric.TOP1: 1.0}) == [2, 1, 0]


def test_weights_find_the_compromise() -> None:
    weights = {Metric.TOP1: 0.5, Metric.LATENCY: 0.5}
    assert scores([FAST, MIDDLE, SLOW], weights) == pytest.approx([0.5, 0.625, 0.5])
    assert order([FAST, MIDDLE, SLOW], weights)[0] == 1


def test_a_missing_value_counts_as_the_worst() -> None:
    assert order([{Metric.LATENCY: 0.001}, SLOW], {Metric.TOP1: 1.0}) == [1, 0]


def test_of_equals_the_faster_comes_first() -> None:
    slower = {Metric.LATENCY: 0.02, Metric.TOP1: 0.75}
    assert order([slower, MIDDLE], {Metric.TOP1: 1.0}) == [1, 0]


def test_dominance_needs_to_be_better_somewhere() -> None:
    assert dominates((1, 1), (1, 2))
    assert not dominates((1, 1), (1, 1))
    assert not dominates((0, 2), (1, 1))


def test_the_front_keeps_what_nothing_dominates() -> None:
    assert front([(1, 5), (2, 4), (3, 4), (4, 1), (2, 6)]) == [0, 1, 3]


def test_equal_points_share_the_front() -> None:
    assert front([(1, 1), (1, 1), (2, 2)]) == [0, 1]
