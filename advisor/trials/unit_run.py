"""Run one unit: teach a network by a stage and judge it on the test images."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from advisor.trials.batches import Part
from advisor.trials.bench import Bench
from advisor.trials.classifiers import head_of, scaling_of, set_head
from advisor.trials.frozen_features import Features, features, features_key, settle
from advisor.trials.probing import Probe, fit_probe
from advisor.trials.record import Recipe, Stage, TrialRun, Weights
from advisor.trials.scoring import scores
from advisor.trials.starting import starting_network
from advisor.trials.teaching import (
    REPORTS,
    SWEEP,
    Trained,
    Training,
    Watch,
    find_learning_rate,
    judge,
    sweep_batches,
    write_tensors,
)
from advisor.trials.units import TrialUnit
from advisor.trials.weights import file_digest, state_digest

LONGEST = 100.0
"""Epochs that a training within a budget of time gets at most."""
TRAINING_SHARE = 0.75
"""Share of the time that goes into steps; the rest judges and saves."""


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Runs units on a bench; ``seconds_for`` is the share of a unit in a budget of time."""

    bench: Bench
    seconds_for: Callable[[TrialUnit], float | None] = lambda unit: None  # noqa: ARG005

    def run(self, unit: TrialUnit, watch: Watch) -> TrialRun:
        """Teach and judge; raises TrialError or NetworkError where it cannot be done."""
        began = time.perf_counter()
        found = self._probe(unit, watch) if unit.stage is Stage.PROBE else self._train(unit, watch)
        seconds = time.perf_counter() - began
        return found.model_copy(update={"seconds": seconds})

    def folder(self, unit: TrialUnit) -> Path:
        """Where the files of a unit lie."""
        return self.bench.folder / "runs" / unit.key[:24]

    def _start(self, unit: TrialUnit) -> tuple[nn.Module, Weights]:
        return starting_network(self.bench, unit.candidate, unit.resolution, unit.stage, unit.seed)

    def _part(self, unit: TrialUnit, name: str, *, trained: bool) -> Part:
        scaling = scaling_of(unit.candidate, trained=trained)
        view = self.bench.view(unit.resolution, scaling, self.bench.request.recipe)
        return self.bench.part(name, view)

    def frozen(
        self,
        unit: TrialUnit,
        parts: Sequence[str],
        beat: Callable[[], None] | None = None,
        *,
        most: int | None = None,
    ) -> tuple[dict[str, Features], Weights]:
        """Return the features of some parts before anything is taught, and whose they are.

        ``most`` caps the images of a part, spread over it.
        """
        network, weights = self._start(unit)
        if not weights.trained:
            settle(network, self._part(unit, "train", trained=False))
        digest = state_digest(network, without=head_of(network))
        found = {}
        for name in parts:
            part = self._part(unit, name, trained=weights.trained)
            if most is not None and len(part) > most:
                chosen = np.linspace(0, len(part) - 1, most).astype(int)
                part = replace(part, indices=part.indices[chosen])
            key = features_key(part, self.bench.data, digest)
            found[name] = features(network, part, folder=self.bench.features, key=key, beat=beat)
        return found, weights

    def _probe(self, unit: TrialUnit, watch: Watch) -> TrialRun:
        found, weights = self.frozen(unit, ("train", "validation", "test"), watch.beat)
        parts = {name: self._part(unit, name, trained=weights.trained).labels for name in found}
        probe = fit_probe(
            found["train"].values,
            parts["train"],
            found["validation"].values,
            parts["validation"],
            len(self.bench.images.classes),
        )
        path = self.folder(unit) / "probe.pt"
        write_tensors(
            {"weight": torch.from_numpy(probe.weight), "bias": torch.from_numpy(probe.bias)}, path
        )
        chosen = probe.probabilities(found["validation"].values).argmax(axis=1)
        test = self._part(unit, "test", trained=weights.trained)
        return self._run(
            unit,
            weights,
            recipe=None,
            steps=0,
            state="complete",
            validation=float((chosen == parts["validation"]).mean()),
            images_per_second=found["train"].images_per_second,
            checkpoint=path,
            **scores(
                probe.probabilities(found["test"].values), test, level=self.bench.request.level
            ),
        )

    def _train(self, unit: TrialUnit, watch: Watch) -> TrialRun:
        network, weights = self._start(unit)
        if weights.trained:
            self._start_at_probe(unit, network)
        learn = self._part(unit, "train", trained=weights.trained)
        choose = self._part(unit, "validation", trained=weights.trained)
        recipe, steps = self._planned(unit, network, learn, trained=weights.trained)
        training = Training(
            network,
            learn,
            choose,
            recipe,
            steps=steps,
            seed=unit.seed,
            trained=weights.trained,
        )
        checkpoint = self.folder(unit) / "checkpoint.pt"
        trained = training.run(watch, checkpoint)
        if trained.pruned:
            return self._run(
                unit,
                weights,
                recipe=recipe,
                steps=trained.curve[-1].step,
                state="pruned",
                reason="behind the others at the same share of the budget",
                curve=trained.curve,
                validation=trained.curve[-1].accuracy,
                train_images_per_second=trained.images_per_second,
            )
        return self._judged(unit, weights, trained, steps, watch)

    def _judged(
        self, unit: TrialUnit, weights: Weights, trained: Trained, steps: int, watch: Watch
    ) -> TrialRun:
        path = self.folder(unit) / "weights.pt"
        write_tensors(trained.network.state_dict(), path)
        test = self._part(unit, "test", trained=weights.trained)
        began = time.perf_counter()
        probabilities, _ = judge(trained.network, test, watch.beat)
        rate = len(test) / (time.perf_counter() - began)
        (self.folder(unit) / "checkpoint.pt").unlink(missing_ok=True)
        return self._run(
            unit,
            weights,
            recipe=trained.recipe,
            steps=steps,
            state="complete",
            curve=trained.curve,
            validation=trained.curve[-1].accuracy,
            train_images_per_second=trained.images_per_second,
            images_per_second=rate,
            checkpoint=path,
            **scores(probabilities, test, level=self.bench.request.level),
        )

    def _start_at_probe(self, unit: TrialUnit, network: nn.Module) -> None:
        """Put the probe on top before all layers move (Kumar et al. 2022, arXiv 2202.10054)."""
        labels = self._part(unit, "train", trained=True)
        digest = state_digest(network, without=head_of(network))
        parts = {name: self._part(unit, name, trained=True) for name in ("train", "validation")}
        keys = {name: features_key(part, self.bench.data, digest) for name, part in parts.items()}
        values = {
            name: features(network, part, folder=self.bench.features, key=keys[name]).values
            for name, part in parts.items()
        }
        probe: Probe = fit_probe(
            values["train"],
            labels.labels,
            values["validation"],
            parts["validation"].labels,
            len(self.bench.images.classes),
        )
        set_head(network, torch.from_numpy(probe.weight), torch.from_numpy(probe.bias))

    def _planned(
        self, unit: TrialUnit, network: nn.Module, learn: Part, *, trained: bool
    ) -> tuple[Recipe, int]:
        """Find the learning rate and the number of steps, or read what was found before a kill."""
        path = self.folder(unit) / "plan.json"
        recipe = self.bench.request.recipe
        if path.is_file():
            kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return Recipe.model_validate(kept["recipe"]), int(kept["steps"])
        began = time.perf_counter()
        share = self.seconds_for(unit)
        rate = recipe.learning_rate
        if rate is None or share is not None:  # the sweep also tells what a step takes
            batches = sweep_batches(learn, recipe, unit.seed)
            found = find_learning_rate(network, batches, recipe, seed=unit.seed, trained=trained)
            rate = found if rate is None else rate
        took = time.perf_counter() - began
        planned = recipe.model_copy(
            update={"learning_rate": rate * unit.scale, "scale": unit.scale}
        )
        steps = self._steps(learn, share, took)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"recipe": planned.model_dump(), "steps": steps})
        temporary = path.with_suffix(".part")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
        return planned, steps

    def _steps(self, learn: Part, share: float | None, sweep: float) -> int:
        request = self.bench.request
        per_epoch = learn.steps_per_epoch(request.recipe.batch)
        if share is not None:
            affordable = int(TRAINING_SHARE * (share - sweep) / (sweep / SWEEP))
            return int(np.clip(affordable, REPORTS, LONGEST * per_epoch))
        if request.steps is not None:
            return request.steps
        return max(1, round(request.epochs * per_epoch))

    def _run(
        self,
        unit: TrialUnit,
        weights: Weights,
        *,
        steps: int,
        state: str,
        checkpoint: Path | None = None,
        **told: Any,
    ) -> TrialRun:
        learn = self._part(unit, "train", trained=weights.trained)
        return TrialRun(
            key=unit.key,
            model=unit.candidate.name,
            resolution=unit.resolution,
            stage=unit.stage,
            seed=unit.seed,
            weights=weights,
            steps=steps,
            epochs=steps / learn.steps_per_epoch(self.bench.request.recipe.batch),
            state=state,
            checkpoint=str(checkpoint.relative_to(self.bench.folder)) if checkpoint else "",
            checkpoint_sha256=file_digest(checkpoint) if checkpoint else "",
            **told,
        )


def failed(unit: TrialUnit, reason: str) -> TrialRun:
    """Write down a unit that could not be run."""
    return TrialRun(
        key=unit.key,
        model=unit.candidate.name,
        resolution=unit.resolution,
        stage=unit.stage,
        seed=unit.seed,
        weights=Weights(trained=False, statement="not trained"),
        recipe=None,
        steps=0,
        epochs=0.0,
        state="failed",
        reason=reason,
    )
