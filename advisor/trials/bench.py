"""Bench: the images of a trial, checked, split and ready, and the files that its runs leave."""

import hashlib
import json
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path

import numpy as np

from advisor.core.candidate import Candidate
from advisor.trials.batches import Part, View
from advisor.trials.checks import UNEVEN, Findings, check_images
from advisor.trials.classifiers import Scaling
from advisor.trials.datasets import open_images
from advisor.trials.datasets.image_set import ImageSet
from advisor.trials.probing import fit_probe, raw_pixels
from advisor.trials.record import (
    Baseline,
    DataRecord,
    Environment,
    ImageNote,
    Recipe,
    TrialRequest,
)
from advisor.trials.scoring import wilson
from advisor.trials.splitting import ImageSplit, split_images
from advisor.trials.weights import find_parent, find_weights

LISTED = 50
"""Images that a note names."""
PACKAGES = ("torch", "timm", "torchvision", "optuna", "scikit-learn", "torchmetrics", "numpy")


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What all runs of a trial share."""

    request: TrialRequest
    images: ImageSet
    findings: Findings
    split: ImageSplit
    folder: Path
    """Where checkpoints and weights go."""
    features: Path
    """Where frozen features are kept, for all trials."""

    def part(self, name: str, view: View) -> Part:
        """Return ``train``, ``validation`` or ``test`` seen through a view."""
        return Part(images=self.images, indices=self.split.items()[name], view=view)

    def view(self, side: int, scaling: Scaling, recipe: Recipe) -> View:
        """Return how pictures are shown to a network of a resolution."""
        return View(side=side, scaling=scaling, augment=recipe.augment, mirror=recipe.mirror)

    def weights(self, candidate: Candidate) -> Path | None:
        """Return the file with a candidate's trained weights, where this machine has one."""
        given = {name: Path(path) for name, path in self.request.weights.items()}
        return find_weights(candidate, given)

    def parent(self, candidate: Candidate) -> tuple[Candidate, Path] | None:
        """Return the stock network whose weights a variant inherits, where they are here."""
        given = {name: Path(path) for name, path in self.request.weights.items()}
        return find_parent(candidate, given)

    @cached_property
    def data(self) -> str:
        """Digest of the images and of the split."""
        digest = hashlib.sha256(self.findings.digest.encode())
        for indices in self.split.items().values():
            digest.update(b"|" + indices.tobytes())
        return digest.hexdigest()

    @cached_property
    def truth(self) -> tuple[int, ...]:
        """Class of each test image."""
        return tuple(int(n) for n in self.images.labels[self.split.test])

    def record(self) -> DataRecord:
        """Write down what the images are and what is odd about them."""
        images, findings = self.images, self.findings
        counts = {
            part: {
                name: int(n)
                for name, n in zip(
                    images.classes,
                    np.bincount(images.labels[indices], minlength=len(images.classes)),
                    strict=True,
                )
            }
            for part, indices in self.split.items().items()
        }
        return DataRecord(
            name=images.name,
            source=self.request.data,
            digest=self.data,
            images=len(images),
            classes=images.classes,
            parts=counts,
            given_split=self.split.given,
            imbalance=findings.imbalance,
            notes=tuple(self._notes()),
            warnings=tuple(self._warnings()),
        )

    def _notes(self) -> list[ImageNote]:
        names, findings = self.images.names, self.findings
        leaked = [f"{names[a]} = {names[b]}" for a, b in findings.leaked]
        odd = [f"{names[a]} = {names[b]}" for a, b in findings.contradictory]
        found = {
            "unreadable": [names[i] for i in findings.unreadable],
            "leaked": leaked,
            "contradictory": odd,
            "repeated": [" = ".join(names[i] for i in group[:5]) for group in findings.repeated],
        }
        return [
            ImageNote(kind=kind, images=tuple(told[:LISTED]))
            for kind, told in found.items()
            if told
        ]

    def _warnings(self) -> list[str]:
        findings = self.findings
        told = []
        if findings.unreadable:
            told.append(f"{len(findings.unreadable)} images cannot be read and are left out")
        if findings.leaked:
            told.append(
                f"{len(findings.leaked)} training or validation images are copies of test images "
                "and are left out"
            )
        if findings.contradictory:
            told.append(f"{len(findings.contradictory)} pairs of the same picture differ in class")
        if findings.repeated:
            copies = sum(len(group) - 1 for group in findings.repeated)
            told.append(f"{copies} images repeat others")
        if findings.imbalance >= UNEVEN:
            counts = self.images.counts
            most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
            told.append(
                f"uneven classes: {most} has {counts[most]} images, {least} {counts[least]}; "
                "read the balanced accuracy and each class beside the accuracy"
            )
        return told

    def baseline(self) -> Baseline:
        """Fit what needs no network, and judge it on the test images."""
        parts = self.split.items()
        rows = {part: raw_pixels(self.images, indices) for part, indices in parts.items()}
        labels = {part: self.images.labels[indices] for part, indices in parts.items()}
        probe = fit_probe(
            rows["train"],
            labels["train"],
            rows["validation"],
            labels["validation"],
            len(self.images.classes),
        )
        told = probe.probabilities(rows["test"]).argmax(axis=1)
        correct = float((told == labels["test"]).sum())
        return Baseline(accuracy=wilson(correct, len(told), self.request.level))


def prepare(
    request: TrialRequest,
    *,
    folder: Path | None,
    home: Path,
    tell: Callable[[int], None] | None = None,
) -> Bench:
    """Open, check and split the images of a request; ``home`` holds what trials keep."""
    images = open_images(request.data)
    findings = check_images(images, tell)
    split = split_images(
        images,
        seed=request.seed,
        groups=findings.groups,
        without=findings.left_out,
        train_images=request.train_images,
        test_images=request.test_images,
    )
    bench = Bench(
        request=request,
        images=images,
        findings=findings,
        split=split,
        folder=folder or home,
        features=home / "features",
    )
    return bench if folder else _in_own_folder(bench, home)


def _in_own_folder(bench: Bench, home: Path) -> Bench:
    """Give a trial the folder that its request and images name: the same trial finds it again."""
    told = bench.request.model_dump_json(exclude={"threads", "level"}) + bench.data + code_digest()
    key = hashlib.sha256(told.encode()).hexdigest()[:16]
    return Bench(
        request=bench.request,
        images=bench.images,
        findings=bench.findings,
        split=bench.split,
        folder=home / key,
        features=bench.features,
    )


def code_digest() -> str:
    """SHA-256 over the code of this wing and the versions of what it trains with."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for path in sorted(here.rglob("*.py")):
        digest.update(path.relative_to(here).as_posix().encode() + path.read_bytes())
    digest.update(json.dumps(_versions(), sort_keys=True).encode())
    return digest.hexdigest()


def environment(threads: int) -> Environment:
    """Describe where a trial runs."""
    machine = f"{platform.machine()}, {platform.system()} {platform.release()}"
    return Environment(machine=machine, threads=threads, packages=_versions())


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
