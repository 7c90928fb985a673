"""Kits: packed here, run on a board by one script, taken back, screened."""

import csv
import json
import shutil
import subprocess
import sys
import tarfile
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from advisor.core.lane import Lane
from advisor.errors import MeasurementError
from advisor.measuring import exports
from advisor.measuring.converting import converted
from advisor.measuring.kit import measure_on_board, packing
from advisor.measuring.kit.packing import pack
from advisor.measuring.reading import device_of, filling, read_table
from advisor.measuring.store import MeasurementStore
from advisor.measuring.table import store_rows, write_table
from tests.measuring_stand_in import Stage, order
from tests.terminal import ask
from tests.test_store import figure, keep, session

PI = Lane(device="raspberry-pi-4", unit="cpu", runtime="onnxruntime", precision="fp32", threads=4)
LANE = Lane(
    device="raspberry-pi-4", unit="cpu", runtime="ncnn", precision="fp32", threads=4, batch=1
)
KNOWN = ("resnet18", "resnet34")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))


def packed(monkeypatch: pytest.MonkeyPatch, target: Path, stage: Stage) -> packing.Packed:
    def staged(*args: object, **options: object) -> object:
        return converted(*args, **{**options, "run_job": stage})  # type: ignore[arg-type]

    monkeypatch.setattr(packing, "converted", staged)
    return pack(order("resnet18", "resnet34"), PI, target)


def unpacked(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    packed(monkeypatch, folder / "kit.tar.gz", Stage())
    with tarfile.open(folder / "kit.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "kit"


def test_a_kit_holds_the_networks_the_script_and_the_lane(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = unpacked(monkeypatch, tmp_path)
    assert {path.name for path in kit.iterdir()} == {
        "000-resnet18.onnx", "001-resnet34.onnx", "kit.json", "measure_on_board.py", "README",
    }  # fmt: skip
    facts = json.loads((kit / "kit.json").read_text())
    assert (facts["device"], facts["runtime"], facts["threads"]) == (
        "raspberry-pi-4",
        "onnxruntime",
        4,
    )


def test_a_network_that_cannot_be_exported_is_named_and_the_rest_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(unconvertible={"resnet18": "no such operator"})
    made = packed(monkeypatch, tmp_path / "kit.tar.gz", stage)
    assert made.failures == ("resnet18: no such operator",)
    assert made.networks == ("resnet34",)


def test_a_kit_that_cannot_be_written_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MeasurementError, match="cannot write"):
        packed(monkeypatch, tmp_path / "gone" / "kit.tar.gz", Stage())


def test_the_script_needs_nothing_but_the_standard_library() -> None:
    source = Path(measure_on_board.__file__).read_text()
    names = {
        line.split()[1].partition(".")[0]
        for line in source.splitlines()
        if line.startswith(("import ", "from "))
    }
    assert names <= sys.stdlib_module_names


def wanted(**values: object) -> Namespace:
    usual = {"runtime": "", "unit": "cpu", "precision": "fp32", "threads": 2, "budget": 0.01}
    return Namespace(**{**usual, **values})


NETWORK = {"name": "n", "file": "n.onnx", "resolution": 224, "batch": 1, "ncnn_param": "n.param"}


def played(monkeypatch: pytest.MonkeyPatch, printed: str) -> list[list[str]]:
    commands: list[list[str]] = []

    def output_of(command: list[str], budget: float) -> str:
        commands.append(command)
        return printed

    monkeypatch.setattr(measure_on_board, "output_of", output_of)
    monkeypatch.setattr(measure_on_board, "tool", lambda name, *places: name)
    return commands


def test_trtexec_is_driven_and_its_median_read(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = (
        "[I] TensorRT version: 8.2.1\n"
        "[I] Latency: min = 9.1 ms, max = 9.9 ms, mean = 9.4 ms, median = 9.42 ms, "
        "percentile(99%) = 9.8 ms\n"
    )
    commands = played(monkeypatch, printed)
    found, _ = measure_on_board.with_tensorrt(NETWORK, wanted(unit="gpu", precision="fp16"))
    assert found == [9.42]
    assert "--fp16" in commands[0]
    assert "--onnx=n.onnx" in commands[0]


def test_benchncnn_is_driven_and_its_average_read(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = played(monkeypatch, "  n.param  min =   10.10  max =   10.90  avg =   10.50\n")
    found, _ = measure_on_board.with_ncnn(NETWORK, wanted())
    assert found == [10.5]
    assert commands[0][1:6] == ["50", "2", "0", "-1", "0"]


@pytest.mark.elsewhere
def test_the_python_package_of_ncnn_does_where_benchncnn_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("ncnn")
    (tmp_path / "n.param").write_text(
        "7767517\n2 2\nInput in0 0 1 in0\nPooling p 1 1 in0 out0 0=1 4=1\n"
    )
    monkeypatch.setattr(measure_on_board, "FOLDER", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    found, told = measure_on_board.with_ncnn(NETWORK, wanted())
    assert len(found) >= measure_on_board.LEAST_PASSES
    assert all(one > 0 for one in found)
    assert told.startswith("ncnn ")


def test_benchmark_model_is_driven_and_its_average_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "n.tflite").write_bytes(b"")
    monkeypatch.setattr(measure_on_board, "FOLDER", str(tmp_path))
    printed = "Inference timings in us: Init: 5685, First inference: 18535, Warmup (avg): 14462.3, "
    played(monkeypatch, printed + "Inference (avg): 14575.2\n")
    found, _ = measure_on_board.with_tflite(NETWORK, wanted())
    assert found == pytest.approx([14.5752])


def test_a_runtime_that_the_board_lacks_is_one_line(tmp_path: Path) -> None:
    kit = {
        "kit": "k", "device": "board", "unit": "gpu", "runtime": "tensorrt", "precision": "fp16",
        "threads": None, "sessions": 1, "pause": 0, "budget": 0.1, "networks": [NETWORK],
    }  # fmt: skip
    (tmp_path / "kit.json").write_text(json.dumps(kit))
    script = shutil.copy(measure_on_board.__file__, tmp_path)
    done = subprocess.run(
        [sys.executable, script, "-o", str(tmp_path / "out.csv")],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(tmp_path)},
    )
    assert done.returncode == 1
    assert done.stderr == "n: trtexec is not on the PATH\n"


def test_the_script_writes_rows_that_can_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = unpacked(monkeypatch, tmp_path)
    monkeypatch.setattr(measure_on_board, "FOLDER", str(kit))
    monkeypatch.setitem(
        measure_on_board.RUNTIMES, "onnxruntime", lambda network, _: ([9.0, 10.0, 11.0], "ort 1")
    )
    table = tmp_path / "measurements.csv"
    assert measure_on_board.main(["-o", str(table), "--sessions", "2", "--pause", "0"]) == 0
    reading = read_table(table, filling(LANE), KNOWN)
    assert [row.network for row in reading.rows] == ["resnet18", "resnet34"] * 2
    assert {row.latency for row in reading.rows} == {0.010}
    assert reading.rows[0].samples == pytest.approx((0.009, 0.010, 0.011))
    assert reading.rows[0].lane.runtime == "onnxruntime"


def test_an_interrupted_script_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = unpacked(monkeypatch, tmp_path)
    monkeypatch.setattr(measure_on_board, "FOLDER", str(kit))
    runs: list[str] = []

    def run(network: dict[str, object], _: object) -> tuple[list[float], str]:
        if len(runs) == 1:
            runs.append("interrupted")
            raise KeyboardInterrupt
        runs.append(str(network["network"]))
        return [10.0], "ort 1"

    monkeypatch.setitem(measure_on_board.RUNTIMES, "onnxruntime", run)
    table = str(tmp_path / "measurements.csv")
    arguments = ["-o", table, "--sessions", "1", "--pause", "0"]
    with pytest.raises(KeyboardInterrupt):
        measure_on_board.main(arguments)
    measure_on_board.main(arguments)
    assert runs == ["resnet18", "interrupted", "resnet34"]


def table(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_the_least_table_is_network_and_latency(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "timm_name,latency_ms\nresnet18,12.5\n")
    (row,) = read_table(path, filling(LANE), KNOWN).rows
    assert (row.network, row.latency, row.resolution, row.lane) == ("resnet18", 0.0125, 224, LANE)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("resnet19,10,224", "timm_name 'resnet19' is no network of the catalog"),
        ("resnet18,fast,224", "latency_ms 'fast' is not a number"),
        ("resnet18,,224", "latency_ms is empty"),
        ("resnet18,-1,224", "latency_ms '-1' is not a positive number"),
        ("resnet18,nan,224", "latency_ms 'nan' is not a positive number"),
        ("resnet18,1e9,224", "latency_ms '1e9' is out of range"),
        ("resnet18,10,big", "input_h 'big' is not a positive whole number"),
    ],
)
def test_a_row_that_cannot_be_is_left_out_with_its_line(
    tmp_path: Path, cells: str, said: str
) -> None:
    text = f"timm_name,latency_ms,input_h\n{cells}\nresnet34,20,224\n"
    reading = read_table(table(tmp_path / "t.csv", text), filling(LANE), KNOWN)
    assert [row.network for row in reading.rows] == ["resnet34"]
    (refused,) = reading.refused
    assert "line 2" in refused
    assert said in refused


def test_unknown_columns_are_left_out_with_a_warning(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "timm_name,latency_ms,mood\nresnet18,10,good\n")
    reading = read_table(path, filling(LANE), KNOWN)
    assert len(reading.rows) == 1
    assert "mood" in reading.warnings[0]


def test_a_figure_that_its_repetitions_refute_is_left_out(tmp_path: Path) -> None:
    rows = "".join(f"resnet18,{ms}\n" for ms in (10, 11, 10, 95))
    reading = read_table(
        table(tmp_path / "t.csv", f"timm_name,latency_ms\n{rows}"), filling(LANE), KNOWN
    )
    assert len(reading.rows) == 3
    assert "95 ms is far from the 10.5 ms of its repetitions" in reading.refused[0]


def test_a_table_without_latencies_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "timm_name,speed\nresnet18,1\n")
    with pytest.raises(MeasurementError, match="lacks the columns latency_ms"):
        read_table(path, filling(LANE), KNOWN)


def test_a_table_of_several_devices_needs_to_be_told_which(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "device,timm_name,latency_ms\na,resnet18,1\nb,resnet18,1\n")
    with pytest.raises(MeasurementError, match="several devices: a, b"):
        device_of(path)


def test_what_is_exported_can_be_imported_again(tmp_path: Path) -> None:
    store = MeasurementStore()
    owner = session(device="raspberry-pi-4")
    keep(store, owner, figure(owner, 0.0123))
    path = tmp_path / "t.csv"
    assert write_table(path, [(replace(owner, status="finished"), figure(owner, 0.0123))]) == 1
    (row,) = read_table(path, filling(LANE), KNOWN).rows
    assert row.latency == pytest.approx(0.0123)
    assert row.lane.runtime == "onnxruntime"
    with path.open() as stream:
        assert next(csv.DictReader(stream))["latency_ms"] == "12.3"


def test_imported_figures_become_measured_estimates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "device,timm_name,latency_ms\nraspberry-pi-4,resnet18,123\n"
    path = table(tmp_path / "t.csv", text)
    answer = ask(capsys, "import", str(path), "--runtime", "ncnn", "--threads", "4")
    assert answer.code == 0, answer.err
    assert "kept 1 figures of raspberry-pi-4" in answer.err
    listed = ask(capsys, "measurements", "ls", "--format", "json")
    (one,) = json.loads(listed.out)
    assert one["latency"] == pytest.approx(0.123)
    assert one["origin"] == "import t.csv"


def imported_lanes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, *argv: str
) -> set[str]:
    answer = ask(capsys, "import", str(table(tmp_path / "t.csv", text)), *argv)
    assert answer.code == 0, answer.err
    return {session.lane.name for session in MeasurementStore().sessions()}


@pytest.mark.parametrize(
    ("argv", "lane"),
    [
        (["jetson-nano", "--runtime", "tflite"], "cpu tflite fp32 batch 1"),
        (["jetson-nano", "--unit", "cpu"], "cpu ncnn fp32 batch 1, 4 threads"),
        (["jetson-nano", "--precision", "int8", "--runtime", "ncnn", "--unit", "cpu"],
         "cpu ncnn int8 batch 1, 4 threads"),
        (["raspberry-pi-zero-w"], "cpu xnnpack fp32 batch 1, 1 thread, 32-bit"),
        (["raspberry-pi-4", "--runtime", "ncnn", "--batch", "32"], "cpu ncnn fp32 batch 32"),
        (["u50"], "npu vitis-ai int8 batch 1"),
    ],
)  # fmt: skip
def test_imported_figures_join_the_lane_that_the_same_options_name_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: list[str], lane: str
) -> None:
    text = "timm_name,latency_ms\nresnet18,9123\n"
    assert imported_lanes(tmp_path, capsys, text, "--force", "--device", *argv) == {lane}


def test_rows_keep_what_they_name_and_the_rest_follows_from_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        "timm_name,latency_ms,unit,runtime,precision,threads,batch\n"
        "resnet18,900,,tflite,,,\n"
        "resnet18,900,,,,,\n"
        "resnet18,900,cpu,onnxruntime,int8,2,4\n"
        "resnet18,900,gpu,in-house,int8,2,\n"
    )
    assert imported_lanes(tmp_path, capsys, text, "--device", "jetson-nano") == {
        "cpu tflite fp32 batch 1",
        "gpu tensorrt fp16 batch 1",
        "cpu onnxruntime int8 batch 4, 2 threads",
        "gpu in-house int8 batch 1",
    }


def test_a_row_whose_lane_cannot_be_resolved_is_left_out_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "timm_name,latency_ms,runtime\nresnet18,9,tensortt\nresnet34,90,\n"
    path = table(tmp_path / "t.csv", text)
    answer = ask(capsys, "import", str(path), "--device", "jetson-nano")
    assert answer.code == 1
    assert "line 2: jetson-nano: unknown runtime 'tensortt'; did you mean 'tensorrt'" in answer.err
    assert "kept 1 figures" in answer.err


def test_a_lane_that_the_options_misspell_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path / "t.csv", "timm_name,latency_ms,runtime\nresnet18,9,ncnn\n")
    answer = ask(capsys, "import", str(path), "--device", "jetson-nano", "--runtime", "tensortt")
    assert answer.code == 2
    assert "did you mean 'tensorrt'" in answer.err


def test_a_table_that_is_missing_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    answer = ask(capsys, "import", "nothing.csv", "--device", "raspberry-pi-4")
    assert answer.code == 1
    assert answer.err.startswith("advisor: cannot read nothing.csv")
    assert len(answer.err.splitlines()) == 1


def test_rows_of_one_repetition_share_a_session(tmp_path: Path) -> None:
    text = "timm_name,latency_ms,session\nresnet18,10,1\nresnet34,20,1\nresnet18,11,2\n"
    reading = read_table(table(tmp_path / "t.csv", text), filling(LANE), KNOWN)
    store = MeasurementStore()
    store_rows(store, reading.rows, origin="import t.csv")
    assert sorted(len(store.figures(session=s.id)) for s in store.sessions()) == [1, 2]


def test_exports_are_not_removed_while_a_kit_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = packing._write

    def meanwhile(*args: Any) -> None:
        with pytest.raises(MeasurementError, match="in use"):
            exports.empty()
        write(*args)

    monkeypatch.setattr(packing, "_write", meanwhile)
    assert packed(monkeypatch, tmp_path / "kit.tar.gz", Stage()).path.is_file()
    assert exports.empty() > 0


def test_a_runtime_that_the_script_cannot_drive_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = ask(
        capsys, "kit", "--device", "raspberry-pi-4", "--models", "resnet18", "--runtime", "pytorch"
    )
    assert answer.code == 2
    assert "a kit cannot drive pytorch" in answer.err


def test_a_precision_that_the_board_lacks_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    answer = ask(
        capsys, "kit", "--device", "jetson-nano", "--models", "resnet18", "--precision", "int8"
    )
    assert answer.code == 2
    assert "no int8" in answer.err


@pytest.mark.parametrize(
    ("text", "argv", "said"),
    [
        ("timm_name,latency_ms\nresnet18,0.0301\n", ("raspberry-pi-5",), "seconds?"),
        ("model,infer_step_time,infer_samples_per_sec,infer_batch_size\nresnet18,51.1,5010,256\n",
         ("raspberry-pi-5",), "times faster than the peak rate of raspberry-pi-5"),
    ],
)  # fmt: skip
def test_a_figure_beyond_the_peak_of_the_device_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, argv: tuple[str, ...], said: str
) -> None:
    answer = ask(capsys, "import", str(table(tmp_path / "t.csv", text)), "--device", *argv)
    assert answer.code == 1
    assert said in answer.err
    assert not MeasurementStore().sessions()


def test_a_large_batch_joins_the_lane_of_large_batches(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "model,infer_step_time,batch_size,fps\nresnet18.a1_in1k,51.1,256,5010\n"
    argv = ("--device", "RTX 3090", "--runtime", "pytorch", "--precision", "amp")
    assert imported_lanes(tmp_path, capsys, text, *argv) == {"gpu pytorch amp bulk batch"}
    (figure,) = MeasurementStore().figures()
    assert figure.latency == pytest.approx(0.0511 / 256)


def test_networks_and_devices_of_a_table_may_be_called_as_people_call_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "Board;Model;Latency (ms)\nRaspberry Pi 4B;mobilenet_v2;81,5\nRaspberry Pi 4B;x;1\n"
    answer = ask(capsys, "import", str(table(tmp_path / "t.csv", text)), "--runtime", "ncnn")
    assert "'Latency (ms)' read as milliseconds" in answer.told
    assert "1 network, 1 unknown" in answer.told
    (one,) = MeasurementStore().figures()
    assert one.network == "mobilenetv2_100"
    assert one.latency == pytest.approx(0.0815)
