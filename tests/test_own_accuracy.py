"""A trial's accuracies rank the answer; models that were not tried get an honest interval."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from advisor.trials.record import (
    DataRecord,
    Environment,
    ImageAccuracy,
    Likeness,
    Stage,
    Standing,
    TrialRecord,
    TrialRequest,
)
from advisor.trials.unseen_models import Tried, UnseenModels
from tests.terminal import ask


def standing(model: str, accuracy: float, resolution: int = 224) -> Standing:
    """A model that was fine-tuned from trained weights."""
    return Standing(
        model=model,
        resolution=resolution,
        stage=Stage.FINETUNE,
        trained_weights=True,
        accuracy=ImageAccuracy(
            value=accuracy, low=accuracy - 0.02, high=accuracy + 0.02, level=0.9, images=800
        ),
        seeds=1,
        tied_with_best=False,
    )


def record(*standings: Standing) -> TrialRecord:
    """A finished trial on photos of screws."""
    return TrialRecord(
        advisor_version="1",
        created="2026-11-29T12:00:00+00:00",
        command="advisor trial screws/ --models a",
        request=TrialRequest(data="screws/", models=tuple(s.model for s in standings)),
        code="",
        data=DataRecord(
            name="screws",
            source="screws/",
            digest="",
            images=100,
            classes=("good", "bad"),
            parts={},
            given_split=False,
            imbalance=1.0,
        ),
        environment=Environment(machine="", threads=1, packages={}),
        folder="",
        runs=(),
        standings=standings,
        comparisons=(),
        baseline=None,
    )


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    """The smaller network is the better one on these images."""
    path = tmp_path / "trial.json"
    tried = (standing("mobilenetv2_100", 0.97), standing("resnet18", 0.90))
    path.write_text(record(*tried).model_dump_json())
    return path


def _asked(capsys: pytest.CaptureFixture[str], trial: Path, *words: str) -> dict[str, object]:
    answer = ask(
        capsys, "recommend", "--device", "jetson-nano", "--max-latency", "30ms",
        "--accuracy-from", str(trial), "--format", "json", *words,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    found: dict[str, object] = json.loads(answer.out)
    return found


def test_users_accuracy_ranks_and_is_called_measured(
    trial: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = _asked(capsys, trial, "--models", "mobilenetv2_100,resnet18")
    ranked = found["ranked"]
    assert isinstance(ranked, list)
    best = {one["architecture"]: one for one in reversed(ranked) if one["resolution"] == 224}
    assert best["mobilenetv2_100"]["rank"] < best["resnet18"]["rank"]
    top1 = best["mobilenetv2_100"]["metrics"]["top1"]
    assert top1["value"] == pytest.approx(0.97, abs=0.002)  # the change at fp16
    assert "trial on screws" in top1["source"]


def test_model_that_was_not_tried_is_predicted_and_named_as_next(
    trial: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = _asked(capsys, trial)
    ranked, warnings = found["ranked"], found["warnings"]
    assert isinstance(ranked, list)
    assert isinstance(warnings, list)
    other = next(one for one in ranked if one["architecture"] == "resnet34")
    top1 = other["metrics"]["top1"]
    assert top1["origin"] == "predicted"
    assert top1["low"] < top1["value"] < top1["high"]
    assert any("try next: advisor trial screws/ --models" in text for text in warnings)


def test_network_that_was_looked_at_is_expected_to_do_as_those_that_see_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "trial.json"
    tried = record(standing("mobilenetv2_100", 0.97), standing("resnet18", 0.70))
    alike = Likeness(
        networks=("mobilenetv2_100", "resnet18", "resnet34"),
        values=((1.0, 0.0, 0.9), (0.0, 1.0, 0.0), (0.9, 0.0, 1.0)),
    )
    expected = {}
    for name, known in (("by family", None), ("by features", alike)):
        path.write_text(tried.model_copy(update={"likeness": known}).model_dump_json())
        ranked = _asked(capsys, path, "--models", "resnet34,resnet50")["ranked"]
        assert isinstance(ranked, list)
        expected[name] = {one["architecture"]: one["metrics"]["top1"] for one in ranked}
    by_family, by_features = expected["by family"], expected["by features"]
    assert by_features["resnet34"]["value"] > by_family["resnet34"]["value"] + 0.02
    assert "likeness of features" in by_features["resnet34"]["source"]
    assert by_features["resnet50"]["value"] == by_family["resnet50"]["value"]  # not looked at


def test_answer_gives_the_command_that_repeats_it(
    trial: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = _asked(capsys, trial)
    assert f"--accuracy-from {trial}" in str(found["command"])
    inputs = found["inputs"]
    assert isinstance(inputs, list)
    assert "trial.json" in [one["name"] for one in inputs]


def test_network_tried_at_another_input_competes_with_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "trial.json"
    path.write_text(record(standing("mobilenetv2_100", 0.97, 96)).model_dump_json())
    found = _asked(capsys, path, "--models", "mobilenetv2_100", "--precision", "fp32")
    ranked, unsure = found["ranked"], found["uncertain"]
    assert isinstance(ranked, list)
    assert isinstance(unsure, list)
    origins = {one["resolution"]: one["metrics"]["top1"]["origin"] for one in ranked + unsure}
    assert origins[96] == "measured"
    assert origins[224] == "predicted"


@pytest.mark.parametrize(
    ("text", "told"), [("{}", "is no trial"), ("no json", "is not JSON"), (None, "No such file")]
)
def test_file_that_is_no_trial_is_refused(
    text: str | None, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "trial.json"
    if text is not None:
        path.write_text(text)
    answer = ask(capsys, "recommend", "--device", "jetson-nano", "--accuracy-from", str(path))
    assert answer.code == 1
    assert told in answer.err


def test_ranking_by_a_trial_imports_no_training_packages(trial: Path) -> None:
    code = (
        "import sys; from advisor.cli.main import run; "
        f"run(['recommend', '--device', 'jetson-nano', '--accuracy-from', {str(trial)!r}]); "
        "heavy = {'torch', 'timm', 'optuna', 'sklearn', 'scipy', 'PIL'} & set(sys.modules); "
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def tried(accuracies: list[float], imagenet: list[float], families: list[str]) -> UnseenModels:
    """Models with these figures."""
    return UnseenModels(
        tried=[
            Tried(network=f"{f}{i}", family=f, imagenet=x, accuracy=a, images=1000)
            for i, (a, x, f) in enumerate(zip(accuracies, imagenet, families, strict=True))
        ]
    )


def test_better_on_imagenet_is_expected_to_be_better_here() -> None:
    model = tried([0.85, 0.90], [0.70, 0.76], ["a", "b"])
    low = model.predict("x", "c", 0.66, level=0.9)
    high = model.predict("x", "c", 0.80, level=0.9)
    assert low.value < high.value
    assert low.gain < high.gain


def test_relative_of_a_good_model_is_expected_to_be_good_and_is_surer() -> None:
    model = tried([0.97, 0.85, 0.85], [0.75] * 3, ["a", "b", "c"])
    kin, stranger = (model.predict("x", f, 0.75, level=0.9) for f in ("a", "z"))
    assert kin.value > stranger.value
    assert kin.high - kin.low < stranger.high - stranger.low


def test_more_tried_models_narrow_the_interval() -> None:
    few = tried([0.9, 0.9], [0.7, 0.8], ["a", "b"]).predict("x", "z", 0.75, level=0.9)
    many = tried([0.9] * 10, [0.7 + i / 100 for i in range(10)], list("abcdefghij"))
    assert many.predict("x", "z", 0.75, level=0.9).low > few.low


@pytest.mark.parametrize("count", [3, 6, 12])
def test_interval_covers_new_models_about_as_often_as_it_says(count: int) -> None:
    rng = np.random.default_rng(count)
    hits = []
    for _ in range(400):
        imagenet = rng.uniform(0.6, 0.85, count + 1)
        logits = 2 + 0.8 * np.log(imagenet / (1 - imagenet)) + rng.normal(0, 0.35, count + 1)
        accuracy = 1 / (1 + np.exp(-logits))
        seen = rng.binomial(2000, accuracy) / 2000
        model = tried(list(seen[:-1]), list(imagenet[:-1]), [f"f{i}" for i in range(count)])
        found = model.predict("x", "new", float(imagenet[-1]), level=0.9)
        hits.append(found.low <= accuracy[-1] <= found.high)
    assert 0.85 <= np.mean(hits) <= 0.96
