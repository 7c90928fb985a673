"""Which networks are measured before an answer: those that could change who comes first."""

from collections.abc import Sequence

import pytest

from advisor.answering.contest import contest, deciding, settled, time_allowed
from advisor.core.constraint import Constraint, Verdict
from advisor.core.document import Entry, Figure, LaneRecord, Recommendation
from advisor.core.error import NORMAL, Error
from advisor.core.estimate import Origin
from advisor.core.quantity import Metric, Unit
from advisor.core.request import Request

LIMIT = Constraint(metric=Metric.LATENCY, at_most=0.010)


def entry(
    name: str,
    latency: float,
    factor: float = 2.0,
    *,
    measured: bool = False,
    top1: float | None = None,
) -> Entry:
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
        verdicts={"latency": _verdict(figure)},
        probability=NORMAL.cdf(
            Error.of(Metric.LATENCY, latency, figure.low, figure.high, 0.9).standing(0.010)
        ),
        metrics={Metric.LATENCY: figure, **({Metric.TOP1: _share(top1)} if top1 else {})},
    )


def _verdict(figure: Figure) -> Verdict:
    straddles = figure.low <= (LIMIT.at_most or 0) < figure.high
    return Verdict.UNCERTAIN if straddles else Verdict.MET


def _share(top1: float) -> Figure:
    return Figure(
        value=top1,
        low=top1,
        high=top1,
        level=0.9,
        unit=Unit.FRACTION,
        origin=Origin.PUBLISHED,
        source="test",
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


def test_the_largest_expected_gain_is_measured_first() -> None:
    document = answer(
        [entry("first", 0.004, top1=0.70)],
        [
            entry("little to gain", 0.010, top1=0.71),
            entry("much to gain", 0.010, top1=0.80),
            entry("nothing to gain", 0.010, top1=0.60),
            entry("no hope", 0.500, top1=0.90),
        ],
    )
    assert names(deciding(document, 2)) == ["much to gain", "little to gain"]


def test_what_was_measured_or_tried_is_not_measured_again() -> None:
    document = answer([entry("first", 0.005, measured=True)], [entry("a", 0.01), entry("b", 0.01)])
    assert names(deciding(document, 5, tried=["a"])) == ["b"]


def test_the_answer_is_computed_again_after_a_few_measurements() -> None:
    waiting = [entry(f"network{i}", 0.010) for i in range(20)]
    measured: list[list[str]] = []

    def anew() -> Recommendation:
        done = {name for group in measured for name in group}
        return answer([], [e for e in waiting if e.candidate not in done])

    settled(anew, lambda entries: measured.append(names(entries)), 12)
    assert [len(group) for group in measured] == [4, 4, 4]


def test_measuring_ends_when_nothing_is_left_to_decide() -> None:
    document = answer([entry("first", 0.005, measured=True)], [])
    assert settled(lambda: document, lambda _: pytest.fail("nothing to do"), 20) is document


def test_only_who_would_come_before_the_first_is_its_rival() -> None:
    document = answer(
        [entry("first", 0.004, top1=0.75)],
        [entry("better", 0.010, top1=0.80), entry("worse", 0.010, top1=0.70)],
    )
    found = contest(document)
    assert names(found.rivals) == ["better"]
    assert names(found.hopeful) == ["better", "worse"]
    assert names(found.open) == ["better", "first"]


def test_where_the_first_stays_those_that_may_keep_the_limit_are_open() -> None:
    document = answer([entry("first", 0.004, top1=0.75)], [entry("worse", 0.010, top1=0.70)])
    found = contest(document)
    assert not found.rivals
    assert names(found.open) == ["worse"]


def test_without_a_first_all_hopeful_ones_are_rivals() -> None:
    found = contest(answer([], [entry("a", 0.010), entry("far", 0.100)]))
    assert found.first is None
    assert names(found.open) == ["a"]


def test_where_the_fastest_is_wanted_intervals_that_overlap_are_open() -> None:
    ranked = [entry("first", 0.002), entry("close", 0.003), entry("slow", 0.0049, factor=1.1)]
    document = answer(ranked, [])
    request = document.request.model_copy(update={"weights": {Metric.LATENCY: 1.0}})
    found = contest(document.model_copy(update={"request": request}))
    assert names(found.open) == ["close", "first"]


def test_a_network_that_lacks_something_else_is_not_settled_by_its_time() -> None:
    lacking = entry("a", 0.004).model_copy(update={"verdict": Verdict.UNKNOWN})
    assert contest(answer([entry("first", 0.004)], [lacking])).open == ()


def test_the_time_allowed_is_that_of_the_tightest_limit() -> None:
    one = entry("a", 0.005)
    document = answer([one], [])
    assert time_allowed(document, one) == pytest.approx(0.010)
    request = document.request.model_copy(update={"limits": ()})
    assert time_allowed(document.model_copy(update={"request": request}), one) is None
