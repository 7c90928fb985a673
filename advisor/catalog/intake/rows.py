"""One raw measurement on its way into the catalog, and the facts that rules read from it."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class RawRow:
    """A row of a raw table with what the import decides about it; the only mutable type here."""

    raw: dict[str, str]
    device: str
    network: str = ""
    match: str = ""
    precision: str = ""
    variant: str = ""
    slugs: set[str] = field(default_factory=set)

    @property
    def source(self) -> str:
        """Id of the publication."""
        return self.raw["source"]

    @property
    def notes(self) -> str:
        """What was noted when the figure was collected; read by rules, never copied."""
        return self.raw["notes"]

    @property
    def batch(self) -> int | None:
        """Images of one pass, None where unstated."""
        return int(self.raw["batch"]) if self.raw["batch"] else None

    @property
    def latency_ms(self) -> float | None:
        """Milliseconds of one batch, as published."""
        return _number(self.raw["latency_ms"])

    @property
    def ips(self) -> float | None:
        """Images a second, as published."""
        return _number(self.raw["throughput_ips"])

    @property
    def ms_per_image(self) -> float | None:
        """Milliseconds of one image: by latency, else by throughput."""
        if "noisy-mean" in self.slugs:
            return _number(self.raw["latency_min_ms"])
        if self.latency_ms is not None:
            return self.latency_ms / (self.batch or 1)
        return 1000 / self.ips if self.ips else None

    @property
    def lane(self) -> tuple[str, ...]:
        """What has to be equal for two figures to compare."""
        raw = self.raw
        batch = "" if "bulk-batch" in self.slugs else raw["batch"]
        return (
            self.device,
            raw["unit"],
            raw["runtime"],
            self.precision,
            raw["threads"],
            batch,
            self.variant,
        )

    @property
    def cell(self) -> tuple[str, ...]:
        """Lane, network and resolution."""
        return (*self.lane, self.network, self.raw["input_h"])


Rule = Callable[[RawRow], bool]
"""Tells whether a caveat applies to a row."""


def _number(text: str) -> float | None:
    return float(text) if text else None
