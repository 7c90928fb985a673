"""The site in the browser gives the answers of the command line."""

import json
import random
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape

import pytest
from flask.testing import FlaskClient

from advisor.answering.evidence import Evidence
from advisor.answering.recommend import recommend
from advisor.core.document import Recommendation
from advisor.errors import AdvisorError
from advisor.serving.site import DOWNLOADS, Bounds, asked_by, site

DEVICES = ("jetson-nano", "raspberry-pi-5", "raspberry-pi-4", "coral-dev-board")
FIELDS = ("verdict", "probability", "candidate", "rank")


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return Evidence()


@pytest.fixture(scope="module")
def client(evidence: Evidence) -> FlaskClient:
    return site(evidence, Bounds(seconds=600)).test_client()  # however busy the machine is


NARROWED = ("resnet*,regnet*", "mobilenet*,efficientnet*", "vit_*,levit*,hgnetv2*")
"""Part of the catalog each, so that fifty requests are answered within a minute."""


def questions(count: int, *, whole: bool) -> Iterator[dict[str, str]]:
    """Random requests as the form sends them, of the whole catalog or of parts of it."""
    rng = random.Random(5)
    for _ in range(count):
        found = {"device": rng.choice(DEVICES), "max-latency": f"{rng.randint(5, 300)}ms"}
        if rng.random() < 0.5:
            found["min-top1"] = f"{rng.randint(60, 80)}%"
        if rng.random() < 0.3:
            found["weights"] = "top1=0.6,weights=0.4"
        if rng.random() < 0.3:
            found["confidence"] = "80%"
        if not whole:
            found["models"] = rng.choice(NARROWED)
        yield found


def judged(document: Recommendation) -> list[tuple[object, ...]]:
    return [
        tuple(getattr(entry, name) for name in FIELDS)
        for entry in (*document.ranked, *document.uncertain)
    ]


def same_for(count: int, client: FlaskClient, evidence: Evidence, *, whole: bool) -> None:
    """Ask four at a time, and compare each with the advisor itself."""
    asked = list(questions(count, whole=whole))
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda q: client.get("/report.json", query_string=q), asked))
    for question, page in zip(asked, pages, strict=True):
        try:
            expected = recommend(asked_by(question), evidence)
        except AdvisorError as error:
            refusal = str(error)
            expected = None
        if expected is None:
            assert page.status_code == 400
            assert refusal in unescape(page.text)
            continue
        found = Recommendation.model_validate(json.loads(page.text))
        assert judged(found) == judged(expected)
        assert found.answers == expected.answers


def test_verdicts_equal_those_of_recommend(client: FlaskClient, evidence: Evidence) -> None:
    same_for(2, client, evidence, whole=True)


@pytest.mark.slow
def test_verdicts_equal_those_of_recommend_for_fifty(
    client: FlaskClient, evidence: Evidence
) -> None:
    same_for(50, client, evidence, whole=False)


def test_the_form_offers_every_device_and_loads_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert 'value="jetson-nano"' in page.text
    assert "://" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_a_mistake_is_said_in_one_line_and_loses_nothing(client: FlaskClient) -> None:
    page = client.get("/report", query_string={"device": "jetson-nano", "max-latency": "10"})
    assert page.status_code == 400
    assert "Max latency: the unit is missing" in page.text
    assert "<label>Max latency " in page.text
    assert 'value="jetson-nano"' in page.text


def test_files_of_the_server_are_not_read(client: FlaskClient) -> None:
    for option in ("profiles-dir", "accuracy-from", "search", "measure"):
        page = client.get("/report", query_string={"device": "jetson-nano", option: "1"})
        assert page.status_code == 400
        assert "not asked here" in page.text


def test_what_is_written_into_the_form_stays_text(client: FlaskClient) -> None:
    page = client.get("/report", query_string={"device": "<script>alert(1)</script>"})
    assert "<script>" not in page.text


def test_each_format_that_a_page_offers_is_given(client: FlaskClient) -> None:
    asked = {"device": "jetson-nano", "max-latency": "20ms", "models": "resnet18"}
    page = client.get("/report", query_string=asked)
    offered = re.findall(r'href="report\.(\w+)', page.text)
    assert offered
    for form in offered:
        found = client.get(f"/report.{form}", query_string=asked)
        assert (found.status_code, found.headers["Content-Type"]) == (200, DOWNLOADS[form])


def test_a_long_request_is_refused(client: FlaskClient) -> None:
    assert client.get("/report?device=" + "x" * 10_000).status_code == 414


def test_an_answer_that_takes_too_long_is_refused(evidence: Evidence) -> None:
    hasty = site(evidence, Bounds(seconds=1e-6)).test_client()
    page = hasty.get("/report", query_string={"device": "jetson-nano", "max-latency": "10ms"})
    assert page.status_code == 503
