"""What the command line promises to people and scripts, on the shipped evidence."""

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from advisor import __version__
from advisor.catalog.measurements import read_all
from advisor.cli.main import COMMANDS
from advisor.hardware.library import catalog_directory
from tests.terminal import ask

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))


def recommended(capsys: Capture, *argv: str) -> dict[str, Any]:
    answer = ask(capsys, "recommend", *argv, "--format", "json")
    assert answer.code in (0, 3), answer.err
    document: dict[str, Any] = json.loads(answer.out)
    return document


def estimated(capsys: Capture, *argv: str) -> dict[str, Any]:
    answer = ask(capsys, "estimate", *argv, "--format", "json")
    assert answer.code == 0, answer.err
    document: dict[str, Any] = json.loads(answer.out)
    return document


def test_what_is_recommended_keeps_the_limit_with_the_asked_probability(capsys: Capture) -> None:
    document = recommended(capsys, "--device", "jetson-nano", "--max-latency", "10ms")
    assert document["ranked"]
    for entry in document["ranked"]:
        latency = entry["metrics"]["latency"]
        assert entry["verdict"] == "met"
        assert entry["probability"] >= 0.9
        assert latency["value"] < 0.010
        assert latency["origin"] in ("measured", "published", "predicted", "analytic")
        assert latency["source"]


def test_the_most_accurate_feasible_network_comes_first_but_for_ties(capsys: Capture) -> None:
    document = recommended(capsys, "--device", "jetson-nano", "--max-latency", "10ms")
    accuracies = [entry["metrics"]["top1"]["value"] for entry in document["ranked"]]
    for place, accuracy in enumerate(accuracies):
        assert accuracy > max(accuracies[place:]) - 0.005  # half a point is no order


def test_every_candidate_ends_in_exactly_one_list(capsys: Capture) -> None:
    document = recommended(capsys, "--device", "jetson-nano", "--max-latency", "10ms")
    lists = [document["ranked"], document["uncertain"], document["rejected"]]
    names = [(entry["candidate"], entry["precision"]) for items in lists for entry in items]
    assert len(names) == len(set(names)) == document["considered"]


def test_resnet18_published_at_11_ms_does_not_meet_10_ms(capsys: Capture) -> None:
    document = recommended(
        capsys, "--device", "jetson-nano", "--max-latency", "10ms", "--models", "resnet18.tv_in1k"
    )
    assert document["ranked"] == []
    entry = (document["uncertain"] + document["rejected"])[0]
    assert entry["metrics"]["latency"]["origin"] == "published"
    assert 0.011 < entry["metrics"]["latency"]["value"] < 0.012


def test_another_unit_and_runtime_answer_from_their_own_figures(capsys: Capture) -> None:
    document = recommended(
        capsys, "--device", "jetson-nano", "--runtime", "ncnn", "--unit", "cpu",
        "--max-latency", "200ms",
    )  # fmt: skip
    assert (document["lane"]["runtime"], document["lane"]["unit"]) == ("ncnn", "cpu")
    assert document["lane"]["published_networks"] > 5


def test_a_precision_that_the_chip_lacks_is_refused_with_the_reason(capsys: Capture) -> None:
    answer = ask(capsys, "recommend", "--device", "jetson-nano", "--precision", "int8")
    assert answer.code == 2
    assert "no int8 arithmetic" in answer.err
    assert answer.out == ""


def test_nothing_feasible_exits_3_with_the_nearest_misses(capsys: Capture) -> None:
    answer = ask(capsys, "recommend", "--device", "jetson-nano", "--max-latency", "1ms",
                 "--min-top1", "70%", "--format", "json")  # fmt: skip
    assert answer.code == 3
    document = json.loads(answer.out)
    assert document["ranked"] == []
    assert document["rejected"][0]["excess"] <= document["rejected"][-1]["excess"]
    assert document["relaxations"][0]["relaxed"] > 0.001


def test_the_relaxation_that_is_offered_admits_a_candidate(capsys: Capture) -> None:
    asked = ("--device", "jetson-nano", "--min-top1", "70%")
    document = recommended(capsys, *asked, "--max-latency", "1ms")
    offer = next(r for r in document["relaxations"] if r["metric"] == "latency")
    again = recommended(capsys, *asked, "--max-latency", f"{1000 * offer['relaxed']:.6f}ms")
    assert offer["candidate"] in [entry["candidate"] for entry in again["ranked"]]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("recommend", "--device", "jetson-nanoo"), "did you mean 'jetson-nano'"),
        (("recommend", "--device", "jetson-nano", "--runtime", "tensorflowrt"), "tensorrt"),
        (("recommend", "--device", "jetson-nano", "--unit", "npu"), "cpu, gpu"),
        (("recommend", "--device", "jetson-nano", "--max-latency", "10"), "s, ms, us"),
        (("recommend", "--device", "jetson-nano", "--models", "nosuchnet*"), "nosuchnet"),
        (("recommend", "--device", "jetson-nano", "--confidence", "150%"), "99.9999%"),
        (("recommend", "--device", "jetson-nano", "--rank-by", "speed"), "latency"),
        (("recommend", "--device", "jetson-nano", "-o", "x.docx"), ".json"),
        (("estimate", "resnet19", "--device", "jetson-nano"), "resnet18"),
        (("estimate", "resnet18.nosuch_tag", "--device", "jetson-nano"), "resnet18."),
        (("estimate",), "--table"),
        (("recomend",), "did you mean 'recommend'"),
        (("report",), "RESULT.json"),
    ],
)
def test_bad_input_is_one_line_that_helps(
    capsys: Capture, argv: tuple[str, ...], words: str
) -> None:
    answer = ask(capsys, *argv)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.count("\n") == 1
    assert words in answer.err


def test_a_limit_nobody_can_judge_exits_4(capsys: Capture) -> None:
    answer = ask(capsys, "recommend", "--device", "zcu102", "--max-energy", "5mJ")
    assert answer.code == 4
    assert "power" in answer.err


def test_the_command_in_the_result_gives_the_same_result(capsys: Capture) -> None:
    first = recommended(
        capsys, "--device", "jetson-nano", "--max-latency", "12.5ms", "--models", "mobilenet*",
        "--weights", "top1=0.6,latency=0.4", "--confidence", "80%",
    )  # fmt: skip
    again = recommended(capsys, *_words(first["command"])[2:])
    for document in (first, again):
        del document["created"]
    assert first == again


def _words(command: str) -> list[str]:
    import shlex

    return shlex.split(command)


def test_a_request_file_gives_what_the_options_give(capsys: Capture, tmp_path: Path) -> None:
    request = tmp_path / "request.yaml"
    request.write_text("device: jetson-nano\nmax-latency: 10ms\nmodels: mobilenet*\n")
    from_file = recommended(capsys, "--config", str(request))
    from_options = recommended(
        capsys, "--device", "jetson-nano", "--max-latency", "10ms", "--models", "mobilenet*"
    )
    assert from_file["ranked"] == from_options["ranked"]


def test_the_command_line_wins_over_the_request_file(capsys: Capture, tmp_path: Path) -> None:
    request = tmp_path / "request.yaml"
    request.write_text("device: raspberry-pi-4\nmax-latency: 10ms\n")
    document = recommended(capsys, "--config", str(request), "--device", "jetson-nano")
    assert document["lane"]["device"] == "jetson-nano"


def test_an_unknown_key_of_a_request_file_is_named(capsys: Capture, tmp_path: Path) -> None:
    request = tmp_path / "request.yaml"
    request.write_text("device: jetson-nano\nmax-latencyy: 10ms\n")
    answer = ask(capsys, "recommend", "--config", str(request))
    assert answer.code == 2
    assert "max_latencyy" in answer.err
    assert "max_latency" in answer.err


def test_words_may_be_a_list_in_a_request_file(capsys: Capture, tmp_path: Path) -> None:
    request = tmp_path / "request.yaml"
    request.write_text(
        "device: galaxy-s25\nunit: npu\nruntime: qnn\nmax-latency: 3ms\n"
        "precision: [fp16, int8]\nmodels: ['mobilenet*', 'resnet*']\n"
        "weights:\n- top1=0.6\n- latency=0.4\n"
    )
    from_file = recommended(capsys, "--config", str(request))
    from_options = recommended(
        capsys, "--device", "galaxy-s25", "--unit", "npu", "--runtime", "qnn",
        "--max-latency", "3ms", "--precision", "fp16,int8", "--models", "mobilenet*,resnet*",
        "--weights", "top1=0.6,latency=0.4",
    )  # fmt: skip
    assert from_file["ranked"] == from_options["ranked"]
    assert {entry["precision"] for entry in from_file["ranked"]} == {"fp16", "int8"}


def test_the_keys_of_a_request_file_are_the_options_as_they_are_written(
    capsys: Capture, tmp_path: Path
) -> None:
    request = tmp_path / "request.yaml"
    request.write_text("device: jetson-nano\nmetric: [latency, top1]\nformat: json\n")
    document = json.loads(ask(capsys, "estimate", "resnet18", "--config", str(request)).out)
    assert set(document["estimates"][0]["metrics"]) == {"latency", "top1"}
    request.write_text("candidates: [resnet18, resnet34]\ndevice: jetson-nano\nformat: json\n")
    document = json.loads(ask(capsys, "estimate", "--config", str(request)).out)
    assert len(document["estimates"]) == 2


def test_an_empty_key_of_a_request_file_states_nothing(capsys: Capture, tmp_path: Path) -> None:
    request = tmp_path / "request.yaml"
    request.write_text("device: jetson-nano\nmax-latency: 10ms\nmodels:\nunit:\n")
    assert recommended(capsys, "--config", str(request))["ranked"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("batch: [1, 2]", "batch: [1, 2] is not one value"),
        ("runtime: [ncnn, tflite]", "runtime: ['ncnn', 'tflite'] is not one value"),
        ("max-latency: {a: 10ms}", "max_latency: {'a': '10ms'} is not one value"),
        ("precision: {fp16: 1}", "precision: {'fp16': 1} is not a list of words"),
        ("precision: [[fp16]]", "precision: [['fp16']] is not a list of words"),
        ("models: [resnet18, {a: 1}]", "models: ['resnet18', {'a': 1}] is not a list of words"),
        ("models: [true]", "models: [True] is not a list of words"),
    ],
)
def test_a_list_or_mapping_where_none_belongs_is_one_line(
    capsys: Capture, tmp_path: Path, line: str, said: str
) -> None:
    request = tmp_path / "request.yaml"
    request.write_text(f"device: jetson-nano\n{line}\n")
    answer = ask(capsys, "recommend", "--config", str(request))
    assert answer.code == 2
    assert f"{request}: {said}" in answer.err
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize("kind", ["recommendation", "estimates"])
def test_results_keep_their_schema(capsys: Capture, kind: str) -> None:
    schema = json.loads(ask(capsys, "report", "--schema", kind).out)
    if kind == "recommendation":
        document = recommended(capsys, "--device", "jetson-nano", "--max-latency", "10ms")
    else:
        document = estimated(capsys, "resnet18", "--device", "jetson-nano")
    jsonschema.validate(document, schema)


def test_every_format_holds_the_best_candidate(capsys: Capture, tmp_path: Path) -> None:
    files = [tmp_path / f"report{suffix}" for suffix in (".html", ".json", ".csv", ".md")]
    outputs = [word for path in files for word in ("-o", str(path))]
    answer = ask(capsys, "recommend", "--device", "jetson-nano", "--max-latency", "10ms", *outputs)
    assert answer.code == 0
    best = json.loads(files[1].read_text())["ranked"][0]["candidate"]
    assert all(best in path.read_text().replace("\\_", "_") for path in files)  # Markdown escapes
    assert answer.err.count("wrote") == 4


def test_a_stored_result_renders_again_to_the_same_page(capsys: Capture, tmp_path: Path) -> None:
    page, result, again = (tmp_path / name for name in ("a.html", "r.json", "b.html"))
    ask(capsys, "recommend", "--device", "jetson-nano", "--max-latency", "10ms",
        "-o", str(page), "-o", str(result))  # fmt: skip
    assert ask(capsys, "report", str(result), "-o", str(again)).code == 0
    assert page.read_text() == again.read_text()


def test_precisions_compete_in_one_ranking(capsys: Capture) -> None:
    document = recommended(
        capsys, "--device", "raspberry-pi-4", "--runtime", "ncnn", "--precision", "fp32,int8",
        "--max-latency", "100ms",
    )  # fmt: skip
    assert {entry["precision"] for entry in document["ranked"]} == {"fp32", "int8"}


def test_a_lane_without_figures_is_answered_with_a_caveat(capsys: Capture) -> None:
    document = recommended(
        capsys, "--device", "jetson-nano", "--runtime", "onnxruntime", "--unit", "cpu",
        "--max-latency", "500ms",
    )  # fmt: skip
    assert document["lane"]["published_networks"] == 0
    assert any("no published measurement" in warning for warning in document["warnings"])


def test_what_nothing_shows_a_device_can_do_is_warned_of(capsys: Capture) -> None:
    """A runtime that its profile does not name, and more threads than its cores run at once."""
    asked = ("--device", "raspberry-pi-4", "--unit", "cpu", "--max-latency", "100ms")
    strange = recommended(capsys, *asked, "--runtime", "openvino", "--threads", "1000")
    told = " ".join(strange["warnings"])
    assert "openvino is not among the runtimes known to run on the cpu" in told
    assert "1000 threads are more than the 4 cores" in told
    assert recommended(capsys, *asked, "--runtime", "ncnn", "--threads", "4")["warnings"] == []


def test_a_higher_confidence_never_admits_more(capsys: Capture) -> None:
    asked = ("--device", "jetson-nano", "--max-latency", "10ms")
    counts = [
        len(recommended(capsys, *asked, "--confidence", level)["ranked"])
        for level in ("80%", "90%", "95%")
    ]
    assert counts == sorted(counts, reverse=True)


def test_no_published_predicts_what_is_published(capsys: Capture) -> None:
    document = estimated(capsys, "resnet18", "--device", "jetson-nano", "--no-published")
    assert document["estimates"][0]["metrics"]["latency"]["origin"] == "predicted"


def test_one_metric_can_be_asked_for(capsys: Capture) -> None:
    document = estimated(capsys, "resnet18", "--device", "jetson-nano", "--metric", "latency,top1")
    assert set(document["estimates"][0]["metrics"]) == {"latency", "top1"}


def test_another_input_has_no_published_accuracy_and_says_so(capsys: Capture) -> None:
    document = estimated(capsys, "convnext_tiny@200", "--device", "jetson-nano")
    entry = document["estimates"][0]
    assert "top1" in entry["gaps"]
    assert entry["metrics"]["latency"]["value"] > 0


def test_a_variant_has_the_accuracy_of_the_recipe_that_is_named(capsys: Capture) -> None:
    document = estimated(
        capsys, "mobilenetv2_100@192:width=0.85", "--device", "jetson-nano",
        "--recipe", "tf-slim-MobileNetV2",
    )  # fmt: skip
    top1 = document["estimates"][0]["metrics"]["top1"]
    assert top1["origin"] == "predicted"
    assert "tf-slim-MobileNetV2" in top1["source"]
    assert 0.66 < top1["low"] < top1["value"] < top1["high"] < 0.73


def test_an_unknown_recipe_is_refused(capsys: Capture) -> None:
    answer = ask(capsys, "estimate", "mobilenetv2_100:width=0.85", "--device", "jetson-nano",
                 "--recipe", "tf-slim-MobileNet")  # fmt: skip
    assert answer.code == 2
    assert "tf-slim-MobileNetV2" in answer.err


def test_a_table_is_answered_row_by_row_in_order(capsys: Capture, tmp_path: Path) -> None:
    questions = tmp_path / "questions.csv"
    questions.write_text(
        "device_id,unit,runtime,precision,threads,batch,timm_name,input_h,note\n"
        "jetson-nano,,,,,,resnet18,224,a\n"
        "nosuchboard,,,,,,resnet18,224,b\n"
        "jetson-nano,gpu,tensorrt,fp16,,1,nosuchnet,224,c\n"
        "raspberry-pi-4,cpu,ncnn,fp32,4,1,mobilenetv2_100,224,d\n"
    )
    answer = ask(capsys, "estimate", "--table", str(questions), "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert [row["note"] for row in rows] == ["a", "b", "c", "d"]
    assert float(rows[0]["latency_low_ms"]) < float(rows[0]["latency_ms"])
    assert rows[1]["latency_ms"] == rows[2]["latency_ms"] == ""
    assert "nosuchboard" in rows[1]["reason"]
    assert "nosuchnet" in rows[2]["reason"]
    assert rows[3]["origin"] == "published"
    assert rows[3]["source"]


def test_a_column_that_a_table_is_not_asked_by_is_told(
    tmp_path: Path, capsys: Capture, caplog: pytest.LogCaptureFixture
) -> None:
    questions = tmp_path / "questions.csv"
    questions.write_text("device_id,timm_name,power_mode,note\njetson-nano,resnet18,5W,x\n")
    answer = ask(capsys, "estimate", "--table", str(questions), "--format", "csv")
    assert answer.code == 0
    assert "column power_mode is carried along unread; rows are asked by" in caplog.text


def test_explain_splits_the_whole_time(capsys: Capture) -> None:
    answer = ask(capsys, "explain", "ghostnet_100", "--device", "jetson-nano", "--format", "json")
    parts = json.loads(answer.out)["parts"]
    assert sum(part["share"] for part in parts) == pytest.approx(1)


def test_the_doctor_accounts_for_every_row(capsys: Capture) -> None:
    facts = json.loads(ask(capsys, "doctor", "--format", "json").out)
    rows = sum(line["rows"] for line in facts["ledger"])
    parts = sum(line["kept"] + line["caveat"] + line["left_out"] for line in facts["ledger"])
    assert rows == parts == sum(map(len, read_all(catalog_directory()).values()))


def test_every_command_has_help(capsys: Capture) -> None:
    for name in COMMANDS:
        answer = ask(capsys, name, "--help")
        assert answer.code == 0
        assert "Usage" in answer.out


def test_the_version_is_the_package_s(capsys: Capture) -> None:
    assert __version__ in ask(capsys, "--version").out


def test_a_factory_of_the_user_is_priced(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mynets.py").write_text(
        "from torch import nn\n"
        "def tiny():\n"
        "    return nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 1))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    document = estimated(capsys, "mynets:tiny", "--device", "jetson-nano")
    assert document["estimates"][0]["metrics"]["macs"]["value"] == 112 * 112 * (8 * 27 + 64)
    assert "mynets" not in sys.modules


def test_a_network_for_cifar_shows_its_accuracies_there(capsys: Capture) -> None:
    facts = json.loads(ask(capsys, "models", "show", "cifar_resnet20", "--format", "json").out)
    assert facts["cifar"][0]["cifar10_top1"] == pytest.approx(0.926)
    assert "CIFAR-10" in ask(capsys, "models", "show", "cifar_resnet20").out


@pytest.mark.parametrize("batch", ["inf", "nan", "1.5", "-1"])
def test_a_batch_that_is_no_whole_number_is_the_reason_of_its_row(
    capsys: Capture, tmp_path: Path, batch: str
) -> None:
    questions = tmp_path / "questions.csv"
    questions.write_text(f"device_id,timm_name,batch\njetson-nano,resnet18,{batch}\n")
    answer = ask(capsys, "estimate", "--table", str(questions))
    assert answer.code == 0
    assert "is not a whole number" in answer.out


def test_this_machine_is_to_be_detected_before_it_is_asked_about(capsys: Capture) -> None:
    answer = ask(capsys, "recommend", "--device", "host")
    assert answer.code == 2
    assert "first run: advisor devices detect" in answer.told
