"""The site in a real browser: the first question of the README in three entries."""

import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from advisor.answering.asking import request_from
from advisor.answering.evidence import Evidence
from advisor.answering.recommend import recommend
from advisor.core.question import Stated
from advisor.core.request import Request
from advisor.serving.site import site
from tests.browser.page import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return Evidence()


@pytest.fixture(scope="module")
def address(evidence: Evidence) -> Iterator[str]:
    """Where the site answers while the tests of this module run."""
    server = make_server("127.0.0.1", 0, site(evidence), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()


def test_the_first_question_takes_three_entries(
    page: Page, address: str, evidence: Evidence
) -> None:
    page.open(address)
    page.find("input[name=device]").send_keys("jetson-nano")
    page.find("input[name=max-latency]").send_keys("10ms")
    page.find("button[type=submit]").click()
    assert page.waits_for("return document.querySelector('iframe') !== null", seconds=60)
    with page.inside("iframe"):
        assert page.waits_for("return document.querySelector('h2#decision') !== null", seconds=60)
        headline = page.find("h2#decision").text
    asked = request_from(Request, Stated(options={"device": "jetson-nano", "max_latency": "10ms"}))
    assert headline == f"Use {recommend(asked, evidence).ranked[0].candidate}"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_accessibility_checker_finds_nothing_serious_in_the_form(
    page: Page, address: str, axe: str, width: int, dark: bool
) -> None:
    page.open(address, width=width, dark=dark)
    assert page.violations(axe) == []
    assert page.run("return document.documentElement.scrollWidth") <= width


def test_a_mistake_is_said_above_the_form_which_keeps_what_was_typed(
    page: Page, address: str, axe: str
) -> None:
    page.open(f"{address}report?device=jetson-nano&max-latency=10")
    assert "the unit is missing" in page.find("[role=alert]").text
    assert page.find("input[name=max-latency]").get_attribute("value") == "10"
    assert page.violations(axe) == []
