"""Recommendation and estimates: what was answered, as files hold it.

Every report is rendered from these documents and nothing else. Quantities are SI; a figure never
goes without its interval, its origin and its source.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, fields
from itertools import product
from typing import Annotated, Literal

from advisor.core.constraint import Verdict
from advisor.core.estimate import Estimate, Origin
from advisor.core.filed import LARGEST, AboveZero, Document, Fraction, Listed, NotNegative
from advisor.core.lane import Lane
from advisor.core.quantity import Metric, Unit, human_interval
from advisor.core.request import Request

_ROUNDING = 1e-9


class ConvergencePoint(Document):
    """How good the front was after some trials."""

    trials: int
    hypervolume: float
    """Dominated share of the box that all feasible trials span, 0 to 1."""
    front: int


class SearchedPoint(Document):
    """One trial of the search, for the scatter plot."""

    number: int
    family: str
    candidate: str
    feasible: bool
    values: tuple[float, ...]
    """The objectives in SI, in their order; empty where it was pruned or failed."""


class SearchedVariant(Document):
    """A member of the front: what it takes to make it real, and what does without."""

    candidate: str
    family: str
    recipe: str
    epochs: int
    epochs_basis: str
    images: int
    """Images of the training set."""
    macs: NotNegative
    """Multiply-accumulates of one image."""
    training_macs: NotNegative
    """Multiply-accumulates of one training run: epochs × images × MACs × 3."""
    trained: str = ""
    """The most accurate trained network that is not slower; empty where there is none."""
    trained_top1_lost: float = 0.0
    """What it gives up in top-1, a fraction; negative where it is better."""
    trained_latency_ratio: NotNegative = 0.0
    """Its latency by that of the variant."""


class TrainedVariant(Document):
    """A variant that the search trained on the user's images."""

    candidate: str
    round: int
    """In which it was trained, from 1."""
    start: str
    """What its training started from, for people."""
    epochs: NotNegative
    latency: "Figure | None"
    expected: "Figure | None"
    """Accuracy that was expected before the training; None in the first round."""
    measured: "Figure"
    """Accuracy on the test images."""
    on_front: bool
    """Whether no other trained variant beats it in latency and accuracy at once."""
    files: tuple[str, ...]
    """Weights, ONNX, Python and YAML."""
    folder: str


class UntrainedVariant(Document):
    """A member of the predicted front that was not trained."""

    candidate: str
    latency: "Figure | None"
    expected: "Figure"
    """Accuracy on the user's images that the trained variants let expect."""


class SearchRecord(Document):
    """One search from request to front."""

    families: tuple[str, ...]
    objectives: tuple[Metric, ...]
    sampler: str
    seed: int
    trials: int
    pruned: int
    failed: int
    feasible: int
    stopped: str
    """trials, time, stagnation, interrupted or exhausted."""
    seconds: NotNegative
    variants: tuple[SearchedVariant, ...]
    """The front, best first objective first; the nearest misses where nothing is feasible."""
    points: tuple[SearchedPoint, ...] = ()
    """Every trial; empty where a recommendation holds the record."""
    convergence: tuple[ConvergencePoint, ...]
    importances: dict[Metric, dict[str, float]]
    """Share of each objective's variation that an axis explains."""

    data: str = ""
    """Images that variants were trained on; empty where none were."""
    taught: tuple[TrainedVariant, ...] = ()
    """Variants trained on them, in the order of training."""
    untaught: tuple[UntrainedVariant, ...] = ()
    """Members of the last predicted front that were not trained."""

    def said_against_itself(self) -> Iterator[str]:
        """Yield more trials of some kind than there were."""
        yield from super().said_against_itself()
        if max(self.feasible, self.pruned + self.failed) > self.trials:
            told = f"{self.feasible} feasible, {self.pruned} pruned, {self.failed} failed"
            yield f"{told} of {self.trials} trials"

    def without_points(self) -> "SearchRecord":
        """Return the record as a recommendation holds it, without its trials."""
        return self.model_copy(update={"points": ()})


class Figure(Document):
    """A value with its interval, origin and source."""

    value: float
    low: float
    high: float
    level: float
    unit: Unit
    origin: Origin
    source: str
    date: str = ""
    caveats: tuple[str, ...] = ()
    shared: tuple[float, ...] = ()
    """How far the error follows each error that the lane's figures share; empty where none."""

    @property
    def _range(self) -> tuple[float, float]:
        return 0.0, 1.0 if self.unit is Unit.FRACTION else LARGEST

    @staticmethod
    def of(estimate: Estimate) -> "Figure":
        """Write an Estimate as a figure."""
        return Figure(
            value=estimate.value,
            low=estimate.interval.low,
            high=estimate.interval.high,
            level=estimate.interval.level,
            unit=estimate.metric.unit,
            origin=estimate.provenance.origin,
            source=estimate.provenance.source,
            date=estimate.provenance.date,
            caveats=estimate.provenance.caveats,
            shared=estimate.shared,
        )


class LaneRecord(Document):
    """The lane that was used, and what else the device offers."""

    device: str
    device_name: str
    unit: str
    runtime: str
    precision: str
    threads: int | None
    batch: int
    """0: steady state of a large batch that differs by figure."""
    variant: str
    name: str
    is_default: bool
    """Whether it was taken because nothing else was asked for."""
    published_networks: int
    """Networks with a published figure for exactly this lane."""
    others: tuple[str, ...] = ()
    """Names of the device's other lanes with evidence."""

    @property
    def lane(self) -> Lane:
        """The lane itself."""
        return Lane(**{field.name: getattr(self, field.name) for field in fields(Lane)})

    @staticmethod
    def of(
        lane: Lane, *, device_name: str, is_default: bool, published: int, others: Iterable[Lane]
    ) -> "LaneRecord":
        """Write a lane down; ``others`` are all of the device's lanes with evidence."""
        return LaneRecord(
            **{field.name: getattr(lane, field.name) for field in fields(Lane)},
            device_name=device_name,
            name=lane.name,
            is_default=is_default,
            published_networks=published,
            others=tuple(other.name for other in others if other != lane),
        )


class Entry(Document):
    """One candidate with everything known of it."""

    rank: int | None = None
    candidate: str
    architecture: str
    tag: str | None = None
    resolution: int
    width: AboveZero = 1.0
    depth: AboveZero = 1.0
    axes: dict[str, float] = field(default_factory=dict)
    precision: str
    lane: str
    """Name of the lane that the figures belong to."""
    verdict: Verdict
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    """Verdict per limit, by metric; of the device's own limits as ``device_peak_memory``, and as
    ``runs`` where it is not known to run."""
    margins: dict[str, float] = field(default_factory=dict)
    """Room left per limit beyond what is surely kept, as a share of the limit."""
    probability: float | None = None
    """Probability of keeping every limit at once; None where ``probability_gap`` says why."""
    probability_gap: str = ""
    tie: str = ""
    """Why it comes before or after others that differ by less than is known; empty where it does
    not."""
    score: float | None = None
    """Weighted score where several objectives count; higher is better."""
    on_front: bool = False
    metrics: dict[Metric, Figure]
    alternatives: dict[Metric, tuple[Figure, ...]] = field(default_factory=dict)
    """Weaker figures of the same metrics."""
    gaps: dict[Metric, str] = field(default_factory=dict)
    license: str = ""
    training_data: str = ""
    needs_training: bool = False
    recipe: str = ""
    """Training recipe whose accuracy is meant, for variants nobody has trained."""
    other_weights: int = 0
    """Other published weights of the same architecture and resolution."""
    time_by_operator: dict[str, Fraction] = field(default_factory=dict)
    """Share of the latency per operator class, where it was estimated."""
    settle: str = ""
    """Command that would turn an uncertain verdict into a definite one."""

    def said_against_itself(self) -> Iterator[str]:
        """Yield a probability that is none, and a rank that no list has."""
        yield from super().said_against_itself()
        yield from _misfiled(self.metrics, self.alternatives)
        if self.probability is not None and not -_ROUNDING <= self.probability <= 1 + _ROUNDING:
            yield f"probability {self.probability} is none; allowed: 0 to 1"
        if self.rank is not None and self.rank < 1:
            yield f"rank {self.rank} is none; the first has 1"


class Rejection(Document):
    """A candidate that does not meet a limit, and by how much."""

    candidate: str
    constraint: str
    """Metric of the limit that it fails by the most; ``runs`` where the lane cannot run it."""
    reason: str
    excess: NotNegative
    """Distance of the value from the limit, as a share of the limit."""
    precision: str
    lane: str
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    """Verdict per limit, as an entry's."""
    metrics: dict[Metric, Figure]
    gaps: dict[Metric, str] = field(default_factory=dict)
    license: str = ""

    def said_against_itself(self) -> Iterator[str]:
        """Yield a figure in another unit than its metric's."""
        yield from super().said_against_itself()
        yield from _misfiled(self.metrics)


class Relaxation(Document):
    """The smallest change of one limit that would admit a candidate, all other limits kept."""

    metric: Metric
    limit: NotNegative
    """The limit as asked, SI."""
    relaxed: NotNegative
    """The limit that would do, SI."""
    candidate: str
    text: str


class LedgerLine(Document):
    """How many candidates one limit turned away."""

    constraint: str
    rejected: int
    uncertain: int
    only: int
    """Candidates rejected by this limit alone."""


class Input(Document):
    """A file the answer rests on, so that a reviewer can tell whether it changed."""

    name: str
    sha256: str


class Rival(Document):
    """A candidate that takes the first place in some of the draws."""

    candidate: str
    precision: str
    share: Fraction
    """Share of the draws in which it is the best."""


class LimitStep(Document):
    """The answer under another limit, everything else kept."""

    metric: Metric
    limit: float
    """The other limit, SI."""
    first: str
    """Best candidate; empty where none meets every limit."""
    met: int
    """Candidates that meet every limit."""


class WeightStep(Document):
    """How much one metric would have to count for another candidate to come first."""

    metric: Metric
    break_even: float | None
    """Weight of the metric, all others keeping their proportions; None where no weight does."""
    first: str
    """Who comes first beyond it; the present first where nothing changes."""


class Sensitivity(Document):
    """How firmly the first candidate stands."""

    draws: int
    seed: int
    first_stays: Fraction
    """Share of the draws from all intervals in which the first candidate is still the best."""
    first_keeps: Fraction
    """Share of the draws in which the first candidate keeps every limit."""
    uncertain_wins: Fraction
    """Share of the draws in which an uncertain candidate keeps the limits and is better still."""
    rivals: tuple[Rival, ...]
    limits: tuple[LimitStep, ...]
    weights: tuple[WeightStep, ...]


class Pick(Document):
    """One of the three answers: a network, and what speaks for it."""

    candidate: str
    precision: str
    lane: str
    probability: Fraction | None
    """Probability of keeping every limit."""
    gain: float
    """What it is expected to gain on the safe answer: points of top-1 as a fraction where top-1
    alone ranks, else of the score; on nothing at all where no answer is safe."""
    reason: str
    command: str = ""
    """Command that measures it, where that is the advice."""


class Answers(Document):
    """Three answers side by side."""

    safe: Pick | None = None
    """Best network that keeps every limit at the confidence asked for."""
    likely: Pick | None = None
    """Best expected one where a failure costs falling back to the safe one."""
    worth_measuring: Pick | None = None
    """The one whose measurement is expected to gain most."""


class DeviceFacts(Document):
    """What a buyer has to know of a device; what nobody published is None, never 0."""

    price: NotNegative | None = None
    """US dollars of one unit."""
    price_date: str = ""
    """YYYY, YYYY-MM or YYYY-MM-DD."""
    price_item: str = ""
    """What is sold: developer kit, module, phone."""
    price_quantity: int | None = None
    """Least quantity at this price; None where the publication does not say."""
    price_is_launch: bool = False
    """Whether it is the price at launch, because no later one is known."""
    price_source: str = ""
    price_confidence: str = ""
    power: NotNegative | None = None
    """Watts under load, or the design power."""
    power_idle: NotNegative | None = None
    """Watts."""
    power_kind: str = ""
    """tdp, rail, wall or unknown: different quantities, never mixed."""
    power_source: str = ""
    power_confidence: str = ""
    memory: NotNegative | None = None
    """Bytes of the smallest version sold."""
    needs_host: bool = False
    """Whether it only works in or beside a computer, which is not part of the price."""
    status: str = "unknown"
    """active, eol_announced, eol or unknown."""
    events: tuple[tuple[str, str, str], ...] = ()
    """Dated facts of supply: (event, date, version or empty)."""
    note: str = ""
    status_source: str = ""
    status_confidence: str = ""


class UseCase(Document):
    """A preset of limits and weights for one kind of task, with its reasoning."""

    name: str
    title: str
    description: str = ""
    options: dict[str, str]
    """Options of the command line that it sets."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Why, by option."""
    warnings: tuple[str, ...] = ()
    """What to watch out for, whatever the figures say."""


class ClaimRecord(Document):
    """A well-known claim about a network, checked against its sources."""

    claim: str
    verdict: str
    official: str
    """What the sources say."""
    source: str


class Recommendation(Document):
    """The answer to a request."""

    schema_version: Literal[1] = 1
    kind: Literal["recommendation"] = "recommendation"
    advisor_version: str
    created: str
    """Date and time, ISO 8601, UTC."""
    command: str
    """Command line that gives this answer again."""
    request: Request
    lane: LaneRecord
    lanes: tuple[LaneRecord, ...]
    """All lanes that competed; the first is ``lane``."""
    considered: int
    """Candidates assessed, over all lanes."""
    ranking: dict[Metric, NotNegative] = field(default_factory=dict)
    """Objectives that ranked and how much each counts; empty: those of the request."""
    ranked: tuple[Entry, ...]
    """Candidates that meet every limit, best first."""
    uncertain: tuple[Entry, ...]
    """Candidates that may keep or break a limit, or that lack a figure for one."""
    rejected: Annotated[Sequence[Rejection], Listed()]
    """Everything else, nearest to the limits first."""
    answers: Answers = Answers()
    """Safe, likely and worth measuring."""
    front: tuple[str, ...]
    """Candidates that no other one beats in latency and accuracy at once."""
    ledger: tuple[LedgerLine, ...] = ()
    relaxations: tuple[Relaxation, ...] = ()
    warnings: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    sensitivity: Sensitivity | None = None
    """How firmly the first candidate stands, where it was computed."""
    device: DeviceFacts | None = None
    """Price, power and supply of the device."""
    use_case: UseCase | None = None
    """Preset that the request started from."""
    search: SearchRecord | None = None
    """How its variants were found; the first lane's search where several compete."""

    @property
    def on_own_images(self) -> bool:
        """Whether top-1 is that on the user's images, not ImageNet's."""
        return bool(self.request.accuracy_from or (self.search and self.search.data))

    @property
    def weights(self) -> dict[Metric, float]:
        """Objectives that ranked, and how much each counts."""
        return self.ranking or self.request.weights

    def said_against_itself(self) -> Iterator[str]:
        """Yield what its lists and its limits say against each other."""
        yield from super().said_against_itself()
        entries = (*self.ranked, *self.uncertain)
        places = Counter((one.candidate, one.precision, one.lane) for one in entries)
        yield from (f"{name} is listed twice" for (name, *_), times in places.items() if times > 1)
        listed = len(entries) + len(self.rejected)
        if self.considered < listed:
            yield f"considered {self.considered}, but {listed} are listed"
        if any(line.rejected + line.uncertain > self.considered for line in self.ledger):
            yield f"ledger: more were turned away than the {self.considered} considered"
        ranks = [one.rank for one in self.ranked if one.rank is not None]
        if ranks != list(range(1, len(ranks) + 1)):
            yield "the ranks do not count from 1 up"
        for one in self.ranked:
            if one.verdict is not Verdict.MET:
                yield f"{one.candidate} is ranked, but its verdict is {one.verdict}"
        if self.sensitivity is not None and not self.ranked:
            yield "sensitivity: none is ranked whose place could be firm"
        names = {one.candidate for one in entries}
        picks = (self.answers.safe, self.answers.likely, self.answers.worth_measuring)
        for name in (*self.front, *(pick.candidate for pick in picks if pick is not None)):
            if name not in names:
                yield f"{name} is answered, but not listed"
        yield from self._misjudged(entries)

    def _misjudged(self, entries: Iterable[Entry]) -> Iterator[str]:
        """Yield limits called kept that a whole interval breaks, or broken that it keeps."""
        if self.request.confidence < 0.5:  # less than that may be asked of a limit
            return
        for one, limit in product(entries, self.request.limits):
            figure, verdict = one.metrics.get(limit.metric), one.verdicts.get(limit.metric)
            if figure is None:
                continue
            kept, broken = limit.holds(figure.low, figure.high)
            if (broken and verdict is Verdict.MET) or (kept and verdict is Verdict.VIOLATED):
                yield (
                    f"{one.candidate}: {limit.text} is said to be {verdict}, but {limit.metric} "
                    f"is {human_interval(figure.low, figure.high, figure.unit, like=figure.low)}"
                )


def _misfiled(
    metrics: Mapping[Metric, Figure], weaker: Mapping[Metric, Sequence[Figure]] | None = None
) -> Iterator[str]:
    figures = [*metrics.items(), *((m, one) for m, all_ in (weaker or {}).items() for one in all_)]
    for metric, one in figures:
        if one.unit is not metric.unit:
            yield f"{metric} in {one.unit.value!r}; allowed: {metric.unit.value!r}"


class EstimateEntry(Document):
    """All metrics of one candidate on one lane."""

    candidate: str
    device: str
    lane: str
    precision: str
    resolution: int
    metrics: dict[Metric, Figure]
    alternatives: dict[Metric, tuple[Figure, ...]] = field(default_factory=dict)
    gaps: dict[Metric, str] = field(default_factory=dict)

    def said_against_itself(self) -> Iterator[str]:
        """Yield a figure in another unit than its metric's."""
        yield from super().said_against_itself()
        yield from _misfiled(self.metrics, self.alternatives)


class Estimates(Document):
    """Metrics of named candidates, without ranking."""

    schema_version: Literal[1] = 1
    kind: Literal["estimates"] = "estimates"
    advisor_version: str
    created: str
    command: str
    lanes: tuple[LaneRecord, ...]
    estimates: tuple[EstimateEntry, ...]
    claims: tuple[ClaimRecord, ...] = ()
    """Well-known claims about the compared families, checked."""
