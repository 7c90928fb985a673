"""Verify a trial: judge the stored weights again on the same images and compare."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from advisor.core.candidate import Candidate
from advisor.errors import TrialError
from advisor.trials.bench import Bench, code_digest, prepare
from advisor.trials.classifiers import classifier, head_of, scaling_of
from advisor.trials.frozen_features import features, features_key, settle
from advisor.trials.probing import Probe
from advisor.trials.record import Stage, TrialRecord, TrialRun
from advisor.trials.starting import starting_network
from advisor.trials.teaching import judge
from advisor.trials.weights import file_digest, read_state, state_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What judging a run again gave."""

    model: str
    stage: Stage
    same: bool
    text: str


def verify(record: TrialRecord, *, home: Path, folder: Path | None = None) -> Iterator[Verified]:
    """Judge each complete run again; ``folder`` is where its weights lie now.

    Raises TrialError where the images are not those of the trial.
    """
    torch.set_num_threads(record.request.threads)
    bench = prepare(record.request, folder=folder or Path(record.folder), home=home)
    if bench.data != record.data.digest:
        raise TrialError(
            f"{record.request.data}: these are not the images of the trial (digest "
            f"{bench.data[:12]}, the trial has {record.data.digest[:12]})"
        )
    for run in record.runs:
        if run.state == "complete" and run.accuracy is not None:
            yield _verified(bench, run)


def code_note(record: TrialRecord) -> str:
    """Say whether the trial was made by the code that verifies it; empty where it was."""
    if record.code == code_digest():
        return ""
    return "the code that trained differs from this one; accuracies may differ in the last digits"


def _verified(bench: Bench, run: TrialRun) -> Verified:
    path = bench.folder / run.checkpoint
    if not path.is_file():
        return _line(run, same=False, text=f"{run.checkpoint} is missing")
    if file_digest(path) != run.checkpoint_sha256:
        return _line(run, same=False, text=f"{run.checkpoint} is another file than the trial's")
    told = _told(bench, run, path)
    truth = np.array(bench.truth)
    accuracy = float((told == truth).mean())
    stored = run.accuracy.value if run.accuracy else 0.0
    differing = int((told != np.array(run.predictions)).sum())
    text = f"{accuracy:.2%} now, {stored:.2%} stored, {differing} of {len(truth)} images differ"
    return _line(run, same=differing == 0, text=text)


def _line(run: TrialRun, *, same: bool, text: str) -> Verified:
    return Verified(model=run.model, stage=run.stage, same=same, text=text)


def _told(bench: Bench, run: TrialRun, path: Path) -> NDArray[np.int64]:
    """Return the class that the stored weights tell for each test image."""
    candidate = Candidate.parse(run.model)
    scaling = scaling_of(candidate, trained=run.weights.trained)
    test = bench.part("test", bench.view(run.resolution, scaling, bench.request.recipe))
    if run.stage is not Stage.PROBE:
        network = taught_network(run, bench.folder, len(bench.images.classes))
        return _told_by(judge(network, test)[0])
    network, weights = starting_network(bench, candidate, run.resolution, run.stage, run.seed)
    network = network.to(memory_format=torch.channels_last)
    if not weights.trained:
        train = bench.part("train", bench.view(run.resolution, scaling, bench.request.recipe))
        settle(network, train)
    key = features_key(test, bench.data, state_digest(network, without=head_of(network)))
    values = features(network, test, folder=bench.features, key=key).values
    held = read_state(path)
    probe = Probe(weight=held["weight"].numpy(), bias=held["bias"].numpy(), strength=0.0)
    return _told_by(probe.probabilities(values))


def _told_by(probabilities: NDArray[np.float32]) -> NDArray[np.int64]:
    told: NDArray[np.int64] = probabilities.argmax(axis=1)
    return told


def taught_network(run: TrialRun, folder: Path, classes: int) -> torch.nn.Module:
    """Build the network of a run that taught all layers, with the weights that it left.

    ``folder`` is the trial's, ``classes`` their count.
    """
    candidate = Candidate.parse(run.model)
    network = classifier(candidate, run.resolution, classes, seed=run.seed, weights=None)
    network.load_state_dict(read_state(folder / run.checkpoint))
    return network.to(memory_format=torch.channels_last).eval()
