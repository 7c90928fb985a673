"""How firmly the first candidate stands."""

import math

import pytest

from advisor.answering.sensitivity import limit_steps, sensitivity, weight_steps
from advisor.core.constraint import Constraint, Verdict
from advisor.core.document import Recommendation
from advisor.core.quantity import Metric
from tests.documents import entry, figure, infeasible, recommendation


def two(first_top1: float, second_top1: float, *, spread: float = 0.01) -> Recommendation:
    """Two feasible networks; the second is twice as fast."""
    slow, fast = entry("slow", 0.008, first_top1, rank=1), entry("fast", 0.004, second_top1, rank=2)
    ranked = tuple(
        e.model_copy(
            update={
                "metrics": e.metrics
                | {Metric.TOP1: figure(Metric.TOP1, e.metrics[Metric.TOP1].value, spread=spread)}
            }
        )
        for e in (slow, fast)
    )
    return recommendation(0, ranked=ranked, uncertain=(), rejected=())


def without_limits(
    document: Recommendation, weights: dict[Metric, float] | None = None
) -> Recommendation:
    update = {"limits": (), "weights": weights or {Metric.TOP1: 1.0}}
    return document.model_copy(update={"request": document.request.model_copy(update=update)})


def test_a_clear_lead_stays_first_in_every_draw() -> None:
    found = sensitivity(two(0.80, 0.60))
    assert found is not None
    assert found.first_stays == 1.0
    assert found.rivals == ()


def test_equal_figures_share_the_draws() -> None:
    found = sensitivity(two(0.7, 0.7), draws=4000)
    assert found is not None
    assert found.first_stays == pytest.approx(0.5, abs=0.03)
    assert found.rivals[0].candidate == "fast"


def test_first_keeps_its_limit_in_at_least_the_level_of_the_draws() -> None:
    edge = entry("edge", 0.010 / 1.1, 0.7, rank=1)
    found = sensitivity(recommendation(0, ranked=(edge,), uncertain=(), rejected=()), draws=4000)
    assert found is not None
    assert found.first_keeps == pytest.approx(0.95, abs=0.015)


def test_the_same_seed_gives_the_same_shares() -> None:
    document = recommendation()
    assert sensitivity(document) == sensitivity(document)


def test_without_a_feasible_candidate_there_is_nothing_to_test() -> None:
    assert sensitivity(infeasible()) is None


def test_tighter_limit_admits_fewer_and_looser_more() -> None:
    document = recommendation()
    met = {round(step.limit, 6): step.met for step in limit_steps(document)}
    assert met[0.005] < met[0.009] < len(document.ranked) < met[0.0125] < met[0.02]


def test_fractions_move_by_points() -> None:
    document = recommendation(5)
    limit = Constraint(metric=Metric.TOP1, at_least=0.97)
    request = document.request.model_copy(update={"limits": (limit,)})
    steps = limit_steps(document.model_copy(update={"request": request}))
    assert [round(step.limit, 3) for step in steps] == [0.92, 0.95, 0.96, 0.98, 0.99]


def test_break_even_weight_is_where_scores_cross() -> None:
    # Six points of top-1 are 0.2 of its utility; half the time is log(2)/log(1000) of its own.
    found = {step.metric: step for step in weight_steps(without_limits(two(0.76, 0.70)))}
    gain = math.log(2) / math.log(1000)
    assert found[Metric.LATENCY].break_even == pytest.approx(0.2 / (0.2 + gain))
    assert found[Metric.LATENCY].first == "fast"


def test_break_even_of_a_metric_that_counts_already_is_its_whole_weight() -> None:
    weights = {Metric.TOP1: 0.9, Metric.LATENCY: 0.1}
    found = {s.metric: s for s in weight_steps(without_limits(two(0.76, 0.70), weights))}
    gain = math.log(2) / math.log(1000)
    assert found[Metric.LATENCY].break_even == pytest.approx(0.2 / (0.2 + gain))


def test_time_within_its_limit_has_no_break_even() -> None:
    found = {step.metric: step for step in weight_steps(two(0.76, 0.70))}
    assert found[Metric.LATENCY].break_even is None


def test_networks_that_err_together_keep_the_limit_together() -> None:
    alone = [entry(f"net{i}", 0.0099, 0.7, verdict=Verdict.UNCERTAIN) for i in range(20)]
    together = [
        e.model_copy(
            update={
                "metrics": e.metrics
                | {Metric.LATENCY: e.metrics[Metric.LATENCY].model_copy(update={"shared": (0.99,)})}
            }
        )
        for e in alone
    ]
    first = entry("first", 0.004, 0.6, rank=1)
    shares = []
    for uncertain in (alone, together):
        document = recommendation(0, ranked=(first,), uncertain=tuple(uncertain), rejected=())
        found = sensitivity(document, draws=4000)
        assert found is not None
        shares.append(found.uncertain_wins)
    assert shares[0] > 0.99
    assert shares[1] == pytest.approx(0.6, abs=0.08)


def test_no_break_even_where_the_first_is_best_in_everything() -> None:
    alone = recommendation(0, ranked=(entry("only", 0.004, 0.7, rank=1),), uncertain=())
    assert all(step.break_even is None for step in weight_steps(alone))
