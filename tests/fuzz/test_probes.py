"""Inputs drawn at random: a short part of what ``python -m benchmarks.faults`` does for long."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.probes import BESIDES, PROBES, WITHIN

QUICK = ("request file", "result bytes", "figures bytes")
"""Probes whose inputs mostly end at the reader."""


def probed(name: str, folder: Path, examples: int) -> None:
    @settings(
        max_examples=examples,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        drawn = data.draw(PROBES[name].drawn)
        assert PROBES[name].faults(drawn, folder) == []

    run()


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("name", QUICK)
def test_a_few_inputs_of_the_readers_end_in_an_answer_or_a_line(name: str, tmp_path: Path) -> None:
    probed(name, tmp_path, 10)


@pytest.mark.slow
@pytest.mark.parametrize("name", WITHIN)
def test_inputs_drawn_at_random_end_in_an_answer_or_a_line(name: str, tmp_path: Path) -> None:
    probed(name, tmp_path, 15)


@pytest.mark.slow
@pytest.mark.parametrize("name", BESIDES)
def test_what_is_killed_or_done_at_once_loses_nothing_that_was_finished(
    name: str, tmp_path: Path
) -> None:
    probed(name, tmp_path, 1)
