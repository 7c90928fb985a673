"""What a training starts from: trained weights, those of a variant's stock network, or chance."""

from pathlib import Path

from torch import nn

from advisor.core.candidate import Candidate
from advisor.trials.bench import Bench
from advisor.trials.classifiers import classifier, inheriting_classifier
from advisor.trials.record import Stage, Weights
from advisor.trials.weights import file_digest


def starting_network(
    bench: Bench, candidate: Candidate, resolution: int, stage: Stage, seed: int
) -> tuple[nn.Module, Weights]:
    """Build a network with the weights that a stage starts from, and say which they are."""
    parent = None if stage is Stage.SCRATCH else bench.parent(candidate)
    if parent is not None:
        return _inheriting(bench, candidate, resolution, seed=seed, parent=parent)
    path = None if stage is Stage.SCRATCH else bench.weights(candidate)
    classes = len(bench.images.classes)
    network = classifier(candidate, resolution, classes, seed=seed, weights=path)
    if path is not None:
        told = f"starts from the trained weights of {path.name}"
        digest = file_digest(path)
        return network, Weights(trained=True, file=path.name, sha256=digest, statement=told)
    if stage is Stage.SCRATCH:
        told = "starts from random weights, as asked for"
    else:
        told = f"starts from RANDOM weights: no trained ones of {candidate.name} are here"
    return network, Weights(trained=False, statement=told)


def _inheriting(
    bench: Bench,
    candidate: Candidate,
    resolution: int,
    *,
    seed: int,
    parent: tuple[Candidate, Path],
) -> tuple[nn.Module, Weights]:
    stock, path = parent
    network, share = inheriting_classifier(
        candidate, resolution, len(bench.images.classes), seed=seed, stock=stock, weights=path
    )
    told = f"inherits {share:.0%} of its weights from {stock.name} ({path.name})"
    # not as trained: channels are missing, so its statistics are to be learnt anew
    return network, Weights(
        trained=False,
        file=path.name,
        sha256=file_digest(path),
        statement=told,
        inherited=share,
    )
