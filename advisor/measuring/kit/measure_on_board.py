#!/usr/bin/env python3
"""Time the networks of this kit with whatever runtime this board has, and write a CSV.

Stand-alone: needs Python 3.6 or newer and nothing else. Run it as

    python3 measure_on_board.py --runtime tensorrt -o measurements.csv

It drives trtexec (TensorRT), the Python packages onnxruntime and ncnn, benchncnn or benchmark_model
(TensorFlow Lite), whichever is there. 'advisor import measurements.csv' takes the table back.
"""

import argparse
import csv
import datetime
import glob
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

FOLDER = os.path.dirname(os.path.abspath(__file__))
COLUMNS = [
    "source", "source_ref", "date", "device", "chip", "unit", "runtime", "runtime_opts",
    "precision", "threads", "model_raw", "timm_name", "match", "input_h", "input_w", "batch",
    "latency_ms", "latency_min_ms", "latency_max_ms", "throughput_ips", "power_w", "energy_mj",
    "memory_mb", "top1", "top5", "notes", "session", "samples_ms",
]  # fmt: skip
LEAST_PASSES = 10
SAMPLES = 50
"""Samples of one figure that are written; of more, every so many-th is."""
Network = Dict[str, Any]
Kit = Dict[str, Any]
Found = Tuple[List[float], str]
"""Milliseconds of passes, and the version of the runtime."""


class Missing(Exception):
    """The runtime is not on this board."""


class Failed(Exception):
    """The runtime is there and did not give a figure."""


def median(values: List[float]) -> float:
    """Middle of the values."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def tool(name: str, *places: str) -> str:
    """Path of a program, on the PATH or at a usual place."""
    found = shutil.which(name) or next((p for p in places if os.access(p, os.X_OK)), None)
    if found is None:
        raise Missing(f"{name} is not on the PATH")
    return found


def output_of(command: List[str], budget: float) -> str:
    """Standard output and error of a program that has to succeed."""
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=budget * 20 + 600,
            text=True,
            cwd=FOLDER,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"{command[0]}: {error}")
    if done.returncode != 0:
        lines = done.stdout.strip().splitlines() or ["no message"]
        raise Failed(f"{command[0]} ended with {done.returncode}: {lines[-1][:200]}")
    return done.stdout


def with_onnxruntime(network: Network, wanted: argparse.Namespace) -> Found:
    """Milliseconds of each pass in ONNX Runtime, and its version."""
    try:
        import numpy
        import onnxruntime
    except ImportError as error:
        raise Missing(f"{error} (pip3 install onnxruntime)")
    if wanted.precision not in ("fp32", network["precision"]):
        raise Failed("onnxruntime runs the file as it is: {}".format(network["precision"]))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = wanted.threads
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    if wanted.unit == "gpu":
        providers = ["CUDAExecutionProvider"]
    try:
        session = onnxruntime.InferenceSession(
            os.path.join(FOLDER, network["file"]), options, providers=providers
        )
    except Exception as error:
        raise Failed(f"onnxruntime: {str(error).splitlines()[0]}")
    shape = [network["batch"], 3, network["resolution"], network["resolution"]]
    rng = numpy.random.RandomState(0)
    feed = {session.get_inputs()[0].name: rng.standard_normal(shape).astype("float32")}
    return passes(lambda: session.run(None, feed), wanted.budget), (
        f"onnxruntime {onnxruntime.__version__}"
    )


def passes(run: Callable[[], Any], budget: float) -> List[float]:
    """Warm up for a fifth of the time, then time single passes, in milliseconds."""
    start = time.perf_counter()
    count = 0
    while time.perf_counter() - start < budget / 5.0 or count < LEAST_PASSES:
        run()
        count += 1
    found = []  # type: List[float]
    start = time.perf_counter()
    while time.perf_counter() - start < budget or len(found) < LEAST_PASSES:
        begin = time.perf_counter()
        run()
        found.append((time.perf_counter() - begin) * 1e3)
    return found


def with_tensorrt(network: Network, wanted: argparse.Namespace) -> Found:
    """Milliseconds of each pass as trtexec writes them, and TensorRT's version."""
    program = tool("trtexec", "/usr/src/tensorrt/bin/trtexec", "/opt/tensorrt/bin/trtexec")
    times = os.path.join(FOLDER, "times.json")
    command = [
        program,
        "--onnx=" + network["file"],
        f"--duration={max(1, round(wanted.budget))}",
        f"--warmUp={round(wanted.budget * 200)}",
        "--exportTimes=" + times,
    ]
    command += {"fp16": ["--fp16"], "int8": ["--int8", "--fp16"]}.get(wanted.precision, [])
    if wanted.unit == "dla":
        command += ["--useDLACore=0", "--allowGPUFallback"]
    text = output_of(command, wanted.budget)
    version = re.search(r"TensorRT[ _.v\[]*(\d[\d.]*)", text)
    label = "tensorrt " + (version.group(1) if version else "of unknown version")
    try:
        with open(times) as stream:
            records = json.load(stream)
        os.remove(times)
        found = [one["latencyMs"] if "latencyMs" in one else one["computeMs"] for one in records]
    except (OSError, ValueError, KeyError, TypeError):
        found = []
    if not found:
        match = re.search(r"(?i)latency:.*?median = ([\d.]+) ms", text)
        if match is None:
            raise Failed("trtexec printed no latency")
        found = [float(match.group(1))]
    return found, label


def with_ncnn(network: Network, wanted: argparse.Namespace) -> Found:
    """Milliseconds of a pass in ncnn: as benchncnn prints them, else by the Python package."""
    param = network.get("ncnn_param")
    if not param:
        raise Failed("the kit holds no ncnn file of this network")
    try:
        program = tool("benchncnn", os.path.expanduser("~/ncnn/build/benchmark/benchncnn"))
    except Missing:
        return with_ncnn_package(network, param, wanted)
    loops = max(LEAST_PASSES, 50)
    shape = f"shape=[{network['resolution']},{network['resolution']},3]"
    gpu = "0" if wanted.unit == "gpu" else "-1"
    command = [program, str(loops), str(wanted.threads), "0", gpu, "0", "param=" + param, shape]
    text = output_of(command, wanted.budget)
    match = re.search(r"min\s*=\s*([\d.]+)\s+max\s*=\s*([\d.]+)\s+avg\s*=\s*([\d.]+)", text)
    if match is None:
        raise Failed("benchncnn printed no time")
    return [float(match.group(3))], "ncnn benchncnn"


def with_ncnn_package(network: Network, param: str, wanted: argparse.Namespace) -> Found:
    """Milliseconds of each pass by the Python package ncnn; weights are zeros, as benchncnn's."""
    try:
        import ncnn
    except ImportError as error:
        raise Missing(f"benchncnn is not on the PATH, and {error} (pip3 install ncnn)")
    net = ncnn.Net()
    net.opt.num_threads = wanted.threads
    net.opt.use_vulkan_compute = wanted.unit == "gpu"
    if net.load_param(os.path.join(FOLDER, param)) != 0:
        raise Failed(f"ncnn cannot read {param}")
    net.load_model(ncnn.DataReaderFromEmpty())
    image = ncnn.Mat(network["resolution"], network["resolution"], 3)
    image.fill(0.01)
    source, target = net.input_names()[0], net.output_names()[0]

    def run() -> None:
        extractor = net.create_extractor()
        extractor.input(source, image)
        extractor.extract(target)

    return passes(run, wanted.budget), "ncnn {} (Python)".format(getattr(ncnn, "__version__", ""))


def with_tflite(network: Network, wanted: argparse.Namespace) -> Found:
    """Milliseconds of a pass as benchmark_model prints them."""
    program = tool("benchmark_model", os.path.join(FOLDER, "benchmark_model"))
    path = os.path.join(FOLDER, os.path.splitext(network["file"])[0] + ".tflite")
    if not os.path.exists(path):
        raise Failed(f"convert {network['file']} and put it at {path}")
    command = [
        program,
        "--graph=" + path,
        f"--num_threads={wanted.threads}",
        f"--min_secs={wanted.budget:g}",
        f"--warmup_min_secs={wanted.budget / 5.0:g}",
    ]
    text = output_of(command, wanted.budget)
    match = re.search(r"Inference \(avg\): ([\d.e+]+)", text) or re.search(
        r"avg=([\d.e+]+)[^\n]*$", text.strip()
    )
    if match is None:
        raise Failed("benchmark_model printed no time")
    return [float(match.group(1)) / 1e3], "tflite benchmark_model"


RUNTIMES = {
    "tensorrt": with_tensorrt,
    "onnxruntime": with_onnxruntime,
    "ncnn": with_ncnn,
    "tflite": with_tflite,
}


def chip() -> str:
    """Name of the processor or board."""
    for path in ("/proc/device-tree/model", "/sys/firmware/devicetree/base/model"):
        try:
            with open(path) as stream:
                return stream.read().strip("\x00\n ")
        except (OSError, UnicodeDecodeError):
            continue
    try:
        with open("/proc/cpuinfo") as stream:
            names = re.findall(r"(?m)^(?:model name|Hardware|Model)\s*:\s*(.+)$", stream.read())
        return names[0].strip() if names else platform.machine()
    except OSError:
        return platform.machine()


def conditions() -> str:
    """Clock governor, load and highest temperature, as one line."""
    found = []
    for path in glob.glob("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"):
        with open(path) as stream:
            found.append("governor " + stream.read().strip())
    try:
        found.append(f"load {os.getloadavg()[0]:.1f}")
    except OSError:
        pass
    temperatures = []
    for path in glob.glob("/sys/class/thermal/thermal_zone*/temp"):
        try:
            with open(path) as stream:
                temperatures.append(int(stream.read()) / 1000.0)
        except (OSError, ValueError):
            continue
    if temperatures:
        found.append(f"{max(temperatures):.0f} degrees")
    return ", ".join(found)


def row(
    kit: Kit, network: Network, wanted: argparse.Namespace, session: int, timed: Found
) -> Dict[str, Any]:
    """One line of the table."""
    found, version = timed
    step = max(1, len(found) // SAMPLES)
    return {
        "source": "own",
        "source_ref": "kit " + kit["kit"],
        "date": datetime.date.today().isoformat(),
        "device": kit["device"],
        "chip": chip(),
        "unit": wanted.unit,
        "runtime": wanted.runtime,
        "runtime_opts": version,
        "precision": wanted.precision,
        "threads": wanted.threads if wanted.unit == "cpu" else "",
        "model_raw": network["name"],
        "timm_name": network["network"],
        "match": "exact",
        "input_h": network["resolution"],
        "input_w": network["resolution"],
        "batch": network["batch"],
        "latency_ms": f"{median(found):.6g}",
        "latency_min_ms": f"{min(found):.6g}",
        "latency_max_ms": f"{max(found):.6g}",
        "notes": conditions(),
        "session": session,
        "samples_ms": ";".join(f"{one:.6g}" for one in found[::step][:SAMPLES]),
    }


def chosen(wanted: argparse.Namespace) -> str:
    """The runtime asked for, or the first that this board has."""
    if wanted.runtime:
        return str(wanted.runtime)
    for name, there in (
        ("tensorrt", lambda: tool("trtexec", "/usr/src/tensorrt/bin/trtexec")),
        ("onnxruntime", lambda: __import__("onnxruntime")),
        ("ncnn", lambda: tool("benchncnn")),
        ("ncnn", lambda: __import__("ncnn")),
        ("tflite", lambda: tool("benchmark_model")),
    ):
        try:
            there()
        except (Missing, ImportError):
            continue
        return name
    sys.exit("no runtime found: install trtexec, onnxruntime, ncnn, benchncnn or benchmark_model")


def arguments(kit: Kit, argv: Optional[List[str]]) -> argparse.Namespace:
    """Read the command line; the kit's lane is the default."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runtime", choices=sorted(RUNTIMES), default=kit["runtime"] or None)
    parser.add_argument("--unit", default=kit["unit"])
    parser.add_argument("--precision", default=kit["precision"])
    parser.add_argument("--threads", type=int, default=kit["threads"] or os.cpu_count() or 1)
    parser.add_argument("--sessions", type=int, default=kit["sessions"])
    parser.add_argument("--budget", type=float, default=kit["budget"], help="seconds per network")
    parser.add_argument("--pause", type=float, default=kit["pause"], help="seconds between")
    parser.add_argument("-o", "--output", default="measurements.csv")
    return parser.parse_args(argv)


def done_before(path: str) -> Set[Tuple[str, int]]:
    """Pairs of network and session that an interrupted run has written."""
    if not os.path.exists(path):
        return set()
    with open(path, newline="") as stream:
        return {(r["model_raw"], int(r["session"] or 0)) for r in csv.DictReader(stream)}


def main(argv: Optional[List[str]] = None) -> int:
    """Time every network in every session; each figure is written as soon as it is known."""
    with open(os.path.join(FOLDER, "kit.json")) as stream:
        kit = json.load(stream)
    wanted = arguments(kit, argv)
    wanted.runtime = chosen(wanted)
    before = done_before(wanted.output)
    failures = 0
    new = not os.path.exists(wanted.output)
    with open(wanted.output, "a", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, restval="", lineterminator="\n")
        if new:
            writer.writeheader()
        for session in range(1, wanted.sessions + 1):
            for network in kit["networks"]:
                if (network["name"], session) in before:
                    continue
                try:
                    timed = RUNTIMES[wanted.runtime](network, wanted)
                except (Missing, Failed) as error:
                    failures += 1
                    sys.stderr.write("{}: {}\n".format(network["name"], error))
                    if isinstance(error, Missing):
                        return 1
                    continue
                writer.writerow(row(kit, network, wanted, session, timed))
                stream.flush()
                os.fsync(stream.fileno())
                sys.stderr.write(
                    f"{network['name']}, session {session}: {median(timed[0]):.4g} ms\n"
                )
            if session < wanted.sessions:
                time.sleep(wanted.pause)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
