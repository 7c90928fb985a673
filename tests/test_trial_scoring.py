"""Accuracies come with intervals; ties are called ties; choices never see the test."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.trials.paired_tests import holm, mcnemar, standings
from advisor.trials.probing import fit_probe
from advisor.trials.record import ImageAccuracy, Recipe, Stage, TrialRun, Weights
from advisor.trials.scoring import over_seeds, reliability, wilson


def run(
    model: str,
    predictions: list[int],
    *,
    validation: float,
    stage: Stage = Stage.PROBE,
    seed: int = 0,
) -> TrialRun:
    """A finished run on test images that are all of class 0."""
    correct = predictions.count(0)
    return TrialRun(
        key=f"{model}{stage}{seed}",
        model=model,
        resolution=32,
        stage=stage,
        seed=seed,
        weights=Weights(trained=False, statement=""),
        recipe=Recipe(),
        steps=1,
        epochs=1.0,
        state="complete",
        validation=validation,
        accuracy=wilson(correct, len(predictions), 0.9),
        predictions=tuple(predictions),
    )


def test_wilson_interval_is_that_of_the_textbook() -> None:
    found = wilson(8, 10, 0.95)
    assert (found.low, found.high) == pytest.approx((0.490, 0.943), abs=0.001)


@given(images=st.integers(1, 5000), share=st.floats(0, 1), level=st.floats(0.5, 0.99))
def test_interval_holds_the_accuracy_and_stays_within_one(
    images: int, share: float, level: float
) -> None:
    found = wilson(round(share * images), images, level)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_wilson_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = [wilson(n, 200, 0.9) for n in rng.binomial(200, 0.87, 2000)]
    covered = np.mean([one.low <= 0.87 <= one.high for one in hits])
    assert 0.87 < covered < 0.93


def test_spread_of_the_seeds_widens_the_interval() -> None:
    alike = over_seeds([wilson(80, 100, 0.9)] * 3)
    apart = over_seeds([wilson(n, 100, 0.9) for n in (70, 80, 90)])
    assert apart.value == pytest.approx(alike.value)
    assert apart.high - apart.low > alike.high - alike.low


@pytest.mark.parametrize(
    ("first", "second", "p"), [(0, 0, 1.0), (5, 5, 1.0), (0, 6, 0.03125), (1, 9, 0.021484375)]
)
def test_mcnemar_is_the_binomial_of_the_differing_images(first: int, second: int, p: float) -> None:
    assert mcnemar(first, second) == pytest.approx(p)


def test_holm_multiplies_the_smallest_by_the_number_of_tests() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_models_that_differ_on_few_images_are_tied() -> None:
    found, tests = standings(
        [
            run("a", [0] * 90 + [1] * 10, validation=0.9),
            run("b", [0] * 88 + [1] * 12, validation=0.9),
            run("c", [0] * 40 + [1] * 60, validation=0.4),
        ],
        [0] * 100,
    )
    assert [s.model for s in found] == ["a", "b", "c"]
    assert [s.tied_with_best for s in found] == [False, True, False]
    assert {(t.first, t.second): t.tied for t in tests}["a", "c"] is False


def test_way_of_a_model_is_chosen_by_validation_not_by_the_test() -> None:
    found, _ = standings(
        [
            run("a", [0] * 9 + [1], validation=0.5, stage=Stage.PROBE),
            run("a", [0] * 6 + [1] * 4, validation=0.8, stage=Stage.FINETUNE),
        ],
        [0] * 10,
    )
    assert found[0].stage is Stage.FINETUNE
    assert found[0].accuracy.value == pytest.approx(0.6)


def test_reliability_of_a_sure_and_right_network_is_on_the_diagonal() -> None:
    sure = np.tile(np.array([[0.95, 0.05]], np.float32), (20, 1))
    truth = np.array([0] * 19 + [1])
    (only,) = reliability(sure, truth)
    assert (only.accuracy, only.images) == (0.95, 20)


def test_probe_separates_what_a_line_separates() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 90)
    features = (rng.normal(size=(90, 5)) + 4 * np.eye(5)[labels]).astype(np.float32)
    probe = fit_probe(features[:60], labels[:60], features[60:], labels[60:], 3)
    told = probe.probabilities(features[60:])
    assert (told.argmax(axis=1) == labels[60:]).mean() > 0.9
    assert told.sum(axis=1) == pytest.approx(np.ones(30), abs=1e-5)


def test_probe_of_two_classes_gives_two_probabilities() -> None:
    features = np.array([[-1.0], [-0.9], [0.9], [1.0]], np.float32)
    labels = np.array([0, 0, 1, 1])
    probe = fit_probe(features, labels, features, labels, 2)
    assert probe.probabilities(features).argmax(axis=1).tolist() == [0, 0, 1, 1]


def test_level_of_an_accuracy_travels_with_it() -> None:
    assert isinstance(wilson(1, 2, 0.8), ImageAccuracy)
    assert wilson(1, 2, 0.8).level == 0.8
