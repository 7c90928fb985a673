"""Accuracies of the catalog, and what a precision costs."""

from pathlib import Path

import pytest

from advisor.catalog.accuracy import (
    AccuracyChange,
    precision_change,
    read_accuracies,
    read_changes,
    read_cifar,
    read_claims,
    read_series,
)
from advisor.catalog.family_names import family_of
from advisor.catalog.intake.importing_accuracy import (
    distilled,
    network_of_build,
    precision_of,
    training_data,
)
from advisor.catalog.intake.ledger import raw_files
from advisor.catalog.naming import plain_name

ROOT = Path(__file__).parents[1] / "catalog"


def change(delta: float, network: str = "resnet18", **other: str) -> AccuracyChange:
    """Return a published change of one network to int8."""
    return AccuracyChange(
        network=network,
        family=family_of(network),
        precision=other.get("precision", "int8"),
        method="ptq-int8",
        delta=delta,
        images=50_000,
        collapsed=other.get("collapsed") == "yes",
        source=other.get("source", "somewhere"),
        source_ref="somewhere@1",
    )


@pytest.mark.parametrize(
    ("tag", "chain"),
    [
        ("ra_in1k", "in1k"),
        ("fb_in22k_ft_in1k_384", "in22k->in1k"),
        ("clip_laion2b_soup_ft_in12k_in1k_384", "laion2b->in12k->in1k"),
        ("ns_jft_in1k_475", "jft300m->in1k"),
        ("fb_wsl_ig1b_ft_in1k", "ig1b->in1k"),
        ("mim_m38m_ft_in22k_in1k", "merged38m->in22k->in1k"),
    ],
)
def test_tag_tells_the_training_data(tag: str, chain: str) -> None:
    assert training_data(tag) == chain


def test_distillation_is_read_from_name_and_tag() -> None:
    assert distilled("deit_base_distilled_patch16_224", "fb_in1k")
    assert distilled("efficientformer_l1", "snap_dist_in1k")
    assert not distilled("resnet50", "a1_in1k")


def test_build_expression_becomes_a_candidate() -> None:
    generator = "timm.models.efficientnet._gen_mobilenet_v1"
    assert network_of_build("timm.create_model('resnet50')") == "resnet50"
    wide = network_of_build(f"{generator}('mobilenetv1_100', channel_multiplier=0.75)")
    assert wide == "mobilenetv1_100:width=0.75"
    both = f"{generator}('mobilenetv1_100', channel_multiplier=1.2, depth_multiplier=1.4)"
    assert network_of_build(both) == "mobilenetv1_100:depth=1.4,width=1.2"
    assert network_of_build("timm.create_model('resnet10t', layers=(1, 1, 1, 1))") == ""


@pytest.mark.parametrize(
    ("method", "precision"),
    [
        ("ptq-int8 (w8a8)", "int8"),
        ("ptq-w8a16", "w8a16"),
        ("fp16", "fp16"),
        ("ptq/qat-int8 (w4a8)", ""),
        ("pruned-40%+ptq-int8", ""),
        ("sparse-61%+qat-int8", ""),
        ("qat-mixed int8/int4", ""),
        ("binarised", ""),
    ],
)
def test_only_rounding_is_a_change_of_precision(method: str, precision: str) -> None:
    assert precision_of(method) == precision


def test_plain_names_find_their_network() -> None:
    assert plain_name("quantized_mobilenet_v2") == "mobilenetv2_100"
    assert plain_name("ResNet-50 (v1)") == "resnet50"
    assert plain_name("MobileNetV1 0.25_128") == "mobilenetv1_100:width=0.25"
    assert plain_name("PeleeNet") == ""


def test_families_end_before_the_size() -> None:
    assert family_of("resnet50") == "resnet"
    assert family_of("tf_efficientnetv2_b0") == "efficientnetv2"
    assert family_of("mobilenetv1_100:width=0.5") == "mobilenetv1"


def test_network_outranks_family_and_family_all() -> None:
    pool = [change(-0.01) for _ in range(3)]
    pool += [change(-0.02, "resnet50"), change(-0.09, "vgg16"), change(-0.09, "vgg19")]
    scopes = {}
    for network in ("resnet18", "resnet34", "vit_tiny_patch16_224"):
        expected = precision_change(pool, network, "int8")
        assert expected is not None
        scopes[network] = (expected.scope, expected.count)
    assert scopes["resnet18"] == ("network", 3)
    assert scopes["resnet34"] == ("family", 4)
    assert scopes["vit_tiny_patch16_224"] == ("all", 6)


def test_many_changes_give_their_own_quantiles() -> None:
    # 19 values 0, -1, … -18 points: the extremes hold 18/20 of new ones.
    expected = precision_change([change(-0.01 * i) for i in range(19)], "resnet18", "int8")
    assert expected is not None
    assert expected.median == pytest.approx(-0.09)
    assert expected.low == pytest.approx(-0.18)
    assert expected.high == pytest.approx(0.0)


def test_few_equal_changes_do_not_pretend_to_be_certain() -> None:
    pool = [change(-0.01) for _ in range(3)]
    pool += [change(-0.01 * i, "vgg16") for i in range(8)]
    pool += [change(-0.01 * i, "densenet121") for i in range(8)]
    expected = precision_change(pool, "resnet18", "int8")
    assert expected is not None
    assert expected.low < -0.03 < expected.high


def test_collapsed_conversions_do_not_count() -> None:
    pool = [change(-0.01), change(-0.02), change(-0.01), change(-0.8, collapsed="yes")]
    expected = precision_change(pool, "resnet18", "int8")
    assert expected is not None
    assert expected.count == 3


def test_unpublished_precision_has_no_change() -> None:
    assert precision_change([change(-0.01)], "resnet18", "bf16") is None


def test_quantising_mobilenets_costs_more_than_resnets() -> None:
    changes = read_changes(ROOT)
    mobile = precision_change(changes, "mobilenetv2_100", "int8")
    residual = precision_change(changes, "resnet50", "int8")
    assert mobile is not None
    assert residual is not None
    assert mobile.median < residual.median < 0


def test_ninety_percent_intervals_hold_ninety_percent_of_networks_left_out() -> None:
    changes = [one for one in read_changes(ROOT) if one.precision == "int8" and not one.collapsed]
    hits = [
        expected.low <= one.delta <= expected.high
        for i, one in enumerate(changes)
        if (expected := precision_change(changes[:i] + changes[i + 1 :], one.network, "int8"))
    ]
    assert 0.85 <= sum(hits) / len(hits) <= 0.95


def test_every_timm_weight_is_there_once_per_resolution() -> None:
    weights = [one for one in read_accuracies(ROOT) if one.source == "timm-results"]
    assert len(weights) == 1556
    assert len({(one.network, one.tag, one.resolution) for one in weights}) == 1556


def test_every_accuracy_is_a_fraction_with_its_source() -> None:
    for one in read_accuracies(ROOT):
        assert 0 < one.top1 < 1
        assert one.source_ref
        assert one.training_data.endswith("in1k")


def test_networks_that_timm_lacks_have_accuracies() -> None:
    networks = {one.network for one in read_accuracies(ROOT)}
    assert {"squeezenet1_1", "shufflenet_v2_x1_0", "shufflenet_v1_g3", "googlenet"} <= networks


def test_cifar_residual_networks_are_there() -> None:
    networks = {one.network for one in read_cifar(ROOT)}
    assert {f"cifar_resnet{depth}" for depth in (20, 32, 44, 56, 110)} <= networks


def test_every_series_point_and_claim_has_a_source() -> None:
    assert len(read_series(ROOT)) == 1445
    assert all(point.source_ref for point in read_series(ROOT))
    assert len(read_claims(ROOT)) == 18
    assert all(claim.source_ref and "same" not in claim.source_ref for claim in read_claims(ROOT))


def test_cited_sources_are_those_that_were_imported() -> None:
    assert "accuracy/timm_results.csv" in {one.file for one in raw_files(ROOT)}
