"""The search trains its most promising variants, is told what they reach, and searches on."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from advisor.answering.search_training import promising
from advisor.core.constraint import Constraint
from advisor.core.quantity import Metric
from advisor.studies.outcome import SearchPlan, costs
from advisor.studies.searching import search
from tests.search_stand_in import assess
from tests.terminal import ask
from tests.trial_images import striped

FAST = SearchPlan(
    families=("mobilenetv2",),
    constraints=(Constraint(metric=Metric.LATENCY, at_most=0.005),),
    trials=60,
)


@pytest.fixture
def npz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))
    images, labels = striped(40, side=16)
    np.savez(tmp_path / "set.npz", images=images, labels=labels)
    return tmp_path / "set.npz"


def test_promising_variants_are_feasible_untrained_and_far_apart() -> None:
    outcome = search(FAST, assess)
    first = promising(outcome, set(), 3)
    assert all(trial.feasible for trial in first)
    latencies = sorted(trial.values[1] for trial in first)
    assert latencies[-1] > 1.5 * latencies[0]
    known = {trial.candidate for trial in first}
    assert not known & {trial.candidate for trial in promising(outcome, known, 3)}


def test_most_promising_variant_alone_adds_most_to_the_front() -> None:
    outcome = search(FAST, assess)
    (alone,) = promising(outcome, set(), 1)
    assert alone in outcome.front
    cheapest = min(outcome.front, key=lambda t: costs(t.values, FAST.objectives)[1])
    assert alone != cheapest


def test_nothing_is_promising_where_nothing_keeps_the_limits() -> None:
    limit = Constraint(metric=Metric.LATENCY, at_most=1e-6)
    assert promising(search(replace(FAST, constraints=(limit,)), assess), set(), 3) == []


@pytest.mark.slow
def test_trained_front_comes_with_weights_and_beside_what_was_expected(
    npz: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, page = tmp_path / "out", tmp_path / "page.html"
    words = (
        "search", "--family", "mobilenetv3", "--device", "jetson-nano", "--max-macs", "20M",
        "--trials", "25", "--data", str(npz), "--epochs", "0.5", "--rounds", "2", "--train", "1",
        "--training-batch", "8", "--no-mirror", "--folder", str(folder), "--format", "json",
    )  # fmt: skip
    done = ask(capsys, *words, "-o", str(page))
    assert done.code == 0, done.err
    document = json.loads(done.out)
    first, second = document["search"]["taught"]
    assert (first["round"], second["round"]) == (1, 2)
    assert first["expected"] is None
    assert second["expected"]["low"] < second["expected"]["value"] < second["expected"]["high"]
    for one in (first, second):
        assert one["measured"]["origin"] == "measured"
        assert {Path(name).suffix for name in one["files"]} >= {".pt", ".onnx", ".py", ".yaml"}
        assert all((Path(one["folder"]) / name).is_file() for name in one["files"])
    ranked = [*document["ranked"], *document["uncertain"]]
    assert {entry["candidate"] for entry in ranked} == {first["candidate"], second["candidate"]}
    assert not any(entry["needs_training"] for entry in ranked)
    assert "Trained on" in page.read_text(encoding="utf-8")
    again: dict[str, Any] = json.loads(ask(capsys, *words).out)
    assert again["search"]["taught"] == document["search"]["taught"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--budget", "1h"], "needs --data"),
        (["--data", "digits", "--budget", "1h", "--epochs", "2"], "give one of them"),
        (["--data", "digits", "--objective", "latency"], "has to be an objective"),
        (["--data", "digits", "--storage", "sqlite:///x.db"], "leave out --storage"),
        (["--data", "digits", "--rounds", "0"], "--rounds"),
    ],
)
def test_options_that_do_not_go_together_are_one_line(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask(capsys, "search", "--family", "mobilenetv2", "--device", "jetson-nano", *words)
    assert answer.code == 2
    assert told in answer.err
    assert answer.err.count("\n") == 1
