"""The HTML page without a browser: one small file, safe, complete, and on paper."""

import re
from html.parser import HTMLParser
from importlib import import_module
from typing import Any

import pytest

from advisor.answering.use_cases import use_case
from advisor.core.constraint import Constraint, Verdict
from advisor.core.document import Recommendation
from advisor.core.quantity import human
from advisor.hardware.facts import device_facts
from advisor.hardware.library import load_profile
from advisor.reports import Layout, render, writer
from advisor.reports.html import page as html_page
from advisor.reports.page import page_of
from tests.documents import entry, estimates, figure, infeasible, recommendation, search_record
from tests.test_procurement import six


class Reader(HTMLParser):
    """Collects ids, references to the outside and unbalanced elements."""

    VOID = frozenset({"meta", "br", "input", "line", "circle", "rect", "path", "img", "hr", "wbr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src"):
                self.references.append(value or "")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def full() -> Recommendation:
    return recommendation(
        device=device_facts(load_profile("jetson-nano")),
        use_case=use_case("smart-camera"),
        search=search_record(),
    )


@pytest.mark.parametrize("document", [full(), infeasible(), six()], ids=["full", "none", "review"])
def test_page_is_well_formed_and_refers_to_nothing_outside(document: Recommendation) -> None:
    text = render(document, "html", Layout())
    reader = Reader(text)
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert all(ref.startswith("#") for ref in reader.references)
    assert {ref[1:] for ref in reader.references} <= set(reader.ids)


def test_page_of_fifty_candidates_is_under_a_megabyte() -> None:
    assert len(render(full(), "html").encode()) < 300_000


def test_page_of_a_whole_catalog_is_under_a_megabyte() -> None:
    assert len(render(recommendation(1500), "html").encode()) < 1_000_000


def test_page_allows_no_script_but_its_own() -> None:
    text = render(full(), "html")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    assert "default-src 'none'" in policy[1]
    assert "'unsafe-inline'" not in policy[1].split("script-src")[1]


def test_the_decision_box_says_what_it_costs_and_until_when_it_is_sold() -> None:
    facts = {fact.label: fact for fact in page_of(full()).facts}
    assert facts["Price of the device"].text == "199 USD"
    assert facts["Supply"].text == "end of life announced"
    assert facts["Valid until"].text == "2027-05-23"


def test_an_unknown_price_is_said() -> None:
    document = recommendation(device=device_facts(load_profile("galaxy-s25")))
    facts = {fact.label: fact.text for fact in page_of(document).facts}
    assert facts["Power of the device"] == "unknown"


def test_every_section_that_a_reader_expects_is_there() -> None:
    text = render(full(), "html", Layout(against=recommendation(limit=0.008)))
    for title in (
        "What was asked",
        "Use case",
        "Speed against accuracy",
        "Models",
        "Why the others fell",
        "Where the time goes",
        "How the variants were found",
        "How firm the answer is",
        "What changed since",
        "The model in short",
        "Which family, and when",
        "What could go wrong",
        "Sources of every figure",
        "How to get this answer again",
        "Sign-off",
    ):
        assert f">{title}" in text, title


def test_limits_on_other_metrics_get_a_column() -> None:
    from advisor.core.quantity import Metric

    document = recommendation()
    request = document.request.model_copy(
        update={"limits": (Constraint(metric=Metric.POWER, at_most=5.0),)}
    )
    page = page_of(document.model_copy(update={"request": request}))
    assert Metric.POWER in page.columns
    assert "unknown" in render(document.model_copy(update={"request": request}), "html")


def test_sources_show_every_figure_as_the_document_has_it() -> None:
    document = recommendation()
    blocks = {block.candidate: block for block in page_of(document).sources}
    for item in document.ranked:
        lines = {line.metric: line for line in blocks[item.candidate].lines}
        for metric, found in item.metrics.items():
            assert lines[metric.label].text.startswith(human(found.value, found.unit))
            assert lines[metric.label].source == found.source


def test_weaker_figures_are_listed_beside_the_strongest() -> None:
    from advisor.core.quantity import Metric

    second = figure(Metric.LATENCY, 0.009, spread=0.2)
    item = entry("net", 0.004, 0.7, rank=1, alternatives={Metric.LATENCY: (second,)})
    page = page_of(recommendation(0, ranked=(item,), uncertain=(), rejected=()))
    assert any("also known" in line.metric for line in page.sources[0].lines)


def test_a_model_with_a_gap_in_a_limit_is_unknown() -> None:
    item = entry("net", 0.004, 0.7, verdict=Verdict.UNKNOWN)
    text = render(recommendation(0, ranked=(), uncertain=(item,)), "html")
    assert "– unknown" in text


def weasyprint() -> Any:
    """WeasyPrint, or a skip that says what is missing."""
    try:
        return import_module("weasyprint")
    except (ImportError, OSError) as error:
        pytest.skip(
            f"{error}: pip install 'vision-advisor[pdf]' and "
            "apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
        )


@pytest.mark.slow
@pytest.mark.parametrize("document", [full(), six()], ids=["answer", "review"])
def test_pdf_has_its_pages(document: Recommendation) -> None:
    printed = weasyprint().HTML(string=html_page(document, Layout(), paged=True)).render()
    assert 3 <= len(printed.pages) < 8


@pytest.mark.slow
def test_pdf_is_written_without_noise(caplog: pytest.LogCaptureFixture) -> None:
    weasyprint()
    content = writer("pdf").render(infeasible(), Layout())
    assert isinstance(content, bytes)
    assert content.startswith(b"%PDF")
    assert not caplog.records


def test_estimates_come_with_the_source_of_every_figure() -> None:
    text = render(estimates(), "html")
    assert "predicted-source/1" in text
    assert "published-source/1" in text
    assert "the network cannot be built" in text
