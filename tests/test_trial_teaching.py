"""Networks are taught, killed, resumed, shared out and judged again with the same result."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from advisor.core.candidate import Candidate
from advisor.errors import TrialError
from advisor.networks.building import build
from advisor.trials.bench import Bench, prepare
from advisor.trials.classifiers import Scaling, classifier, head_of
from advisor.trials.likeness import centred_gram
from advisor.trials.record import Recipe, Stage, TrialRequest
from advisor.trials.starting import starting_network
from advisor.trials.teaching import (
    Training,
    Watch,
    find_learning_rate,
    rate_below_rise,
    report_steps,
    sweep_batches,
)
from advisor.trials.units import Units
from advisor.trials.weights import find_weights, inherit, load_weights
from tests.terminal import ask
from tests.trial_images import striped

RECIPE = Recipe(batch=8, mirror=False, learning_rate=0.003, augment="light")
NETWORK = "test_resnet"


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    """Sixty pictures of two classes."""
    images, labels = striped(60, side=16)
    np.savez(tmp_path / "set.npz", images=images, labels=labels)
    return tmp_path / "set.npz"


@pytest.fixture
def bench(npz: Path, tmp_path: Path) -> Bench:
    request = TrialRequest(data=str(npz), models=(NETWORK,), resolution=32, steps=10, recipe=RECIPE)
    return prepare(request, folder=tmp_path / "folder", home=tmp_path / "home")


def training(bench: Bench, recipe: Recipe = RECIPE, steps: int = 10) -> Training:
    torch.set_num_threads(1)
    view = bench.view(32, Scaling(), recipe)
    network = classifier(Candidate.parse(NETWORK), 32, 2, seed=0, weights=None)
    learn, choose = bench.part("train", view), bench.part("validation", view)
    return Training(network, learn, choose, recipe, steps=steps, seed=0)


class Killed(Exception):  # noqa: N818 - stands for a signal
    """Stands for the end of the process."""


@pytest.mark.parametrize("augment", ["none", "light", "strong"])
def test_resumed_training_ends_as_if_it_had_never_stopped(
    bench: Bench, tmp_path: Path, augment: str
) -> None:
    recipe = RECIPE.model_copy(update={"augment": augment})
    whole = training(bench, recipe).run(Watch())

    def kill(done: int, total: int) -> None:
        if done == 7:
            raise Killed

    with pytest.raises(Killed):
        training(bench, recipe).run(Watch(step=kill), tmp_path / "checkpoint.pt")
    resumed = training(bench, recipe).run(Watch(), tmp_path / "checkpoint.pt")
    assert resumed.curve == whole.curve
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, resumed.network.state_dict()[name]), name


def test_training_stops_where_the_pruner_says_so(bench: Bench) -> None:
    found = training(bench).run(Watch(pruned=lambda point, accuracy: point == 2))
    assert found.pruned
    assert len(found.curve) == 2


def test_search_for_a_rate_leaves_the_network_alone(bench: Bench) -> None:
    one = training(bench)
    before = {name: t.clone() for name, t in one.task.state_dict().items()}
    network = one.task.get_trainable_module()
    assert network is not None
    batches = sweep_batches(one.learn, RECIPE, 0)
    rate = find_learning_rate(network, batches, RECIPE, seed=0, trained=True)
    assert 1e-5 <= rate <= 1e-2
    assert all(torch.equal(t, one.task.state_dict()[name]) for name, t in before.items())


def test_rate_is_well_below_the_one_from_which_the_loss_rises() -> None:
    rates = [1e-5 * 10 ** (n / 8) for n in range(33)]
    rises = 1e-3
    flat = [1.0 if rate < rises else 3.0 for rate in rates]  # a network that starts at its probe
    falling = [2.3 - 0.01 * n if rate < rises else 4.0 for n, rate in enumerate(rates)]
    for losses in (flat, falling):
        assert rises / 10 < rate_below_rise(rates, losses) < rises / 3


def test_rate_of_a_loss_that_never_rises_is_the_highest_allowed() -> None:
    rates = [1e-5 * 10 ** (n / 8) for n in range(33)]
    assert rate_below_rise(rates, [1.0] * 33) == 1e-2


@pytest.mark.parametrize("steps", [1, 5, 9, 100])
def test_last_report_is_after_the_last_step(steps: int) -> None:
    assert report_steps(steps)[-1] == steps
    assert len(report_steps(steps)) == min(steps, 9)


@pytest.mark.parametrize("name", ["test_resnet", "squeezenet1_1", "shufflenet_v2_x0_5", "test_vit"])
def test_every_kind_of_network_gets_the_users_classes(name: str) -> None:
    side = 160 if name == "test_vit" else 64
    network = classifier(Candidate.parse(name), side, 3, seed=0, weights=None).eval()
    assert network(torch.zeros(1, 3, side, side)).shape == (1, 3)
    assert head_of(network) is not None


def test_weights_fit_by_position_or_are_refused(tmp_path: Path) -> None:
    source = classifier(Candidate.parse(NETWORK), 32, 5, seed=3, weights=None)
    renamed = {f"other{i}.{name.rpartition('.')[2]}": t
               for i, (name, t) in enumerate(source.state_dict().items())}  # fmt: skip
    torch.save(renamed, tmp_path / "renamed.pth")
    target = classifier(Candidate.parse(NETWORK), 32, 5, seed=0, weights=None)
    load_weights(target, tmp_path / "renamed.pth")
    assert all(torch.equal(a, b) for a, b in zip(
        source.state_dict().values(), target.state_dict().values(), strict=True))  # fmt: skip
    other = classifier(Candidate.parse("test_efficientnet"), 32, 5, seed=0, weights=None)
    with pytest.raises(TrialError, match="tensors"):
        load_weights(other, tmp_path / "renamed.pth")


def test_variant_inherits_the_leading_channels_of_its_stock_network(tmp_path: Path) -> None:
    stock = classifier(Candidate.parse("mobilenetv3_small_100"), 32, 5, seed=3, weights=None)
    variant = classifier(
        Candidate.parse("mobilenetv3_small_100:width=0.5"), 32, 5, seed=0, weights=None
    )
    head = head_of(variant).state_dict()["weight"].clone()
    share = inherit(variant, stock, without=head_of(variant))
    first = variant.state_dict()["conv_stem.weight"]
    whole = stock.state_dict()["conv_stem.weight"]
    assert torch.equal(first, whole[: len(first)])
    assert torch.equal(head_of(variant).state_dict()["weight"], head)
    assert 0.9 < share < 1


def test_variant_of_more_blocks_keeps_its_own_where_the_stock_network_has_none() -> None:
    stock = classifier(Candidate.parse("resnet18"), 32, 2, seed=3, weights=None)
    variant = classifier(Candidate.parse("resnet18:stage4=3"), 32, 2, seed=0, weights=None)
    share = inherit(variant, stock, without=head_of(variant))
    state, held = variant.state_dict(), stock.state_dict()
    assert all(torch.equal(state[name], t) for name, t in held.items() if "fc." not in name)
    own = sum(t.numel() for name, t in state.items() if name not in held)
    assert share == pytest.approx(1 - (own + 1026) / sum(t.numel() for t in state.values()))


def test_training_of_a_variant_starts_from_its_stock_network(npz: Path, tmp_path: Path) -> None:
    torch.manual_seed(3)
    stock = build(Candidate.parse("mobilenetv3_small_100"), 32, device="cpu").state_dict()
    file = tmp_path / "stock.pth"
    torch.save(stock, file)
    candidate = Candidate.parse("mobilenetv3_small_100:width=0.5")
    request = TrialRequest(
        data=str(npz), models=(candidate.name,), weights={"mobilenetv3_small_100": str(file)}
    )
    bench = prepare(request, folder=tmp_path / "folder", home=tmp_path / "home")
    network, told = starting_network(bench, candidate, 32, Stage.FINETUNE, 0)
    kept = network.state_dict()["conv_stem.weight"]
    assert torch.equal(kept, stock["conv_stem.weight"][: len(kept)])
    assert (told.trained, told.file) == (False, "stock.pth")
    assert "of its weights from mobilenetv3_small_100" in told.statement
    _, chance = starting_network(bench, candidate, 32, Stage.SCRATCH, 0)
    assert chance.inherited == 0


def test_file_that_is_no_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.pth").write_bytes(b"nothing")
    network = classifier(Candidate.parse(NETWORK), 32, 2, seed=0, weights=None)
    with pytest.raises(TrialError, match="cannot be read as weights"):
        load_weights(network, tmp_path / "bad.pth")


def test_weights_of_the_users_folder_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path))
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "resnet18.a1_in1k.pth").write_bytes(b"")
    assert find_weights(Candidate.parse("resnet18.a1_in1k"), {}) is not None
    assert find_weights(Candidate.parse("resnet18.a2_in1k"), {}) is None


def test_key_of_a_run_holds_what_decides_it(bench: Bench) -> None:
    def key(**changed: object) -> str:
        request = bench.request.model_copy(update=changed)
        other = Bench(
            request=request, images=bench.images, findings=bench.findings, split=bench.split,
            folder=bench.folder, features=bench.features,
        )  # fmt: skip
        return Units(bench=other).of(Stage.FINETUNE)[0].key

    changes: list[dict[str, object]] = [{}, {"steps": 11}, {"seed": 1}, {"resolution": 64}]
    assert len({key(**change) for change in changes}) == len(changes)
    assert key(threads=2) == key()


def _trial(npz: Path, *words: str) -> list[str]:
    return [
        "trial", str(npz), "--models", NETWORK, "--resolution", "32", "--steps", "12",
        "--batch", "8", "--no-mirror", "--learning-rate", "0.003", *words,
    ]  # fmt: skip


def test_trial_is_written_rendered_and_verified(
    npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))
    result = tmp_path / "trial.json"
    done = ask(capsys, *_trial(npz, "--stages", "probe,finetune,scratch", "-o", str(result)))
    assert done.code == 0, done.err
    assert "raw pixels" in done.out
    record = json.loads(result.read_text())
    assert "RANDOM" in record["runs"][0]["weights"]["statement"]
    assert [run["stage"] for run in record["runs"]] == ["probe", "finetune", "scratch"]
    page = ask(capsys, "report", str(result), "-o", str(tmp_path / "trial.html"))
    assert page.code == 0, page.err
    assert "Confusion of test_resnet" in (tmp_path / "trial.html").read_text()
    again = ask(capsys, "trial", "--verify", str(result))
    assert again.code == 0, again.out + again.err
    assert again.out.count("0 of 12 images differ") == 3
    weights = Path(record["folder"]) / record["runs"][1]["checkpoint"]
    weights.write_bytes(weights.read_bytes()[:-1])
    assert ask(capsys, "trial", "--verify", str(result)).code == 1


def test_networks_that_are_only_looked_at_are_compared_with_the_tried(
    npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))
    words = _trial(npz, "--stages", "probe", "--look-at", "test_convnext", "--format", "json")
    found = json.loads(ask(capsys, *words).out)
    assert [run["model"] for run in found["runs"]] == [NETWORK]
    alike = found["likeness"]
    assert alike["networks"] == [NETWORK, "test_convnext"]
    values = np.array(alike["values"])
    assert np.diag(values) == pytest.approx(1.0)
    assert 0 < values[0, 1] == values[1, 0] < 1


def test_likeness_does_not_depend_on_scale_or_order_of_the_features() -> None:
    features = np.random.default_rng(0).normal(size=(20, 7)).astype(np.float32)
    other = 3 * features[:, ::-1] + 1
    alike = float((centred_gram(features) * centred_gram(other)).sum())
    assert alike == pytest.approx(1.0, abs=1e-5)


def test_command_in_the_result_gives_the_same_trial(
    npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))
    first = json.loads(ask(capsys, *_trial(npz, "--format", "json")).out)
    words = first["command"].split()[1:]
    second = json.loads(ask(capsys, *words, "--format", "json").out)
    assert second["request"] == first["request"]
    assert second["runs"] == first["runs"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "needs DATA"),
        (["digits", "--models", "resnet81"], "did you mean"),
        (["digits", "--models", NETWORK, "--stages", "prob"], "unknown stage 'prob'"),
        (["digits", "--models", NETWORK, "--budget", "2"], "2"),
        (["digits", "--models", NETWORK, "--worker"], "--storage"),
        (["nowhere", "--models", NETWORK], "does not exist"),
    ],
)
def test_wrong_request_is_one_line(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask(capsys, "trial", *words)
    assert answer.code in (1, 2)
    assert told in answer.err
    assert answer.err.count("\n") == 1


def _started(npz: Path, home: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "advisor", *_trial(npz, *words)]
    environment = {**os.environ, "ADVISOR_HOME": str(home), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.long
def test_killed_process_goes_on_to_the_same_result(npz: Path, tmp_path: Path) -> None:
    words = ("--stages", "probe,finetune", "--format", "json")
    whole, _ = _started(npz, tmp_path / "whole", *words).communicate()
    for _ in range(3):
        process = _started(npz, tmp_path / "killed", *words)
        time.sleep(7)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    resumed, errors = _started(npz, tmp_path / "killed", *words).communicate()
    assert resumed, errors
    timed = ("seconds", "train_images_per_second", "images_per_second")
    runs = [
        [{k: v for k, v in run.items() if k not in timed} for run in json.loads(text)["runs"]]
        for text in (whole, resumed)
    ]
    assert runs[0] == runs[1]
