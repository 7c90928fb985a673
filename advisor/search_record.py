"""SearchRecord: what a search found, as result files hold it and reports render it."""

from pydantic import BaseModel, ConfigDict

from advisor.quantity import Metric


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class ConvergencePoint(_Record):
    """How good the front was after some trials."""

    trials: int
    hypervolume: float
    """Dominated share of the box that all feasible trials span, 0 to 1."""
    front: int


class SearchedPoint(_Record):
    """One trial of the search, for the scatter plot."""

    number: int
    family: str
    candidate: str
    feasible: bool
    values: tuple[float, ...]
    """The objectives in SI, in their order; empty where it was pruned or failed."""


class SearchedVariant(_Record):
    """A member of the front: what it takes to make it real, and what does without."""

    candidate: str
    family: str
    recipe: str
    epochs: int
    epochs_basis: str
    images: int
    """Images of the training set."""
    macs: float
    """Multiply-accumulates of one image."""
    training_macs: float
    """Multiply-accumulates of one training run: epochs × images × MACs × 3."""
    trained: str = ""
    """The most accurate trained network that is not slower; empty where there is none."""
    trained_top1_lost: float = 0.0
    """What it gives up in top-1, a fraction; negative where it is better."""
    trained_latency_ratio: float = 0.0
    """Its latency by that of the variant."""


class SearchRecord(_Record):
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
    seconds: float
    variants: tuple[SearchedVariant, ...]
    """The front, best first objective first; the nearest misses where nothing is feasible."""
    points: tuple[SearchedPoint, ...] = ()
    """Every trial; empty where a recommendation holds the record."""
    convergence: tuple[ConvergencePoint, ...]
    importances: dict[Metric, dict[str, float]]
    """Share of each objective's variation that an axis explains."""

    def without_points(self) -> "SearchRecord":
        """Return the record as a recommendation holds it, without its trials."""
        return self.model_copy(update={"points": ()})
