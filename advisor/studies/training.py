"""Training compute: what it costs to train a variant before its predicted accuracy is real."""

from dataclasses import dataclass

from advisor.studies.families import Family

IMAGENET = 1_281_167
"""Images of the ImageNet-1k training set."""
CIFAR = 50_000
_PASSES = 3
"""A step costs three forward passes: one forward, two for the gradients of inputs and weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingCompute:
    """Estimate of the arithmetic of one training run, without augmentation or evaluation."""

    epochs: int
    images: int
    macs: float
    """Multiply-accumulates: epochs × images × MACs of one forward pass × 3."""
    basis: str
    """Whether the recipe states its epochs."""

    def hours(self, macs_per_second: float) -> float:
        """Return the hours it takes at a sustained rate."""
        return self.macs / macs_per_second / 3600


def training_compute(
    family: Family, macs: float, *, epochs: int | None = None, images: int | None = None
) -> TrainingCompute:
    """Estimate the training of a network of ``macs`` per image with the family's recipe."""
    count = epochs or family.epochs
    seen = images or (CIFAR if family.name == "cifar-resnet" else IMAGENET)
    return TrainingCompute(
        epochs=count,
        images=seen,
        macs=float(count) * seen * macs * _PASSES,
        basis="as asked for" if epochs else family.epochs_basis,
    )
