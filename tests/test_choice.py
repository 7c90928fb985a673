"""The safe answer, the likely one and the one worth measuring."""

import pytest

from advisor.answering.choice import answers
from advisor.core.constraint import Constraint, Verdict
from advisor.core.document import Answers, Entry
from advisor.core.error import NORMAL, Error
from advisor.core.estimate import Origin
from advisor.core.quantity import Metric
from advisor.core.ranking import weighing
from tests.documents import entry, figure

LIMIT = Constraint(metric=Metric.LATENCY, at_most=0.010)
LIMITED = weighing({Metric.TOP1: 1.0}, [LIMIT])


def network(
    name: str,
    probability: float,
    top1: float,
    shared: tuple[float, ...] = (),
    origin: Origin = Origin.PREDICTED,
) -> Entry:
    """A network whose time keeps 10 ms with a probability."""
    reach = NORMAL.inv_cdf(0.95)
    spread = 1.5  # factor from the value to the end of its 90 % interval
    value = 0.010 / spread ** (NORMAL.inv_cdf(probability) / reach)
    latency = figure(Metric.LATENCY, value, spread=0.1, origin=origin).model_copy(
        update={"low": value / spread, "high": value * spread, "shared": shared}
    )
    made = entry(name, value, top1, settle=f"measure {name}")
    return made.model_copy(
        update={"metrics": made.metrics | {Metric.LATENCY: latency}, "probability": probability}
    )


def found(ranked: list[Entry], uncertain: list[Entry]) -> Answers:
    placed = [one.model_copy(update={"rank": place}) for place, one in enumerate(ranked, 1)]
    return answers(placed, uncertain, [LIMIT], LIMITED, 0.9)


def test_the_safe_answer_is_the_first_of_the_ranking() -> None:
    got = found([network("sure", 0.95, 0.70)], [network("open", 0.6, 0.75)])
    assert got.safe is not None
    assert got.safe.candidate == "sure"
    assert got.safe.probability == pytest.approx(0.95)


def test_the_likely_answer_weighs_the_gain_by_its_chance() -> None:
    sure = network("sure", 0.999, 0.70)
    got = found([sure], [network("close", 0.8, 0.73), network("far", 0.55, 0.74)])
    assert got.likely is not None
    assert got.likely.candidate == "close"  # 0.8 × 3 points against 0.55 × 4 points
    assert got.likely.gain == pytest.approx(0.8 * 0.03, abs=0.002)


def test_what_more_likely_fails_than_not_is_no_likely_answer() -> None:
    got = found([network("sure", 0.999, 0.70)], [network("hope", 0.4, 0.80)])
    assert got.likely is not None
    assert got.likely.candidate == "sure"


def test_what_is_surer_and_less_accurate_than_the_safe_one_is_no_likely_answer() -> None:
    sure, surer = network("sure", 0.91, 0.700), network("surer", 0.9999, 0.699)
    got = found([sure, surer], [])
    assert got.likely is not None
    assert got.likely.candidate == "sure"
    assert got.likely.gain == 0


def test_where_nothing_gains_the_likely_answer_is_the_safe_one_as_it_is_shown() -> None:
    got = found([network("smaller", 0.95, 0.700), network("tied", 0.92, 0.701)], [])
    assert got.safe is not None
    assert got.likely is not None
    assert got.likely.candidate == got.safe.candidate == "smaller"


def test_what_is_worth_measuring_gains_most_by_itself_where_errors_are_independent() -> None:
    sure = network("sure", 0.999, 0.70)
    got = found([sure], [network("close", 0.8, 0.73), network("bold", 0.4, 0.78)])
    assert got.worth_measuring is not None
    assert got.worth_measuring.candidate == "bold"  # 0.4 × 8 points against 0.8 × 3 points
    assert got.worth_measuring.gain == pytest.approx(0.4 * 0.08, abs=0.002)
    assert got.worth_measuring.command == "measure bold"


def test_a_measurement_that_tells_of_its_likes_gains_more() -> None:
    sure = network("sure", 0.999, 0.70)
    apart = [network(f"kin{i}", 0.5, 0.75 + i / 200) for i in range(4)]
    together = [network(f"kin{i}", 0.5, 0.75 + i / 200, shared=(0.99,)) for i in range(4)]
    alone, kin = found([sure], apart), found([sure], together)
    assert alone.worth_measuring is not None
    assert kin.worth_measuring is not None
    assert kin.worth_measuring.gain >= alone.worth_measuring.gain


def test_what_was_measured_is_not_worth_measuring() -> None:
    measured = network("measured", 0.5, 0.8, origin=Origin.MEASURED)
    assert found([network("sure", 0.999, 0.70)], [measured]).worth_measuring is None


def test_where_nothing_is_safe_the_others_still_stand() -> None:
    got = found([], [network("open", 0.6, 0.75)])
    assert got.safe is None
    assert got.likely is not None
    assert got.likely.candidate == "open"
    assert got.worth_measuring is not None


def test_unknown_networks_are_no_answer() -> None:
    unknown = entry("unknown", 0.005, 0.9, verdict=Verdict.UNKNOWN).model_copy(
        update={"probability": None, "probability_gap": "latency: no figure"}
    )
    assert found([], [unknown]) == Answers()


def test_the_tightest_limit_on_the_time_decides() -> None:
    error = Error.of(Metric.LATENCY, 0.01, 0.005, 0.02, 0.9)
    assert error.standing(0.02) > error.standing(0.015) > 0
