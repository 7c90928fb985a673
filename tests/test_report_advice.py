"""Advice and claims: what the report says in words is what its figures say."""

import re

import pytest

from advisor.answering.contest import is_likely, promising
from advisor.catalog.claims import claims_about
from advisor.core.constraint import Constraint, Verdict
from advisor.core.document import Entry
from advisor.core.quantity import Metric
from advisor.hardware.library import catalog_directory
from advisor.reports.advice import FamilyLine, family_advice
from advisor.reports.decision import Outcome, decide
from advisor.reports.difference import difference
from advisor.reports.risks import risks, unchecked
from tests.documents import entry, infeasible, recommendation


def lines() -> dict[str, FamilyLine]:
    return {line.family: line for line in family_advice(recommendation())}


def test_the_family_of_the_first_choice_is_named_first() -> None:
    first = next(iter(lines().values()))
    assert first.advice.startswith("First choice")
    assert first.best == recommendation().ranked[0].candidate


def test_advice_against_a_family_names_a_model_that_is_nowhere_worse() -> None:
    by_name: dict[str, Entry] = {e.candidate: e for e in recommendation().ranked}
    seen = 0
    for line in lines().values():
        found = re.search(
            r"(?:Nothing speaks for it here:|By these figures) (\S+) is at least", line.advice
        )
        if found is None:
            continue
        seen += 1
        other, best = by_name[found[1]].metrics, by_name[line.best].metrics
        assert other[Metric.LATENCY].value <= best[Metric.LATENCY].value
        assert other[Metric.TOP1].value >= best[Metric.TOP1].value
    assert seen


def test_a_family_without_a_feasible_model_is_never_advised() -> None:
    for line in family_advice(infeasible()):
        assert line.met.startswith("0 of")
        assert line.advice.startswith("None")


def test_test_networks_belong_to_no_family() -> None:
    tiny = tuple(entry(f"test_vit{i}", 0.001, 0.5, rank=i) for i in (1, 2, 3))
    assert family_advice(recommendation(0, ranked=tiny, uncertain=(), rejected=())) == ()


def test_claims_about_a_family_are_found() -> None:
    found = claims_about(["efficientnet_b0.ra_in1k"], catalog_directory())
    assert any("B7: 19.0" in c.claim and c.verdict == "wrong" for c in found)
    assert not any("ResNet-50: 3.8" in c.claim for c in found)


def test_nothing_is_claimed_about_other_families() -> None:
    assert claims_about(["swin_tiny"], catalog_directory()) == ()


def test_the_decision_counts_the_uncertain_models_that_would_be_better() -> None:
    document = recommendation()
    best = promising(document)[0]
    assert best.metrics[Metric.LATENCY].value <= 0.010
    assert "would be better" in " ".join(decide(document).sentences)


def test_a_share_of_a_share_is_said_in_points() -> None:
    limit = Constraint(metric=Metric.TOP1, at_least=0.8)
    assert limit.room_text(0.0122) == "1.0 points"
    assert Constraint(metric=Metric.LATENCY, at_most=0.01).room_text(0.122) == "12.2 %"


def test_a_licence_that_nobody_states_is_a_risk() -> None:
    unstated = entry("net", 0.002, 0.7, license="")
    closed = entry("net", 0.002, 0.7, license="cc-by-nc-4.0")
    titles = [[r.title for r in risks(recommendation(), e)] for e in (unstated, closed)]
    assert "The licence is not stated" in titles[0]
    assert "The licence forbids commercial use" in titles[1]


def test_an_uncertain_model_within_the_limit_is_more_promising_than_a_better_one_beyond() -> None:
    beyond = entry("beyond", 0.0105, 0.9, verdict=Verdict.UNCERTAIN)
    within = entry("within", 0.0095, 0.6, verdict=Verdict.UNCERTAIN)
    document = recommendation(0, ranked=(), uncertain=(beyond, within), rejected=())
    assert [e.candidate for e in promising(document)] == ["within", "beyond"]
    assert is_likely(within)
    assert not is_likely(beyond)
    assert decide(document).headline == "Measure within before deciding"


def test_without_a_sure_model_the_decision_is_to_measure() -> None:
    assert decide(recommendation(ranked=())).outcome is Outcome.MEASURE
    assert decide(infeasible()).outcome is Outcome.NOTHING


def test_a_predicted_latency_is_a_risk() -> None:
    ranked = recommendation().ranked
    first = next(e for e in ranked if e.metrics[Metric.LATENCY].origin == "predicted")
    titles = [risk.title for risk in risks(recommendation(), first)]
    assert "Your images are not ImageNet" in titles
    assert "The speed was not measured" in titles


def test_reduced_precision_is_a_risk() -> None:
    small = entry("net", 0.002, 0.7, precision="int8")
    assert any("Reduced precision" in risk.title for risk in risks(recommendation(), small))


def test_a_gap_is_listed_as_unchecked() -> None:
    assert any("energy" in text for text in unchecked(recommendation().ranked[0]))


def test_the_same_answer_has_no_difference() -> None:
    assert difference(recommendation(), recommendation()).empty


@pytest.mark.parametrize("earlier", [0.008, 0.001])
def test_a_changed_limit_shows_in_the_difference(earlier: float) -> None:
    found = difference(recommendation(limit=earlier), recommendation())
    assert [change.what for change in found.request] == ["limits"]
    assert found.ranks
    assert (found.decision is not None) == (
        decide(recommendation(limit=earlier)).headline != decide(recommendation()).headline
    )
