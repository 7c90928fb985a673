"""Requests: whatever is stated reads back the same from the command, the file and the document."""

import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.answering.asking import preset, request_file, request_from
from advisor.answering.commands import recommend_command
from advisor.answering.use_cases import names
from advisor.cli.main import app
from advisor.cli.options import stated
from advisor.core.filed import field_names
from advisor.core.quantity import Metric
from advisor.core.question import Question, Stated, options_of
from advisor.core.request import EstimateRequest, QuestionsRequest, Request
from advisor.errors import UsageError
from tests.requests import KINDS, stated_options

QUICK = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def typed(kind: type[Question], command: str) -> Question:
    """Read a command line as the program does, without answering it."""
    name, words = kind.COMMAND, shlex.split(command)[2:]
    command_ = app.get_command(click.Context(app), name)
    assert command_ is not None
    with command_.make_context(name, words):
        return request_from(kind, *stated(kind))


@kinds
@given(data=st.data())
@QUICK
def test_the_command_of_a_request_asks_for_the_same(
    kind: type[Question], data: st.DataObject
) -> None:
    request = kind.read(Stated(options=data.draw(stated_options(kind))))
    if kind is QuestionsRequest:  # the command line reads the table apart from the options
        return
    assert typed(kind, request.command()) == request


@kinds
@given(data=st.data())
@QUICK
def test_a_request_written_to_a_file_reads_back_the_same(
    kind: type[Question], data: st.DataObject, tmp_path: Path
) -> None:
    request = kind.read(Stated(options=data.draw(stated_options(kind))))
    path = tmp_path / "request.yaml"
    path.write_text(yaml.safe_dump(request.stated(), allow_unicode=True), encoding="utf-8")
    assert kind.read(request_file(path)) == request


@kinds
@given(data=st.data())
@QUICK
def test_a_request_in_a_document_reads_back_the_same(
    kind: type[Question], data: st.DataObject
) -> None:
    request = kind.read(Stated(options=data.draw(stated_options(kind))))
    assert kind.model_validate_json(request.model_dump_json()) == request


@pytest.mark.parametrize("name", names())
@given(data=st.data())
@QUICK
def test_the_command_asks_for_the_same_beside_a_preset(name: str, data: st.DataObject) -> None:
    drawn = data.draw(stated_options(Request)) | {"use_case": name}
    request = request_from(Request, Stated(options=drawn))
    assert typed(Request, recommend_command(request)) == request
    assert preset(name).options  # every preset states something to win over


def asked(**options: Any) -> Request:
    return Request.read(Stated(options={"device": "jetson-nano", **options}))


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999", "infinity"])
@pytest.mark.parametrize(
    ("option", "form"),
    [
        ("max_latency", "{}ms"),
        ("confidence", "{}"),
        ("confidence", "{}%"),
        ("weights", "top1={}"),
        ("min_top1", "{}%"),
    ],
)
def test_what_is_no_finite_number_is_refused(option: str, form: str, number: str) -> None:
    with pytest.raises(UsageError, match=option):
        asked(**{option: form.format(number)})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_request_built_in_python_refuses_what_is_no_finite_number(value: float) -> None:
    from advisor.core.constraint import Constraint

    with pytest.raises(UsageError, match="latency"):
        Constraint(metric=Metric.LATENCY, at_most=value)
    with pytest.raises(UsageError, match="finite"):
        Request(device="jetson-nano", weights={Metric.TOP1: value})


@pytest.mark.parametrize("text", ["0%", "100%", "150%", "0", "1", "-5%"])
def test_confidence_says_its_range(text: str) -> None:
    with pytest.raises(UsageError, match=r"allowed: 0\.1% to 99\.9999%"):
        asked(confidence=text)


def test_the_commas_between_multipliers_belong_to_the_candidate() -> None:
    name = "mobilenetv2_100:depth=1.2,width=0.75"
    request = asked(models=f"{name},resnet18")
    assert request.models == (name, "resnet18")


def test_a_percentage_is_the_number_nearest_to_what_was_written() -> None:
    assert asked(min_top1="70%").limits[0].bound == 0.7


@pytest.mark.parametrize(
    "text", ["device: a\ndevice: b\n", "max-latency: 10ms\nmax_latency: 20ms\n"]
)
def test_a_key_that_appears_twice_in_a_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "request.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match="appears twice"):
        request_file(path)


def test_an_option_replaces_the_one_it_excludes_in_an_earlier_layer() -> None:
    file = Stated(options={"device": "jetson-nano", "weights": "top1=1,latency=2"}, origin="r.yaml")
    request = Request.read(file, Stated(options={"rank_by": "latency"}, typed=True))
    assert request.weights == {Metric.LATENCY: 1.0}


def test_options_that_exclude_each_other_are_refused_together() -> None:
    with pytest.raises(UsageError, match="give rank_by or weights, not both"):
        asked(rank_by="top1", weights="top1=1,latency=1")


def test_a_message_names_the_option_as_its_writer_knows_it() -> None:
    for layer, name in (
        (Stated(options={"top": "0"}, typed=True), "--top: 0"),
        (Stated(options={"top": 0}), "top: 0"),
        (Stated(options={"top": 0}, origin="r.yaml"), "r.yaml: top: 0"),
    ):
        with pytest.raises(UsageError) as caught:
            Request.read(layer)
        assert str(caught.value).startswith(name)


def test_a_missing_option_is_named_with_what_it_means() -> None:
    with pytest.raises(UsageError, match="recommend needs --device: Device profile"):
        Request.read()


def test_every_field_of_a_request_has_an_option() -> None:
    for kind in KINDS:
        filled = {place.field for place in options_of(kind).values()}
        assert set(field_names(kind)) - filled <= {"variant"}  # the lane's, stated by no option


def test_metrics_of_an_estimate_are_named_in_the_command() -> None:
    request = EstimateRequest.read(
        Stated(options={"candidates": ["resnet18"], "device": "jetson-nano",
                        "metric": "latency,top1", "recipe": "tf-slim-MobileNetV2"})
    )  # fmt: skip
    assert request.command() == (
        "advisor estimate resnet18 --device jetson-nano --metric latency,top1 "
        "--recipe tf-slim-MobileNetV2"
    )
