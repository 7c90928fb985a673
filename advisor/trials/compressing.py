"""Compress a network on a bench: teach it, cut channels, teach what is left, with a teacher."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn

from advisor.core.candidate import Candidate
from advisor.errors import TrialError
from advisor.trials.batches import Part
from advisor.trials.bench import Bench
from advisor.trials.classifiers import Scaling, classifier, scaling_of
from advisor.trials.pruning import prune
from advisor.trials.record import Stage, TrialRun
from advisor.trials.rounding import forget_rounding, learn_rounding
from advisor.trials.teaching import Teacher, Training, Watch
from advisor.trials.unit_run import Runner
from advisor.trials.units import TrialUnit, Units
from advisor.trials.weights import read_state

Told = Callable[[str], None]
RATE = 1e-3
"""Learning rate after the pruning: what is left knows the images already."""
RANGING = 32
"""Training images that set the first ranges of numbers to be rounded."""


@dataclass(frozen=True, kw_only=True)
class TaughtNetwork:
    """A network that knows the user's images."""

    candidate: Candidate
    resolution: int
    network: nn.Module
    scaling: Scaling
    run: TrialRun


@dataclass(frozen=True, kw_only=True)
class Compressor:
    """Compresses networks on the images of a bench."""

    bench: Bench
    tell: Told = lambda text: None  # noqa: ARG005

    def taught(self, model: str) -> TaughtNetwork:
        """Teach a network on the images, or take what an earlier call has left in the folder."""
        unit = self._unit(model)
        runner = Runner(bench=self.bench)
        kept = runner.folder(unit) / "run.json"
        if kept.is_file():
            run = TrialRun.model_validate_json(kept.read_bytes())
        else:
            run = runner.run(unit, self._watch(unit.name))
            kept.write_text(run.model_dump_json(), encoding="utf-8")
        network = classifier(
            unit.candidate,
            unit.resolution,
            len(self.bench.images.classes),
            seed=unit.seed,
            weights=None,
        )
        network.load_state_dict(read_state(self.bench.folder / run.checkpoint))
        return TaughtNetwork(
            candidate=unit.candidate,
            resolution=unit.resolution,
            network=network.eval(),
            scaling=scaling_of(unit.candidate, trained=run.weights.trained),
            run=run,
        )

    def _unit(self, model: str) -> TrialUnit:
        units = Units(bench=self.bench).of(Stage.FINETUNE)
        name = Candidate.parse(model).name
        return next(unit for unit in units if unit.candidate.name == name)

    def _watch(self, name: str) -> Watch:
        return Watch(step=lambda done, total: self.tell(f"{name}: step {done} of {total}"))

    def part(self, taught: TaughtNetwork, name: str) -> Part:
        """Return a part of the images as a taught network sees them."""
        recipe = self.bench.request.recipe
        return self.bench.part(name, self.bench.view(taught.resolution, taught.scaling, recipe))

    def smaller(
        self,
        taught: TaughtNetwork,
        share: float | Sequence[float],
        epochs: float,
        teacher: TaughtNetwork | None,
    ) -> nn.Module:
        """Cut a share of the channels and teach what is left, by the labels and a teacher.

        Several shares are of as many groups of layers.
        """
        network = copy.deepcopy(taught.network)
        if share:
            network = prune(network, taught.resolution, share)
        told = "pruned" if share else "distilled"
        return self._retrained(taught, network, epochs, teacher, settled=False, told=told)

    def aware(
        self,
        taught: TaughtNetwork,
        network: nn.Module,
        epochs: float,
        teacher: TaughtNetwork | None,
    ) -> nn.Module:
        """Teach a network with the rounding of int8 in the loop; return it in float again.

        Batch norms keep their statistics, as they will when the file runs.
        """
        network = copy.deepcopy(network)
        images, _ = next(self.part(taught, "train").in_order(RANGING))
        learn_rounding(network, images)
        trained = self._retrained(taught, network, epochs, teacher, settled=True, told="aware")
        forget_rounding(trained)
        return trained

    def _retrained(
        self,
        taught: TaughtNetwork,
        network: nn.Module,
        epochs: float,
        teacher: TaughtNetwork | None,
        *,
        settled: bool,
        told: str,
    ) -> nn.Module:
        learn, choose = self.part(taught, "train"), self.part(taught, "validation")
        recipe = self.bench.request.recipe
        rate = recipe.learning_rate or RATE
        recipe = recipe.model_copy(update={"learning_rate": rate})
        training = Training(
            network,
            learn,
            choose,
            recipe,
            steps=max(1, round(epochs * learn.steps_per_epoch(recipe.batch))),
            seed=self.bench.request.seed,
            trained=settled,
            teacher=self._teacher(taught, network, teacher),
        )
        return training.run(self._watch(f"{taught.candidate.name} {told}")).network.eval()

    def _teacher(
        self, taught: TaughtNetwork, student: nn.Module, teacher: TaughtNetwork | None
    ) -> Teacher | None:
        if teacher is None:
            return None
        if teacher.resolution != taught.resolution:
            raise TrialError(
                f"the teacher sees {teacher.resolution} pixels, the network {taught.resolution}; "
                "give both one --resolution"
            )
        for network, scaling in ((student, taught.scaling), (teacher.network, teacher.scaling)):
            tell_scaling(network, scaling)
        return Teacher(network=teacher.network)


def tell_scaling(network: nn.Module, scaling: Scaling) -> None:
    """Put a scaling where timm's distillation looks for it, to translate images for the teacher."""
    config = {"mean": scaling.mean, "std": scaling.spread}
    object.__setattr__(network, "pretrained_cfg", config)
