"""Compression: teach, prune, distil and quantise a network, and judge every file that comes out.

What counts is measured: each file's accuracy is that of ONNX Runtime on the test images, its
latency is timed in turns with the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor import __version__
from advisor.answering.estimates import estimate
from advisor.answering.evidence import Evidence
from advisor.answering.trial import check_packages, models_of
from advisor.answering.write import now
from advisor.core.document import Figure
from advisor.core.extras import require
from advisor.core.measuring_request import CompressRequest
from advisor.core.quantity import Metric
from advisor.core.request import EstimateRequest
from advisor.core.spread import median_interval
from advisor.core.workload import Workload
from advisor.errors import AdvisorError, UsageError
from advisor.hardware.library import advisor_home
from advisor.measuring.runtimes.nncf_onnx import quantise_by_nncf
from advisor.measuring.runtimes.onnx_export import export_onnx
from advisor.measuring.runtimes.onnxruntime import OnnxEngine, quantise
from advisor.measuring.timing import MachineClock, Sample, Session, TimingPlan, WarmUp
from advisor.trials.batches import Part
from advisor.trials.bench import Bench, code_digest, environment, prepare
from advisor.trials.compressing import Compressor, TaughtNetwork
from advisor.trials.compression_record import (
    CompressedFile,
    CompressionRecord,
    CompressionRequest,
    PairedChange,
    TimedHere,
    TriedPlan,
)
from advisor.trials.paired_tests import paired_change
from advisor.trials.pruning_search import PlanOutcome, PruningPlan, PruningStudy
from advisor.trials.record import Recipe, Stage, TrialRequest
from advisor.trials.scoring import wilson
from advisor.trials.weights import file_digest

MOST = 0.9
"""Largest share of the channels that may go."""
CALIBRATION = 64
"""Training images by which the ranges of int8 are set."""
TIMING = TimingPlan(budget=40.0, warm_up_seconds=2.0)
QUICK = TimingPlan(budget=2.0, warm_up_seconds=0.5)
SHORT = 1 / 3
"""Share of the passes after the pruning that a plan gets while others are tried."""


@dataclass(frozen=True, kw_only=True)
class CompressionTask:
    """A compression to be done."""

    request: CompressionRequest
    folder: Path
    command: str
    """The command that gives the same compression."""


@dataclass(frozen=True, kw_only=True)
class _Exported:
    """A file with what is known of it before it is judged."""

    name: str
    path: Path
    precision: str
    workload: Workload
    drawn_from: Path
    """The float file of the same layers."""


def compress(
    task: CompressionTask, evidence: Evidence, *, tell: Callable[[str], None]
) -> CompressionRecord:
    """Compress and judge; TrialError or NetworkError where a step cannot be done."""
    asked = task.request
    _check_packages(asked)
    task.folder.mkdir(parents=True, exist_ok=True)
    home = advisor_home() / "trials"
    bench = prepare(asked.training, folder=task.folder, home=home)
    compressor = Compressor(bench=bench, tell=tell)
    taught = compressor.taught(asked.model)
    exported = _files(asked, compressor, taught, task.folder)
    tried: tuple[TriedPlan, ...] = ()
    if asked.search:
        found = _Search(asked, compressor, taught, task.folder, evidence).run(tell)
        tried = found.tried
        exported += found.files
    tell("judging and timing the files")
    told = [_told(one.path, compressor.part(taught, "test")) for one in exported]
    times = _timed(exported, compressor.part(taught, "test"), asked.training.threads)
    figures, lane = _estimated(asked, exported, taught.resolution, evidence)
    seen = [
        _Seen(told=classes, turns=turns, figure=figure)
        for classes, turns, figure in zip(told, times, figures, strict=True)
    ]
    files = tuple(_file(o, s, seen[0], bench) for o, s in zip(exported, seen, strict=True))
    return CompressionRecord(
        advisor_version=__version__,
        created=now(),
        command=task.command,
        request=asked,
        code=code_digest(),
        data=bench.record(),
        environment=environment(asked.training.threads),
        folder=str(task.folder),
        resolution=taught.resolution,
        lane=lane,
        weights=taught.run.weights,
        files=files,
        tried=tried,
        warnings=tuple(_warnings(taught, files, bench)),
    )


def _check_packages(asked: CompressionRequest) -> None:
    check_packages()
    require("compression", "torch_pruning", "onnxruntime", "onnx")
    if asked.quantise and asked.quantiser == "nncf":
        require("--quantiser nncf", "nncf")


def _files(
    asked: CompressionRequest, compressor: Compressor, taught: TaughtNetwork, folder: Path
) -> list[_Exported]:
    """Make every file: as trained, pruned or distilled, and each of them in int8."""
    teacher = compressor.taught(asked.distil_from) if asked.distil_from else None
    networks: list[tuple[str, Any]] = [("as trained", taught.network)]
    if asked.prune or asked.distil_from:
        words = [f"{100 * asked.prune:.0f} % pruned"] if asked.prune else []
        words += [f"distilled from {asked.distil_from}"] if asked.distil_from else []
        smaller = compressor.smaller(taught, asked.prune, asked.epochs, teacher)
        networks.append((", ".join(words), smaller))
    side, images = taught.resolution, _calibration(compressor.part(taught, "train"))
    found = []
    for name, network in networks:
        whole = _exported(asked, name, network, side, folder)
        found.append(whole)
        if asked.quantise:
            found.append(_in_int8(asked, whole, name, images))
    if asked.aware:
        name, network = networks[-1]
        aware = "int8-aware" if name == "as trained" else f"{name}, int8-aware"
        taught_so = compressor.aware(taught, network, asked.epochs, teacher)
        whole = _exported(asked, aware, taught_so, side, folder)
        found.append(replace(_in_int8(asked, whole, aware, images), name=aware))
    return found


def _exported(
    asked: CompressionRequest, name: str, network: Any, side: int, folder: Path
) -> _Exported:
    """Write a network as a float file."""
    path = folder / f"{_slug(asked.model, name)}.onnx"
    export_onnx(network, np.zeros((1, 3, side, side), np.float32), path)
    return _Exported(
        name=name, path=path, precision="fp32", workload=_counted(path, side), drawn_from=path
    )


def _in_int8(
    asked: CompressionRequest,
    whole: _Exported,
    name: str,
    images: tuple[NDArray[np.float32], ...],
) -> _Exported:
    """Write a float file again in int8."""
    target = whole.path.with_name(f"{whole.path.stem}-int8.onnx")
    _quantise(asked, whole.path, target, images)
    told = "int8" if name == "as trained" else f"{name}, int8"
    return replace(whole, name=told, path=target, precision="int8")


@dataclass(frozen=True, kw_only=True)
class _Searched:
    """What a search for ratios tried, and the files of the plan it chose."""

    tried: tuple[TriedPlan, ...]
    files: list[_Exported]


@dataclass(frozen=True)
class _Search:
    """Searches the ratios of groups of layers, and the precision."""

    asked: CompressionRequest
    compressor: Compressor
    taught: TaughtNetwork
    folder: Path
    evidence: Evidence

    def run(self, tell: Callable[[str], None]) -> _Searched:
        """Try plans, then teach the chosen one for the whole number of passes."""
        asked = self.asked
        study = PruningStudy(
            self.folder / f"{_slug(asked.model, 'search')}.log",
            precisions=("fp32", "int8") if asked.quantise else ("fp32",),
            most=asked.max_latency,
            seed=asked.training.seed,
        )
        teacher = self.compressor.taught(asked.distil_from) if asked.distil_from else None
        while study.done < asked.search:
            number, plan = study.ask()
            tell(f"plan {study.done + 1} of {asked.search}: {plan.name}")
            study.tell(number, self._outcome(plan, teacher))
        best = study.best()
        assert best is not None
        tried = tuple(
            TriedPlan(
                shares=one.plan.shares,
                precision=one.plan.precision,
                accuracy=one.accuracy,
                latency=one.latency,
                chosen=one == best,
            )
            for one in study.outcomes()
        )
        network = self.compressor.smaller(self.taught, best.plan.shares, asked.epochs, teacher)
        return _Searched(tried=tried, files=[self._file(network, best.plan, "searched")])

    def _outcome(self, plan: PruningPlan, teacher: TaughtNetwork | None) -> PlanOutcome | None:
        epochs = self.asked.epochs * SHORT
        network = self.compressor.smaller(self.taught, plan.shares, epochs, teacher)
        one = self._file(network, plan, "plan")
        part = self.compressor.part(self.taught, "validation")
        told = np.array(_told(one.path, part))
        accuracy = float((told == part.labels).mean())
        latency = self._latency(one)
        return (
            None if latency is None else PlanOutcome(plan=plan, accuracy=accuracy, latency=latency)
        )

    def _file(self, network: Any, plan: PruningPlan, kind: str) -> _Exported:
        side = self.taught.resolution
        path = self.folder / f"{_slug(self.asked.model, kind)}.onnx"
        export_onnx(network, np.zeros((1, 3, side, side), np.float32), path)
        workload = _counted(path, side)
        drawn_from = path
        if plan.precision == "int8":
            path = path.with_name(f"{path.stem}-int8.onnx")
            images = _calibration(self.compressor.part(self.taught, "train"))
            _quantise(self.asked, drawn_from, path, images)
        return _Exported(
            name=f"searched: {plan.name}",
            path=path,
            precision=plan.precision,
            workload=workload,
            drawn_from=drawn_from,
        )

    def _latency(self, one: _Exported) -> float | None:
        """Return the upper end of the device's estimate; without a device the time here."""
        if not self.asked.device:
            part = self.compressor.part(self.taught, "test")
            threads = self.asked.training.threads
            return float(np.median(_timed([one], part, threads, plan=QUICK)[0]))
        (figure,), _ = _estimated(self.asked, [one], self.taught.resolution, self.evidence)
        if isinstance(figure, str):
            raise AdvisorError(f"--search: no estimate for {self.asked.device}: {figure}")
        return figure.high


def _quantise(
    asked: CompressionRequest,
    model: Path,
    target: Path,
    images: tuple[NDArray[np.float32], ...],
) -> None:
    by = quantise_by_nncf if asked.quantiser == "nncf" else quantise
    by(model, target, images)


def _slug(model: str, name: str) -> str:
    kept = [c if c.isalnum() or c in "._" else "-" for c in f"{model}-{name}".replace(" % ", "-")]
    return "".join(kept).replace("--", "-")


def _counted(path: Path, side: int) -> Workload:
    from advisor.networks.onnx_file import describe_onnx

    return describe_onnx(path, resolution=side)


def _calibration(part: Part) -> tuple[NDArray[np.float32], ...]:
    """Return training images, spread over the part, one a batch."""
    chosen = np.linspace(0, len(part) - 1, min(CALIBRATION, len(part))).astype(int)
    some = replace(part, indices=part.indices[chosen])
    return tuple(images.numpy() for images, _ in some.in_order(1))


def _told(path: Path, part: Part) -> list[int]:
    """Return the class that a file tells for each image, as it will run: in ONNX Runtime."""
    engine = OnnxEngine(path, 1)
    told = []
    for images, _ in part.in_order(1):
        engine.load(np.ascontiguousarray(images.numpy()))
        engine.run()
        told.append(int(engine.result().argmax()))
    return told


def _timed(
    files: Sequence[_Exported], part: Part, threads: int, *, plan: TimingPlan | None = None
) -> list[list[float]]:
    """Time all files in turns, so that a drift of the machine meets them alike."""
    first = replace(part, indices=part.indices[:1])
    image = np.ascontiguousarray(next(iter(first.in_order(1)))[0].numpy())
    engines = [OnnxEngine(one.path, threads) for one in files]
    for engine in engines:
        engine.load(image)

    def listen(_: Sample | WarmUp) -> None:
        return None

    session = Session(
        passes={i: engine.run for i, engine in enumerate(engines)},
        clock=MachineClock(),
        listen=listen,
        plan=plan or TIMING,
    )
    session.run()
    return [session.turns[i] for i in range(len(files))]


def _estimated(
    asked: CompressionRequest, files: Sequence[_Exported], side: int, evidence: Evidence
) -> tuple[list[Figure | str], str]:
    """Estimate each file's latency on the device that was asked for; a gap is a reason."""
    if not asked.device:
        return ["no --device was named"] * len(files), ""
    found: list[Figure | str] = []
    lane = ""
    for one in files:
        request = EstimateRequest(
            candidates=(f"{one.drawn_from}@{side}",),
            devices=(asked.device,),
            runtime=asked.runtime,
            precisions=(one.precision,),
        )
        try:
            entry = estimate(request, evidence).estimates[0]
        except AdvisorError as error:
            found.append(str(error))
            continue
        lane = entry.lane if one.precision == "fp32" or not lane else lane
        gap = entry.gaps.get(Metric.LATENCY, "no estimate")
        found.append(entry.metrics.get(Metric.LATENCY, gap))
    return found, lane


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What a file showed: the classes it tells, the medians of its turns, its estimate."""

    told: Sequence[int]
    turns: Sequence[float]
    figure: Figure | str


def _file(one: _Exported, seen: _Seen, base: _Seen, bench: Bench) -> CompressedFile:
    level, truth = bench.request.level, bench.truth
    correct = sum(a == t for a, t in zip(seen.told, truth, strict=True))
    value, low, high = paired_change(base.told, seen.told, truth, level)
    change = PairedChange(value=value, low=low, high=high, level=level)
    turns, figure = seen.turns, seen.figure
    bounds = median_interval(turns) if len(turns) >= 6 else (min(turns), max(turns))
    middle = float(np.median(turns))
    return CompressedFile(
        name=one.name,
        file=one.path.name,
        sha256=file_digest(one.path),
        precision=one.precision,
        parameters=one.workload.parameters,
        macs=float(one.workload.macs),
        bytes=one.path.stat().st_size,
        accuracy=wilson(correct, len(truth), level),
        change=None if one.name == "as trained" else change,
        measured=TimedHere(
            median=middle,
            low=bounds[0],
            high=bounds[1],
            speed_up=float(np.median(base.turns)) / middle,
        ),
        estimated=figure if isinstance(figure, Figure) else None,
        gap=figure if isinstance(figure, str) else "",
    )


def _warnings(taught: TaughtNetwork, files: Sequence[CompressedFile], bench: Bench) -> list[str]:
    told = list(bench.record().warnings)
    if not taught.run.weights.trained:
        told.append(f"{taught.candidate.name} {taught.run.weights.statement}")
    told += [
        f"{one.name}: fewer parameters or bits, but not faster here ({one.measured.speed_up:.2f} ×)"
        for one in files[1:]
        if one.measured is not None and one.measured.speed_up < 1
    ]
    return told


def task_of_compression(asked: CompressRequest, evidence: Evidence) -> CompressionTask:
    """Return the compression that a request leads to; UsageError for unknown networks."""
    if not (asked.prune or asked.quantise or asked.distil_from or asked.search):
        raise UsageError(
            "nothing to do: give --prune 30%, --quantise int8, --distil-from NAME or --search 20"
        )
    if asked.aware and not asked.quantise:
        raise UsageError("--aware is about int8; give --quantise int8 too, or leave it out")
    if asked.limits and not asked.search:
        raise UsageError("--max-latency is a limit of --search; give --search 20 or leave it out")
    if asked.prune is not None and asked.prune > MOST:
        raise UsageError(f"--prune: {100 * asked.prune:g}% leaves too little; at most 90%")
    names = [asked.candidate, *([asked.distil_from] if asked.distil_from else [])]
    models = models_of(names, evidence)
    training = TrialRequest(
        data=asked.data,
        models=models,
        stages=(Stage.FINETUNE,),
        resolution=asked.resolution,
        epochs=asked.epochs,
        seed=asked.seed,
        recipe=Recipe(batch=asked.batch, mirror=asked.mirror, learning_rate=asked.learning_rate),
        train_images=asked.train_images,
        test_images=asked.test_images,
        weights=asked.weights,
        threads=asked.threads,
        level=asked.confidence,
    )
    request = CompressionRequest(
        model=models[0],
        prune=asked.prune or 0.0,
        quantise=bool(asked.quantise),
        quantiser=asked.quantiser,
        aware=asked.aware,
        distil_from=models[-1] if asked.distil_from else "",
        search=asked.search or 0,
        max_latency=asked.limits[0].at_most if asked.limits else None,
        epochs=asked.retrain,
        training=training,
        device=asked.device,
        runtime=asked.runtime or None,
    )
    return CompressionTask(request=request, folder=Path(asked.folder), command=asked.command())
