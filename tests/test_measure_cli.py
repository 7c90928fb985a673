"""``advisor measure`` and ``advisor measurements``: output, exit codes, one-line errors."""

import json
from pathlib import Path

import pytest

from advisor.errors import MeasurementError
from advisor.measuring import exports
from advisor.measuring import runtimes as measurers
from advisor.measuring import session as measuring
from advisor.measuring.child import Ending, Follow
from advisor.measuring.jobs import Job
from advisor.measuring.store import MeasurementStore
from tests.measuring_stand_in import FAKE, Stage
from tests.terminal import Answer, ask
from tests.test_store import figure, keep, session

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path))
    monkeypatch.setitem(measurers.BUILT_IN, "fake", FAKE)


def measure(capsys: Capture, monkeypatch: pytest.MonkeyPatch, stage: Stage, *argv: str) -> Answer:
    monkeypatch.setattr(measuring.Measuring, "run_job", stage, raising=False)
    made = measuring.Measuring.__init__

    def staged(self: measuring.Measuring, **options: object) -> None:
        made(self, **{**options, "run_job": stage, "sleep": lambda _: None, "lock": None})  # type: ignore[arg-type]

    monkeypatch.setattr(measuring.Measuring, "__init__", staged)
    return ask(capsys, "measure", *argv, "--runtime", "fake")


def test_a_measured_network_is_printed_with_its_interval(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = measure(capsys, monkeypatch, Stage(), "resnet18")
    assert answer.code == 0, answer.err
    assert "resnet18@224" in answer.out
    assert "10.0 ms" in answer.out
    assert answer.err == ""


def test_json_holds_the_figures_with_origin_and_source(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = measure(capsys, monkeypatch, Stage(), "resnet18", "--format", "json")
    (entry,) = json.loads(answer.out)["estimates"]
    latency = entry["metrics"]["latency"]
    assert (latency["value"], latency["origin"]) == (pytest.approx(0.01), "measured")
    assert latency["low"] < latency["value"] < latency["high"]
    assert entry["metrics"]["peak_memory"]["value"] == pytest.approx(5e7)
    assert entry["gaps"] == {"energy": "no energy counter of this machine is readable"}


def test_a_failure_is_one_line_on_standard_error_and_exit_code_1(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(unconvertible={"resnet18": "no such operator"})
    answer = measure(capsys, monkeypatch, stage, "resnet18", "resnet34")
    assert answer.code == 1
    assert answer.err == "advisor: resnet18 in fake fp32: no such operator\n"
    assert "resnet34@" in answer.out


def test_an_interruption_prints_what_is_done_and_how_to_go_on(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = measure(capsys, monkeypatch, Stage(interrupt_in=2), "resnet18")
    assert answer.code == 130
    assert "resnet18@224" in answer.out
    assert "--resume" in answer.err


@pytest.mark.slow
def test_a_real_network_is_exported_compared_and_timed(capsys: Capture) -> None:
    pytest.importorskip("onnxruntime")
    answer = ask(
        capsys, "measure", "resnet10t@64", "--runtime", "onnxruntime", "--precision", "fp32,int8",
        "--sessions", "1", "--budget", "0.5s", "--repeats", "0", "--format", "json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    fp32, int8 = json.loads(answer.out)["estimates"]
    assert 0 < fp32["metrics"]["latency"]["value"] < 1
    assert fp32["metrics"]["peak_memory"]["value"] > 5e6
    assert any("differ from fp32" in c for c in int8["metrics"]["latency"]["caveats"])
    assert sum(len(MeasurementStore().samples(s.id, 0)) for s in MeasurementStore().sessions()) > 40


def test_an_unknown_network_is_refused_with_the_nearest(capsys: Capture) -> None:
    answer = ask(capsys, "measure", "resnet19", "--runtime", "fake")
    assert answer.code == 2
    assert "did you mean" in answer.err


def test_an_unknown_runtime_is_refused_with_the_nearest(capsys: Capture) -> None:
    answer = ask(capsys, "measure", "resnet18", "--runtime", "onnxruntim")
    assert answer.code == 2
    assert "did you mean 'onnxruntime'" in answer.err


def test_more_threads_than_cpus_are_refused(capsys: Capture) -> None:
    answer = ask(capsys, "measure", "resnet18", "--runtime", "fake", "--threads", "4096")
    assert answer.code == 2
    assert "--threads 4096" in answer.err


def test_an_unreadable_model_file_is_one_line(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no model")
    answer = ask(capsys, "measure", str(path), "--runtime", "fake")
    assert answer.code == 1
    assert len(answer.err.splitlines()) == 1
    assert "broken.onnx" in answer.err


def test_a_home_that_cannot_be_written_is_one_line(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADVISOR_HOME", "/proc/advisor")
    answer = ask(capsys, "measure", "resnet18", "--runtime", "fake")
    assert answer.code == 1
    assert len(answer.err.splitlines()) == 1
    assert "/proc/advisor" in answer.err


def kept() -> str:
    store = MeasurementStore()
    owner = session()
    keep(store, owner, figure(owner, 0.0125))
    return owner.id


def test_measurements_are_listed_by_network_and_by_session(capsys: Capture) -> None:
    name = kept()
    assert "12.5 ms" in ask(capsys, "measurements", "ls").out
    assert name[:8] in ask(capsys, "measurements", "ls", "--sessions").out
    assert "resnet18" not in ask(capsys, "measurements", "ls", "vit").out


def test_a_session_is_shown_with_its_raw_samples(capsys: Capture) -> None:
    name = kept()
    shown = json.loads(ask(capsys, "measurements", "show", name[:8], "--format", "json").out)
    assert [one["wall_s"] for one in shown["samples"]["resnet18"]] == [0.01] * 5
    assert "Round CPU" in ask(capsys, "measurements", "show", name[:8]).out


def test_measurements_are_exported_as_a_table(capsys: Capture, tmp_path: Path) -> None:
    kept()
    path = tmp_path / "out.csv"
    assert ask(capsys, "measurements", "export", "-o", str(path)).code == 0
    assert ",12.5," in path.read_text()


def converted(home: Path) -> Path:
    """Two exports that share a file of 3 MB, and one of 1 MB that was left half-way."""
    for name in ("onnx", "runtime", ".half-way"):
        (home / "exports" / name).mkdir(parents=True)
    shared = home / "exports" / "onnx" / "network.onnx"
    shared.write_bytes(bytes(3_000_000))
    (home / "exports" / "runtime" / "model.onnx").hardlink_to(shared)
    (home / "exports" / ".half-way" / "model.bin").write_bytes(bytes(1_000_000))
    return home / "exports"


def test_the_doctor_tells_what_converted_networks_take_and_how_to_remove_them(
    capsys: Capture, tmp_path: Path
) -> None:
    assert f"Converted networks: none in {tmp_path / 'exports'}" in ask(capsys, "doctor").out
    folder = converted(tmp_path)
    facts = json.loads(ask(capsys, "doctor", "--format", "json").out)["exports"]
    assert (facts["folder"], facts["bytes"]) == (str(folder), 4_000_000)
    shown = ask(capsys, "doctor").out
    assert f"4.00 MB in {folder}; to empty it: {facts['empty']}" in shown


def test_the_command_that_the_doctor_names_removes_exports_and_no_figure(
    capsys: Capture, tmp_path: Path
) -> None:
    name, folder = kept(), converted(tmp_path)
    command = json.loads(ask(capsys, "doctor", "--format", "json").out)["exports"]["empty"]
    answer = ask(capsys, *command.split()[1:])
    assert answer.code == 0
    assert f"freed 4.00 MB in {folder}" in answer.told
    assert list(folder.iterdir()) == []
    assert [one.network for one in MeasurementStore().figures(session=name)] == ["resnet18"]


def test_exports_stay_where_only_figures_are_forgotten(capsys: Capture, tmp_path: Path) -> None:
    name, folder = kept(), converted(tmp_path)
    assert ask(capsys, "measurements", "forget", name[:8]).code == 0
    assert len(list(folder.iterdir())) == 3
    kept()
    assert ask(capsys, "measurements", "forget", "--all", "--exports").code == 0
    assert MeasurementStore().sessions() == []
    assert list(folder.iterdir()) == []


def test_exports_that_were_never_made_are_no_error(capsys: Capture, tmp_path: Path) -> None:
    answer = ask(capsys, "measurements", "forget", "--exports")
    assert answer.code == 0
    assert list(tmp_path.iterdir()) == []


def test_exports_are_not_removed_under_a_measurement(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refused = []

    class Meanwhile(Stage):
        def __call__(self, job: Job, follow: Follow, longest: float) -> Ending:
            ending = super().__call__(job, follow, longest)
            with pytest.raises(MeasurementError, match="in use by another advisor") as error:
                exports.empty()
            refused.append(str(error.value))
            return ending

    answer = measure(capsys, monkeypatch, Meanwhile(), "resnet18")
    assert answer.code == 0, answer.err
    assert len(refused) > 2
    assert str(tmp_path / "exports") in refused[0]
    assert ask(capsys, "measurements", "forget", "--exports").code == 0


def test_forgetting_needs_to_be_told_what(capsys: Capture) -> None:
    name = kept()
    assert ask(capsys, "measurements", "forget").code == 2
    assert ask(capsys, "measurements", "forget", name[:8]).code == 0
    assert MeasurementStore().sessions() == []
