"""The documents say what the program does: every command in them runs."""

import re
import shlex
import sys
from pathlib import Path

import onnx
import pytest

from advisor.cli.main import COMMANDS
from advisor.errors import AdvisorError
from tests.onnx_files import two_convolutions
from tests.terminal import ask
from tests.test_own_accuracy import record, standing

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NOT_RUN = {
    "catalog": "writes into the catalog of the checkout; docs/extending.md runs it on a copy",
    "validate": "takes minutes",
    "calibrate host": "needs a profile of this machine",
    "measure ": "times for minutes",
    "trial ": "trains for as long as its budget says",
    "compress ": "trains on the user's images",
    "search --family mobilenetv3": "trains variants on the user's images for hours",
    "serve": "never ends",
}
"""Commands of the README that are not run here, and why; their own tests run them."""
SLOW = ("search --family", "kit ")


def commands() -> list[str]:
    """Return every ``advisor …`` command of the README that is run, in order."""
    spans = re.findall(r"`(advisor [^`]+)`", README)
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    typed = [line.partition("bin/advisor ")[2] for line in lines if "bin/advisor " in line]
    found = [*spans, *(f"advisor {words}" for words in typed)]
    return [c for c in dict.fromkeys(found) if not any(f"advisor {s}" in c for s in NOT_RUN)]


def marked(command: str) -> object:
    """Mark a command that takes its time."""
    slow = any(f"advisor {words}" in command for words in SLOW)
    return pytest.param(command, marks=pytest.mark.slow) if slow else command


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the examples need: a stored result, a table, networks of the user."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "questions.csv").write_text(
        "device_id,timm_name,input_h\njetson-nano,resnet18,224\n"
    )
    (tmp_path / "figures.csv").write_text(
        "device,timm_name,latency_ms\n"
        "Raspberry Pi 5,resnet18,30.1\nRaspberry Pi 5,mobilenetv2_100,12.2\n"
    )
    profile = (ROOT / "profiles" / "raspberry-pi-5.yaml").read_text(encoding="utf-8")
    (tmp_path / "raspberry-pi-5.yaml").write_text(profile, encoding="utf-8")
    (tmp_path / "request.yaml").write_text("max-latency: 10ms\nmin-top1: 70%\n")
    (tmp_path / "mymodule.py").write_text(
        "from torch import nn\ndef factory():\n    return nn.Conv2d(3, 8, 3, 2, 1)\n"
    )
    sys.modules.pop("mymodule", None)
    return tmp_path


@pytest.mark.parametrize("command", [marked(one) for one in commands()])
def test_every_command_in_the_readme_runs(
    command: str, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(command)[1:]
    if "COMMAND" in words:
        words[words.index("COMMAND")] = "recommend"
    words = [re.sub(r"^ID\b", "raspberry-pi-5", word) for word in words]
    if "net.onnx@224" in words:
        onnx.save(two_convolutions(), desk / "net.onnx")
    if "result.json" in words and words[0] == "report":
        ask(capsys, "recommend", "--device", "jetson-nano", "--max-latency", "10ms",
            "-o", "result.json")  # fmt: skip
    if "trial.json" in words and words[0] == "recommend":
        tried = (standing("mobilenetv2_100", 0.97), standing("resnet18", 0.9))
        (desk / "trial.json").write_text(record(*tried).model_dump_json())
    answer = ask(capsys, *words)
    assert answer.code == 0, answer.err
    for name in re.findall(r"-o (\S+)", command):
        assert (desk / name).stat().st_size > 0


def test_a_command_of_the_readme_asks_for_what_its_question_says() -> None:
    rows = re.findall(r"^\| (.+\?.*) \| (`advisor .+) \|$", README, flags=re.MULTILINE)
    assert len(rows) > 20
    for question, command in rows:
        for number, unit in re.findall(r"(\d+) (ms|%|MB|W)(?!\w)", question):
            assert f"{number}{unit}" in command, question


def test_every_command_of_the_program_is_in_the_readme() -> None:
    missing = [name for name in COMMANDS if f"advisor {name}" not in README]
    assert missing == []


def _errors(error: type[AdvisorError]) -> list[type[AdvisorError]]:
    return [error, *(deeper for child in error.__subclasses__() for deeper in _errors(child))]


@pytest.mark.parametrize("error", _errors(AdvisorError), ids=lambda error: error.__name__)
def test_every_error_has_its_heading_in_the_readme(error: type[AdvisorError]) -> None:
    headings = {
        heading.strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", README, flags=re.MULTILINE)
    }
    assert error.slug in headings
