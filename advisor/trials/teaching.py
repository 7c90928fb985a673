"""Training: timm's task, optimiser, schedule and moving average in a loop that can be killed.

A step is a function of the state and its number; a checkpoint holds both. A training that is
resumed from one ends exactly as it would have, on the same machine with the same threads.
"""

import copy
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from timm.optim import create_optimizer_v2
from timm.scheduler import create_scheduler_v2
from timm.task import (
    ClassificationTask,
    FeatureDistillationTask,
    LogitDistillationTask,
    TrainingTask,
)
from torch import Tensor, nn

from advisor.trials.batches import Batch, Part, seed_all
from advisor.trials.classifiers import check_finite
from advisor.trials.probing import log_loss
from advisor.trials.record import CurvePoint, Recipe

REPORTS = 9
"""Points of a curve; after each of them a training may be pruned."""
SAVE_EVERY = 20.0
"""Seconds between checkpoints."""
SWEEP = 32
"""Steps of the search for a learning rate."""
SWEEP_RATES = (1e-5, 1e-1)
BELOW_RISE = 5.0
"""The rate taken is so many times below the one from which the loss rises for good.

Where the least loss is tells little (Smith 2017, arXiv 1506.01186, takes it): a network that
starts at its probe has it before the first step.
"""
RISEN = 1.1
"""Share of the least loss above which the loss counts as risen."""
GONE = 4.0
"""Times the least loss from which the search does not go on."""
QUICK_NORM = 0.1
"""Least momentum of batch norms: some networks' own is meant for a hundred thousand steps."""
EVALUATION = 64


class Pruned(Exception):  # noqa: N818 - a result, no error
    """The training is behind others and was stopped."""


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """What a network learns from besides the labels."""

    network: nn.Module
    kind: str = "logits"
    """``logits`` (Hinton et al. 2015, arXiv 1503.02531) or ``features``."""
    weight: float = 0.5
    temperature: float = 2.0


@dataclass(kw_only=True)
class Watch:
    """Who is told how a training goes; each may be left alone."""

    step: Callable[[int, int], None] = field(default=lambda _done, _total: None)
    """Called after each step with the steps done and all."""
    beat: Callable[[], None] = field(default=lambda: None)
    """Called often, also between the batches of an evaluation."""
    pruned: Callable[[int, float], bool] = field(default=lambda _point, _accuracy: False)
    """Asked after each point of the curve but the last."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A training that has ended."""

    network: nn.Module
    """The moving average where there is one."""
    curve: tuple[CurvePoint, ...]
    recipe: Recipe
    """With the learning rate that was found."""
    images_per_second: float
    pruned: bool


class Training:
    """One training of one network."""

    def __init__(
        self,
        network: nn.Module,
        learn: Part,
        choose: Part,
        recipe: Recipe,
        *,
        steps: int,
        seed: int,
        trained: bool = False,
        teacher: Teacher | None = None,
    ) -> None:
        self.learn, self.choose, self.recipe = learn, choose, recipe
        self.steps, self.seed, self.trained = steps, seed, trained
        network = network.to(memory_format=torch.channels_last)
        hasten_norms(network)
        self.task = _task(network, recipe, teacher)
        if recipe.ema:
            self.task.setup_ema(decay=recipe.ema, use_warmup=True)
        self.optimizer = _optimizer(self.task, recipe)
        self.schedule, _ = create_scheduler_v2(
            self.optimizer,
            sched="cosine",
            num_epochs=steps,
            warmup_epochs=int(recipe.warmup * steps),
            warmup_lr=(recipe.learning_rate or 0.0) / 20,
            warmup_prefix=False,
            step_on_epochs=False,
            updates_per_epoch=1,
        )
        self.done = 0
        self.curve: list[CurvePoint] = []
        self._losses: list[float] = []
        self._seconds = 0.0

    def run(self, watch: Watch, checkpoint: Path | None = None) -> Trained:
        """Train to the end, from the checkpoint where there is one."""
        if checkpoint is not None and checkpoint.is_file():
            self._load(checkpoint)
        points = report_steps(self.steps)
        saved = time.monotonic()
        pruned = False
        while self.done < self.steps and not pruned:
            self._step()
            watch.step(self.done, self.steps)
            watch.beat()
            reached = self.done in points
            if reached:
                self._report(watch)
            if checkpoint is not None and (reached or time.monotonic() - saved > SAVE_EVERY):
                self._save(checkpoint)
                saved = time.monotonic()
            if reached and self.done < self.steps:
                pruned = watch.pruned(points.index(self.done) + 1, self.curve[-1].accuracy)
        return Trained(
            network=self.judged.eval(),
            curve=tuple(self.curve),
            recipe=self.recipe,
            images_per_second=self.done * self.recipe.batch / max(self._seconds, 1e-9),
            pruned=pruned,
        )

    @property
    def judged(self) -> nn.Module:
        """The network that counts: the moving average where there is one."""
        found = self.task.get_eval_model(ema=self.task.has_ema())
        network: nn.Module = getattr(found, "module", found)
        return getattr(network, "student", network)

    def _step(self) -> None:
        began = time.perf_counter()
        images, labels = self.learn.batch(self.done, self.recipe.batch, self.seed)
        self.schedule.step_update(self.done)
        learning(self.task, trained=self.trained)
        loss = self.task(images, labels)["loss"]
        check_finite(loss, f"step {self.done + 1}")
        self.optimizer.zero_grad()
        loss.backward()
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(self.task.get_clip_parameters(), self.recipe.clip)
        self.optimizer.step()
        self.task.update_ema(step=self.done)
        self.done += 1
        self._losses.append(float(loss.detach()))
        self._seconds += time.perf_counter() - began

    def _report(self, watch: Watch) -> None:
        probabilities, labels = judge(self.judged, self.choose, watch.beat)
        self.curve.append(
            CurvePoint(
                step=self.done,
                train_loss=float(np.mean(self._losses)),
                loss=log_loss(probabilities, labels),
                accuracy=float((probabilities.argmax(axis=1) == labels).mean()),
            )
        )
        self._losses = []

    def _save(self, path: Path) -> None:
        state: dict[str, Any] = {
            "done": self.done,
            "curve": [point.model_dump() for point in self.curve],
            "losses": self._losses,
            "seconds": self._seconds,
            "task": self.task.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        write_tensors(state, path)

    def _load(self, path: Path) -> None:
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.done = state["done"]
        self.curve = [CurvePoint.model_validate(point) for point in state["curve"]]
        self._losses = list(state["losses"])
        self._seconds = state["seconds"]
        self.task.load_state_dict(state["task"])
        self.optimizer.load_state_dict(state["optimizer"])


def _task(network: nn.Module, recipe: Recipe, teacher: Teacher | None) -> TrainingTask:
    smoothing = {"smoothing": recipe.smoothing}
    if teacher is None:
        return ClassificationTask(network, criterion_kwargs=smoothing, verbose=False)
    teacher.network.eval().requires_grad_(False)
    shares = {"distill_loss_weight": teacher.weight, "task_loss_weight": 1 - teacher.weight}
    if teacher.kind == "features":
        return FeatureDistillationTask(
            network, teacher.network, criterion_kwargs=smoothing, verbose=False, **shares
        )
    return LogitDistillationTask(
        network,
        teacher.network,
        criterion_kwargs=smoothing,
        temperature=teacher.temperature,
        verbose=False,
        **shares,
    )


def _optimizer(task: TrainingTask, recipe: Recipe) -> torch.optim.Optimizer:
    made: torch.optim.Optimizer = create_optimizer_v2(
        task.get_trainable_module(),
        opt=recipe.optimizer,
        lr=recipe.learning_rate or 1e-3,
        weight_decay=recipe.weight_decay,
        **({"momentum": 0.9} if "sgd" in recipe.optimizer else {}),
    )
    return made


def report_steps(steps: int) -> list[int]:
    """Return the steps after which a training reports, the same shares for every budget."""
    return sorted({max(1, round(steps * (i + 1) / REPORTS)) for i in range(REPORTS)})


def hasten_norms(network: nn.Module) -> None:
    """Let the statistics of batch norms follow within a short training."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.momentum is not None:
            module.momentum = max(module.momentum, QUICK_NORM)


def learning(task: nn.Module, *, trained: bool) -> None:
    """Put a task into training mode; trained weights keep the statistics of their batch norms.

    Otherwise the first batches, unlike the images that the weights were trained on, would change
    every feature before a single weight has moved.
    """
    task.train()
    if trained:
        for module in task.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()


def judge(
    network: nn.Module, part: Part, beat: Callable[[], None] = lambda: None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return class probabilities (images × classes) and the true classes of a part."""
    was = network.training
    network.eval()
    rows, truth = [], []
    with torch.inference_mode():
        for images, labels in part.in_order(EVALUATION):
            rows.append(torch.softmax(network(images).float(), dim=1).numpy())
            truth.append(labels.numpy())
            beat()
    network.train(was)
    return np.concatenate(rows), np.concatenate(truth)


def find_learning_rate(
    network: nn.Module, batches: Iterable[Batch], recipe: Recipe, *, seed: int, trained: bool
) -> float:
    """Raise the rate from batch to batch until the loss grows; return one well below that.

    The network is left as it was.
    """
    network = copy.deepcopy(network)
    hasten_norms(network)
    task = _task(network, recipe, None)
    learning(task, trained=trained)
    optimizer = _optimizer(task, recipe)
    low, high = SWEEP_RATES
    rates, losses = [], []
    for step, (images, labels) in enumerate(batches):
        rate = low * (high / low) ** (step / (SWEEP - 1))
        for group in optimizer.param_groups:
            group["lr"] = rate
        seed_all(seed, step)
        loss: Tensor = task(images, labels)["loss"]
        rates.append(rate)
        losses.append(float(loss.detach()))
        if not math.isfinite(losses[-1]) or losses[-1] > GONE * min(losses):
            break
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return rate_below_rise(rates, losses)


def rate_below_rise(rates: Sequence[float], losses: Sequence[float]) -> float:
    """Return a rate well below the one from which smoothed losses rise for good."""
    smooth, levels = 0.0, []
    for step, loss in enumerate(losses):
        smooth = 0.7 * smooth + 0.3 * loss
        level = smooth / (1 - 0.7 ** (step + 1))
        levels.append(level if math.isfinite(level) else math.inf)
    low = [rate for rate, level in zip(rates, levels, strict=True) if level <= RISEN * min(levels)]
    return float(f"{min(max(max(low) / BELOW_RISE, rates[0]), 1e-2):.3g}")


def sweep_batches(part: Part, recipe: Recipe, seed: int) -> Iterable[Batch]:
    """Yield the batches of the search for a learning rate."""
    return (part.batch(step, recipe.batch, seed) for step in range(SWEEP))


def write_tensors(state: dict[str, Any], path: Path) -> None:
    """Write tensors to a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            torch.save(state, stream)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
