"""The user's accuracy in place of ImageNet's: what a trial measured, and what it says of others."""

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING

from advisor.answering.assess import LaneAssessor, Subject
from advisor.answering.evidence import Evidence
from advisor.catalog.family_names import family_of
from advisor.core.candidate import Candidate
from advisor.core.constraint import Verdict
from advisor.core.document import Input, Recommendation
from advisor.core.estimate import Estimate, Gap, Interval, Origin, Provenance
from advisor.core.quantity import Metric
from advisor.errors import TrialError
from advisor.trials.record import Standing, TrialRecord, read_trial
from advisor.trials.unseen_models import (
    ExpectedAccuracy,
    Tried,
    UnseenModels,
    kin_by_likeness,
)

if TYPE_CHECKING:
    from advisor.answering.judge import Judged

NEXT = 3
"""Models that are named to be tried next."""


@dataclass(frozen=True, kw_only=True)
class OwnAccuracy:
    """Accuracies on the user's images, from one trial."""

    record: TrialRecord
    path: Path
    evidence: Evidence
    level: float

    @staticmethod
    def read(path: Path, evidence: Evidence, *, level: float) -> "OwnAccuracy":
        """Read a trial; TrialError where it has nothing to rank by."""
        record = read_trial(path)
        if not record.standings:
            raise TrialError(f"{path}: no model of this trial has an accuracy")
        return OwnAccuracy(record=record, path=path, evidence=evidence, level=level)

    @property
    def sha256(self) -> str:
        """Digest of the file."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def subjects(self, proposed: Sequence[Subject], assessor: LaneAssessor) -> list[Subject]:
        """Give proposed networks their accuracy here, at the precision of a lane.

        Networks that were tried at another input than the catalog's compete with that too.
        """
        from advisor.answering.variants import top1_at_precision

        found = [replace(one, top1=self.estimate(one)) for one in proposed]
        known = {(one.candidate.network, one.resolution) for one in proposed}
        admitted = {one.candidate.architecture for one in proposed}
        for (network, side), standing in self._measured.items():
            candidate = Candidate.parse(standing.model)
            if (network, side) not in known and candidate.architecture in admitted:
                own = replace(candidate, resolution=side)
                found.append(
                    Subject(candidate=own, resolution=side, weights=None, top1=self._told(standing))
                )
        return [
            replace(one, top1=top1_at_precision(one.top1, one.candidate.network, assessor))
            if one.top1 is not None
            else one
            for one in found
        ]

    def estimate(self, subject: Subject) -> Estimate | Gap:
        """Return what was measured of a network at its input, else what is to be expected."""
        standing = self._measured.get((subject.candidate.network, subject.resolution))
        if standing is not None:
            return self._told(standing)
        predicted = self.predicted(subject)
        if predicted is None:
            return Gap(metric=Metric.TOP1, reason="not tried, and without ImageNet top-1 to go by")
        count = len(self.record.standings)
        by = ", ImageNet top-1 and the likeness of features" if self._is_looked_at(
            subject.candidate.architecture
        ) else " and ImageNet top-1"  # fmt: skip
        return Estimate(
            metric=Metric.TOP1,
            value=predicted.value,
            interval=Interval(low=predicted.low, high=predicted.high, level=self.level),
            provenance=Provenance(
                origin=Origin.PREDICTED,
                source=f"from {count} models tried on {self.record.data.name}{by}",
                date=self.record.created[:10],
                caveats=self._caveats,
            ),
        )

    def predicted(self, subject: Subject) -> ExpectedAccuracy | None:
        """Return what is to be expected of a network that was not tried."""
        if subject.weights is None:
            return None
        name = subject.candidate.architecture
        unseen = self._alike if self._is_looked_at(name) else self._unseen
        return unseen.predict(name, family_of(name), subject.weights.top1, level=self.level)

    def _is_looked_at(self, network: str) -> bool:
        """Whether its likeness to every tried network is known."""
        found = self.record.likeness
        return found is not None and {network, *(one.network for one in self._unseen.tried)} <= set(
            found.networks
        )

    def _told(self, standing: Standing) -> Estimate:
        ratio = _z(self.level) / _z(standing.accuracy.level)
        accuracy = standing.accuracy
        low = accuracy.value - ratio * (accuracy.value - accuracy.low)
        high = accuracy.value + ratio * (accuracy.high - accuracy.value)
        start = "trained" if standing.trained_weights else "random"
        return Estimate(
            metric=Metric.TOP1,
            value=accuracy.value,
            interval=Interval(low=max(low, 0.0), high=min(high, 1.0), level=self.level),
            provenance=Provenance(
                origin=Origin.MEASURED,
                source=f"trial on {self.record.data.name}: {standing.stage.value} from {start} "
                f"weights, {accuracy.images} test images",
                date=self.record.created[:10],
            ),
        )

    @cached_property
    def _caveats(self) -> tuple[str, ...]:
        sides = sorted({standing.resolution for standing in self.record.standings})
        told = [f"accuracy predicted from models taught at {', '.join(map(str, sides))} pixels"]
        if not any(standing.trained_weights for standing in self.record.standings):
            told.append("all tried models started from random weights; trained ones reach more")
        return tuple(told)

    @cached_property
    def _measured(self) -> Mapping[tuple[str, int], Standing]:
        return {
            (Candidate.parse(standing.model).network, standing.resolution): standing
            for standing in self.record.standings
        }

    @cached_property
    def _unseen(self) -> UnseenModels:
        return UnseenModels(tried=[self._tried(one) for one in self.record.standings])

    @cached_property
    def _alike(self) -> UnseenModels:
        assert self.record.likeness is not None  # asked before
        return UnseenModels(tried=self._unseen.tried, kin=kin_by_likeness(self.record.likeness))

    def _tried(self, standing: Standing) -> Tried:
        name = Candidate.parse(standing.model).architecture
        weights = self.evidence.weights_of(name)
        return Tried(
            network=name,
            family=family_of(name),
            imagenet=weights[0].top1 if weights else None,
            accuracy=standing.accuracy.value,
            images=standing.accuracy.images,
        )

    def told_in(self, found: Recommendation, judged: Sequence["Judged"]) -> Recommendation:
        """Say in an answer whose accuracy it is, and which models are worth trying next."""
        open_ones = [one for one in judged if one.verdict is not Verdict.VIOLATED]
        trial = Input(name=self.path.name, sha256=self.sha256)
        return found.model_copy(
            update={
                "warnings": (*self._warnings(open_ones), *found.warnings),
                "inputs": (*found.inputs, trial),
            }
        )

    def _warnings(self, open_ones: Sequence["Judged"]) -> tuple[str, ...]:
        told = [
            f"accuracy is that on {self.record.data.name} ({self.path.name}), not ImageNet's; "
            f"{len(self.record.standings)} models were tried, the others' is predicted"
        ]
        names = self.next_models(open_ones)
        if names:
            data = shlex.quote(self.record.request.data)
            told.append(f"try next: advisor trial {data} --models {','.join(names)}")
        return tuple(told)

    def next_models(self, judged: Sequence["Judged"]) -> list[str]:
        """Name models that may keep the limits and promise most beyond the best tried one."""
        tried = {network for network, _ in self._measured}
        gains: dict[str, float] = {}
        for one in judged:
            name = one.subject.candidate.architecture
            predicted = self.predicted(one.subject) if name not in tried else None
            if predicted is not None:
                gains[name] = max(gains.get(name, 0.0), predicted.gain)
        return sorted(gains, key=lambda name: (-gains[name], name))[:NEXT]


def _z(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)
