"""Requests that measure, take measurements in or train."""

from dataclasses import field
from typing import Annotated, ClassVar

from advisor.core.constraint import Constraint
from advisor.core.option import (
    CANDIDATES,
    FILE,
    FOLDER,
    SECONDS,
    WORDS,
    Choice,
    Factors,
    Flag,
    Form,
    NamedFiles,
    Option,
    Positive,
    Probability,
    Whole,
)
from advisor.core.question import Question
from advisor.core.request import (
    COUNT,
    LIMITS,
    SEED,
    LaneRequest,
    Level,
    Mirror,
    Models,
    Named,
    OnDevice,
    TestImages,
    TrainImages,
)


class TableRequest(LaneRequest):
    """How a file of measurements is to be read where it leaves something open."""

    columns: Annotated[
        dict[str, str],
        Option(name="column", form=NamedFiles(metavar="COLUMN=HEADER"),
               help="Header of a column, such as latency_ms='p50 (ms)'."),
    ] = field(default_factory=dict)  # fmt: skip
    decimal: Annotated[
        str,
        Option(form=Choice(names=("point", "comma")),
               help="Sign before the decimals, where the file may mean either."),
    ] = ""  # fmt: skip
    latency_unit: Annotated[
        str,
        Option(form=Choice(names=("s", "ms", "us", "ns")),
               help="Unit of a latency that states none, or a wrong one."),
    ] = ""  # fmt: skip
    model: Annotated[str, Option(help="Network of a log or table that names none.")] = ""
    force: Annotated[
        bool,
        Option(form=Flag(),
               help="Keep a table that is far from what is expected, or that names another chip."),
    ] = False  # fmt: skip


class CalibrateRequest(TableRequest):
    """A device whose estimates own measurements narrow."""

    COMMAND: ClassVar[str] = "calibrate"

    device: Annotated[str, Option(argument=True, help="Device profile.")]
    measurements: Annotated[
        str,
        Option(form=FILE, help="CSV of measurements to take in first; as for 'advisor import'."),
    ] = ""
    profile: Annotated[
        str, Option(form=FILE, help="Profile of the device, kept among your own.")
    ] = ""
    ip_family: Annotated[
        str,
        Option(help="Family of the unit's design, such as Hexagon, of a device without a profile."),
    ] = ""
    count: Annotated[
        int,
        Option(name="next", form=Whole(least=1, most=50),
               help="Networks to name that are worth measuring next."),
    ] = 5  # fmt: skip
    asked: Annotated[
        str,
        Option(name="for", form=Form(metavar="REQUEST.yaml"),
               help="Request as for 'advisor recommend --config': name the networks that settle "
               "its answer."),
    ] = ""  # fmt: skip


class KitRequest(LaneRequest, OnDevice):
    """Networks to pack for a board."""

    COMMAND: ClassVar[str] = "kit"

    models: Models
    sessions: Annotated[int, Option(form=COUNT, help="Repetitions on the board.")] = 3
    pause: Annotated[float, Option(form=SECONDS, help="Time between repetitions.")] = 60.0
    """Seconds."""
    budget: Annotated[float, Option(form=SECONDS, help="Time for one network.")] = 5.0
    """Seconds."""


class ImportRequest(TableRequest):
    """A table of measurements to take in."""

    COMMAND: ClassVar[str] = "import"

    table: Annotated[str, Option(form=FILE, argument=True, help="Table or log of measurements.")]
    device: Annotated[
        str | None, Option(help="Device profile that the figures are of; default the table's.")
    ] = None


class MeasureRequest(Question):
    """Networks to time here."""

    COMMAND: ClassVar[str] = "measure"

    candidates: Named
    runtimes: Annotated[
        tuple[str, ...],
        Option(name="runtime", form=WORDS,
               help="Runtimes, separated by commas: pytorch, torch-inductor, onnxruntime, "
               "openvino, ncnn, litert, tensorrt."),
    ] = ("onnxruntime",)  # fmt: skip
    precisions: Annotated[
        tuple[str, ...],
        Option(name="precision", form=WORDS,
               help="Precisions, separated by commas: fp32, bf16, fp16, int8."),
    ] = ("fp32",)  # fmt: skip
    unit: Annotated[str, Option(help="cpu or gpu.")] = "cpu"
    threads: Annotated[
        int, Option(form=COUNT, help="CPU threads; they are pinned to as many CPUs.")
    ] = 1
    batch: Annotated[int, Option(form=COUNT, help="Images of one pass.")] = 1
    device: Annotated[str, Option(help="Id of the device under which the figures are kept.")] = (
        "host"
    )
    sessions: Annotated[
        int,
        Option(form=COUNT,
               help="Repetitions, each in a process of its own; their spread is the interval."),
    ] = 3  # fmt: skip
    pause: Annotated[
        float, Option(form=SECONDS, help="Least time between the sessions of a group.")
    ] = 20.0
    """Seconds."""
    budget: Annotated[
        float, Option(form=SECONDS, help="Most time for one network in one session.")
    ] = 8.0
    """Seconds."""
    repeats: Annotated[
        int, Option(form=Whole(least=0), help="Times that a disturbed session is repeated.")
    ] = 1
    images: Annotated[
        str,
        Option(form=FOLDER, help="Folder of images that calibrate int8; default random ones."),
    ] = ""
    labelled: Annotated[
        str,
        Option(form=FOLDER, help="Folder with one folder of images per class: gives top-1."),
    ] = ""
    weights: Annotated[
        str, Option(form=FILE, help="State dict of the network; default random weights.")
    ] = ""
    memory: Annotated[
        bool,
        Option(name="no-memory", form=Flag(sets=False), help="Do not measure the peak memory."),
    ] = True
    pin: Annotated[
        bool,
        Option(
            name="no-pin", form=Flag(sets=False), help="Leave the choice of CPUs to the kernel."
        ),
    ] = True
    resume: Annotated[
        bool, Option(form=Flag(), help="Go on with an interrupted run of the same networks.")
    ] = False
    host: Annotated[
        str,
        Option(name="on", form=Form(metavar="USER@HOST"),
               help="Measure over ssh on a board that has the runtime but not the advisor."),
    ] = ""  # fmt: skip


class TeachRequest(Question):
    """Candidates to train on the user's own images."""

    COMMAND: ClassVar[str] = "trial"

    data: Annotated[
        str,
        Option(form=FILE, argument=True, help="Images ('advisor trial --help' lists the forms)."),
    ]
    models: Annotated[
        tuple[str, ...],
        Option(form=CANDIDATES, help="Networks, separated by commas; wildcards do."),
    ]
    look_at: Annotated[
        tuple[str, ...],
        Option(form=CANDIDATES,
               help="Networks that are not taught: how like the tried ones they see your images "
               "tells what to expect of them."),
    ] = ()  # fmt: skip
    stages: Annotated[tuple[str, ...], Option(form=WORDS, help="probe, finetune, scratch.")] = (
        "probe",
        "finetune",
    )
    epochs: Annotated[float, Option(form=Positive(), help="Passes over the training images.")] = 5.0
    steps: Annotated[int | None, Option(form=COUNT, help="Steps of each training, not epochs.")] = (
        None
    )
    budget: Annotated[
        float | None,
        Option(form=SECONDS,
               help="Time for everything, such as 2h, shared out equally; not epochs."),
    ] = None  # fmt: skip
    """Seconds."""
    resolution: Annotated[
        int | None,
        Option(form=Whole(least=8, most=2048),
               help="Side of the input for all; default each model's own."),
    ] = None  # fmt: skip
    train_images: TrainImages = None
    test_images: TestImages = None
    halving: Annotated[
        int, Option(form=COUNT, help="One of so many trainings goes on at each rung; 1 trains all.")
    ] = 1
    scales: Annotated[
        tuple[float, ...],
        Option(form=Factors(), help="Factors on the learning rate found; they compete."),
    ] = (1.0,)
    seed: Annotated[int, Option(form=SEED, help="Seed of the first repetition.")] = 0
    seeds: Annotated[int, Option(form=COUNT, help="Repetitions with further seeds.")] = 1
    weights: Annotated[
        dict[str, str],
        Option(form=NamedFiles(),
               help="Trained weights of a network; default the caches of this machine."),
    ] = field(default_factory=dict)  # fmt: skip
    augment: Annotated[
        str, Option(form=Choice(names=("none", "light", "strong")), help="How images are varied.")
    ] = "light"
    mirror: Mirror = True
    batch: Annotated[int, Option(form=Whole(least=2), help="Images of one step.")] = 32
    learning_rate: Annotated[
        float | None, Option(form=Positive(), help="Default: found for each network.")
    ] = None
    optimizer: Annotated[str, Option(help="A name of timm's.")] = "adamw"
    confidence: Level = 0.9
    threads: Annotated[
        int, Option(form=COUNT, help="CPU threads; the same number gives the same result.")
    ] = 1
    folder: Annotated[
        str,
        Option(form=FOLDER,
               help="Where weights and checkpoints go; default a folder of your data."),
    ] = ""  # fmt: skip
    storage: Annotated[
        str, Option(help="Study shared by several workers, such as postgresql://….")
    ] = ""
    worker: Annotated[
        bool, Option(form=Flag(), help="Join a trial of the same options; needs --storage.")
    ] = False
    track: Annotated[
        str,
        Option(form=Form(metavar="URI"),
               help="MLflow store that gets the runs too, such as sqlite:///mlflow.db."),
    ] = ""  # fmt: skip


class CompressRequest(Question):
    """A network to prune, distil and quantise on the user's images."""

    COMMAND: ClassVar[str] = "compress"

    candidate: Annotated[str, Option(argument=True, help="A name such as resnet18.")]
    data: Annotated[str, Option(form=FILE, help="Images, in any form that 'advisor trial' reads.")]
    folder: Annotated[str, Option(form=FOLDER, help="Where the ONNX files go.")]
    prune: Annotated[
        float | None,
        Option(form=Probability(), help="Share of every layer's channels that go, such as 30%."),
    ] = None
    quantise: Annotated[
        str, Option(form=Choice(names=("int8",)), help="Quantise weights and features: int8.")
    ] = ""
    quantiser: Annotated[
        str,
        Option(form=Choice(names=("onnxruntime", "nncf")), help="Who quantises to int8."),
    ] = "onnxruntime"
    aware: Annotated[
        bool,
        Option(form=Flag(),
               help="With --quantise: also teach it with the rounding of int8 in the loop."),
    ] = False  # fmt: skip
    distil_from: Annotated[str, Option(help="Network that teaches it.")] = ""
    search: Annotated[
        int | None,
        Option(form=COUNT,
               help="Plans to try: Optuna chooses what goes of each of four groups of layers, and "
               "with --quantise the precision."),
    ] = None  # fmt: skip
    limits: Annotated[tuple[Constraint, ...], LIMITS[:1]] = ()
    """Limit on the latency that the search keeps."""
    epochs: Annotated[float, Option(form=Positive(), help="Passes of the training before.")] = 5.0
    retrain: Annotated[float, Option(form=Positive(), help="Passes after the pruning.")] = 3.0
    resolution: Annotated[
        int | None, Option(form=Whole(least=8, most=2048), help="Side of the input.")
    ] = None
    train_images: TrainImages = None
    test_images: TestImages = None
    weights: Annotated[
        dict[str, str],
        Option(form=NamedFiles(),
               help="Trained weights of a network; default the caches of this machine."),
    ] = field(default_factory=dict)  # fmt: skip
    mirror: Mirror = True
    batch: Annotated[int, Option(form=Whole(least=2), help="Images of one step.")] = 32
    learning_rate: Annotated[
        float | None,
        Option(form=Positive(), help="Default: found before, 0.001 after the pruning."),
    ] = None
    seed: Annotated[int, Option(form=SEED, help="Seed of everything that is drawn.")] = 0
    threads: Annotated[int, Option(form=COUNT, help="CPU threads, of training and of timing.")] = 1
    confidence: Level = 0.9
    device: Annotated[str, Option(help="Device whose latency is estimated for each file.")] = ""
    runtime: Annotated[str, Option(help="Runtime of that device.")] = ""
