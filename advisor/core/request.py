"""Requests: what can be asked, one class for each command, one line for each option.

A field's annotation holds its option: adding one here adds it to the command line, to request
files, to the Python API and to the command that a result records. Quantities are SI.
"""

from dataclasses import field
from typing import Annotated, Any, ClassVar

from advisor.core.conditions import Conditions
from advisor.core.constraint import Constraint
from advisor.core.filed import Rule, field_names
from advisor.core.lane import MOST_BATCH, MOST_THREADS, Lane
from advisor.core.option import (
    CANDIDATES,
    FILE,
    FOLDER,
    ITEMS,
    SECONDS,
    WORDS,
    ExchangeRates,
    Flag,
    Form,
    InputSizes,
    LimitForm,
    Metrics,
    MetricWeights,
    NamedFiles,
    Needs,
    OneMetric,
    Option,
    Positive,
    Probability,
    ScopedLimit,
    Whole,
)
from advisor.core.quantity import Metric
from advisor.core.question import Question
from advisor.errors import UsageError


def _limit(name: str, metric: Metric, side: str, text: str) -> Option:
    return Option(name=name, form=LimitForm(metric=metric, side=side), help=text)


POWER_SCOPES = {
    "board": Metric.POWER,
    "chip": Metric.CHIP_POWER,
    "module": Metric.CHIP_POWER,
}
"""What a limit on the power may be of."""
LIMITS = (
    _limit("max-latency", Metric.LATENCY, "at_most", "Most time of one batch, such as 10ms."),
    _limit("min-throughput", Metric.THROUGHPUT, "at_least",
           "Least images a second, such as 30/s."),
    _limit("max-memory", Metric.PEAK_MEMORY, "at_most", "Most memory at once, such as 512MB."),
    _limit("max-weights", Metric.WEIGHTS, "at_most", "Largest weight size, such as 20MB."),
    _limit("max-flash", Metric.FLASH, "at_most",
           "Most program memory of a microcontroller, such as 2MB."),
    _limit("max-params", Metric.PARAMETERS, "at_most", "Most parameters, such as 5M."),
    _limit("max-macs", Metric.MACS, "at_most", "Most multiply-accumulates, such as 600M."),
    _limit("max-energy", Metric.ENERGY, "at_most", "Most energy of one image, such as 20mJ."),
    Option(name="max-power", form=ScopedLimit(scopes=POWER_SCOPES),
           help="Most average power: 5W of the board at its input, 3W:chip of the chip alone."),
    _limit("min-top1", Metric.TOP1, "at_least", "Least ImageNet-1k top-1, such as 75%."),
)  # fmt: skip
"""Options that set a limit; all fill ``limits``."""
RANKING = (
    Option(name="rank-by", form=OneMetric(), excludes=("weights",),
           help="Rank by one metric; default top1."),
    Option(name="weights", form=MetricWeights(), excludes=("rank_by",),
           help="Rank by several, as top1=0.6,latency=0.4."),
)  # fmt: skip
COUNT = Whole(least=1)
BATCH = Whole(most=MOST_BATCH)
THREADS = Whole(least=1, most=MOST_THREADS)
SEED = Whole(most=2**32 - 1)
Limits = Annotated[tuple[Constraint, ...], LIMITS]
Device = Annotated[str, Option(help="Device profile; 'advisor devices ls' lists all.")]
Devices = Annotated[
    tuple[str, ...], Option(name="device", form=WORDS, help="Device profiles, separated by commas.")
]
Named = Annotated[
    tuple[str, ...], Option(form=ITEMS, argument=True, help="Names such as mobilenetv2_100.")
]
Models = Annotated[
    tuple[str, ...], Option(form=CANDIDATES, help="Names or wildcards, separated by commas.")
]
Exclude = Annotated[
    tuple[str, ...], Option(form=CANDIDATES, help="Names or wildcards to leave out.")
]
HoldsWith = Annotated[
    float,
    Rule(gt=0.0, lt=1.0),
    Option(form=Probability(), help="Probability with which each limit has to hold, below 100%."),
]
Level = Annotated[
    float,
    Rule(gt=0.0, lt=1.0),
    Option(form=Probability(), help="Level of the intervals, above 0% and below 100%."),
]
Published = Annotated[
    bool,
    Option(name="no-published", form=Flag(sets=False),
           help="Predict even where a figure is published."),
]  # fmt: skip
Inputs = Annotated[
    dict[str, tuple[int, ...]],
    Option(name="input", form=InputSizes(),
           help="Inputs of a network of your own, without the batch: image=3x224x224,meta=4."),
]  # fmt: skip
Recipe = Annotated[
    str | None, Option(help="Training recipe whose accuracy is meant; default the family's.")
]
Top = Annotated[int, Rule(ge=1), Option(form=COUNT, help="Rows of the printed table.")]
ProfilesDir = Annotated[str, Option(form=FOLDER, help="Folder of your own device profiles.")]
TrainImages = Annotated[int | None, Option(form=Whole(least=4), help="Most images to learn from.")]
TestImages = Annotated[int | None, Option(form=Whole(least=4), help="Most images to judge by.")]
Mirror = Annotated[
    bool,
    Option(name="no-mirror", form=Flag(sets=False),
           help="Mirror images show something else (digits, text)."),
]  # fmt: skip


class OnDevice(Question):
    """What is asked of one device."""

    device: Device
    """Id of the device profile, or an alias."""


class LaneRequest(Question):
    """A lane as it is asked for; what is not stated is left to the device."""

    unit: Annotated[str | None, Option(help="cpu, gpu, npu, tpu or dla.")] = None
    runtime: Annotated[str | None, Option(help="Runtime, such as tensorrt or ncnn.")] = None
    precisions: Annotated[
        tuple[str, ...],
        Option(name="precision", form=WORDS, help="Precisions, separated by commas; they compete."),
    ] = ()
    """Empty takes the default lane's."""
    batch: Annotated[
        int | None,
        Option(form=BATCH, help="Images of one pass; 0: time per image of large batches."),
    ] = None
    threads: Annotated[int | None, Option(form=THREADS, help="CPU threads.")] = None
    variant: str | None = None
    profiles_dir: ProfilesDir = ""

    @property
    def precision(self) -> str | None:
        """The only precision, or None."""
        return self.precisions[0] if len(self.precisions) == 1 else None

    def fits(self, lane: Lane) -> bool:
        """Whether a lane is one that was asked for."""
        return (
            self.unit in (None, lane.unit)
            and self.runtime in (None, lane.runtime)
            and (not self.precisions or lane.precision in self.precisions)
            and self.batch in (None, lane.batch)
            and self.threads in (None, lane.threads)
        )

    def lane_fields(self) -> dict[str, Any]:
        """Return the fields of the lane, by name."""
        return {name: getattr(self, name) for name in field_names(LaneRequest)}

    def with_precision(self, precision: str | None) -> "LaneRequest":
        """Return the lane asked for at one precision."""
        fields = self.lane_fields() | {"precisions": (precision,) if precision else ()}
        return LaneRequest(**fields)

    def with_batch(self, batch: int) -> "LaneRequest":
        """Return the lane asked for at one batch."""
        return LaneRequest(**self.lane_fields() | {"batch": batch})

    def filled_by(self, stated: "LaneRequest") -> "LaneRequest":
        """Return the lane with what ``stated`` says of it, which goes first."""
        known = {name: value for name, value in stated.lane_fields().items() if value}
        return LaneRequest(**self.lane_fields() | known)

    def single(self, several: str) -> "LaneRequest":
        """Return the lane of a command that takes one; ``several`` says what is wrong with more."""
        if len(self.precisions) > 1:
            raise UsageError(f"--precision: {several}")
        return self.with_precision(self.precision)


class LaneQuestion(LaneRequest):
    """A lane as a question asks for it, with the conditions that the device runs under."""

    power_mode: Annotated[
        str | None,
        Option(help="Power mode or clock the device is set to, such as 15W; "
               "'advisor devices show' lists them."),
    ] = None  # fmt: skip
    runtime_version: Annotated[
        str | None, Option(help="Version of the runtime, such as 2.5 or 2.5.0.")
    ] = None

    @property
    def conditions(self) -> Conditions:
        """What is stated of how the device runs."""
        return Conditions(power_mode=self.power_mode, version=self.runtime_version)

    def question_fields(self) -> dict[str, Any]:
        """Return the fields of the lane and of its conditions, by name."""
        return {name: getattr(self, name) for name in field_names(LaneQuestion)}


class Request(LaneQuestion, OnDevice):
    """Everything that decides a recommendation; storing it makes the result repeatable."""

    COMMAND: ClassVar[str] = "recommend"

    limits: Limits = ()
    confidence: HoldsWith = 0.9
    """Probability with which each limit has to hold: the level of the intervals."""
    weights: Annotated[dict[Metric, float], RANKING] = field(
        default_factory=lambda: {Metric.TOP1: 1.0}
    )
    """Objectives and how much each counts; one alone is ``--rank-by``."""
    needs: Annotated[
        dict[Metric, float],
        Option(form=Needs(),
               help="What is needed, as latency=20ms: better than that has no more value where "
               "several objectives count. Default: the limit."),
    ] = field(default_factory=dict)  # fmt: skip
    """Beyond which a metric is worth no more, SI."""
    models: Models = ()
    """Wildcards over candidate names; empty takes the whole catalog."""
    exclude: Exclude = ()
    licenses: Annotated[
        tuple[str, ...],
        Option(name="license", form=WORDS, help="Licences of the weights, as apache*,mit."),
    ] = ()
    all_weights: Annotated[
        bool, Option(form=Flag(), help="Keep every set of weights of a network.")
    ] = False
    """Otherwise the best of an architecture stands for all."""
    published: Published = True
    """Use published figures where there are some; otherwise predict everything."""
    search: Annotated[
        int, Rule(ge=0), Option(form=Whole(least=0), help="Searched variants that compete.")
    ] = 0
    pruned: Annotated[
        bool,
        Option(form=Flag(),
               help="Networks without 30% of their channels compete too, with the accuracy change "
               "that was published of their family."),
    ] = False  # fmt: skip
    measure: Annotated[
        int,
        Rule(ge=0),
        Option(form=Whole(least=0),
               help="Networks that decide the answer to time here first; needs --device host."),
    ] = 0  # fmt: skip
    accuracy_from: Annotated[
        str,
        Option(form=Form(metavar="TRIAL.json"),
               help="Rank by the accuracy on your own images; 'advisor trial' writes the file."),
    ] = ""  # fmt: skip
    """Empty for ImageNet's."""
    top: Top = 10
    seed: Annotated[int, Option(form=SEED, help="Seed of the search.")] = 0
    use_case: Annotated[
        str,
        Option(form=Form(metavar="NAME"),
               help="Preset of limits and weights: drone-navigation, smart-camera …"),
    ] = ""  # fmt: skip


class CompareRequest(LaneQuestion):
    """Candidates side by side on some devices."""

    COMMAND: ClassVar[str] = "compare"

    candidates: Named
    devices: Devices
    confidence: Level = 0.9
    published: Published = True
    inputs: Inputs = field(default_factory=dict)

    def on_each_device(self) -> list[Request]:
        """Return the request for each device."""
        return [
            Request(
                device=device,
                **self.question_fields(),
                confidence=self.confidence,
                published=self.published,
            )
            for device in self.devices
        ]


class EstimateRequest(CompareRequest):
    """Metrics of candidates on some devices."""

    COMMAND: ClassVar[str] = "estimate"

    metrics: Annotated[
        tuple[Metric, ...],
        Option(name="metric", form=Metrics(),
               help="Metrics to print, separated by commas; default all."),
    ] = ()  # fmt: skip
    recipe: Recipe = None


class QuestionsRequest(Question):
    """A table of latency questions; its rows name candidates, devices and lanes."""

    COMMAND: ClassVar[str] = "estimate"

    table: Annotated[str, Option(form=FILE, help="CSV with one question a row.")]
    allow_modules: Annotated[
        bool,
        Option(form=Flag(), help="Let a table name module:factory, whose code is then run."),
    ] = False
    confidence: Level = 0.9
    published: Published = True
    profiles_dir: ProfilesDir = ""


class ExplainRequest(LaneQuestion, OnDevice):
    """One candidate on one device."""

    COMMAND: ClassVar[str] = "explain"

    candidate: Annotated[str, Option(argument=True, help="A name such as mobilenetv2_100.")]
    confidence: Level = 0.9
    published: Published = True
    inputs: Inputs = field(default_factory=dict)

    def on_its_device(self) -> Request:
        """Return the request for the device."""
        return Request(
            device=self.device,
            **self.question_fields(),
            confidence=self.confidence,
            published=self.published,
        )


class SearchRequest(LaneQuestion, OnDevice):
    """A search for variants within limits."""

    COMMAND: ClassVar[str] = "search"

    families: Annotated[
        tuple[str, ...],
        Option(
            name="family",
            form=WORDS,
            help="Families that compete, separated by commas; 'advisor search --list' lists them.",
        ),
    ]
    limits: Limits = ()
    confidence: HoldsWith = 0.9
    objectives: Annotated[
        tuple[Metric, ...],
        Option(name="objective", form=Metrics(),
               help="Metrics of the front, separated by commas."),
    ] = (Metric.TOP1, Metric.LATENCY)  # fmt: skip
    recipe: Recipe = None
    trials: Annotated[int, Rule(ge=1), Option(form=COUNT, help="Variants to try.")] = 1000
    seconds: Annotated[
        float | None, Option(name="time", form=SECONDS, help="Stop after this, such as 60s.")
    ] = None
    stagnation: Annotated[
        int | None,
        Option(form=COUNT, help="Stop after so many trials without a new member of the front."),
    ] = None
    sampler: Annotated[str, Option(help="nsga2, nsga3, tpe, gp or random.")] = "nsga2"
    seed: Annotated[int, Option(form=SEED, help="Seed of the search.")] = 0
    storage: Annotated[
        str,
        Option(help="FILE (journal), sqlite:///FILE, postgresql://… or grpc://HOST:PORT; "
               "default a file of your own for each search."),
    ] = ""  # fmt: skip
    study: Annotated[str, Option(help="Name within the storage.")] = "search"
    resume: Annotated[
        bool, Option(form=Flag(), help="Go on with the study of the same search.")
    ] = False
    worker: Annotated[
        bool, Option(form=Flag(), help="Work on a shared study; needs --storage.")
    ] = False
    data: Annotated[
        str,
        Option(form=FILE,
               help="Your images, in any form that 'advisor trial' reads: the most promising "
               "variants are trained on them, and the search goes on with what they reach."),
    ] = ""  # fmt: skip
    budget: Annotated[
        float | None, Option(form=SECONDS, help="Time for all training, such as 4h.")
    ] = None
    """Seconds."""
    epochs: Annotated[
        float | None,
        Option(form=Positive(), help="Passes of each training, in place of --budget; default 5."),
    ] = None
    rounds: Annotated[
        int, Option(form=COUNT, help="Times that variants are trained and the search goes on.")
    ] = 3
    train: Annotated[int, Option(form=COUNT, help="Variants trained in each round.")] = 3
    training_weights: Annotated[
        dict[str, str],
        Option(form=NamedFiles(),
               help="Trained weights of a stock network, which its variants inherit; default the "
               "caches of this machine."),
    ] = field(default_factory=dict)  # fmt: skip
    train_images: TrainImages = None
    test_images: TestImages = None
    mirror: Mirror = True
    training_batch: Annotated[
        int, Option(form=Whole(least=2), help="Images of one step of the training.")
    ] = 32
    training_threads: Annotated[int, Option(form=COUNT, help="CPU threads of the training.")] = 1
    folder: Annotated[
        str,
        Option(form=FOLDER,
               help="Where weights, ONNX files and checkpoints go; default a folder of your data."),
    ] = ""  # fmt: skip
    top: Top = 10


class PurchaseRequest(Question):
    """Devices to review for a purchase."""

    COMMAND: ClassVar[str] = "procure"

    devices: Annotated[
        tuple[str, ...], Option(form=WORDS, help="Device profiles, separated by commas.")
    ]
    limits: Limits = ()
    confidence: HoldsWith = 0.9
    models: Models = ()
    exclude: Exclude = ()
    profiles_dir: ProfilesDir = ""
    quantity: Annotated[int | None, Option(form=COUNT, help="Devices to buy.")] = None
    years: Annotated[float | None, Option(form=Positive(), help="Years of use.")] = None
    duty_cycle: Annotated[
        str | None,
        Option(form=Form(metavar="PERCENT"), help="Share of the time under load, such as 40%."),
    ] = None
    tariff: Annotated[
        str | None,
        Option(form=Form(metavar="MONEY"), help="Price of energy, such as 0.30EUR/kWh."),
    ] = None
    currency: Annotated[str | None, Option(help="Currency of the review; default USD.")] = None
    fx: Annotated[
        dict[str, float],
        Option(form=ExchangeRates(), help="US dollars for one unit of a currency: EUR=1.10."),
    ] = field(default_factory=dict)
    co2: Annotated[
        str | None,
        Option(form=Form(metavar="GRAMS"),
               help="CO2 of a kilowatt-hour where the devices run, such as 350g/kWh."),
    ] = None  # fmt: skip
    baseline: Annotated[
        str | None, Option(help="Device to compare the others with; default the first.")
    ] = None
    assumptions: Annotated[
        str, Option(form=FILE, help="YAML file of prices, effort and weights.")
    ] = ""
    fresh: Annotated[
        bool,
        Option(name="no-stale", form=Flag(), help="Refuse prices that are old or have no date."),
    ] = False
