"""The HTML report in a real browser: it opens, sorts, filters, ranks again and prints."""

import random
import re
from dataclasses import replace
from typing import Any

import pytest

from advisor.answering.assess import Subject
from advisor.answering.choice import room_of
from advisor.answering.judge import Judged
from advisor.answering.ties import placed
from advisor.catalog.accuracy import Accuracy
from advisor.core.candidate import Candidate
from advisor.core.chance import by_chance, keeping_all
from advisor.core.constraint import Constraint, Verdict
from advisor.core.document import Entry, Figure, Recommendation, Rejection
from advisor.core.estimate import Assessment, Estimate, Gap, Interval, Provenance
from advisor.core.quantity import Metric, human, human_interval
from advisor.core.ranking import order, weighing
from advisor.procurement.review import ProcurementReview
from advisor.reports import Layout
from tests.browser.page import Page
from tests.documents import entry, estimates, infeasible, lane, recommendation
from tests.test_procurement import six

pytestmark = pytest.mark.browser
NAMES = "#ranking tbody th a, #ranking tbody th"
WIDTHS = (1280, 390)


def documents() -> dict[str, Any]:
    return {
        "feasible": recommendation(),
        "infeasible": infeasible(),
        "estimates": estimates(),
        "review": six(),
    }


@pytest.mark.parametrize("kind", list(documents()))
def test_page_opens_without_errors_and_without_network(page: Page, kind: str) -> None:
    page.show(documents()[kind])
    assert page.errors() == []
    assert not [url for url in page.requests() if not url.startswith(("file:", "data:", "chrome:"))]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", list(documents()))
def test_page_is_no_wider_than_the_screen(page: Page, kind: str, width: int) -> None:
    page.show(documents()[kind], width=width)
    assert page.run("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", list(documents()))
def test_accessibility_checker_finds_nothing_serious(
    page: Page, axe: str, kind: str, width: int, dark: bool
) -> None:
    earlier = recommendation(limit=0.008) if kind == "feasible" else None
    page.show(documents()[kind], width=width, dark=dark, layout=Layout(against=earlier))
    assert page.violations(axe) == []


def test_rows_stand_in_the_order_of_the_ranking(page: Page) -> None:
    document = recommendation()
    page.show(document)
    shown = page.texts("#ranking tbody th a")
    assert shown == [e.candidate for e in (*document.ranked, *document.uncertain)]


def test_a_click_on_a_heading_sorts_and_a_second_one_turns_it_round(page: Page) -> None:
    page.show(recommendation())
    head = page.find("th[data-sort=latency] button")
    head.click()
    times = page.texts("#ranking tbody td:nth-child(4) .value")
    assert times == sorted(times, key=lambda text: float(text.split()[0]))
    assert page.find("th[data-sort=latency]").get_attribute("aria-sort") == "ascending"
    head.click()
    assert page.texts("#ranking tbody td:nth-child(4) .value") == times[::-1]


def test_the_filter_keeps_what_contains_the_text(page: Page) -> None:
    page.show(recommendation())
    page.find("input[name=query]").send_keys("GHOST")
    shown = page.texts("#ranking tbody th")
    assert shown
    assert all("ghostnet" in name for name in shown)


def test_only_one_verdict_can_be_shown(page: Page) -> None:
    page.show(recommendation())
    page.run(
        "const s = document.querySelector('select[name=verdict]'); s.value = 'uncertain';"
        "s.dispatchEvent(new Event('change'))"
    )
    assert set(page.texts("#ranking .judged .verdict")) == {"? uncertain"}


def test_the_keyboard_moves_a_slider(page: Page) -> None:
    page.show(recommendation())
    slider = page.find("input[data-limit=latency]")
    before = page.find("input[data-limit=latency]").get_attribute("aria-valuetext")
    slider.send_keys("\ue012" * 40)  # left arrow
    assert slider.get_attribute("aria-valuetext") != before


def test_a_looser_limit_admits_rejected_models_and_back_resets(page: Page) -> None:
    document = recommendation()
    page.show(document)
    page.slide("input[data-limit=latency]", 1000)
    assert "50 meet every limit" in page.find("#status").text
    page.find("#controls button").click()
    assert f"{len(document.ranked)} meet every limit" in page.find("#status").text


def test_a_source_is_one_click_away(page: Page) -> None:
    page.show(recommendation())
    page.find("#ranking tbody th a").click()
    assert page.waits_for("return document.querySelector('details:target')?.open === true")


def test_numbers_are_written_as_the_program_writes_them(page: Page) -> None:
    document = recommendation()
    figures = [f for e in document.ranked for f in e.metrics.values()]
    extra = [(x, "s") for x in (0.0125, 0.00999999, 9.995, 0.01225, 1.0, 0.1235, 12345.6)]
    cases = [(f.value, f.low, f.high, f.unit) for f in figures]
    cases += [(x, x * 0.9, x * 1.1, unit) for x, unit in extra]  # type: ignore[misc]
    page.show(document)
    written = page.run(
        "const r = window.advisorReport;"
        "return arguments[0].map(([v, l, h, u]) => [r.human(v, u), r.humanInterval(l, h, u, v)])",
        cases,
    )
    from advisor.core.quantity import Unit

    expected = [
        [human(v, Unit(u)), human_interval(low, high, Unit(u), like=v)] for v, low, high, u in cases
    ]
    assert written == expected


Setting = tuple[list[dict[str, Any]], dict[str, float]]


def settings(document: Recommendation, count: int) -> list[Setting]:
    """Random limits and weights over the range of the document's figures."""
    rng = random.Random(11)
    metrics = (Metric.LATENCY, Metric.TOP1, Metric.PEAK_MEMORY, Metric.WEIGHTS)
    items = every(document)
    values = {m: [e.metrics[m].value for e in items if m in e.metrics] for m in metrics}
    found: list[Setting] = []
    for _ in range(count):
        limits = []
        for metric in rng.sample(metrics, rng.randint(0, 3)):
            bound = rng.choice(values[metric]) * rng.uniform(0.8, 1.2)
            side = "at_least" if metric.higher_is_better else "at_most"
            limits.append({"metric": metric.value, "at_most": None, "at_least": None, side: bound})
        chosen = rng.sample(metrics, rng.randint(1, 3))
        found.append((limits, {m.value: float(rng.randint(1, 100)) for m in chosen}))
    return found


def every(document: Recommendation) -> list[Entry | Rejection]:
    return [*document.ranked, *document.uncertain, *document.rejected]


def program(document: Recommendation, setting: Setting) -> tuple[list[int], list[int]]:
    """Judge and rank with the program's own functions: (met, open) as indices."""
    limits = [
        Constraint(metric=Metric(x["metric"]), at_most=x["at_most"], at_least=x["at_least"])
        for x in setting[0]
    ]
    items = every(document)
    verdicts = [_verdict(item, limits) for item in items]
    weights = {Metric(m): w for m, w in setting[1].items()}

    weighed = weighing(weights, limits)

    def group(wanted: set[Verdict]) -> list[int]:
        return [i for i, v in enumerate(verdicts) if v in wanted]

    met = group({Verdict.MET})
    places = placed([_judged(items[i], place) for place, i in enumerate(met)], weighed, LEVEL)
    ranked = [met[place.judged.subject.resolution] for place in places]
    open_ = group({Verdict.UNCERTAIN, Verdict.UNKNOWN})
    values = [{m: f.value for m, f in items[i].metrics.items()} for i in open_]
    chances = [_chance(item, limits) for item in items]
    return ranked, by_chance([open_[k] for k in order(values, weighed)], chances)


def _judged(item: Entry | Rejection, place: int) -> Judged:
    """The candidate as the program ranks it; its place stands for its input size."""
    candidate = Candidate.parse(item.candidate)
    weights = replace(WEIGHTS, license=item.license)
    estimates = {m: _estimate(m, f) for m, f in item.metrics.items()}
    return Judged(
        subject=Subject(candidate=candidate, resolution=place, weights=weights),
        lane=LANE,
        known=Assessment(
            candidate=candidate,
            precision=item.precision,
            workload=None,
            estimates=estimates,
            alternatives={},
            gaps={},
        ),
        verdicts=(),
        confidence=LEVEL,
    )


def _estimate(metric: Metric, figure: Figure) -> Estimate:
    return Estimate(
        metric=metric,
        value=figure.value,
        interval=Interval(low=figure.low, high=figure.high, level=figure.level),
        provenance=Provenance(origin=figure.origin, source="test"),
        shared=figure.shared,
    )


def _chance(item: Entry | Rejection, limits: list[Constraint]) -> float | None:
    if any(limit.metric not in item.metrics for limit in limits):
        return None
    return keeping_all(
        (limit.metric, room_of(limit, item.metrics[limit.metric])) for limit in limits
    )


LEVEL = 0.9
LANE = lane().lane
WEIGHTS = Accuracy(
    network="net",
    tag="",
    resolution=224,
    top1=0.7,
    top5=None,
    others=(),
    parameters=None,
    training_data="in1k",
    distilled=False,
    license="",
    source="test",
    source_ref="test/1",
)


def _verdict(item: Entry | Rejection, limits: list[Constraint]) -> Verdict:
    found = [
        limit.verdict(_estimate(limit.metric, item.metrics[limit.metric]), LEVEL)
        if limit.metric in item.metrics
        else limit.verdict(Gap(metric=limit.metric, reason="none"), LEVEL)
        for limit in limits
    ]
    return max(found, key=lambda v: v.rank, default=Verdict.MET)


def test_ranking_in_the_page_equals_the_programs_for_200_settings(page: Page) -> None:
    document = recommendation(120)
    page.show(document)
    asked = settings(document, 200)
    answers = page.run(
        "return arguments[0].map(([l, w]) => { const a = advisorReport.answer(l, w);"
        " return [a.met, a.open]; })",
        asked,
    )
    for setting, answer in zip(asked, answers, strict=True):
        met, open_ones = program(document, setting)
        assert (answer[0], answer[1]) == (met, open_ones), setting


def test_every_figure_in_the_tables_is_the_documents(page: Page) -> None:
    document = recommendation()
    page.show(document)
    columns = [Metric.LATENCY, Metric.TOP1, Metric.PEAK_MEMORY, Metric.WEIGHTS]
    shown = page.run(
        "return [...document.querySelectorAll('#ranking tbody tr')].map(r =>"
        " [...r.querySelectorAll('td.number')].map(c => [...c.children].map(e => e.textContent)))"
    )
    entries = [*document.ranked, *document.uncertain]
    assert len(shown) == len(entries)
    for cells, item in zip(shown, entries, strict=True):
        for texts, metric in zip(cells, columns, strict=True):
            f = item.metrics[metric]
            spread = human_interval(f.low, f.high, f.unit, like=f.value)
            assert texts == [human(f.value, f.unit), *([spread] if f.low != f.high else [])]


def test_hostile_names_are_text(page: Page) -> None:
    name = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=2>"
    hostile = entry(name, 0.003, 0.7, rank=1, settle=name, license=name, training_data=name)
    document = recommendation(3, ranked=(hostile,), warnings=(name,), command=name)
    page.show(document)
    assert page.run("return window.hacked === undefined")
    assert page.texts("#ranking tbody th a") == [name]


def test_hostile_text_in_a_review_is_text(page: Page) -> None:
    name = "</td><script>window.hacked=1</script>"
    document: ProcurementReview = six().model_copy(update={"warnings": (name,), "command": name})
    page.show(document)
    assert page.run("return window.hacked === undefined")
    assert name in page.find("main").text


def test_the_printed_page_has_pages(page: Page) -> None:
    page.show(recommendation())
    pages = len(re.findall(rb"/Type\s*/Page\b", page.printed()))
    assert 3 <= pages <= 15


def test_without_script_everything_but_the_controls_is_there(page: Page) -> None:
    from advisor.reports import render

    text = render(recommendation(), "html")
    assert 'class="no-script"' in text
    for part in ("What was asked", "Speed against accuracy", "Models", "Sign-off", "<svg"):
        assert part in text


@pytest.mark.long
def test_ranking_in_the_page_equals_running_the_program_again(page: Page) -> None:
    from advisor.answering.evidence import Evidence
    from advisor.answering.recommend import recommend
    from advisor.core.request import Request

    evidence = Evidence()
    models = ("resnet*", "mobilenet*", "efficientnet*", "vit_*")
    asked = Request(
        device="jetson-nano",
        models=models,
        limits=(Constraint(metric=Metric.LATENCY, at_most=0.02),),
    )
    document = recommend(asked, evidence)
    names = [e.candidate for e in every(document)]
    page.show(document)
    for limits, weights in settings(document, 200):
        again = asked.model_copy(
            update={
                "limits": tuple(
                    Constraint(**{**limit, "metric": Metric(limit["metric"])}) for limit in limits
                ),
                "weights": {Metric(m): w for m, w in weights.items()},
            }
        )
        expected = recommend(again, evidence)
        answer = page.run("return advisorReport.answer(...arguments)", limits, weights)
        met, open_ones = ([names[i] for i in answer[key]] for key in ("met", "open"))
        assert met == [e.candidate for e in expected.ranked]
        # The page knows no probability of the device's own limits.
        assert sorted(open_ones) == sorted(e.candidate for e in expected.uncertain)


def test_under_the_requests_own_settings_the_page_says_what_was_answered(page: Page) -> None:
    document = recommendation()
    # An order that no score gives, as ties do.
    turned = document.model_copy(update={"ranked": document.ranked[::-1]})
    page.show(turned)
    shown = page.texts("#ranking tbody th a")
    assert shown == [e.candidate for e in (*turned.ranked, *turned.uncertain)]
    assert page.find("h2#decision").text == f"Use {turned.ranked[0].candidate}"


def test_rows_that_the_script_adds_say_probability_and_front_as_the_others_do(page: Page) -> None:
    document = recommendation(120)
    rest = [e.model_copy(update={"on_front": i % 2 == 0}) for i, e in enumerate(document.uncertain)]
    page.show(document.model_copy(update={"uncertain": (*rest, *_late(rest, 40))}))
    shown = page.run(
        "return [...document.querySelectorAll('#ranking tbody tr')].map(r => ["
        " r.querySelector('.chance').innerText.trim(), r.querySelector('.front') !== null])"
    )
    assert len(shown) == 50
    assert shown[-1] == ["31 %", True]


def _late(entries: list[Entry], count: int) -> list[Entry]:
    """Entries for the end of a list, on the front and with a probability that no other has."""
    same = {"probability": 0.3149, "on_front": True}
    return [entries[0].model_copy(update={**same, "candidate": f"late{i}"}) for i in range(count)]


def test_a_slider_changes_headline_chart_and_limit_line(page: Page) -> None:
    document = recommendation()
    page.show(document)
    before = page.find("h2#decision").text
    page.slide("input[data-limit=latency]", 1000)
    best = max(every(document), key=lambda e: e.metrics[Metric.TOP1].value)
    assert page.find("h2#decision").text == f"Use {page.texts('#ranking tbody th a')[0]}" != before
    assert best.candidate in page.texts("#ranking tbody th a")[:5]
    assert "Under changed settings: no limit" in page.find(".whatif").text
    visible = "return [...document.querySelectorAll('svg.scatter')].map(e => e.style.display)"
    assert page.run(visible) == ["none", ""]
    assert (
        page.run("return document.querySelectorAll('svg.scatter:not([style]) .limit').length") < 2
    )
    page.find(".whatif button").click()
    assert page.find("h2#decision").text == before
    assert page.run(visible) == ["", "none"]


BOXES = """
const svg = [...document.querySelectorAll('svg.scatter')].find(e => e.style.display !== 'none');
const boxes = [...svg.querySelectorAll('text')].filter(e => e.getBoundingClientRect().width)
  .map(e => [e.textContent, e.getBoundingClientRect()]);
const met = [];
boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
  if (p.left < q.right && q.left < p.right && p.top + 3 < q.bottom && q.top + 3 < p.bottom)
    met.push(a + ' | ' + b);
}));
return met;
"""
"""Pairs of texts in the chart whose boxes overlap by more than their line spacing."""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("limit", [0.004, 0.008, 0.03])
def test_no_text_in_the_chart_covers_another(page: Page, width: int, limit: float) -> None:
    page.show(recommendation(120, limit=limit), width=width)
    assert page.run(BOXES) == []
    page.slide("input[data-limit=latency]", 700)
    assert page.run(BOXES) == []


def test_the_three_best_are_named_in_the_chart(page: Page) -> None:
    page.show(recommendation())
    names = page.run("return [...document.querySelectorAll('text.rank')].map(e => e.textContent)")
    assert [name[0] for name in names[:3]] == ["1", "2", "3"]


def test_a_narrow_page_reaches_the_appendix_soon_and_scrolls_nowhere_sideways(page: Page) -> None:
    page.show(recommendation(120), width=390)
    top = page.run(
        "return document.querySelector('#appendix').getBoundingClientRect().top + scrollY"
    )
    assert top < 6000
    page.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    wide = (
        "return [...document.querySelectorAll('.scroll')].filter(e => "
        "e.scrollWidth > e.clientWidth + 1).map(e => e.getAttribute('aria-label'))"
    )
    assert page.run(wide) == []


def test_a_name_without_a_gap_is_broken_before_it_is_wider_than_the_screen(page: Page) -> None:
    document = recommendation()
    long = document.ranked[0].model_copy(update={"candidate": "regnetx_004:" + "depth=12," * 12})
    page.show(document.model_copy(update={"ranked": (long, *document.ranked[1:])}), width=390)
    assert page.run("return document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("kind", ["feasible", "review"])
def test_no_column_is_cut_off_on_a_wide_screen(page: Page, kind: str) -> None:
    page.show(documents()[kind])
    wide = (
        "return [...document.querySelectorAll('.scroll')].filter(e => "
        "e.scrollWidth > e.clientWidth + 1).map(e => e.getAttribute('aria-label'))"
    )
    assert page.run(wide) == []


def test_every_row_leads_to_its_sources_also_those_that_the_script_adds(page: Page) -> None:
    document = recommendation(120)
    page.show(document)
    page.slide("input[data-limit=latency]", 1000)
    keys = page.run(
        "return [...document.querySelectorAll('#ranking tbody th a')].map(a => a.hash.slice(1))"
    )
    rejected = {f"c{i}" for i, e in enumerate(every(document)) if isinstance(e, Rejection)}
    key = next(k for k in keys if k in rejected)
    item = every(document)[int(key[1:])]
    page.run("location.hash = arguments[0]", key)
    assert page.waits_for(f"return document.getElementById('{key}')?.open === true")
    assert item.metrics[Metric.LATENCY].source in page.find(f"#{key}").text


def test_the_contents_lead_to_every_section(page: Page) -> None:
    page.show(recommendation())
    links = page.run(
        "return [...document.querySelectorAll('.contents a')].map(a => a.hash.slice(1))"
    )
    heads = page.run("return [...document.querySelectorAll('main section h2')].map(h => h.id)")
    assert [key for key in heads if key != "decision"] == links
