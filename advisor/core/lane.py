"""Lane: one way to run networks on one device, the key under which measurements compare.

Two figures belong together only when all of a lane is equal: figures of different units,
runtimes, precisions or batches are never averaged.
"""

from dataclasses import dataclass, fields

BULK = 0
"""Batch of lanes whose figures are the steady state of large batches that differ by row."""
MOST_BATCH = 1_000_000
"""Images of the largest pass that is asked for."""
MOST_THREADS = 10_000
"""Threads of the largest machine."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Lane:
    """Where and how a network runs."""

    device: str
    """Id of the device profile."""
    unit: str
    """cpu, gpu, npu, tpu or dla."""
    runtime: str
    """Software that executes the network, such as ``tensorrt``."""
    precision: str
    """Numbers the runtime computes with, such as ``fp16``."""
    threads: int | None = None
    """CPU threads; None where the unit has none or the publication does not say."""
    batch: int = 1
    """Images of one pass; ``BULK`` means a large batch that differs from figure to figure."""
    variant: str = ""
    """What else has to be equal, such as ``5 W`` or ``powersave``; empty for the usual case."""

    @property
    def is_bulk(self) -> bool:
        """Whether the figures are time per image at a large batch, never a batch-1 latency."""
        return self.batch == BULK

    @property
    def lane(self) -> "Lane":
        """The lane alone, without what a record of it adds."""
        return Lane(**{field.name: getattr(self, field.name) for field in fields(Lane)})

    @property
    def settings(self) -> str:
        """The lane without unit, runtime and precision: ``batch 1, 4 threads``."""
        parts = ["bulk batch" if self.is_bulk else f"batch {self.batch}"]
        if self.threads is not None:
            parts.append(f"{self.threads} thread{'s' if self.threads != 1 else ''}")
        return ", ".join([*parts, *([self.variant] if self.variant else [])])

    @property
    def name(self) -> str:
        """Spelling for people, without the device: ``gpu tensorrt fp16 batch 1``."""
        return f"{self.unit} {self.runtime} {self.precision} {self.settings}"
