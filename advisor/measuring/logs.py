"""What benchmark tools print: trtexec, benchncnn, OpenVINO, ONNX Runtime, TFLite, ultralytics.

Each reader turns a log into rows with the columns of a table of measurements. Tables that tools
write as CSV or JSON, such as timm's ``benchmark.py``, are read as tables.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from advisor.measuring.delimited import TextRow


@dataclass(frozen=True, slots=True)
class Log:
    """Figures of a log: which tool wrote it, and which of its figures were taken."""

    tool: str
    taken: str
    rows: tuple[TextRow, ...]


def read_log(text: str) -> Log | None:
    """Read the log of a known tool; None where the text is none."""
    for reader in _READERS:
        log = reader(text)
        if log is not None and log.rows:
            return log
    return None


def _one(text: str, sign: str, **cells: str | None) -> tuple[TextRow, ...]:
    """The one row of a log, at the line where its figure stands."""
    line = text[: text.index(sign)].count("\n") + 1
    return (TextRow(line, {name: cell for name, cell in cells.items() if cell}),)


def _group(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


def _stem(path: str) -> str:
    """File name of a model without its endings."""
    name = PurePath(path.strip().strip("'\"[]").replace("\\", "/")).name
    return re.sub(r"(\.(onnx|engine|plan|trt|xml|tflite|ort|pt|param))+$", "", name)


_TRTEXEC = (
    re.compile(r"^.*\] Latency: .*?median = (?P<ms>[\d.]+) ms.*$", re.MULTILINE),
    re.compile(r"\] Host Latency\b(?:\n.*)*?\n.*\] median: (?P<ms>[\d.]+) ms.*"),
)
"""The median of new versions and of those before TensorRT 8."""


def _trtexec(text: str) -> Log | None:
    found = (pattern.search(text) for pattern in _TRTEXEC)
    latency = next((one for one in found if one is not None), None)
    if latency is None:
        return None
    model = _group(r"Model: (\S+)", text) or _group(r"--(?:onnx|loadEngine)=(\S+)", text)
    precision = _group(r"\] Precision: (?:FP32\+)?(INT8|FP16|FP32)", text) or _group(
        r"--(int8|fp16|bf16|fp8)\b", text
    )
    shape = re.search(r"(?:Input build shape|--shapes=|optShapes=)\S*?[:=](\d+(?:x\d+){3})", text)
    sides = shape[1].split("x") if shape else []
    return Log(
        tool="trtexec",
        taken="median latency of a query, with the copies to and from the device",
        rows=_one(
            text,
            latency[0],
            timm_name=_stem(model),
            latency_ms=latency["ms"],
            runtime="tensorrt",
            precision=precision.lower(),
            batch=sides[0] if sides else "",
            input_h=sides[2] if sides else "",
        ),
    )


_NCNN = re.compile(
    r"^ *(?P<name>[\w.-]+) +min = +(?P<min>[\d.]+) +max = +(?P<max>[\d.]+) +avg = +(?P<avg>[\d.]+)"
)


def _benchncnn(text: str) -> Log | None:
    threads, gpu = _group(r"num_threads = (\d+)", text), _group(r"gpu_device = (-?\d+)", text)
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        found = _NCNN.match(line)
        if found is None:
            continue
        name = re.sub(r"[_-]int8$", "", found["name"])
        rows.append(TextRow(number, {
            "timm_name": name,
            "latency_ms": found["avg"],
            "runtime": "ncnn",
            "unit": "gpu" if gpu not in ("", "-1") else "cpu",
            "threads": "" if gpu not in ("", "-1") else threads,
            "precision": "int8" if name != found["name"] else "",
        }))  # fmt: skip
    return Log("benchncnn", "mean latency", tuple(rows)) if rows else None


def _openvino(text: str) -> Log | None:
    median = re.search(r"^.*\bMedian: +([\d.]+) ms.*$", text, re.MULTILINE)
    if median is None or not re.search(r"benchmark_app|\[Step \d+/\d+\]|OpenVINO", text):
        return None
    model = _group(r"(\S+\.(?:xml|onnx|tflite|pdmodel|pb))\b", text)
    device = _group(r"(?:^|\s)-d[ =](\w+)", text) or _group(r"Device: (\w+)", text)
    shape = re.search(r"\[(\d+),(\d+),(\d+),(\d+)\]", text.replace(" ", ""))
    batch = _group(r"(?:Model )?batch size: +(\d+)", text)
    return Log(
        tool="benchmark_app",
        taken="median latency",
        rows=_one(
            text,
            median[0],
            timm_name=_stem(model),
            latency_ms=median[1],
            runtime="openvino",
            unit=device.lower() if device.lower() in ("cpu", "gpu", "npu") else "",
            batch=batch,
            input_h=(shape[3] if shape[2] in ("1", "3") else shape[2]) if shape else "",
        ),
    )


def _onnxruntime(text: str) -> Log | None:
    median = re.search(r"^P50 Latency: ([\d.e-]+) ?s.*$", text, re.MULTILINE)
    mean = re.search(r"^Average inference time cost: ([\d.]+) ?ms.*$", text, re.MULTILINE)
    found = median or mean
    if found is None:
        return None
    value = f"{float(found[1]) * 1e3:.6g}" if median else found[1]
    model = _group(r"(\S+\.(?:onnx|ort))\b", text)
    return Log(
        tool="onnxruntime_perf_test",
        taken="median latency" if median else "mean latency",
        rows=_one(
            text,
            found[0],
            timm_name=_stem(model),
            latency_ms=value,
            runtime="onnxruntime",
            threads=_group(r"-x[ =](\d+)", text),
        ),
    )


def _tflite(text: str) -> Log | None:
    mean = re.search(r"^.*Inference \(avg\): ([\d.e+]+).*$", text, re.MULTILINE)
    if mean is None:
        return None
    graph = _group(r"Graph: (\S+)", text) or _group(r"--graph=(\S+)", text)
    threads = _group(r"num[_ ]threads: \[?(\d+)", text) or _group(r"--num_threads=(\d+)", text)
    on_gpu = re.search(r"use gpu: \[?1|--use_gpu=true", text, re.IGNORECASE)
    return Log(
        tool="benchmark_model",
        taken="mean latency",
        rows=_one(
            text,
            mean[0],
            timm_name=_stem(graph),
            latency_ms=f"{float(mean[1]) / 1e3:.6g}",
            runtime="tflite",
            unit="gpu" if on_gpu else "",
            threads="" if on_gpu else threads,
        ),
    )


_FORMATS = {
    "pytorch": "pytorch", "onnx": "onnxruntime", "openvino": "openvino", "tensorrt": "tensorrt",
    "coreml": "coreml", "tensorflow lite": "tflite", "tflite": "tflite", "ncnn": "ncnn",
    "mnn": "mnn", "executorch": "executorch", "rknn": "rknn",
}  # fmt: skip
"""Runtime by what ultralytics calls a format of export; the others name no runtime."""
_TIMED = re.compile(
    r"^\W*\d+\W+(?P<format>[A-Z][\w ().]*?)\s+(?:[│|]\s*)?(?:✅|❎|❌|\S)?[ │|]+"
    r"(?P<figures>[\d. │|naN-]+)$"
)


def _ultralytics(text: str) -> Log | None:
    if "Inference time (ms/im)" not in text:
        return None
    model = _group(r"[Bb]enchmarks complete for (\S+)", text) or _group(r"weights=(\S+)", text)
    side = _group(r"imgsz=(\d+)", text)
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        found = _TIMED.match(line.rstrip())
        figures = re.findall(r"\d+\.?\d*", found["figures"]) if found else []
        runtime = _FORMATS.get(found["format"].strip().lower()) if found else None
        if runtime and len(figures) >= 3:
            time = figures[-2] if "FPS" in text else figures[-1]
            rows.append(TextRow(number, {"timm_name": _stem(model), "latency_ms": time,
                                          "runtime": runtime, "input_h": side}))  # fmt: skip
    return Log("ultralytics benchmark", "inference time of one image", tuple(rows))


_READERS: tuple[Callable[[str], Log | None], ...] = (
    _trtexec, _benchncnn, _openvino, _onnxruntime, _tflite, _ultralytics,
)  # fmt: skip
