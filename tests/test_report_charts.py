"""Charts: what is drawn where, in numbers small enough to check by hand."""

import re
from itertools import pairwise
from xml.etree import ElementTree

from advisor.core.quantity import Metric, human
from advisor.reports.charts import (
    LEFT,
    WIDTH,
    Bound,
    ChartAxis,
    Point,
    scatter,
    spaced,
    stacked_bars,
)
from advisor.reports.drawing import chart_hint, chart_of, time_bars
from tests.documents import entry, infeasible, recommendation

SVG = "{http://www.w3.org/2000/svg}"


def point(x: float, y: float, *, verdict: str = "met", label: str = "net") -> Point:
    return Point(
        key="c0",
        label=label,
        x=x,
        x_low=0.9 * x,
        x_high=1.1 * x,
        y=y,
        y_low=y - 0.01,
        y_high=y + 0.01,
        verdict=verdict,
    )


def drawn(*points: Point, bounds: tuple[Bound, ...] = ()) -> ElementTree.Element:
    text = scatter(points, Metric.LATENCY, Metric.TOP1, bounds, title="chart")
    return ElementTree.fromstring(text)


def test_logarithmic_axis_puts_the_geometric_mean_in_the_middle() -> None:
    axis = ChartAxis(
        metric=Metric.LATENCY, low=1.0, high=100.0, start=0.0, end=200.0, logarithmic=True
    )
    assert round(axis(10.0), 6) == 100.0
    assert axis.ticks() == [1, 2, 5, 10, 20, 50, 100]


def test_values_beyond_the_axis_stay_in_the_frame() -> None:
    axis = ChartAxis(metric=Metric.TOP1, low=0.5, high=0.7, start=0.0, end=100.0, logarithmic=False)
    assert (axis(0.1), axis(0.9)) == (0.0, 100.0)


def test_every_point_has_a_tooltip_and_whiskers() -> None:
    group = drawn(point(0.01, 0.7, label="net A: 10.0 ms")).find(f".//{SVG}g")
    assert group is not None
    assert group.findtext(f"{SVG}title") == "net A: 10.0 ms"
    assert group.find(f"{SVG}path[@class='whisker']") is not None


def test_uncertain_points_differ_in_shape_not_only_in_colour() -> None:
    marks = [
        group.find("*[@class='mark']")
        for group in drawn(point(0.01, 0.7), point(0.02, 0.7, verdict="uncertain")).iter(f"{SVG}g")
    ]
    assert [mark.tag for mark in marks if mark is not None] == [f"{SVG}path", f"{SVG}circle"]


def test_a_limit_is_drawn_and_named() -> None:
    limit = Bound(metric=Metric.LATENCY, value=0.015, at_most=True)
    image = drawn(point(0.01, 0.7), point(0.02, 0.7), bounds=(limit,))
    line = image.find(f".//{SVG}line[@class='limit']")
    assert line is not None
    assert LEFT < float(line.get("x1", "0")) < WIDTH
    assert "limit 15.0 ms" in [text.text for text in image.iter(f"{SVG}text")]


def test_labels_are_escaped() -> None:
    text = scatter([point(0.01, 0.7, label="<b>&")], Metric.LATENCY, Metric.TOP1, title='"x"')
    assert "&lt;b&gt;&amp;" in text
    assert 'aria-label="&quot;x&quot;"' in text


def test_no_points_give_no_chart() -> None:
    assert scatter([], Metric.LATENCY, Metric.TOP1, title="none") == ""


def test_bars_fill_the_width() -> None:
    image = ElementTree.fromstring(stacked_bars([("net", [("a", 0.75), ("b", 0.25)])], title="t"))
    widths = [
        float(r.get("width", "0")) for r in image.iter(f"{SVG}rect") if r.get("height") == "18"
    ]
    assert widths == [0.75 * WIDTH, 0.25 * WIDTH]


def test_small_shares_of_the_time_are_put_together() -> None:
    shares = {"dense": 0.95, "pooling": 0.02, "stem": 0.02, "movement": 0.01}
    text = time_bars([entry("net", 0.004, 0.7, time_by_operator=shares)])
    assert "other 5 %" in text
    assert "pooling" not in text


def test_candidates_without_both_figures_are_not_drawn() -> None:
    blind = entry("net", 0.004, 0.7).model_copy(update={"metrics": {}})
    assert chart_of(recommendation(0, ranked=(blind,), uncertain=(), rejected=()), []) == ""


def test_the_good_corner_is_named() -> None:
    assert chart_hint(recommendation(5)) == "Up and to the left is better."


def test_points_off_the_shown_range_do_not_stretch_the_axis() -> None:
    document = recommendation()
    image = chart_of(document, list(enumerate(document.ranked)))
    ticks = re.findall(r">(\d+) ms<", image)
    assert "100" not in ticks


def test_the_best_and_the_answers_are_named() -> None:
    document = recommendation()
    image = chart_of(document, list(enumerate(document.ranked)))
    names = re.findall(r'class="rank"[^>]*>([^<]+)<', image)
    assert names[0].startswith("1 ")
    assert names[0][2:].partition("@")[0] in document.ranked[0].candidate


def test_networks_far_below_do_not_stretch_the_chart_and_are_counted() -> None:
    low = entry("tiny@32", 0.001, 0.21, rank=21, needs_training=True)
    document = recommendation()
    document = document.model_copy(update={"ranked": (*document.ranked, low)})
    image = chart_of(document, list(enumerate(document.ranked)))
    assert "25 %" not in re.findall(r">(\d+ %)<", image)
    assert "models below 63 % are left out" in chart_hint(document)


def test_a_relaxation_is_in_the_chart() -> None:
    document = infeasible()
    relaxed = document.relaxations[0]
    image = chart_of(document, [])
    assert f"would do: {human(relaxed.relaxed, relaxed.metric.unit)}" in image


def test_ticks_of_a_narrow_axis_do_not_collide() -> None:
    axis = ChartAxis(
        metric=Metric.LATENCY, low=0.001, high=10.0, start=0.0, end=200.0, logarithmic=True
    )
    places = [axis(value) for value, _ in spaced(axis, lambda text, size: size * len(text))]
    assert len(places) > 1
    assert min(b - a for a, b in pairwise(places)) >= 8.5 * 4
