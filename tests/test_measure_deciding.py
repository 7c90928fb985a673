"""Which networks are measured before an answer: those that could change who comes first."""

import math
from collections.abc import Sequence

import pytest

from advisor.constraint import Verdict
from advisor.deciding import chance, deciding, settled
from advisor.estimate import Origin
from advisor.quantity import Metric, Unit
from advisor.recommendation import (
    Entry,
    Figure,
    LaneRecord,
    Limit,
    Recommendation,
    Request,
)

LIMIT = Limit(metric=Metric.LATENCY, at_most=0.010)


def entry(name: str, latency: float, factor: float = 2.0, *, measured: bool = False) -> Entry:
    figure = Figure(
        value=latency,
        low=latency / factor,
        high=latency * factor,
        level=0.9,
        unit=Unit.SECOND,
        origin=Origin.MEASURED if measured else Origin.PREDICTED,
        source="test",
    )
    return Entry(
        candidate=name,
        architecture=name,
        resolution=224,
        precision="fp32",
        lane="lane",
        verdict=Verdict.MET,
        metrics={Metric.LATENCY: figure},
    )


def answer(ranked: Sequence[Entry], uncertain: Sequence[Entry]) -> Recommendation:
    lane = LaneRecord(
        device="host",
        device_name="host",
        unit="cpu",
        runtime="onnxruntime",
        precision="fp32",
        threads=1,
        batch=1,
        variant="",
        name="lane",
        is_default=True,
        published_networks=0,
    )
    return Recommendation(
        advisor_version="0",
        created="",
        command="",
        request=Request(device="host", limits=(LIMIT,)),
        lane=lane,
        lanes=(lane,),
        considered=len(ranked) + len(uncertain),
        ranked=tuple(ranked),
        uncertain=tuple(uncertain),
        rejected=(),
        front=(),
    )


def names(entries: Sequence[Entry]) -> list[str]:
    return [one.candidate for one in entries]


def test_the_first_and_the_hopeful_uncertain_ones_are_measured() -> None:
    document = answer([entry("first", 0.005)], [entry("hopeful", 0.010), entry("far", 0.100)])
    assert names(deciding(document, 5)) == ["first", "hopeful"]


def test_what_was_measured_or_tried_is_not_measured_again() -> None:
    document = answer([entry("first", 0.005, measured=True)], [entry("a", 0.01), entry("b", 0.01)])
    assert names(deciding(document, 5, tried=["a"])) == ["b"]


def test_the_chance_is_a_half_where_the_value_is_the_limit() -> None:
    assert chance(entry("a", 0.010), [LIMIT]) == pytest.approx(0.5)


def test_the_chance_follows_the_interval() -> None:
    """The upper end of a 90 % interval is kept with 95 %."""
    assert chance(entry("a", 0.005), [LIMIT]) == pytest.approx(0.95)
    throughput = Limit(metric=Metric.THROUGHPUT, at_least=100.0)
    assert chance(entry("a", 0.005), [throughput]) == 1.0
    assert math.isclose(chance(entry("a", 0.005), []), 1.0)


def test_the_answer_is_computed_again_after_a_few_measurements() -> None:
    waiting = [entry(f"network{i}", 0.010) for i in range(20)]
    measured: list[list[str]] = []

    def anew() -> Recommendation:
        done = {name for group in measured for name in group}
        return answer([], [e for e in waiting if e.candidate not in done])

    settled(anew, lambda entries: measured.append(names(entries)), 12)
    assert [len(group) for group in measured] == [8, 4]


def test_measuring_ends_when_nothing_is_left_to_decide() -> None:
    document = answer([entry("first", 0.005, measured=True)], [])
    assert settled(lambda: document, lambda _: pytest.fail("nothing to do"), 20) is document
