"""Presets: each can be asked for, says why, and gives way to what is stated beside it."""

from typing import Any

import pytest

from advisor.answering.asking import request_from
from advisor.answering.commands import recommend_command
from advisor.answering.use_cases import names, use_case
from advisor.core.quantity import Metric
from advisor.core.question import Stated
from advisor.core.request import Request
from advisor.errors import UsageError

WANTED = {
    "ar-on-phone",
    "datacenter",
    "drone-navigation",
    "industrial-inspection",
    "medical-imaging",
    "smart-camera",
}


def asked(name: str, **stated: Any) -> Request:
    layer = Stated(options={"device": "jetson-nano", "use_case": name, **stated})
    return request_from(Request, layer)


def bound(request: Request, metric: Metric) -> float:
    (limit,) = (one for one in request.limits if one.metric is metric)
    return limit.bound


def test_the_common_tasks_have_a_preset() -> None:
    assert set(names()) >= WANTED


@pytest.mark.parametrize("name", names())
def test_every_preset_is_accepted_as_options(name: str) -> None:
    assert asked(name).use_case == name


@pytest.mark.parametrize("name", names())
def test_every_setting_of_a_preset_has_a_reason_and_every_preset_a_warning(name: str) -> None:
    found = use_case(name)
    assert set(found.reasons) == set(found.options)
    assert found.warnings
    assert found.description


def test_what_is_stated_goes_before_the_preset() -> None:
    request = asked("drone-navigation", max_latency="5ms")
    assert bound(request, Metric.LATENCY) == 0.005
    assert request.confidence == 0.95


def test_a_stated_ranking_replaces_the_presets() -> None:
    assert asked("drone-navigation", rank_by="latency").weights == {Metric.LATENCY: 1.0}


def test_a_default_stated_beside_a_preset_is_part_of_the_command() -> None:
    request = asked("drone-navigation", confidence="90%", rank_by="top1")
    assert "--confidence 90% --rank-by top1" in recommend_command(request)


def test_unknown_use_case_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'smart-camera'"):
        use_case("smart-camra")


def test_no_preset_pays_for_speed_beyond_its_own_limit() -> None:
    for name in names():
        request = asked(name)
        limited = {one.metric for one in request.limits} - {Metric.TOP1}
        assert not limited & set(request.weights), name
