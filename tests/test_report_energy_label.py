"""The energy label: classes by fifths of the models of one report."""

import pytest

from advisor.core.constraint import Verdict
from advisor.core.document import Entry
from advisor.core.quantity import Metric
from advisor.reports import render
from advisor.reports.energy_label import energy_class, energy_labels
from advisor.reports.page import page_of
from tests.documents import entry, figure, recommendation

TENS = (10.0, 20.0, 30.0, 40.0, 50.0)


def with_energy(name: str, joules: float, spread: float = 0.0) -> Entry:
    made = entry(f"{name}@224", 0.005, 0.7)
    energy = figure(Metric.ENERGY, joules, spread=spread, source="wall meter")
    return made.model_copy(update={"metrics": {**made.metrics, Metric.ENERGY: energy}})


def powered(name: str, latency: float, spread: float) -> Entry:
    """Return a model whose energy is its latency times a power known to a factor of three."""
    made = entry(f"{name}@224", latency, 0.7, verdict=Verdict.MET)
    metrics = {
        **made.metrics,
        Metric.LATENCY: figure(Metric.LATENCY, latency, spread=spread),
        Metric.POWER: figure(Metric.POWER, 6.0, spread=0.7, source="data sheet"),
        Metric.ENERGY: figure(Metric.ENERGY, 6.0 * latency, spread=0.8, source="data sheet"),
    }
    return made.model_copy(update={"metrics": metrics})


def names(entries: list[Entry]) -> list[str | None]:
    return [label.name if label else None for label in energy_labels(entries)]


def test_five_models_take_one_class_each() -> None:
    entries = [with_energy(f"net{joules}", joules) for joules in (30.0, 10.0, 50.0, 20.0, 40.0)]
    assert names(entries) == ["C", "A", "E", "B", "D"]


def test_each_class_holds_a_fifth_of_the_models() -> None:
    entries = [with_energy(f"net{place}", 1.0 + place) for place in range(10)]
    assert "".join(name or "" for name in names(entries)) == "AABBCCDDEE"


def test_equal_energies_share_the_better_class() -> None:
    assert names([with_energy(f"net{place}", 1.0) for place in range(5)]) == ["A"] * 5


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(30.0, 30.0, "C"), (25.0, 45.0, "C"), (15.0, 45.0, "B–D"), (5.0, 60.0, "A–E")],
)
def test_an_interval_over_more_than_two_classes_is_told(
    low: float, high: float, expected: str
) -> None:
    assert energy_class(30.0, low, high, TENS) == expected


def test_a_power_that_all_models_share_does_not_blur_their_classes() -> None:
    entries = [powered(f"net{place}", 0.001 * 1.5**place, spread=0.05) for place in range(5)]
    assert names(entries) == ["A", "B", "C", "D", "E"]


def test_an_uncertain_latency_blurs_the_class() -> None:
    entries = [powered(f"net{place}", 0.001 * 1.5**place, spread=0.7) for place in range(5)]
    assert names(entries)[2] == "A–D"


def test_powers_of_their_own_count_with_their_whole_interval() -> None:
    entries = [with_energy(f"net{place}", 1.5**place, spread=0.8) for place in range(5)]
    assert names(entries)[2] == "A–D"


def test_a_model_without_energy_gets_no_label() -> None:
    entries = [with_energy(f"net{joules}", joules) for joules in TENS]
    assert names([*entries, entry("other@224", 0.004, 0.7)])[-1] is None


def test_four_models_are_too_few_for_fifths() -> None:
    assert names([with_energy(f"net{place}", 1.0 + place) for place in range(4)]) == [None] * 4


def test_the_model_in_short_shows_class_figure_and_what_it_rests_on() -> None:
    ranked = tuple(powered(f"net{place}", 0.001 * 1.5**place, spread=0.05) for place in range(5))
    page = page_of(recommendation().model_copy(update={"ranked": ranked}))
    text = dict(page.card)["Energy label"]
    assert text.startswith("class A, 6.00 mJ an image; ")
    assert "of this report's 5 models" in text
    assert "the profile's power figure (6.00 W)" in text


def test_every_model_shows_its_label_with_its_sources() -> None:
    ranked = tuple(powered(f"net{place}", 0.001 * 1.5**place, spread=0.05) for place in range(5))
    document = recommendation().model_copy(update={"ranked": ranked})
    shown = [block.energy for block in page_of(document).sources[:6]]
    assert [text[:8] for text in shown] == [f"class {name}," for name in "ABCDE"] + [""]
    assert "class A, 6.00 mJ an image" in render(document, "markdown")


def test_without_energy_figures_no_report_speaks_of_a_label() -> None:
    assert "Energy label" not in render(recommendation(), "html")
    assert "Energy label" not in render(recommendation(), "markdown")
