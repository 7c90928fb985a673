"""Units of a trial: one network, one stage, one seed, one setting; each is a run."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from advisor.core.candidate import Candidate
from advisor.networks.building import default_resolution
from advisor.trials.bench import Bench
from advisor.trials.record import Stage
from advisor.trials.weights import file_digest


@dataclass(frozen=True, kw_only=True)
class TrialUnit:
    """One piece of work."""

    candidate: Candidate
    resolution: int
    stage: Stage
    seed: int
    scale: float = 1.0
    """Factor on the learning rate that is found."""
    key: str = ""

    @property
    def name(self) -> str:
        """What to call it in front of people."""
        seed = f", seed {self.seed}" if self.seed else ""
        return f"{self.candidate.name} {self.stage}{seed}"


@dataclass(frozen=True, kw_only=True)
class Units:
    """The units of a trial, with keys that hold everything they depend on."""

    bench: Bench

    def of(self, stage: Stage) -> list[TrialUnit]:
        """Return the units of a stage, models in the order asked for."""
        request = self.bench.request
        if stage not in request.stages:
            return []
        scales = request.scales if stage is not Stage.PROBE else (1.0,)
        return [
            self._unit(Candidate.parse(model), stage, request.seed + seed, scale)
            for seed in range(request.seeds)
            for scale in scales
            for model in request.models
        ]

    def _unit(self, candidate: Candidate, stage: Stage, seed: int, scale: float) -> TrialUnit:
        asked = candidate.resolution or self.bench.request.resolution
        side = asked or default_resolution(candidate.architecture)
        told = {
            "data": self.bench.data,
            "model": candidate.name,
            "side": side,
            "stage": stage.value,
            "seed": seed,
            "scale": scale,
            "weights": self._digests.get(candidate.name, ""),
        }
        if stage is not Stage.PROBE:
            request = self.bench.request
            told |= {
                "recipe": request.recipe.model_dump(),
                "length": [request.epochs, request.steps, request.budget],
            }
        key = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        return TrialUnit(
            candidate=candidate, resolution=side, stage=stage, seed=seed, scale=scale, key=key
        )

    @cached_property
    def _digests(self) -> Mapping[str, str]:
        found = {}
        for model in self.bench.request.models:
            candidate = Candidate.parse(model)
            parent = self.bench.parent(candidate)
            path = parent[1] if parent else self.bench.weights(candidate)
            found[candidate.name] = file_digest(path) if path else ""
        return found
