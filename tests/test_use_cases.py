"""Presets: each can be asked for, says why, and gives way to what is stated beside it."""

from typing import Any

import click
import pytest
from click.testing import CliRunner

from advisor.answering.use_cases import defaults, names, use_case
from advisor.cli.options import LIMITS, limits, objectives
from advisor.cli.use_case import settle_ranking, use_case_option
from advisor.errors import UsageError

WANTED = {
    "ar-on-phone",
    "datacenter",
    "drone-navigation",
    "industrial-inspection",
    "medical-imaging",
    "smart-camera",
}


@click.command()
@use_case_option
@click.option("--max-latency")
@click.option("--max-weights")
@click.option("--max-macs")
@click.option("--min-top1")
@click.option("--rank-by")
@click.option("--weights")
@click.option("--license", "license")
@click.option("--confidence", default="90%")
def asked(**options: Any) -> None:
    settled = settle_ranking(click.get_current_context(), options)
    objectives(settled["rank_by"], settled["weights"])
    click.echo(";".join(f"{name}={value}" for name, value in settled.items() if value))


def answer(*arguments: str) -> str:
    result = CliRunner().invoke(asked, arguments, catch_exceptions=False)
    return str(result.output)


def test_the_common_tasks_have_a_preset() -> None:
    assert set(names()) >= WANTED


@pytest.mark.parametrize("name", names())
def test_every_preset_is_accepted_as_options(name: str) -> None:
    assert f"use_case={name}" in answer("--use-case", name)
    preset = defaults(name)
    limits({key: value for key, value in preset.items() if key in LIMITS})


@pytest.mark.parametrize("name", names())
def test_every_setting_of_a_preset_has_a_reason_and_every_preset_a_warning(name: str) -> None:
    found = use_case(name)
    assert set(found.reasons) == set(found.options)
    assert found.warnings
    assert found.description


def test_the_command_line_goes_before_the_preset() -> None:
    text = answer("--use-case", "drone-navigation", "--max-latency", "5ms")
    assert "max_latency=5ms" in text
    assert "confidence=95%" in text


def test_a_stated_ranking_replaces_the_presets() -> None:
    text = answer("--use-case", "drone-navigation", "--rank-by", "top1")
    assert "rank_by=top1" in text
    assert "weights=" not in text


def test_unknown_use_case_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'smart-camera'"):
        use_case("smart-camra")
