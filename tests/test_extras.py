"""What an extra brings is asked for in one line, and never met by a traceback."""

import sys
from pathlib import Path

import pytest

from advisor.cli.main import run
from advisor.core.extras import COUNTING, absent, install, missing_extra, require
from advisor.errors import MissingPackageError, NetworkError
from tests.terminal import ask


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without extras, as imports see it."""
    for name in list(sys.modules):
        if name.partition(".")[0] in COUNTING or name == "advisor.networks.building":
            monkeypatch.delitem(sys.modules, name)
    for name in (*COUNTING, "onnx"):
        monkeypatch.setitem(sys.modules, name, None)


def test_what_is_here_is_not_asked_for() -> None:
    assert absent("counting", "numpy") is None


@pytest.mark.usefixtures("light")
def test_what_is_missing_is_named_with_the_command_that_brings_it() -> None:
    with pytest.raises(NetworkError) as refused:
        require("counting resnet18@96", *COUNTING, kind=NetworkError)
    assert str(refused.value) == (
        "counting resnet18@96 needs torch, timm, ptflops; "
        "install with pip install 'vision-advisor[networks]'"
    )


def test_whatever_measures_is_brought_by_the_extra_that_the_readme_names() -> None:
    runtimes = ("onnxruntime", "openvino", "nncf", "ncnn", "torchao")
    assert {install(module) for module in runtimes} == {"pip install 'vision-advisor[measure]'"}
    assert "| `measure` | `measure`, `kit` |" in Path("README.md").read_text()


def test_an_import_that_nobody_asked_for_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert isinstance(missing_extra(ImportError(name="onnx.helper")), MissingPackageError)
    assert missing_extra(ImportError(name="a_module_of_the_user")) is None


@pytest.mark.usefixtures("light")
def test_a_search_on_images_says_what_training_needs(capsys: pytest.CaptureFixture[str]) -> None:
    search = "search --family mobilenetv2 --device jetson-nano --max-latency 10ms --data digits"
    assert run(search.split()) == 1
    assert "advisor: a search on your own images needs torch, timm" in capsys.readouterr().err


@pytest.mark.usefixtures("light")
def test_a_network_that_has_to_be_counted_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    answer = ask(capsys, "estimate", "os:getcwd", "--device", "jetson-nano")
    assert answer.code == 1
    assert answer.err == (
        "advisor: counting os:getcwd needs torch, timm, ptflops; "
        "install with pip install 'vision-advisor[networks]'\n"
    )


@pytest.mark.usefixtures("light")
def test_the_others_of_a_table_are_answered(
    capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    table = tmp_path_factory.mktemp("table") / "questions.csv"
    table.write_text(
        "device_id,timm_name,input_h\njetson-nano,resnet18,224\njetson-nano,vit_tiny_patch16_224,97\n"
    )
    answer = ask(capsys, "estimate", "--table", str(table), "--format", "csv")
    first, second = answer.out.splitlines()[1:]
    assert "measured" in first or "published" in first or "predicted" in first
    assert "needs torch" in second
