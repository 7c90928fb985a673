"""Plug-ins of other packages: found by entry point, and no fault of one is the advisor's."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from advisor import reports
from advisor.errors import PluginError, UsageError
from advisor.measuring import runtimes
from tests.documents import recommendation
from tests.terminal import ask

Capture = pytest.CaptureFixture[str]
Install = Callable[[str, str, str], None]
WRITER = """
class Writer:
    suffix = ".xyz"
    def render(self, document, layout):
        {body}
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return what installs a package: name, module's text, lines of its entry points."""
    monkeypatch.syspath_prepend(str(tmp_path))
    runtimes._entry_points.cache_clear()

    put_in = []

    def put(name: str, code: str, points: str) -> None:
        put_in.append(name)
        (tmp_path / f"{name}.py").write_text(code)
        info = tmp_path / f"{name}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(points)
        importlib.invalidate_caches()

    yield put
    for name in put_in:
        sys.modules.pop(name, None)
    runtimes._entry_points.cache_clear()


def listed(capsys: Capture) -> list[dict[str, Any]]:
    told = ask(capsys, "plugins", "--format", "json")
    assert told.code == 0
    rows: list[dict[str, Any]] = json.loads(told.out)
    return rows


def formatted(name: str) -> str:
    return f"[advisor.reports]\n{name} = {name}:Writer\n"


def test_a_format_of_another_package_writes_its_files(install: Install, tmp_path: Path) -> None:
    install("plain_format", WRITER.format(body='return "hello"'), formatted("plain_format"))
    reports.write_file(recommendation(1), tmp_path / "answer.xyz")
    assert (tmp_path / "answer.xyz").read_text() == "hello"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return document.nothing", "AttributeError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("return None", "TypeError: render.. returned NoneType"),
        ("raise KeyError('latency')", "KeyError: 'latency'"),
    ],
)
def test_a_fault_in_a_format_is_told_as_that_of_the_format(
    install: Install, tmp_path: Path, body: str, said: str
) -> None:
    install("faulty_format", WRITER.format(body=body), formatted("faulty_format"))
    with pytest.raises(
        PluginError, match=f"format 'faulty_format' of faulty_format:Writer: {said}"
    ):
        reports.write_file(recommendation(1), tmp_path / "answer.xyz")
    assert not (tmp_path / "answer.xyz").exists()


@pytest.mark.parametrize("code", ["raise SystemExit(3)", "def (", "1 / 0", "Writer = 3"])
def test_a_format_that_cannot_be_loaded_keeps_no_other_from_its_files(
    install: Install, tmp_path: Path, code: str
) -> None:
    install("a_broken_format", code, formatted("a_broken_format"))
    install("sound_format", WRITER.format(body='return "hello"'), formatted("sound_format"))
    assert reports.format_of(tmp_path / "answer.xyz") == "sound_format"
    with pytest.raises(UsageError, match=r"allowed: .*\.xyz; format 'a_broken_format' cannot be"):
        reports.format_of(tmp_path / "answer.abc")


def test_a_broken_plug_in_is_listed_with_the_reason_beside_all_others(
    install: Install, capsys: Capture
) -> None:
    install("broken_format", "raise SystemExit(3)", formatted("broken_format"))
    install("broken_runtime", "1 / 0", "[advisor.measurers]\nbroken_runtime = broken_runtime:It\n")
    rows = {row["name"]: row for row in listed(capsys)}
    assert "SystemExit: 3" in rows["broken_format"]["unavailable_because"]
    assert "ZeroDivisionError" in rows["broken_runtime"]["unavailable_because"]
    assert rows["broken_runtime"]["from"] == "broken_runtime 1"
    assert rows["html"] == {
        "kind": "report format", "name": "html", "from": "built in", "unavailable_because": "",
    }  # fmt: skip


def test_a_runtime_of_another_package_that_takes_a_built_in_name_is_not_used(
    install: Install, capsys: Capture
) -> None:
    install("taken", "class It: pass", "[advisor.measurers]\npytorch = taken:It\n")
    assert runtimes.load("pytorch").runtime == "pytorch"
    rows = [row for row in listed(capsys) if row["name"] == "pytorch"]
    assert [row["from"] for row in rows] == ["built in", "taken 1"]
    assert rows[1]["unavailable_because"] == "taken:It is not used: the name is taken"


def test_a_runtime_that_only_the_user_measured_can_be_asked_for(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))
    asked = ("--device", "jetson-nano", "--unit", "cpu", "--runtime", "acme-rt")
    estimate = ("estimate", "resnet18", *asked, "--format", "json")
    assert "unknown runtime 'acme-rt'" in ask(capsys, *estimate).told
    table = tmp_path / "figures.csv"
    rows = "resnet18,cpu,acme-rt,fp32,4,1,50\nmobilenetv2_100,cpu,acme-rt,fp32,4,1,30\n"
    table.write_text("timm_name,unit,runtime,precision,threads,batch,latency_ms\n" + rows)
    assert ask(capsys, "import", str(table), "--device", "jetson-nano").code == 0
    answer = ask(capsys, *estimate, "--threads", "4", "--precision", "fp32")
    latency = json.loads(answer.out)["estimates"][0]["metrics"]["latency"]
    assert latency["origin"] == "measured"
    assert latency["value"] == pytest.approx(0.05)
    ranked = ask(capsys, "recommend", *asked, "--max-latency", "1s", "--models", "resnet18")
    assert ranked.code == 0
    assert "not among the runtimes known" not in ranked.out
