"""Tables and logs of measurements as people have them."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.core.lane import Lane
from advisor.errors import MeasurementError, UsageError
from advisor.measuring.delimited import number_in
from advisor.measuring.reading import Reading, Settled, device_of, filling, read_table

LANE = Lane(device="board", unit="cpu", runtime="onnxruntime", precision="fp32", threads=4)
KNOWN = ("resnet18", "mobilenetv2_100", "efficientnet_b0")


def reading(folder: Path, content: str | bytes, name: str = "t.csv", **settled: object) -> Reading:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, filling(LANE), KNOWN, settled=Settled(**settled))  # type: ignore[arg-type]


def times(found: Reading) -> dict[str, float]:
    return {row.network: round(row.latency * 1e3, 6) for row in found.rows}


PAIR = {"resnet18": 30.1, "mobilenetv2_100": 12.2}


@pytest.mark.parametrize(
    "content",
    [
        "timm_name;latency_ms\nresnet18;30,1\nmobilenetv2_100;12,2\n",
        "timm_name\tlatency_ms\nresnet18\t30.1\nmobilenetv2_100\t12.2\n",
        "Model,Latency (ms)\nresnet18,30.1\nmobilenetv2_100,12.2\n",
        "Model,Latency [s]\nresnet18,0.0301\nmobilenetv2_100,0.0122\n",
        "network,latency_us\nresnet18,30100\nmobilenetv2_100,12200\n",
        'network,latency_ns\nresnet18,"30,100,000"\nmobilenetv2_100,"12,200,000"\n',
        "timm_name,latency_ms\nresnet18,30.1 ms\nmobilenetv2_100,12.2ms\n",
        "name,latency\nresnet18,30.1 ms\nmobilenetv2_100,12200 us\n",
        ",timm_name,latency_ms\n0,resnet18,30.1\n1,mobilenetv2_100,12.2\n",
        "# board 7\n# 2026-11-01\nmodel,mean_ms\nresnet18,30.1\nmobilenetv2_100,12.2\n",
        "| Model | Inference (ms) |\n|---|---|\n| resnet18 | 30.1 |\n| mobilenetv2_100 | 12.2 |\n",
        "model,min_ms,median_ms,max_ms\nresnet18,29,30.1,40\nmobilenetv2_100,12,12.2,14\n",
        "model  latency_ms\nresnet18  30.1\nmobilenetv2_100  12.2\n",
        "model,latency,throughput\nresnet18,30.1,33.2226\nmobilenetv2_100,12.2,81.9672\n",
        '[{"arch": "resnet18", "ms": 30.1},\n {"arch": "mobilenetv2_100", "ms": 12.2}]',
        "sep=;\nNetwork Name;Time per image (ms)\nresnet18;30,1\nmobilenetv2_100;12,2\n",
        "# Run 3\n\nOn the desk.\n\nModel | p50 (ms)\n:-- | --:\nresnet18 | 30.1\n"
        "mobilenetv2_100 | 12.2\n\nAs expected, | or so.\n",
        '{"results": [{"arch": "resnet18", "ms": 30.1}, {"arch": "mobilenetv2_100", "ms": 12.2}]}',
        '{"resnet18": {"ms": 30.1}, "mobilenetv2_100": {"ms": 12.2}}',
        "\ufefftimm_name,latency_ms\nresnet18,30.1\nmobilenetv2_100,12.2\n",
        "timm_name,latency_ms\nresnet18,30.1\nmobilenetv2_100,12.2\n".encode("utf-16"),
    ],
)  # fmt: skip
def test_a_table_is_read_as_people_write_it(tmp_path: Path, content: str | bytes) -> None:
    found = reading(tmp_path, content)
    assert times(found) == PAIR
    assert not found.refused


@pytest.mark.parametrize("header", ["fps", "throughput_ips", "img/s", "images per second", "qps"])
def test_a_throughput_gives_the_time_of_its_batch(tmp_path: Path, header: str) -> None:
    found = reading(tmp_path, f"model,{header},batch\nresnet18,50,1\nmobilenetv2_100,100,8\n")
    assert times(found) == {"resnet18": 20.0, "mobilenetv2_100": 80.0}
    assert "1000 ÷ value at batch 1" in found.understood


@pytest.mark.parametrize(
    ("header", "cell", "side"),
    [("resolution", "192", 192), ("imgsz", "192x192", 192), ("input_h", "192px", 192),
     ("input shape", "1x3x192x192", 192), ("input_size", "3x192x192", 192)],
)  # fmt: skip
def test_a_resolution_is_kept(tmp_path: Path, header: str, cell: str, side: int) -> None:
    (row,) = reading(tmp_path, f"model,latency_ms,{header}\nresnet18,30.1,{cell}\n").rows
    assert row.resolution == side


def test_an_input_that_is_not_square_is_refused(tmp_path: Path) -> None:
    found = reading(tmp_path, "model,latency_ms,size\nresnet18,9,224x320\n")
    assert "not square" in found.refused[0]


def test_what_was_understood_is_one_line(tmp_path: Path) -> None:
    found = reading(tmp_path, "Model,Latency (ms)\nresnet18,30.1\nmystery,12.2\n")
    assert found.understood == (
        "t.csv: column 'Latency (ms)' read as milliseconds, 'Model' as the network; "
        "1 network, 1 unknown"
    )


@pytest.mark.parametrize(
    ("content", "option"),
    [
        ("model,latency\nresnet18,30.1\n", "--latency-unit"),
        ("model,latency a (ms),p50 (ms),median (ms)\nresnet18,1,2,3\n", "--column latency_ms="),
    ],
)
def test_what_may_mean_two_things_names_the_option_that_settles_it(
    tmp_path: Path, content: str, option: str
) -> None:
    with pytest.raises(UsageError, match=option):
        reading(tmp_path, content)


def test_options_settle_what_a_file_leaves_open(tmp_path: Path) -> None:
    content = "what,latency\nresnet18,0.0301\n"
    found = reading(tmp_path, content, time_unit="s", columns={"timm_name": "what"})
    assert times(found) == {"resnet18": 30.1}


def test_a_comma_before_three_digits_is_unclear(tmp_path: Path) -> None:
    content = 'model,latency_us\nresnet18,"30,100"\n'
    assert "--decimal" in reading(tmp_path, content).refused[0]
    assert times(reading(tmp_path, content, decimal="point")) == {"resnet18": 30.1}
    assert times(reading(tmp_path, content, decimal="comma")) == {"resnet18": 0.0301}


def test_latency_and_throughput_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    found = reading(tmp_path, "model,latency_ms,fps\nresnet18,30,400\n")
    assert "do not tell the same at batch 1" in found.refused[0]


def test_the_catalogs_own_columns_are_no_surprise(tmp_path: Path) -> None:
    content = (
        "device_id,network,resolution,latency_ms,match,notes\nboard,resnet18,224,30.1,exact,\n"
    )
    found = reading(tmp_path, content)
    assert times(found) == {"resnet18": 30.1}
    assert not found.warnings
    assert device_of(tmp_path / "t.csv") == "board"


@given(st.floats(min_value=0.001, max_value=999999), st.sampled_from(("", " ms", "ms", " fps")))
def test_a_number_is_read_back_in_either_style(value: float, unit: str) -> None:
    english, german = f"{value:,.3f}{unit}", f"{value:,.3f}".translate(str.maketrans(",.", ".,"))
    assert number_in(english, "thousands") == (round(value, 3), unit.strip())
    assert number_in(german, "decimal") == (round(value, 3), "")


TIMM = (
    "model,infer_samples_per_sec,infer_step_time,infer_batch_size,infer_img_size,infer_gmacs\n"
    "resnet18,5012.3,51.07,256,224,1.82\n"
)
TRTEXEC = """&&&& RUNNING TensorRT.trtexec # trtexec --onnx=resnet18.onnx --fp16
[11/20/2026-10:00:01] [I] === Model Options ===
[11/20/2026-10:00:01] [I] Model: resnet18.onnx
[11/20/2026-10:00:01] [I] Precision: FP32+FP16
[11/20/2026-10:00:29] [I] === Performance summary ===
[11/20/2026-10:00:29] [I] Throughput: 89.1 qps
[11/20/2026-10:00:29] [I] Latency: min = 10.9 ms, max = 11.4 ms, mean = 11.3 ms, median = 11.2 ms
"""
OLD_TRTEXEC = """[06/18/2020-12:20:40] [I] Average on 10 runs - GPU latency: 11 ms - Host: 12
[06/18/2020-12:20:40] [I] Host Latency
[06/18/2020-12:20:40] [I] min: 10.9 ms (end to end 22 ms)
[06/18/2020-12:20:40] [I] mean: 11.3 ms (end to end 22 ms)
[06/18/2020-12:20:40] [I] median: 11.2 ms (end to end 22 ms)
[06/18/2020-12:20:40] [I] GPU Compute
[06/18/2020-12:20:40] [I] median: 10.1 ms
&&&& PASSED TensorRT.trtexec # ./trtexec --onnx=/models/resnet18.onnx --fp16
"""
NCNN = """loop_count = 8
num_threads = 2
powersave = 2
gpu_device = -1
cooling_down = 1
          resnet18  min =   30.00  max =   31.60  avg =   30.10
     resnet18_int8  min =   22.90  max =   23.25  avg =   23.05
           unheard  min =   41.15  max =   43.74  avg =   42.54
"""
OPENVINO = """[Step 4/11] Reading model files
[ INFO ] Loading model files
[ INFO ] Reading model efficientnet_b0.xml
[ INFO ]     input (node: input) : f32 / [N,C,H,W] / [1,3,240,240]
[Step 11/11] Dumping statistics report
[ INFO ] Latency:
[ INFO ]    Median:        5.95 ms
[ INFO ]    Average:       6.02 ms
[ INFO ] Throughput:   652.66 FPS
"""
ONNXRUNTIME = """./onnxruntime_perf_test -I -x 4 -m times -r 1000 resnet18.onnx
Session creation time cost: 0.05 s
First inference time cost: 9 ms
Total inference time cost: 4.69 s
Average inference time cost: 4.69 ms
Number of inferences per second: 212.9
P50 Latency: 0.00467 s
P90 Latency: 0.00486 s
"""
TFLITE = """INFO: Graph: [/data/local/tmp/mobilenetv2_100.tflite]
INFO: #threads used for CPU inference: [4]
INFO: num_threads: [4]
INFO: Inference timings in us: Init: 5685, Warmup (avg): 14462.3, Inference (avg): 14575.2
"""
ULTRALYTICS = """Benchmarks complete for resnet18.pt on imagenette at imgsz=224 (50.00s)
Benchmarks legend:  - ✅ Success  - ❎ Export passed but validation failed  - ❌️ Export failed
                   Format Status❔  Size (MB)  metrics/accuracy_top1  Inference time (ms/im)    FPS
0                 PyTorch       ✅       44.7                 0.700                   30.10  33.22
1             TorchScript       ✅       44.8                 0.700                   31.00  32.26
2                    ONNX       ✅       44.6                 0.700                   12.20  81.97
"""


@pytest.mark.parametrize(
    ("log", "network", "ms", "expected"),
    [
        (TRTEXEC, "resnet18", 11.2, {"runtime": "tensorrt", "precision": "fp16"}),
        (OLD_TRTEXEC, "resnet18", 11.2, {"runtime": "tensorrt", "precision": "fp16"}),
        (OPENVINO, "efficientnet_b0", 5.95, {"runtime": "openvino", "batch": 1}),
        (ONNXRUNTIME, "resnet18", 4.67, {"runtime": "onnxruntime", "threads": 4}),
        (TFLITE, "mobilenetv2_100", 14.5752, {"runtime": "tflite", "threads": 4}),
    ],
)
def test_the_log_of_a_tool_is_read(
    tmp_path: Path, log: str, network: str, ms: float, expected: dict[str, object]
) -> None:
    found = reading(tmp_path, log, "log.txt")
    assert times(found) == {network: ms}
    assert {name: getattr(found.rows[0].lane, name) for name in expected} == expected
    assert "log of" in found.understood


def test_a_log_that_names_no_network_asks_for_it(tmp_path: Path) -> None:
    bare = "\n".join(TRTEXEC.splitlines()[4:])
    with pytest.raises(MeasurementError, match="--model NAME"):
        reading(tmp_path, bare, "log.txt")
    assert times(reading(tmp_path, bare, "log.txt", model="resnet18")) == {"resnet18": 11.2}


def test_benchncnn_gives_a_row_for_each_network(tmp_path: Path) -> None:
    found = reading(tmp_path, NCNN, "log.txt")
    assert [(r.lane.precision, r.lane.threads, round(r.latency, 5)) for r in found.rows] == [
        ("fp32", 2, 0.0301),
        ("int8", 2, 0.02305),
    ]
    assert "1 unknown" in found.understood


def test_ultralytics_gives_a_row_for_each_runtime_that_is_one(tmp_path: Path) -> None:
    found = reading(tmp_path, ULTRALYTICS, "benchmarks.log")
    assert [(r.lane.runtime, round(r.latency * 1e3, 2)) for r in found.rows] == [
        ("pytorch", 30.1),
        ("onnxruntime", 12.2),
    ]


def test_the_benchmark_of_timm_is_a_batch(tmp_path: Path) -> None:
    (row,) = reading(tmp_path, TIMM).rows
    assert (row.lane.batch, row.resolution) == (256, 224)
    assert row.latency == pytest.approx(0.05107)


@given(content=st.binary(max_size=400))
def test_no_content_ends_in_anything_but_an_answer_or_a_known_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    with suppress(MeasurementError, UsageError):
        reading(folder, content)
