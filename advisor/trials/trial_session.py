"""The trial: stages one after another, each unit taken, run and handed in."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
from optuna.storages import BaseStorage

from advisor.errors import AdvisorError
from advisor.trials.bench import Bench
from advisor.trials.record import Stage, TrialRun
from advisor.trials.scheduling import Stages, Taken
from advisor.trials.teaching import Watch
from advisor.trials.unit_run import Runner, failed
from advisor.trials.units import TrialUnit, Units

WAIT = 2.0
"""Seconds between looks at what other workers do."""
_log = logging.getLogger("advisor")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialProgress:
    """How far a trial has come."""

    text: str
    done: float
    """Units, with the share of the one under way."""
    total: int


Tell = Callable[[TrialProgress], None]


@dataclass(frozen=True, kw_only=True)
class TrialSession:
    """A trial on a bench, alone or with other workers of one storage."""

    bench: Bench
    storage: BaseStorage
    name: str
    shared: bool
    leads: bool = True
    """Whether this process queues the units; a worker that joins does not."""
    tell: Tell = lambda progress: None  # noqa: ARG005

    def run(self) -> list[TrialRun]:
        """Work until every unit has a result; return all results, also those of others."""
        torch.set_num_threads(self.bench.request.threads)
        torch.use_deterministic_algorithms(True, warn_only=True)
        ends = time.monotonic() + (self.bench.request.budget or 0.0)
        found: list[TrialRun] = []
        for stage in self.bench.request.stages:
            queue = self._queue(stage)
            units = self._ordered(stage, found)
            if self.leads:
                queue.put(units)
            self._work(queue, units, found, ends)
            found += queue.runs()
        return found

    def _queue(self, stage: Stage) -> Stages:
        halving = 1 if stage is Stage.PROBE else self.bench.request.halving
        return Stages(
            self.storage, f"{self.name}-{stage.value}", halving=halving, shared=self.shared
        )

    def _ordered(self, stage: Stage, found: Sequence[TrialRun]) -> list[TrialUnit]:
        """Return a stage's units, those of the models that did best so far first."""
        units = Units(bench=self.bench).of(stage)
        scores: dict[str, list[float]] = {}
        for run in found:
            if run.validation is not None:
                scores.setdefault(run.model, []).append(run.validation)
        return sorted(units, key=lambda u: -fmean(scores.get(u.candidate.name, [0.0])))

    def _work(
        self, queue: Stages, units: Sequence[TrialUnit], found: Sequence[TrialRun], ends: float
    ) -> None:
        while not queue.finished():
            taken = queue.take(units) if queue.listed else None
            if taken is None:
                time.sleep(WAIT)
                continue
            done = len(found) + len(queue.runs())
            queue.tell(taken, self._run(taken, done, ends))

    def _run(self, taken: Taken, done: int, ends: float) -> TrialRun:
        unit, total = taken.unit, self._total()
        self.tell(TrialProgress(text=unit.name, done=done, total=total))

        def stepped(step: int, steps: int) -> None:
            text = f"{unit.name}: step {step} of {steps}"
            self.tell(TrialProgress(text=text, done=done + 0.95 * step / steps, total=total))

        def share(_: TrialUnit) -> float | None:
            if self.bench.request.budget is None:
                return None
            return max(ends - time.monotonic(), 0.0) / max(total - done, 1)

        watch = Watch(step=stepped, beat=taken.beat, pruned=taken.pruned)
        try:
            return Runner(bench=self.bench, seconds_for=share).run(unit, watch)
        except (AdvisorError, RuntimeError, MemoryError) as error:
            first = (str(error).splitlines() or [type(error).__name__])[0]
            _log.warning("%s failed: %s", unit.name, first)
            return failed(unit, first)

    def _total(self) -> int:
        units = Units(bench=self.bench)
        return sum(len(units.of(stage)) for stage in self.bench.request.stages)
