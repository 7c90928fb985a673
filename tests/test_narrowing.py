"""``advisor calibrate`` says how wide the answers are and what to measure next."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from advisor.answering.evidence import Evidence
from advisor.answering.next_measurements import MOST_MACS, measurable
from advisor.answering.recommend import recommend
from advisor.core.constraint import Constraint
from advisor.core.lane import Lane
from advisor.core.quantity import Metric
from advisor.core.request import Request
from advisor.core.workload import OperatorClass
from tests.terminal import ask
from tests.test_measure_calibrating import LANE, PROFILE, written

LIMITS = (
    Constraint(metric=Metric.LATENCY, at_most=0.010),
    Constraint(metric=Metric.TOP1, at_least=0.7),
)
QUESTION = "max-latency: {limit}\nmin-top1: 70%\n"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """A device that nobody measured."""
    profile = tmp_path / "new-board.yaml"
    profile.write_text(PROFILE)
    return profile


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    answer = ask(capsys, "calibrate", *words, "--format", "json")
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def asked(tmp_path: Path, text: str) -> str:
    path = tmp_path / "request.yaml"
    path.write_text(text)
    return str(path)


def test_the_profile_alone_tells_the_width_and_what_to_measure(
    board: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (lane,) = told(capsys, "new-board", "--profile", str(board))["lanes"]
    assert lane["lane"] == LANE.name
    assert lane["measured"] == 0
    assert lane["width"] == lane["width_before"] > 2
    assert 1 < lane["width_expected"] < lane["width"]
    assert len(lane["next"]) == 5
    assert lane["error"] is None


def test_a_single_row_narrows_the_answer_though_no_error_can_be_told(
    board: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "one.csv"
    table.write_text("timm_name,latency_ms\nresnet18,455\n")
    answer = told(capsys, "new-board", "--profile", str(board), "--measurements", str(table))
    (lane,) = answer["lanes"]
    assert lane["measured"] == 1
    assert lane["width"] < lane["width_before"] / 2
    assert lane["error"] is None
    assert "resnet18" not in lane["next"]


def test_with_five_rows_the_error_is_told_beside_the_width(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile, table = written(tmp_path)
    table.write_text("\n".join(table.read_text().splitlines()[:6]) + "\n")
    answer = ask(
        capsys, "calibrate", "new-board", "--profile", str(profile), "--measurements", str(table)
    )
    assert answer.code == 0, answer.err
    head, _, _ = answer.out.partition("─")
    assert {"Error", "Width", "now", "expected"} <= set(head.split())


def test_the_command_is_one_that_the_kit_takes(
    board: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (lane,) = told(capsys, "new-board", "--profile", str(board), "--next", "10")["lanes"]
    words = shlex.split(lane["command"])
    assert words[:4] == ["advisor", "kit", "--device", "new-board"]
    assert words[words.index("--models") + 1].split(",") == lane["next"]
    assert words[words.index("--runtime") + 1] == "ncnn"
    assert words[words.index("--threads") + 1] == "4"
    assert len(lane["next"]) == 10
    assert lane["take_in"] == "advisor calibrate new-board --measurements measurements.csv"


def test_on_this_machine_the_command_measures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = tmp_path / "host.yaml"
    profile.write_text(PROFILE.replace("id: new-board", "id: host"))
    lanes = told(capsys, "host", "--profile", str(profile), "--precision", "fp32,int8")["lanes"]
    assert [lane["command"].split()[:2] for lane in lanes] == [["advisor", "measure"]] * 2
    assert all("--threads 4" in lane["command"] for lane in lanes)


def test_a_runtime_that_no_kit_drives_gets_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    answer = ask(capsys, "calibrate", "galaxy-s25", "--unit", "npu", "--runtime", "qnn")
    assert answer.code == 0, answer.err
    assert "advisor kit" not in answer.out
    assert "timm_name,input_h,latency_ms" in answer.out
    assert "--runtime qnn" in answer.out


def test_large_batches_that_differ_are_not_narrowed_by_timings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = asked(tmp_path, "min-throughput: 2000/s\nmin-top1: 80%\n")
    (lane,) = told(capsys, "geforce-rtx-4090", "--for", request)["lanes"]
    assert lane["next"] == []
    assert "one batch" in lane["note"]
    (single,) = told(capsys, "geforce-rtx-4090")["lanes"]
    assert "batch 1" in single["lane"]
    assert single["next"]


def test_how_many_stay_open_is_not_told_where_power_decides_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = asked(tmp_path, "max-energy: 50mJ\nmin-top1: 75%\n")
    (lane,) = told(capsys, "jetson-nano", "--for", request)["lanes"]
    assert lane["next"]
    assert lane["open_expected"] is None


def test_lanes_that_were_measured_are_told_unless_options_name_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile, table = written(tmp_path)
    told(capsys, "new-board", "--profile", str(profile), "--measurements", str(table))
    both = told(capsys, "new-board", "--precision", "fp32,int8")["lanes"]
    assert [lane["measured"] for lane in both] == [6, 0]
    (only,) = told(capsys, "new-board")["lanes"]
    assert only["lane"] == LANE.name


def test_a_request_names_the_networks_that_settle_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = asked(tmp_path, "device: jetson-nano\n" + QUESTION.format(limit="10ms"))
    found = told(capsys, "jetson-nano", "--for", request)
    (lane,) = found["lanes"]
    assert "comes first" in found["summary"]
    assert 0 < lane["open_expected"] < lane["open"]
    document = recommend(Request(device="jetson-nano", limits=LIMITS), Evidence())
    uncertain = {entry.architecture: entry for entry in document.uncertain}
    for name in lane["next"]:
        latency = uncertain[name.partition("@")[0]].metrics[Metric.LATENCY]
        assert latency.low <= 0.010 <= latency.high


def test_a_request_may_list_the_precisions_that_compete(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    question = "max-latency: 3ms\nunit: npu\nruntime: qnn\nprecision: {}\n"
    listed = asked(tmp_path, question.format("[fp16, int8]"))
    lanes = told(capsys, "galaxy-s25", "--for", listed)["lanes"]
    assert len(lanes) == 2
    commas = asked(tmp_path, question.format("fp16,int8"))
    assert told(capsys, "galaxy-s25", "--for", commas)["lanes"] == lanes


def test_a_request_that_no_timing_changes_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask(capsys, "calibrate", "jetson-nano", "--for", asked(tmp_path, "min-top1: 70%\n"))
    assert answer.code == 0, answer.err
    told_of = " ".join(answer.out.split())
    assert "no timing changes" in told_of
    assert "Nothing to measure" in told_of


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("max-latency: 10\n", "the unit is missing"),
        ("max-latenc: 10ms\n", "did you mean 'max_latency'"),
        ("device: raspberry-pi-4\n", "is not 'jetson-nano'"),
        ("precision: int8\n", "no int8"),
    ],
)
def test_a_request_that_cannot_be_is_refused_in_one_line(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask(capsys, "calibrate", "jetson-nano", "--for", asked(tmp_path, text))
    assert answer.code == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1


def test_the_command_line_wins_over_the_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = asked(tmp_path, "precision: int8\n" + QUESTION.format(limit="100ms"))
    (lane,) = told(capsys, "jetson-nano", "--for", request, "--precision", "fp16")["lanes"]
    assert lane["lane"] == "gpu tensorrt fp16 batch 1"


def test_networks_to_measure_are_stock_ones_of_bearable_size() -> None:
    evidence = Evidence()
    rows = measurable(LANE, evidence)
    assert 100 <= len(rows) <= 250
    assert len({evidence.table.networks[row] for row in rows}) == len(rows)
    assert all(":" not in evidence.table.networks[row] for row in rows)
    assert max(evidence.table.macs[row] for row in rows) <= MOST_MACS


def test_networks_with_attention_are_measured_where_the_runtime_takes_them() -> None:
    evidence = Evidence()
    onnx = Lane(device="new-board", unit="cpu", runtime="onnxruntime", precision="fp32", threads=4)
    names = [
        {evidence.table.networks[row] for row in measurable(lane, evidence)}
        for lane in (LANE, onnx)
    ]
    assert "vit_tiny_patch16_224" not in names[0]
    assert "deit_small_patch16_224" in names[1]
    operators = {
        layer.operator
        for name in names[0]
        for row in [evidence.table.networks.index(name)]
        for layer in evidence.table.workload(row).layers
    }
    assert OperatorClass.ATTENTION not in operators
