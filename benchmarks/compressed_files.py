"""How often the estimate's interval holds the measured latency of compressed files on this machine.

    export ADVISOR_HOME=$(mktemp -d)
    advisor devices detect
    python -m benchmarks.compressed_files [--calibrated] [--side 224]

Five networks, each whole, 30 % and 50 % pruned, in fp32 and int8, of which those that cannot be
followed are left out. Weights are random: how long a file takes does not depend on them. The
measurement is the least processor time of a pass of one thread, in turns, which a busy machine
disturbs least. The estimate knows the profile of this machine and what others published of like
ones; with ``--calibrated`` the whole networks' timings too, and only the pruned files count. The
estimator learns from timings at inputs that the catalog has counted: 224 pixels, not all at 96.
"""

import argparse
import math
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from advisor.answering.estimates import estimate
from advisor.answering.evidence import Evidence
from advisor.cli.main import run
from advisor.core.candidate import Candidate
from advisor.core.document import Figure
from advisor.core.quantity import Metric, Unit, human
from advisor.core.request import EstimateRequest
from advisor.errors import AdvisorError
from advisor.measuring.runtimes.onnx_export import export_onnx
from advisor.measuring.runtimes.onnxruntime import OnnxEngine, quantise
from advisor.trials.classifiers import classifier
from advisor.trials.pruning import prune
from benchmarks.shares import share_with_error

NETWORKS = ("resnet18", "mobilenetv2_100", "lcnet_050", "mobilenetv3_small_100", "resnet34")
SHARES = (0.0, 0.3, 0.5)
SIDE = 96
ROUNDS, PASSES, CLASSES = 12, 8, 1000


@dataclass(frozen=True, kw_only=True)
class TimedFile:
    """A file, and the float file of the same layers."""

    name: str
    path: Path
    drawn_from: Path
    precision: str
    family: str
    share: float
    """Of the channels that went."""


def files_in(folder: Path, side: int) -> list[TimedFile]:
    """Make the files."""
    rng = np.random.default_rng(0)
    images = tuple(rng.normal(size=(1, 3, side, side)).astype(np.float32) for _ in range(8))
    found = []
    for name in NETWORKS:
        for share in SHARES:
            network = classifier(Candidate.parse(name), side, CLASSES, seed=0, weights=None).eval()
            whole = folder / f"{name}-{100 * share:.0f}.onnx"
            small = whole.with_name(f"{whole.stem}-int8.onnx")
            try:
                export_onnx(prune(network, side, share) if share else network, images[0], whole)
                quantise(whole, small, images)
            except AdvisorError as error:
                print(f"{whole.stem}: left out: {error}")
                continue
            for path, precision in ((whole, "fp32"), (small, "int8")):
                found.append(
                    TimedFile(
                        name=path.stem,
                        path=path,
                        drawn_from=whole,
                        precision=precision,
                        family=name,
                        share=share,
                    )
                )
    return found


def timed(files: list[TimedFile], side: int) -> list[float]:
    """Return the least processor time of a pass of each file, in seconds."""
    engines = [OnnxEngine(one.path, 1) for one in files]
    image = np.zeros((1, 3, side, side), np.float32)
    for engine in engines:
        engine.load(image)
        for _ in range(5):
            engine.run()
    least = [math.inf] * len(files)
    for _ in range(ROUNDS):
        for place, engine in enumerate(engines):
            began = time.thread_time()
            for _ in range(PASSES):
                engine.run()
            least[place] = min(least[place], (time.thread_time() - began) / PASSES)
    return least


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="coverage over compressed files")
    parser.add_argument("--calibrated", action="store_true")
    parser.add_argument("--side", type=int, default=SIDE)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        files = files_in(Path(place), asked.side)
        times = dict(zip(files, timed(files, asked.side), strict=True))
        if asked.calibrated:
            teach(times, Path(place) / "whole.csv", asked.side)
            times = {one: seconds for one, seconds in times.items() if one.share}
        evidence = Evidence()
        inside: list[bool] = []
        by_family: dict[str, list[bool]] = {}
        ratios: list[float] = []
        for one, seconds in times.items():
            figure = estimated(one, asked.side, evidence)
            if figure is None:
                continue
            holds = figure.low <= seconds <= figure.high
            inside.append(holds)
            by_family.setdefault(one.family, []).append(holds)
            ratios.append(seconds / figure.value)
            text = [human(v, Unit.SECOND) for v in (seconds, figure.value, figure.low, figure.high)]
            print(f"{one.name}: {text[0]}, estimated {text[1]} ({text[2]} to {text[3]})"
                  f"{'' if holds else ' OUTSIDE'}")  # fmt: skip
    shares = [float(np.mean(held)) for held in by_family.values()]
    print(f"{sum(inside)} of {len(inside)} files within the 90 % interval; networks alike "
          f"{share_with_error(shares)}")  # fmt: skip
    off = np.exp(np.abs(np.log(ratios))) - 1
    print(f"median error {np.median(off):.0%}; measured by estimated {np.median(ratios):.2f}")


def teach(times: dict[TimedFile, float], table: Path, side: int) -> None:
    """Take the timings of the whole networks in as this machine's own."""
    head = "timm_name,input_h,runtime,precision,threads,batch,latency_ms"
    rows = [
        f"{one.family},{side},onnxruntime,{one.precision},1,1,{1e3 * seconds:.5f}"
        for one, seconds in times.items()
        if not one.share
    ]
    table.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    code = run(["calibrate", "host", "--measurements", str(table), "--force"])
    if code:
        raise SystemExit(code)


def estimated(one: TimedFile, side: int, evidence: Evidence) -> Figure | None:
    """Return the estimate on this machine, from its profile and others' measurements."""
    request = EstimateRequest(
        candidates=(f"{one.drawn_from}@{side}",),
        devices=("host",),
        runtime="onnxruntime",
        precisions=(one.precision,),
        threads=1,
    )
    entry = estimate(request, evidence).estimates[0]
    found = entry.metrics.get(Metric.LATENCY)
    if found is None:
        print(f"{one.name}: {entry.gaps.get(Metric.LATENCY, 'no estimate')}")
    return found


if __name__ == "__main__":
    main()
