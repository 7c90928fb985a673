"""Compressed networks are smaller, keep working, and say what they cost in accuracy."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from advisor.core.candidate import Candidate
from advisor.measuring.runtimes.nncf_onnx import quantise_by_nncf
from advisor.measuring.runtimes.onnx_export import export_onnx
from advisor.measuring.runtimes.onnxruntime import OnnxEngine
from advisor.measuring.timing import TimingPlan
from advisor.trials.classifiers import Scaling, classifier
from advisor.trials.compressing import tell_scaling
from advisor.trials.paired_tests import paired_change
from advisor.trials.pruning import parameters_of, prune
from advisor.trials.pruning_search import GROUPS, PlanOutcome, PruningPlan, PruningStudy, knee
from advisor.trials.record import Recipe
from advisor.trials.teaching import Teacher, Training, Watch
from tests.terminal import ask
from tests.test_trial_teaching import bench, npz

__all__ = ["bench", "npz"]


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet", "mobilenetv3_small_050"])
def test_pruned_network_is_smaller_and_keeps_its_classes(name: str) -> None:
    network = classifier(Candidate.parse(name), 64, 3, seed=0, weights=None)
    before = parameters_of(network)
    pruned = prune(network, 64, 0.5)
    assert parameters_of(pruned) < 0.6 * before
    assert pruned(torch.zeros(1, 3, 64, 64)).shape == (1, 3)
    assert parameters_of(network) == before


def test_change_on_the_same_images_is_that_of_those_that_differ() -> None:
    truth = [0] * 100
    before, after = [0] * 90 + [1] * 10, [0] * 85 + [1] * 15
    change, low, high = paired_change(before, after, truth, 0.9)
    assert change == pytest.approx(-0.05)
    assert low < change < high < 0.0


def test_paired_interval_covers_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = []
    for _ in range(1000):
        kinds = rng.choice(4, size=200, p=[0.8, 0.08, 0.04, 0.08])  # both, lost, won, none
        before = np.isin(kinds, (0, 1)).astype(int)
        after = np.isin(kinds, (0, 2)).astype(int)
        _, low, high = paired_change(list(before), list(after), [1] * 200, 0.9)
        hits.append(low <= -0.04 <= high)
    assert 0.87 <= np.mean(hits) <= 0.94


@pytest.mark.parametrize("kind", ["logits", "features"])
def test_teacher_is_left_alone_and_student_learns(bench: object, kind: str) -> None:
    from advisor.trials.bench import Bench

    assert isinstance(bench, Bench)
    recipe = Recipe(batch=8, learning_rate=0.003, mirror=False)
    view = bench.view(32, Scaling(), recipe)
    teacher = classifier(Candidate.parse("test_resnet"), 32, 2, seed=1, weights=None)
    student = classifier(Candidate.parse("test_resnet"), 32, 2, seed=0, weights=None)
    for network in (teacher, student):
        tell_scaling(network, Scaling())
    before = {name: t.clone() for name, t in teacher.state_dict().items()}
    found = Training(
        student, bench.part("train", view), bench.part("validation", view), recipe,
        steps=3, seed=0, teacher=Teacher(network=teacher, kind=kind),
    ).run(Watch())  # fmt: skip
    assert all(torch.equal(t, teacher.state_dict()[name]) for name, t in before.items())
    assert found.network(torch.zeros(1, 3, 32, 32)).shape == (1, 2)


def test_groups_of_layers_lose_the_share_that_each_was_given() -> None:
    network = classifier(Candidate.parse("test_resnet"), 64, 3, seed=0, weights=None)
    late = prune(network, 64, (0.0, 0.0, 0.0, 0.5))
    early = prune(network, 64, (0.5, 0.0, 0.0, 0.0))
    first = next(m for m in network.modules() if isinstance(m, torch.nn.Conv2d)).out_channels
    kept = [
        next(m for m in net.modules() if isinstance(m, torch.nn.Conv2d)).out_channels
        for net in (late, early)
    ]
    assert kept[0] == first > kept[1]
    assert parameters_of(late) < parameters_of(early) < parameters_of(network)


@pytest.mark.slow
def test_nncf_quantises_to_a_file_that_tells_nearly_the_same(tmp_path: Path) -> None:
    pytest.importorskip("nncf")
    network = classifier(Candidate.parse("test_resnet"), 32, 3, seed=0, weights=None).eval()
    rng = np.random.default_rng(0)
    images = tuple(rng.normal(size=(1, 3, 32, 32)).astype(np.float32) for _ in range(8))
    whole, small = tmp_path / "whole.onnx", tmp_path / "small.onnx"
    export_onnx(network, images[0], whole)
    quantise_by_nncf(whole, small, images)
    assert small.stat().st_size < whole.stat().st_size
    answers = []
    for path in (whole, small):
        engine = OnnxEngine(path, 1)
        engine.load(images[0])
        engine.run()
        answers.append(engine.result().ravel())
    assert np.corrcoef(answers[0], answers[1]).item(1) > 0.95


def outcome(accuracy: float, latency: float) -> PlanOutcome:
    plan = PruningPlan(shares=(0.5,) * GROUPS, precision="fp32")
    return PlanOutcome(plan=plan, accuracy=accuracy, latency=latency)


def test_knee_gives_little_accuracy_for_much_time() -> None:
    found = [outcome(0.5, 1.0), outcome(0.88, 1.5), outcome(0.9, 9.0), outcome(0.6, 8.0)]
    assert knee(found) == found[1]


def test_study_of_ratios_prefers_what_keeps_the_limit_and_goes_on_after_a_stop(
    tmp_path: Path,
) -> None:
    path = tmp_path / "search.log"

    def result(plan: PruningPlan) -> PlanOutcome:
        gone = sum(plan.shares) / GROUPS
        return PlanOutcome(plan=plan, accuracy=1 - gone**2, latency=1 - gone)

    def study() -> PruningStudy:
        return PruningStudy(path, precisions=("fp32", "int8"), most=0.4, seed=0)

    for _ in range(12):
        one = study()  # opened anew each time, as after a kill
        number, plan = one.ask()
        one.tell(number, result(plan))
    assert study().done == 12
    best = study().best()
    assert best is not None
    kept = [o for o in study().outcomes() if o.latency <= 0.4]
    assert best.latency <= 0.4
    assert best.accuracy == max(o.accuracy for o in kept)


@pytest.mark.slow
def test_search_for_ratios_ends_in_a_file_that_keeps_the_limit(
    npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("advisor.answering.compress.TIMING", TimingPlan(budget=1.0))
    page = tmp_path / "small.html"
    done = ask(
        capsys, "compress", "test_resnet", "--data", str(npz), "--quantise", "int8", "--search",
        "3", "--max-latency", "20ms", "--device", "raspberry-pi-4", "--resolution", "32",
        "--epochs", "1", "--retrain", "1", "--batch", "8", "--no-mirror", "--learning-rate",
        "0.003", "--folder", str(tmp_path / "small"), "--format", "json", "-o", str(page),
    )  # fmt: skip
    assert done.code == 0, done.err
    record = json.loads(done.out)
    assert len(record["tried"]) == 3
    (chosen,) = [one for one in record["tried"] if one["chosen"]]
    assert chosen["latency"] <= 0.02
    last = record["files"][-1]
    assert last["name"].startswith("searched: ")
    assert (tmp_path / "small" / last["file"]).is_file()
    assert "What was tried" in page.read_text(encoding="utf-8")


@pytest.mark.long
def test_compression_writes_files_that_run_and_are_candidates(
    npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))
    result, folder = tmp_path / "small.json", tmp_path / "small"
    done = ask(
        capsys, "compress", "test_resnet", "--data", str(npz), "--prune", "50%", "--quantise",
        "int8", "--aware", "--distil-from", "test_efficientnet",
        "--resolution", "32", "--epochs", "1", "--retrain", "1", "--batch", "8", "--no-mirror",
        "--learning-rate", "0.003", "--device", "raspberry-pi-4", "--folder", str(folder),
        "-o", str(result),
    )  # fmt: skip
    assert done.code == 0, done.err
    record = json.loads(result.read_text())
    names = [one["name"] for one in record["files"]]
    assert names[0] == "as trained"
    assert names[-2] == "50 % pruned, distilled from test_efficientnet, int8"
    assert names[-1] == "50 % pruned, distilled from test_efficientnet, int8-aware"
    first, last = record["files"][0], record["files"][-1]
    assert last["macs"] < 0.5 * first["macs"]
    assert last["change"]["low"] <= last["change"]["value"] <= last["change"]["high"]
    assert first["estimated"]["low"] < first["estimated"]["high"]
    session = onnxruntime.InferenceSession(folder / last["file"])
    assert session.run(None, {"input": np.zeros((1, 3, 32, 32), np.float32)})[0].shape == (1, 2)
    estimate = ask(capsys, "estimate", f"{folder / first['file']}@32", "--device", "raspberry-pi-4")
    assert estimate.code == 0, estimate.err
    page = ask(capsys, "report", str(result), "-o", str(tmp_path / "small.html"))
    assert page.code == 0, page.err
    assert "Before and after" in (tmp_path / "small.html").read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "nothing to do"),
        (["--prune", "99%"], "leaves too little"),
        (["--prune", "50%", "--aware"], "--quantise int8"),
        (["--prune", "half"], "--prune"),
        (["--prune", "50%", "--max-latency", "5ms"], "a limit of --search"),
        (["--quantise", "int8", "--distil-from", "resnet81"], "did you mean"),
    ],
)
def test_wrong_compression_is_one_line(
    words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask(
        capsys, "compress", "test_resnet", "--data", "digits", "--folder", str(tmp_path), *words
    )
    assert answer.code == 2
    assert told in answer.err
    assert answer.err.count("\n") == 1
