"""Accuracies of variants: published where they are, predicted within the stated error elsewhere."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from advisor.core.candidate import Candidate
from advisor.core.estimate import Estimate, Gap, Origin
from advisor.errors import CatalogError, UsageError
from advisor.estimators.accuracy.answers import accuracy_estimates, reference_recipe, series_of
from advisor.estimators.accuracy.features import SIZES, Rows, sizes, trunk
from advisor.estimators.accuracy.kernel import INITIAL, NAMES, covariance, gradient, parts
from advisor.estimators.accuracy.learning import choose
from advisor.estimators.accuracy.leaving_out import folds_of
from advisor.estimators.accuracy.model import VariantAccuracy, to_target, to_top1
from advisor.estimators.accuracy.scatter import alike, left_out_stretches
from advisor.estimators.accuracy.series import Series
from advisor.estimators.accuracy.storing import load, write
from advisor.estimators.accuracy.validating import ALIKE, AccuracyError, validate
from advisor.hardware.library import catalog_directory
from advisor.networks.blueprints.stock import BASES
from advisor.networks.pricing.prices import price
from advisor.studies.families import families

MULTIPLIED = ("mobilenetv1", "mobilenetv2", "mobilenetv3", "efficientnet", "ghostnet")


@pytest.fixture(scope="module")
def model() -> VariantAccuracy:
    return load(catalog_directory())


@pytest.fixture(scope="module")
def errors(model: VariantAccuracy) -> dict[tuple[str, str], AccuracyError]:
    return {(error.left_out, error.of): error for error in validate(model)}


def answer(model: VariantAccuracy, name: str, recipe: str | None = None) -> Estimate:
    candidate = Candidate.parse(name)
    found = accuracy_estimates(model, [candidate], price([candidate]), recipe=recipe)[0]
    assert isinstance(found, Estimate)
    return found


def values(model: VariantAccuracy, names: list[str], recipe: str | None = None) -> list[float]:
    candidates = [Candidate.parse(name) for name in names]
    found = accuracy_estimates(model, candidates, price(candidates), recipe=recipe)
    return [one.value for one in found if isinstance(one, Estimate)]


def toy(count: int = 12) -> Rows:
    spread = np.linspace(-1.0, 1.0, count)
    columns = np.stack([spread * (place + 1) / 3 for place in range(len(SIZES))], axis=1)
    flags = np.zeros((count, 7))
    flags[:, 0] = np.arange(count) % 2
    names = np.array([f"net{n}" for n in range(count)])
    family = np.array([f"family{n % 2}" for n in range(count)])
    recipe = np.array([f"recipe{n % 3}" for n in range(count)])
    return Rows(columns, flags, family, recipe, names, names)


def test_published_network_has_its_published_accuracy(model: VariantAccuracy) -> None:
    found = answer(model, "mobilenetv2_100@192:width=0.5", "tf-slim-MobileNetV2")
    assert found.value == pytest.approx(0.639)  # table of the TF-slim MobileNetV2 checkpoints
    assert found.provenance.origin is Origin.PUBLISHED
    assert "tensorflow/models" in found.provenance.source


def test_unpublished_width_is_predicted_and_names_its_recipe(model: VariantAccuracy) -> None:
    found = answer(model, "mobilenetv2_100@192:width=0.85")
    assert found.provenance.origin is Origin.PREDICTED
    assert "needs training; predicted for the recipe tf-slim-MobileNetV2" in (
        found.provenance.caveats
    )


def test_prediction_lies_between_its_published_neighbours(model: VariantAccuracy) -> None:
    narrow, between, wide = values(
        model,
        [f"mobilenetv2_100@224:width={width}" for width in (0.5, 0.75, 1)],
        "tf-slim-MobileNetV2",
    )
    assert narrow < between < wide


def test_interval_holds_the_value(model: VariantAccuracy) -> None:
    found = answer(model, "resnet50@160:stage3=4,width=0.75")
    assert found.interval.low < found.value < found.interval.high


def test_better_recipe_gives_more(model: VariantAccuracy) -> None:
    name = ["resnet50@224:stage3=5"]
    plain, long = values(model, name), values(model, name, "timm:a1_in1k")
    assert long[0] > plain[0] + 0.02


def test_recipe_that_a_family_never_had_is_a_caveat(model: VariantAccuracy) -> None:
    found = answer(model, "ghostnet_100@224:width=0.8", "pycls-dds")
    assert "no GhostNet with the recipe pycls-dds is published" in found.provenance.caveats


def test_size_beyond_all_published_ones_is_a_caveat(model: VariantAccuracy) -> None:
    found = answer(model, "mobilenetv2_100@224:depth=0.5")
    caveat = "no published MobileNetV2 is as small or as large in layers"
    assert caveat in found.provenance.caveats


def test_interval_widens_beyond_the_published_sizes(model: VariantAccuracy) -> None:
    inside = answer(model, "mobilenetv2_100@224:depth=1.2,width=0.85").interval
    beyond = answer(model, "mobilenetv2_100@224:depth=0.5,width=0.85").interval
    assert beyond.high - beyond.low > 1.5 * (inside.high - inside.low)


def test_unknown_recipe_is_refused_with_the_nearest(model: VariantAccuracy) -> None:
    with pytest.raises(UsageError, match="did you mean 'tf-slim-MobileNetV"):
        answer(model, "mobilenetv2_100:width=0.85", "tf-slim-MobileNet")


def test_network_without_published_series_is_a_gap(model: VariantAccuracy) -> None:
    candidate = Candidate.parse("cifar_resnet20:width=2")
    found = accuracy_estimates(model, [candidate], price([candidate]))[0]
    assert isinstance(found, Gap)


@pytest.mark.parametrize("architecture", sorted(BASES))
def test_reference_recipe_is_one_of_the_published(
    model: VariantAccuracy, architecture: str
) -> None:
    recipe = reference_recipe(architecture)
    assert not recipe or recipe in set(model.rows.recipe.tolist())


@pytest.mark.parametrize("name", [n for n in families() if n != "cifar-resnet"])
def test_recipe_of_a_search_family_is_the_reference(name: str) -> None:
    family = families()[name]
    assert {reference_recipe(a) for a in family.architectures} == {family.recipe}


@pytest.mark.parametrize(
    ("name", "axis"),
    [
        (name, axis.name)
        for name in MULTIPLIED
        for axis in families()[name].axes
        if axis.name in ("width", "depth", "resolution")
    ],
)
def test_wider_deeper_or_larger_is_never_predicted_worse(
    model: VariantAccuracy, name: str, axis: str
) -> None:
    family = families()[name]
    own = {a.name: a for a in family.axes}
    middle = {a.name: a.values[len(a.values) // 2] for a in family.axes}
    for architecture in family.architectures:
        chain = [
            family.candidate({**middle, axis: value, "architecture": architecture})
            for value in own[axis].values
        ]
        predicted = _predicted(model, chain)
        assert all(b >= a - 1e-4 for a, b in pairwise(predicted))


def _predicted(model: VariantAccuracy, chain: list[Candidate]) -> list[float]:
    series = [series_of(candidate.architecture) for candidate in chain]
    named = [one for one in series if one is not None]
    recipe = named[0][1]
    found: list[float] = model.predict(
        price(chain), [one[0] for one in named], recipe
    ).value.tolist()
    return found


def test_left_out_variants_of_known_series_are_within_the_stated_error(
    errors: dict[tuple[str, str], AccuracyError],
) -> None:
    error = errors["variant", ""]
    assert error.networks > 1000
    assert error.mean <= 0.0045
    assert 0.86 <= error.coverage <= 0.94


def test_left_out_families_are_within_the_stated_error(
    errors: dict[tuple[str, str], AccuracyError],
) -> None:
    error = errors["family", ""]
    assert error.networks > 1000
    assert error.mean <= 0.014
    assert 0.86 <= error.coverage <= 0.94


@pytest.mark.parametrize("family", ["EfficientNet", "RegNetX", "RegNetY"])
def test_left_out_points_of_the_best_known_families_are_within_the_stated_error(
    errors: dict[tuple[str, str], AccuracyError], family: str
) -> None:
    assert errors["variant", family].mean <= 0.0045


def test_left_out_fold_is_decided_by_the_name_alone(model: VariantAccuracy) -> None:
    last = np.arange(len(model.rows.sizes))[::-1]
    assert (folds_of(model.rows.take(last), "family") == folds_of(model.rows, "family")[last]).all()


def test_written_model_predicts_the_same(model: VariantAccuracy, tmp_path: Path) -> None:
    write(model, tmp_path)
    name = "regnety_004@192:depth=18"
    assert answer(load(tmp_path), name).value == pytest.approx(answer(model, name).value, abs=1e-5)


def test_missing_model_says_how_to_write_it(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"python -m advisor\.estimators\.accuracy CATALOG"):
        load(tmp_path)


def test_target_turns_back_into_the_accuracy() -> None:
    top1 = np.array([0.1, 0.5, 0.9])
    assert to_top1(to_target(top1)) == pytest.approx(top1)


def test_trunk_is_what_is_left_without_the_classifier() -> None:
    table = price([Candidate.parse("resnet18@224")])
    assert trunk(table)[0] == 11_689_512 - 513_000  # 512 × 1000 weights and 1000 biases


def test_resolution_is_a_feature_about_224_pixels() -> None:
    table = price([Candidate.parse("resnet18@224"), Candidate.parse("resnet18@448")])
    assert sizes(table)[:, 2] == pytest.approx([0.0, np.log(2)])


def newcomers(rows: Rows) -> Rows:
    """Networks of family0 under recipe1 that nobody published."""
    count = len(rows.sizes)
    return rows._replace(
        sizes=rows.sizes + 0.3,
        flags=np.tile(rows.flags[0], (count, 1)),
        family=np.full(count, "family0"),
        recipe=np.full(count, "recipe1"),
        network=np.array([f"new{n}" for n in range(count)]),
        group=np.array([f"new{n}" for n in range(count)]),
    )


def test_series_has_the_covariances_of_the_kernel() -> None:
    rows, own = toy(), np.array(list(INITIAL.values()))
    new = newcomers(rows)
    quick = Series(own, rows, "family0", "recipe1", rows.flags[0]).covariance(new.sizes)
    assert quick == pytest.approx(covariance(own, new, rows))


def test_series_has_the_variance_of_the_kernel() -> None:
    rows, own = toy(), np.array(list(INITIAL.values()))
    new = newcomers(rows)
    quick = Series(own, rows, "family0", "recipe1", rows.flags[0]).variance(new.sizes)
    assert quick == pytest.approx(np.diag(covariance(own, new, new)))


@pytest.mark.parametrize("name", ["constant", "surface trunk", "kind sizes", "series sizes"])
def test_gradient_is_the_slope_of_the_covariance(name: str) -> None:
    rows, own = toy(), np.array(list(INITIAL.values()))
    weight = np.cos(np.arange(144.0)).reshape(12, 12)
    weight += weight.T
    more = own.copy()
    more[NAMES.index(name)] *= np.exp(1e-6)
    change = covariance(more, rows, rows) - covariance(own, rows, rows)
    slope = gradient(own, parts(own, rows, rows), weight)[NAMES.index(name)]
    assert slope == pytest.approx((weight * change).sum() / 1e-6, rel=1e-3)


def test_hyper_parameters_chosen_make_the_targets_more_likely() -> None:
    rows = toy(40)
    target = rows.sizes[:, 0] * 5
    chosen = choose(rows, target)
    assert chosen[NAMES.index("noise")] < INITIAL["noise"]


def test_family_that_scatters_more_has_wider_intervals(model: VariantAccuracy) -> None:
    name = "mobilenetv2_100@192:width=0.85"
    own, wider = (
        answer(replace(model, stretch={"MobileNetV2": by}), name).interval for by in (1.0, 2.0)
    )
    assert wider.high - wider.low == pytest.approx(2 * (own.high - own.low), rel=0.05)


def test_recipe_new_to_a_family_does_not_narrow_its_intervals(model: VariantAccuracy) -> None:
    name, recipe = "ghostnet_100@224:width=0.8", "pycls-dds"
    narrow, plain = (
        answer(replace(model, stretch=by), name, recipe).interval for by in ({"GhostNet": 0.5}, {})
    )
    assert narrow == plain


@pytest.mark.parametrize("way", ["variant", "family"])
def test_intervals_hold_what_they_say_where_families_count_alike(
    errors: dict[tuple[str, str], AccuracyError], way: str
) -> None:
    assert 0.86 <= errors[way, ALIKE].coverage <= 0.94


def test_families_count_alike_however_many_networks_they_have() -> None:
    weights = alike(np.array(["a", "a", "a", "b"]))
    assert weights.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1])


def test_stretch_of_a_network_left_out_does_not_know_it(model: VariantAccuracy) -> None:
    rows, before = left_out_stretches(model)
    place = int(np.flatnonzero(model.rows.family[rows] == "StarNet")[0])
    top1 = model.top1.copy()
    top1[rows[place]] += 0.02
    _, after = left_out_stretches(replace(model, top1=top1))
    kin = model.rows.family[rows] == "StarNet"
    kin[place] = False
    assert after[place] < after[kin].max()
    assert (after[kin] > before[kin]).any()
