"""Differences smaller than what is known of them are no order."""

from advisor.answering.assess import Subject
from advisor.answering.judge import Judged
from advisor.answering.ties import licence_class, most_probable, placed
from advisor.catalog.accuracy import Accuracy
from advisor.core.candidate import Candidate
from advisor.core.constraint import Constraint, Verdict
from advisor.core.estimate import Assessment, Estimate, Gap, Interval, Origin, Provenance
from advisor.core.lane import Lane
from advisor.core.quantity import Metric
from advisor.core.ranking import weighing

LANE = Lane(device="board", unit="gpu", runtime="tensorrt", precision="fp16")
LIMIT = Constraint(metric=Metric.LATENCY, at_most=0.01)
TOP1 = weighing({Metric.TOP1: 1.0})


def estimate(
    metric: Metric, value: float, spread: float = 0.0, origin: Origin = Origin.PREDICTED
) -> Estimate:
    return Estimate(
        metric=metric,
        value=value,
        interval=Interval(low=value - spread, high=value + spread, level=0.9),
        provenance=Provenance(origin=origin, source="test"),
    )


def network(
    name: str,
    top1: float,
    parameters: float,
    *,
    license_name: str = "apache-2.0",
    origin: Origin = Origin.PREDICTED,
    latency: float | None = 0.005,
) -> Judged:
    known = {
        Metric.TOP1: estimate(Metric.TOP1, top1, 0.003),
        Metric.PARAMETERS: estimate(Metric.PARAMETERS, parameters),
    }
    gaps = {Metric.LATENCY: Gap(metric=Metric.LATENCY, reason="nobody timed it")}
    if latency is not None:
        known[Metric.LATENCY] = estimate(Metric.LATENCY, latency, 0.002, origin)
        gaps = {}
    candidate = Candidate(architecture=name, resolution=224)
    weights = Accuracy(
        network=name,
        tag="",
        resolution=224,
        top1=top1,
        top5=None,
        others=(),
        parameters=parameters,
        training_data="in1k",
        distilled=False,
        license=license_name,
        source="test",
        source_ref="test/1",
    )
    return Judged(
        subject=Subject(candidate=candidate, resolution=224, weights=weights, implied=True),
        lane=LANE,
        known=Assessment(
            candidate=candidate, precision="fp16", workload=None, estimates=known, gaps=gaps
        ),
        verdicts=((LIMIT, Verdict.UNCERTAIN),),
        confidence=0.9,
    )


def names(judged: list[Judged]) -> list[str]:
    return [place.judged.name for place in placed(judged, TOP1, 0.9)]


def test_a_clear_difference_is_an_order() -> None:
    assert names([network("small", 0.70, 1e6), network("large", 0.75, 9e6)]) == ["large", "small"]


def test_within_a_tie_the_smaller_comes_first_and_it_says_why() -> None:
    first, second = placed([network("large", 0.702, 9e6), network("small", 0.70, 1e6)], TOP1, 0.9)
    assert first.judged.name == "small"
    assert "tied with large" in first.tie
    assert "smaller" in first.tie
    assert "tied with small" in second.tie


def test_among_equal_sizes_the_better_licensed_comes_first() -> None:
    shut = network("shut", 0.702, 5e6, license_name="cc-by-nc-4.0")
    assert names([shut, network("free", 0.70, 5e6)]) == ["free", "shut"]


def test_then_the_better_evidenced() -> None:
    published = network("published", 0.70, 5e6, origin=Origin.PUBLISHED)
    assert names([network("predicted", 0.702, 5e6), published]) == ["published", "predicted"]


def test_of_two_alike_in_everything_the_name_decides_whatever_came_first() -> None:
    twins = [network("b", 0.720, parameters=3e6), network("a", 0.720, parameters=3e6)]
    assert names(twins) == names(twins[::-1])
    assert names(twins)[0].startswith("a")


def test_a_difference_of_more_than_half_a_point_is_never_a_tie() -> None:
    assert names([network("small", 0.70, 1e6), network("large", 0.707, 9e6)])[0] == "large"


def test_licences_are_graded() -> None:
    assert [
        licence_class(x) for x in ("mit", "apache-2.0", "fastvit-license", "", "cc-by-nc-4.0")
    ] == [
        0,
        0,
        1,
        2,
        2,
    ]


def test_uncertain_ones_come_by_probability_and_the_unknown_last() -> None:
    slow, fast = network("slow", 0.9, 1e6, latency=0.012), network("fast", 0.6, 1e6, latency=0.009)
    unknown = network("unknown", 0.95, 1e6, latency=None)
    assert [j.name for j in most_probable([unknown, slow, fast], TOP1)] == [
        "fast",
        "slow",
        "unknown",
    ]
    assert unknown.probability is None
    assert unknown.unknown == "latency: nobody timed it"
