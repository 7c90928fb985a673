"""Published results of pruning, and the pruned networks that compete with them."""

from pathlib import Path

import pytest

from advisor.answering.evidence import Evidence
from advisor.answering.pruned import pruned_form
from advisor.answering.recommend import recommend
from advisor.catalog.pruning_results import HalvedMacs, PruningResult, read_pruning
from advisor.core.candidate import Candidate
from advisor.core.constraint import Constraint
from advisor.core.document import Entry
from advisor.core.estimate import Origin
from advisor.core.quantity import Metric
from advisor.core.request import Request
from advisor.errors import UsageError
from advisor.networks.pricing.prices import price


def result(family: str, change: float, share: float | None = 0.5) -> PruningResult:
    return PruningResult(
        network=family,
        family=family,
        before=0.7,
        after=0.7 + change,
        share=share,
        source="someone/zoo@1",
    )


def test_change_is_the_familys_mean_with_the_spread_of_all_families() -> None:
    # squares about the means 0.02² + 0.02² + 0.01² + 0.01² over two degrees of freedom
    halved = HalvedMacs(
        results=[
            result("resnet", -0.01),
            result("resnet", -0.05),
            result("vgg", -0.03),
            result("vgg", -0.01),
            result("densenet", -0.06),
        ]
    )
    spread = (0.001 / 2) ** 0.5
    of_two, of_one = halved.at("resnet50", level=0.9), halved.at("densenet121", level=0.9)
    assert of_two is not None
    assert of_one is not None
    assert of_two.value == pytest.approx(-0.03)
    assert of_one.value == pytest.approx(-0.06)
    half = 2.92 * spread  # 95 % quantile of Student's t with two degrees of freedom
    assert of_two.high - of_two.value == pytest.approx(half * 1.5**0.5, rel=0.02)
    assert of_one.value - of_one.low == pytest.approx(half * 2**0.5, rel=0.02)


def test_family_without_a_result_at_about_half_has_no_change() -> None:
    halved = HalvedMacs(
        results=[
            result("resnet", -0.01),
            result("resnet", -0.02),
            result("vgg", -0.02, share=0.3),
            result("googlenet", -0.02, share=None),
        ]
    )
    assert halved.at("vgg16", level=0.9) is None
    assert halved.at("googlenet", level=0.9) is None
    assert halved.at("densenet121", level=0.9) is None


def test_published_results_are_structured_unquantised_and_on_imagenet() -> None:
    results = read_pruning(Evidence().root)
    mobile = [one for one in results if one.network == "mobilenetv2_100"]
    assert [round(one.change, 4) for one in mobile] == [-0.0636]
    assert mobile[0].share == pytest.approx(1 - 148 / 295)
    resnet50 = sorted(round(one.change, 4) for one in results if one.network == "resnet50")
    assert resnet50 == [-0.0093, -0.0058, -0.0009]  # the row with INT8 is left out
    assert not any(one.network == "inception_v3" for one in results)  # zeros keep their shapes


def test_broken_figure_of_the_table_is_named(tmp_path: Path) -> None:
    table = (Evidence().root / "compression.csv").read_text(encoding="utf-8")
    (tmp_path / "compression.csv").write_text(table.replace("65.79", "x"), encoding="utf-8")
    with pytest.raises(Exception, match=r"compression.csv.*top1_after_percent"):
        read_pruning(tmp_path)


@pytest.mark.parametrize("name", ["resnet50", "resnet34", "mobilenetv2_100", "mobilenetv1_100"])
def test_pruned_form_has_about_half_of_the_macs(name: str) -> None:
    whole = Candidate(architecture=name, resolution=224)
    pruned = pruned_form(whole)
    assert pruned is not None
    macs = Evidence().workload(whole).macs
    left = float(price([pruned]).macs[0]) / macs
    assert 0.45 < left < 0.6


def test_pruned_networks_compete_only_where_asked_for() -> None:
    limits = (Constraint(metric=Metric.LATENCY, at_most=0.1),)
    asked = Request(device="jetson-nano", limits=limits, models=("resnet18", "densenet121"))
    evidence = Evidence()
    assert not any(e.needs_training for e in entries(asked, evidence))
    found = entries(asked.model_copy(update={"pruned": True}), evidence)
    pruned = [e for e in found if e.needs_training]
    assert {e.architecture for e in pruned} == {"resnet18"}  # nobody published a pruned DenseNet
    for one in pruned:
        top1 = one.metrics[Metric.TOP1]
        whole = next(
            e
            for e in found
            if e.architecture == one.architecture and not e.axes and e.resolution == one.resolution
        )
        assert one.recipe.startswith(f"{whole.architecture}.{whole.tag}")
        assert top1.origin is Origin.PREDICTED
        assert "PaddleSlim" in top1.source
        assert top1.low < whole.metrics[Metric.TOP1].value - 0.01 < top1.high


def entries(request: Request, evidence: Evidence) -> list[Entry]:
    found = recommend(request, evidence)
    return [*found.ranked, *found.uncertain]


def test_pruned_networks_have_no_accuracy_on_the_users_images(tmp_path: Path) -> None:
    asked = Request(device="jetson-nano", accuracy_from=str(tmp_path / "t.json"), pruned=True)
    with pytest.raises(UsageError, match="--pruned"):
        recommend(asked, Evidence())
