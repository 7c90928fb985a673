"""Networks of the user, by ``module:factory``."""

import csv
import io
from pathlib import Path

import pytest

from advisor.errors import NetworkError, UsageError
from advisor.networks import describe_spelling, is_factory
from advisor.networks.factories import describe_factory
from advisor.networks.factory_child import counted
from tests.terminal import ask

MODULE = """
import time
import torch
from torch import nn


def plain():
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())


def gray():
    return nn.Conv2d(1, 4, 1)


def half():
    return plain().half()


def lazy():
    return nn.Sequential(nn.LazyConv2d(4, 1), nn.ReLU())


class Mapped(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = plain()

    def forward(self, batch):
        return {"y": self.body(batch["picture"])}


class Paired(Mapped):
    def forward(self, picture, meta):
        return self.body(picture) + meta.sum()


class PairedByKey(Paired):
    def forward(self, batch):
        return super().forward(batch["picture"], batch["meta"])


class PairedInList(Paired):
    def forward(self, both):
        return super().forward(*both)


class Worded(Mapped):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(9, 4)

    def forward(self, picture, words):
        return self.body(picture) + self.words(words).sum()


class Branching(Mapped):
    def forward(self, image):
        y = self.body(image)
        if bool(y.max() > 0):
            y = y * 2
        return y


def branching():
    return torch.jit.script(Branching())


def frozen():
    return torch.jit.freeze(torch.jit.script(plain().eval()))


def exported():
    return torch.export.export(plain().eval(), (torch.rand(1, 3, 8, 8),))


def compiled():
    return torch.compile(plain())


ready = plain()


class Needing(Mapped):
    def __init__(self, classes):
        super().__init__()


class Deciding(Mapped):
    def forward(self, image):
        y = self.body(image)
        return y * 2 if y.max().item() > 0 else y


class Listed(Mapped):
    def forward(self, images):
        if not isinstance(images, list):
            raise TypeError("a list of images is needed")
        return [self.body(image[None]) for image in images]


def scripted():
    return torch.jit.script(plain())


def leaves():
    print("bye")
    raise SystemExit(0)


def endless():
    while True:
        time.sleep(1)


def broken():
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(5, 4, 1))
"""
MACS = 3 * 4 * 8 * 8


@pytest.fixture
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_networks.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.filterwarnings("ignore:.*torch.jit.* is deprecated")
@pytest.mark.usefixtures("_module")
@pytest.mark.parametrize(
    "name",
    ["half", "lazy", "Mapped", "Deciding", "Listed", "scripted", "frozen",
             "exported", "compiled", "ready"],
)  # fmt: skip
def test_a_network_is_counted_however_it_takes_its_input(name: str) -> None:
    assert counted(f"my_networks:{name}", 8).macs == MACS


@pytest.mark.usefixtures("_module")
@pytest.mark.parametrize("name", ["Paired", "PairedByKey", "PairedInList"])
@pytest.mark.parametrize("batch", [(), (1,)], ids=["one sample", "a batch of one"])
def test_several_inputs_are_those_that_were_stated(name: str, batch: tuple[int, ...]) -> None:
    inputs = {"picture": (*batch, 3, 8, 16), "meta": (*batch, 4)}
    workload = counted(f"my_networks:{name}", 224, inputs=inputs)
    assert workload.macs == 2 * MACS
    assert (workload.network, workload.resolution) == (f"my_networks:{name}@8x16", 8)


@pytest.mark.usefixtures("_module")
def test_an_input_of_words_is_given_indices() -> None:
    inputs = {"picture": (3, 8, 8), "words": (5,)}
    assert counted("my_networks:Worded", 224, inputs=inputs).macs == MACS


@pytest.mark.usefixtures("_module")
def test_an_only_input_needs_no_name() -> None:
    assert counted("my_networks:gray", 224, inputs={"": (1, 8, 8)}).macs == 4 * 8 * 8


@pytest.mark.usefixtures("_module")
def test_a_network_of_several_inputs_asks_for_them_by_name() -> None:
    with pytest.raises(NetworkError, match="--input picture=3x224x224,meta=SIZES"):
        counted("my_networks:Paired", 8)


@pytest.mark.filterwarnings("ignore:.*torch.jit.* is deprecated")
@pytest.mark.usefixtures("_module")
def test_a_scripted_network_says_what_its_pass_does_not_show() -> None:
    (caveat,) = counted("my_networks:branching", 8).caveats
    assert caveat.startswith("TorchScript, counted for one random image, 1 branch as that image")


@pytest.mark.filterwarnings("ignore:.*torch.jit.* is deprecated")
@pytest.mark.usefixtures("_module")
def test_the_weights_of_a_frozen_network_are_its_parameters() -> None:
    assert counted("my_networks:frozen", 8).parameters == 3 * 4 + 4


@pytest.mark.usefixtures("_module")
def test_a_network_is_found_in_a_file_by_its_path(tmp_path: Path) -> None:
    assert counted(f"{tmp_path / 'my_networks.py'}:plain", 8).macs == MACS


@pytest.mark.parametrize("spelling", ["nets.py:make", "nets.py:make@8x16", "a.b:C.make@8"])
def test_what_names_a_network_of_the_user_is_known(spelling: str) -> None:
    assert is_factory(spelling)


def test_a_size_that_is_stated_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="by @8 or by --input"):
        describe_spelling("my_networks:Paired@8", {"picture": (3, 8, 8)})


def test_inputs_of_a_network_of_the_catalog_are_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("estimate", "resnet18", "--device", "jetson-nano", "--input", "3x192x192")
    answer = ask(capsys, *words)
    assert (answer.code, answer.out) == (2, "")
    assert "write resnet18@192" in answer.err


@pytest.mark.usefixtures("_module")
def test_other_channels_are_told_by_the_first_convolution() -> None:
    assert counted("my_networks:gray", 8).macs == 4 * 8 * 8


@pytest.mark.usefixtures("_module")
def test_what_its_data_decide_is_said() -> None:
    assert "one random image" in counted("my_networks:Deciding", 8).caveats[0]


@pytest.mark.usefixtures("_module")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Needing", "name a function without arguments"),
        ("leaves", r"sys\.exit\(0\)"),
        ("absent", "absent"),
        ("broken", "expected"),
    ],
)
def test_a_factory_that_cannot_be_counted_ends_in_one_line(name: str, said: str) -> None:
    with pytest.raises(NetworkError, match=said) as refused:
        counted(f"my_networks:{name}", 8)
    assert "\n" not in str(refused.value)


@pytest.mark.usefixtures("_module")
@pytest.mark.long
def test_code_of_the_user_runs_in_a_process_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    assert describe_factory("my_networks:plain", 8).macs == MACS
    with pytest.raises(NetworkError, match="leaves by"):
        describe_factory("my_networks:leaves", 8)
    with pytest.raises(NetworkError, match="not built and counted in 15 s"):
        describe_factory("my_networks:endless", 8, limit=15)
    assert capfd.readouterr().out == ""


def test_a_table_under_other_headers_is_answered_and_runs_no_module_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "t.csv"
    table.write_text(
        "Board;Model;Precision\nJetson Nano;mobilenet_v2;fp16\nJetson Nano;os:getcwd;\n"
    )
    answer = ask(capsys, "estimate", "--table", str(table), "--format", "csv")
    first, second = csv.DictReader(io.StringIO(answer.out))
    assert float(first["latency_ms"]) > 0
    assert first["Board"] == "Jetson Nano"
    assert "--allow-modules" in second["reason"]
