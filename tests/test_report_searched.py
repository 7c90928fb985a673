"""How the variants were found, as the page and Markdown tell it."""

import re

from advisor.core.document import Figure, Recommendation, TrainedVariant, UntrainedVariant
from advisor.core.estimate import Origin
from advisor.core.quantity import Metric, Unit
from advisor.reports import render
from advisor.reports.curve import curve
from advisor.reports.json import parse, schema
from advisor.reports.searched_view import SHOWN, search_view
from tests.documents import recommendation, search_record, searched_variant


def searched(variants: int = 3) -> Recommendation:
    return recommendation(search=search_record(variants))


def test_the_facts_tell_trials_sampler_seed_and_why_it_stopped() -> None:
    facts = dict(search_view(search_record()).facts)
    assert facts["Trials"] == "100: 80 within every limit and 5 dropped early"
    assert facts["Sampler and seed"] == "NSGA-II, 7"
    assert facts["Stopped"] == "no new variant entered the front, after 1.50 s"


def test_training_compute_comes_with_its_factors_and_their_basis() -> None:
    (line,) = search_view(search_record(1)).lines
    assert line.training == (
        "360 PMACs",
        "300 epochs (stated by the recipe) × 1,000,000 images × 400 M MACs\u00a0×\u00a03",
    )


def test_what_the_trained_network_gives_up_is_said() -> None:
    (line,) = search_view(search_record(1)).lines
    assert line.trained == "mobilenetv2_110d.ra_in1k"
    assert line.loss == ("1.2 points of top-1", "at 0.90 × the latency")


def test_a_trained_network_that_is_better_gives_up_nothing() -> None:
    better = searched_variant(trained_top1_lost=-0.052)
    record = search_record().model_copy(update={"variants": (better,)})
    assert search_view(record).lines[0].loss == (
        "nothing",
        "5.2 points better, at 0.90 × the latency",
    )


def test_without_a_trained_network_nothing_is_made_up() -> None:
    alone = searched_variant(trained="")
    record = search_record().model_copy(update={"variants": (alone,)})
    assert search_view(record).lines[0].loss == ("–", "")


def test_small_parameters_are_put_together_in_the_bars() -> None:
    drawn = search_view(search_record()).importances
    assert "Top-1: width 60 %, resolution 38 %, other 2 %" in drawn
    assert "depth" not in drawn


def test_a_search_without_a_feasible_variant_has_no_curve() -> None:
    assert search_view(search_record(convergence=(), importances={})).convergence == ""


def test_the_curve_goes_up_by_steps_to_its_last_trial() -> None:
    drawn = curve([(50, 0.0), (100, 1.0)], across="Trials", up="Hypervolume", title="growth")
    assert 'd="M409.0 222.0H724.0V52.0"' in drawn


def test_the_page_tells_how_the_variants_were_found() -> None:
    text = render(searched(), "html")
    assert "How the variants were found" in text
    assert len(re.findall(r'<svg class="chart curve"', text)) == 1
    assert "mobilenetv2_110d.ra_in1k" in text


def test_the_page_without_a_search_has_no_such_section() -> None:
    assert "How the variants were found" not in render(recommendation(), "html")


def test_a_long_front_is_cut_and_the_rest_is_counted() -> None:
    view = search_view(search_record(SHOWN + 7))
    assert (len(view.lines), view.more) == (SHOWN, 7)
    assert "7 more variants are in the JSON result" in render(searched(SHOWN + 7), "html")


def test_the_page_stays_small_with_a_long_front() -> None:
    document = recommendation(1400, search=search_record(400))
    assert len(render(document, "html").encode()) < 1_000_000


def test_markdown_has_a_row_for_each_variant_up_to_the_asked_number() -> None:
    text = render(searched(SHOWN + 7), "markdown")
    section = text.split("## How the variants were found")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| mobilenetv2")]
    assert len(rows) == searched().request.top


def test_a_result_with_its_search_reads_back_equal_and_keeps_to_the_schema() -> None:
    document = searched()
    assert parse(render(document, "json"), "here") == document
    assert "SearchRecord" in schema()["$defs"]


def test_a_record_in_a_recommendation_holds_no_trials() -> None:
    assert search_record().without_points().points == ()
    assert set(search_record().importances) == {Metric.TOP1, Metric.LATENCY}


def trained_on_photos() -> Recommendation:
    figure = Figure(
        value=0.8, low=0.75, high=0.84, level=0.9, unit=Unit.FRACTION, origin=Origin.MEASURED,
        source="trial",
    )  # fmt: skip
    taught = TrainedVariant(
        candidate="mobilenetv2_100@96:width=0.5", round=2, start="inherits 95% of its weights",
        epochs=3.0, latency=None, expected=figure, measured=figure, on_front=True,
        files=("a.onnx",), folder="found/variants",
    )  # fmt: skip
    untaught = UntrainedVariant(candidate="mobilenetv2_100@128", latency=None, expected=figure)
    update = {"data": "photos", "taught": (taught,), "untaught": (untaught,)}
    return recommendation(search=search_record().model_copy(update=update))


def test_the_measured_front_stands_beside_the_predicted_one() -> None:
    fronts = search_view(trained_on_photos().search or search_record()).fronts
    assert fronts is not None
    measured, predicted = fronts.lines
    assert measured[0] == ("mobilenetv2_100@96:width=0.5", "front")
    assert measured[-1] == ("80.0 %", "75.0–84.0 %")
    assert predicted[0] == ("mobilenetv2_100@128", "predicted front")
    assert predicted[-1] == ("–", "")
    assert "the measured front beside the predicted one" in render(trained_on_photos(), "markdown")


def test_accuracy_on_own_images_is_not_called_imagenets() -> None:
    for page in (render(trained_on_photos(), "html"), render(trained_on_photos(), "markdown")):
        assert "of ImageNet test images" not in page
        assert "Your images are not ImageNet" not in page
