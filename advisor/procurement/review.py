"""Documents of a procurement review: what was asked, assumed and found, as files hold them.

What nobody knows is an Amount without value and with a reason; it is never zero.
"""

from dataclasses import field
from typing import Literal

from advisor.core.constraint import Verdict
from advisor.core.document import DeviceFacts, Entry, Input, LaneRecord, Rejection
from advisor.core.filed import Document
from advisor.core.request import Request
from advisor.procurement.assumptions import Assumptions


class Amount(Document):
    """A quantity with its range and origin, or the reason why it is unknown."""

    value: float | None = None
    low: float | None = None
    """Lower end; of an unknown amount the part that is known, where there is one."""
    high: float | None = None
    unit: str = ""
    """Currency, W, kWh, 1/s, 1/J, years, fraction …"""
    origin: str = ""
    """published, assumed or computed."""
    source: str = ""
    date: str = ""
    caveats: tuple[str, ...] = ()
    reason: str = ""
    """Why there is no value."""
    stale: bool = False
    """Whether it is a price older than the buyer accepts."""


class CostLine(Document):
    """One part of the cost of the whole fleet over all years."""

    name: str
    amount: Amount
    formula: str
    """How it is computed, with the numbers."""
    essential: bool
    """Whether the total means nothing without it."""


class Supply(Document):
    """Whether and how long the device can be bought."""

    status: str
    """active, eol_announced, eol or unknown."""
    events: tuple[str, ...]
    years_left: Amount
    note: str = ""
    source: str = ""
    confidence: str = ""


class Share(Document):
    """One workload of a portfolio on one device."""

    workload: str
    candidate: str
    precision: str
    rate: float
    """Images a second."""
    time: Amount
    """Share of the device's time."""
    memory: Amount


class Portfolio(Document):
    """Several workloads that have to share one device."""

    verdict: Verdict
    shares: tuple[Share, ...]
    time: Amount
    """Share of the device's time, all workloads together."""
    memory: Amount
    time_limit: float
    memory_limit: Amount
    reasons: tuple[str, ...]


class SameModel(Document):
    """What one device does with a model that every device is compared by."""

    candidate: str
    keeps: bool
    """Whether it keeps every limit there."""
    latency: Amount
    speed: Amount
    """Images a second."""
    per_watt: Amount
    """Images per joule."""
    per_money: Amount
    """Images a second per unit of money, by the price of one device and its computer."""


class DeviceReview(Document):
    """Everything about one device."""

    device: str
    name: str
    outcome: Literal["meets", "uncertain", "fails", "no answer"]
    reason: str = ""
    """Why it fails or cannot be answered, or what would settle it."""
    lane: LaneRecord | None = None
    considered: int = 0
    met: int = 0
    uncertain: int = 0
    best: tuple[Entry, ...] = ()
    """Best models, or the uncertain ones where none is sure."""
    misses: tuple[Rejection, ...] = ()
    """Models nearest to the limits, where none meets them."""
    relaxations: tuple[str, ...] = ()
    headroom: dict[str, float] = field(default_factory=dict)
    """Room left by the best model per limit, as a share of the limit."""
    facts: DeviceFacts
    accuracy: Amount
    reference: SameModel | None = None
    """The fastest model at the accuracy of reference: by it devices are compared for speed."""
    reference_headroom: dict[str, float] = field(default_factory=dict)
    """Room that it leaves per limit, as a share of the limit."""
    same: tuple[SameModel, ...] = ()
    """The same models on every device."""
    speed: Amount
    """Images a second of the model of reference."""
    efficiency: Amount
    """Images per joule: images a second and watt."""
    value: Amount
    """Images a second per unit of money, by the price of one device."""
    price: Amount
    power: Amount
    """Watts under load."""
    costs: tuple[CostLine, ...]
    total: Amount
    """Cost of the fleet; unknown where an essential part is."""
    known_total: float
    """Sum of what is known: the total is at least this."""
    missing: tuple[str, ...]
    """Parts of the cost that are unknown and not in the sum."""
    per_unit: Amount
    images_a_year: Amount
    """Images of one device in a year, busy as stated."""
    co2: Amount
    """Kilograms of CO2 of the fleet's energy over all years."""
    per_million: Amount
    """Cost of a million images when the fleet is busy as stated; unknown where the total is."""
    supply: Supply
    portfolio: Portfolio | None = None


class Criterion(Document):
    """One column of the decision matrix."""

    key: str
    label: str
    weight: float
    """Share of the sum of all weights."""
    unit: str
    higher_is_better: bool
    logarithmic: bool
    """Whether values are compared by ratio."""
    poor: float = 0.0
    """Figure that is worth 0, whoever is compared."""
    good: float = 1.0
    """Figure from which on it is worth 1."""


class MatrixCell(Document):
    """One device under one criterion."""

    raw: Amount
    normalised: float | None
    """0 at the poor end of the criterion's scale, 1 at its good end; None where unknown."""
    highest: float
    """The same at best: where unknown, 1, or less where a part of the figure is known."""
    versus: str
    """better, same, worse or unknown, against the baseline."""


class MatrixRow(Document):
    """One device in the decision matrix."""

    device: str
    cells: tuple[MatrixCell, ...]
    """In the order of the criteria."""
    score: float
    """Weighted sum; an unknown counts as the worst."""
    best_score: float
    """The same with every unknown as good as it can be."""
    rank: int | None
    """None where the cost is unknown: such a device is listed, not ranked."""
    first_share: float
    """Share of the draws of weights and figures in which the device is first."""


class BreakEven(Document):
    """From which weight of a criterion another device comes first."""

    criterion: str
    weight: float
    """The present weight, as a share."""
    break_even: float | None
    """None where no larger weight changes the first."""
    first: str


class Matrix(Document):
    """The weighted decision matrix of the devices that are not ruled out."""

    criteria: tuple[Criterion, ...]
    rows: tuple[MatrixRow, ...]
    """Best first; after them those whose cost is unknown."""
    baseline: str
    break_even: tuple[BreakEven, ...]
    draws: int
    excluded: tuple[str, ...]
    """Devices that fail the limits, or need a computer of which nothing is stated."""


class ProcurementRequest(Document):
    """What decides a review, beside the assumptions."""

    devices: tuple[str, ...]
    request: Request
    """Limits and ranking, the same on every device."""
    assumptions_file: str = ""


class ProcurementReview(Document):
    """The review of several devices for one purchase."""

    schema_version: Literal[1] = 1
    kind: Literal["procurement"] = "procurement"
    advisor_version: str
    created: str
    command: str
    request: ProcurementRequest
    assumptions: Assumptions
    devices: tuple[DeviceReview, ...]
    """In the order asked."""
    matrix: Matrix
    warnings: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
