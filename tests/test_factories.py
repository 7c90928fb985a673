"""Networks of the user, by ``module:factory``."""

import csv
import io
from pathlib import Path

import pytest

from advisor.errors import NetworkError
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


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
@pytest.mark.usefixtures("_module")
@pytest.mark.parametrize("name", ["half", "lazy", "Mapped", "Deciding", "Listed", "scripted"])
def test_a_network_is_counted_however_it_takes_its_input(name: str) -> None:
    assert counted(f"my_networks:{name}", 8).macs == MACS


@pytest.mark.usefixtures("_module")
def test_other_channels_are_told_by_the_first_convolution() -> None:
    assert counted("my_networks:gray", 8).macs == 4 * 8 * 8


@pytest.mark.usefixtures("_module")
def test_what_its_data_decide_is_said() -> None:
    assert "one random image" in counted("my_networks:Deciding", 8).caveats[0]


@pytest.mark.usefixtures("_module")
@pytest.mark.parametrize(
    ("name", "said"),
    [("leaves", r"sys\.exit\(0\)"), ("absent", "absent"), ("broken", "expected")],
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
