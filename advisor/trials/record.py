"""What a trial writes down: trial.json, from which its reports and rankings are made.

Nothing here needs torch; a recommendation reads these documents.
"""

from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from advisor.core.filed import Document
from advisor.errors import TrialError
from advisor.files.json_text import json_value
from advisor.files.plain_text import text_of

SCHEMA_VERSION = 1


class Stage(StrEnum):
    """How far a network is taught."""

    PROBE = "probe"
    """A linear classifier on frozen features."""
    FINETUNE = "finetune"
    """All layers, from trained weights (from random ones where there are none)."""
    SCRATCH = "scratch"
    """All layers, from random weights."""


class Recipe(Document):
    """How a network is trained."""

    optimizer: str = "adamw"
    """A name of timm's."""
    learning_rate: float | None = None
    """None: found for each network before its training."""
    weight_decay: float = 0.05
    batch: int = 32
    smoothing: float = 0.1
    """Label smoothing."""
    warmup: float = 0.1
    """Share of the steps in which the rate rises."""
    clip: float = 1.0
    """Largest norm of the gradient; 0 for no limit."""
    ema: float = 0.99
    """Decay of the moving average of the weights; 0 for none."""
    augment: str = "light"
    """none, light or strong."""
    mirror: bool = True
    """Whether mirror images show the same class."""
    scale: float = 1.0
    """Factor on the learning rate that was found: a setting that competes."""


class ImageAccuracy(Document):
    """An accuracy with its confidence interval; fractions."""

    value: float
    low: float
    high: float
    level: float
    images: int
    """Test images that it is counted on."""

    @property
    def _range(self) -> tuple[float, float]:
        return 0.0, 1.0


class CurvePoint(Document):
    """One point of a training curve."""

    step: int
    train_loss: float
    """Mean since the last point."""
    loss: float
    """On the validation part."""
    accuracy: float
    """On the validation part; a fraction."""


class ClassScore(Document):
    """How well one class is recognised."""

    name: str
    precision: float
    recall: float
    f1: float
    images: int


class Bin(Document):
    """Predictions of about the same confidence."""

    confidence: float
    accuracy: float
    images: int


class Mistake(Document):
    """A test image that a network is sure and wrong about."""

    image: str
    truth: str
    told: str
    confidence: float
    thumbnail: str = ""
    """PNG as base64."""


class Weights(Document):
    """Where a network's weights come from."""

    trained: bool
    """False: random."""
    file: str = ""
    """Name of the file."""
    sha256: str = ""
    statement: str
    """For people."""
    inherited: float = 0.0
    """Share of a variant's weights that comes from its stock network."""


class TrialRun(Document):
    """One network, taught in one way with one seed, and how it did."""

    key: str
    """Digest of everything that decides the run."""
    model: str
    """Spelling of the candidate."""
    resolution: int
    stage: Stage
    seed: int
    weights: Weights
    recipe: Recipe | None
    """None for a probe."""
    steps: int
    epochs: float
    state: str
    """complete, pruned or failed."""
    reason: str = ""
    seconds: float = 0.0
    train_images_per_second: float | None = None
    images_per_second: float | None = None
    """Of judging, here, with these threads."""
    curve: tuple[CurvePoint, ...] = ()
    validation: float | None = None
    """Accuracy on the validation part, by which choices are made."""
    accuracy: ImageAccuracy | None = None
    balanced: float | None = None
    """Mean recall of the classes."""
    log_loss: float | None = None
    calibration_error: float | None = None
    """Mean distance of confidence and accuracy over the bins."""
    calibration: tuple[Bin, ...] = ()
    classes: tuple[ClassScore, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    """Row: true class; column: class told."""
    predictions: tuple[int, ...] = ()
    """Class told for each test image, in order."""
    mistakes: tuple[Mistake, ...] = ()
    checkpoint: str = ""
    """File with the trained weights, relative to the trial's folder."""
    checkpoint_sha256: str = ""


class Comparison(Document):
    """Two models on the same test images: McNemar's exact test."""

    first: str
    second: str
    only_first: int
    """Images that only the first gets right."""
    only_second: int
    p: float
    """Holm's adjustment for all pairs that were tested."""
    tied: bool


class Standing(Document):
    """What a model is worth on the user's images: its best stage, chosen by validation."""

    model: str
    resolution: int
    stage: Stage
    trained_weights: bool
    accuracy: ImageAccuracy
    """Mean over the seeds; the interval covers the seeds' spread too."""
    seeds: int
    tied_with_best: bool


class Baseline(Document):
    """A logistic regression on raw pixels: what needs no network at all."""

    name: str = "logistic regression on raw pixels"
    accuracy: ImageAccuracy


class ImageNote(Document):
    """Images that need a look."""

    kind: str
    """unreadable, repeated, leaked or contradictory."""
    images: tuple[str, ...]


class DataRecord(Document):
    """The images of a trial."""

    name: str
    source: str
    """As it was typed."""
    digest: str
    images: int
    classes: tuple[str, ...]
    parts: dict[str, dict[str, int]]
    """Images by class for each part."""
    given_split: bool
    imbalance: float
    notes: tuple[ImageNote, ...] = ()
    warnings: tuple[str, ...] = ()


class Likeness(Document):
    """How alike the frozen features of networks are, tried ones and others: linear CKA, 0 to 1."""

    networks: tuple[str, ...]
    """timm names."""
    values: tuple[tuple[float, ...], ...]
    """Row and column in the order of the networks."""

    def between(self, first: str, second: str) -> float:
        """Return the likeness of two of the networks."""
        place = {name: at for at, name in enumerate(self.networks)}
        return self.values[place[first]][place[second]]


class Environment(Document):
    """Where a trial ran."""

    machine: str
    threads: int
    packages: dict[str, str]


class TrialRequest(Document):
    """Everything that decides a trial."""

    data: str
    models: tuple[str, ...]
    looked: tuple[str, ...] = ()
    """Networks that are not taught, whose features tell how like the tried ones they are."""
    stages: tuple[Stage, ...] = (Stage.PROBE, Stage.FINETUNE)
    resolution: int | None = None
    """Side of the input for all; None takes each model's own."""
    epochs: float = 5.0
    steps: int | None = None
    """Steps of each training, in place of epochs."""
    budget: float | None = None
    """Seconds for everything, shared out equally, in place of epochs."""
    halving: int = 1
    """Of so many trainings one goes on at each rung; 1 trains all to the end."""
    scales: tuple[float, ...] = (1.0,)
    """Factors on the learning rate found, as settings that compete."""
    seed: int = 0
    seeds: int = 1
    recipe: Recipe = Recipe()
    train_images: int | None = None
    test_images: int | None = None
    weights: dict[str, str] = field(default_factory=dict)
    """Files with trained weights by model."""
    threads: int = 1
    level: float = 0.9


class TrialRecord(Document):
    """The whole result of ``advisor trial``."""

    kind: Literal["trial"] = "trial"
    schema_version: int = SCHEMA_VERSION
    advisor_version: str
    created: str
    command: str
    request: TrialRequest
    code: str
    """SHA-256 over the code that trained."""
    data: DataRecord
    environment: Environment
    folder: str
    """Folder with weights and checkpoints, as it was typed or chosen."""
    runs: tuple[TrialRun, ...]
    standings: tuple[Standing, ...]
    """Best first."""
    comparisons: tuple[Comparison, ...]
    baseline: Baseline | None
    likeness: Likeness | None = None
    """Of the tried networks and those that were looked at; None where none were."""
    warnings: tuple[str, ...] = ()


def read_trial(path: Path) -> TrialRecord:
    """Read trial.json; TrialError names what is wrong with the file."""
    held = json_value(text_of(path, TrialError), str(path), TrialError)
    try:
        record = TrialRecord.model_validate(held)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise TrialError(f"{path}: is no trial: {place or 'the file'}: {first['msg']}") from error
    for said in record.contradictions():
        raise TrialError(f"{path}: {said}; the file was changed, or is damaged")
    return record
