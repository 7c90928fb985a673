"""Which searched variants compete with what is trained."""

from dataclasses import replace

from advisor.answering.judge import Judged
from advisor.answering.search import competing
from advisor.core.constraint import Verdict
from tests.test_ties import LIMIT, network


def trained_network() -> Judged:
    """A network that keeps the limit."""
    found = network("trained", 0.747, 4e6, latency=0.0059)
    return replace(found, verdicts=((LIMIT, Verdict.MET),))


def test_a_variant_far_below_a_trained_network_that_is_not_slower_is_left_out() -> None:
    trained = [trained_network()]
    near = network("near", 0.73, 4e6, latency=0.006)
    far = network("far", 0.70, 4e6, latency=0.006)
    assert competing([near, far], trained) == [near]


def test_a_variant_faster_than_all_that_is_trained_competes() -> None:
    trained = [trained_network()]
    quick = network("quick", 0.60, 1e6, latency=0.002)
    assert competing([quick], trained) == [quick]


def test_a_variant_without_a_latency_is_kept() -> None:
    unknown = network("unknown", 0.60, 1e6, latency=None)
    assert competing([unknown], [trained_network()]) == [unknown]
