"""Rejected candidates: nearest first, written down when they are read."""

from dataclasses import replace

from advisor.answering.judge import Judged
from advisor.answering.write import Rejections
from advisor.core.constraint import RUNS, Verdict
from advisor.core.estimate import Assessment
from advisor.core.quantity import Metric
from tests.test_ties import LIMIT, network


def rejected(name: str, latency: float) -> Judged:
    """A network that breaks the limit."""
    found = network(name, 0.7, 4e6, latency=latency)
    return replace(found, verdicts=((LIMIT, Verdict.VIOLATED),))


def refused(name: str) -> Judged:
    """A network that the compiler refuses."""
    found = network(name, 0.7, 4e6, latency=None)
    return replace(found, known=replace(found.known, refused="no attention"), verdicts=())


FAR, NEAR = rejected("far", 10 * LIMIT.bound), rejected("near", 2 * LIMIT.bound)


def test_the_nearest_stands_first_and_what_cannot_run_last() -> None:
    found = Rejections([refused("never"), FAR, NEAR])
    assert [one.candidate for one in found] == ["near", "far", "never"]
    assert [one.constraint for one in found] == ["latency", "latency", RUNS]


def test_they_equal_the_tuple_of_what_they_write() -> None:
    found = Rejections([FAR, NEAR])
    assert found == tuple(found)
    assert tuple(found) == found
    assert found[:1] == (found[0],)
    assert found != Rejections([FAR])


def test_only_what_is_read_is_assessed_any_further() -> None:
    asked: list[frozenset[Metric]] = []

    def assess(metrics: frozenset[Metric]) -> Assessment:
        asked.append(metrics)
        return NEAR.known

    found = Rejections([FAR, replace(NEAR, assess=assess)])
    assert len(found) == 2
    assert found[1].candidate == Rejections([FAR])[0].candidate
    assert asked == []
    assert Metric.TOP1 in found[0].metrics
    assert len(asked) == 1
