"""Assess candidates on one lane: every metric as an estimate or a gap, cheap parts in one pass.

Latency comes from the strongest evidence there is: published for exactly this lane, else
predicted. Memory, weights, parameters and MACs are computed from the workload, energy from the
latency and the device's power, accuracy from the published weights and the published change at
the lane's precision.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from advisor.answering.batch_ladder import Timed, between_published, predicted
from advisor.answering.operating import not_considered
from advisor.answering.size_ladder import SizeLadder, ends_of, lowered, risen
from advisor.catalog.accuracy import Accuracy
from advisor.catalog.accuracy_at_precision import PrecisionChanges
from advisor.catalog.operator_support import OperatorSupport
from advisor.catalog.published import PublishedFigures
from advisor.core.candidate import Candidate
from advisor.core.conditions import Conditions
from advisor.core.error import reach_of
from advisor.core.estimate import Assessment, Estimate, Gap, Interval, Origin, Provenance, strongest
from advisor.core.frozen_record import Record
from advisor.core.lane import Lane
from advisor.core.quantity import Metric
from advisor.core.workload_table import WorkloadTable
from advisor.estimators.arena import flash, ram
from advisor.hardware.profile import DeviceProfile
from advisor.hardware.roofline import Floor, floor
from advisor.hardware.room import is_microcontroller
from advisor.measuring.own_figures import OwnFigures

if TYPE_CHECKING:
    from advisor.estimators.board_power import PowerModel
    from advisor.estimators.latency import LatencyModel, Prediction
    from advisor.estimators.memory import MemoryModel

IMAGES = 50_000
"""Size of ImageNet-1k's validation set, which limits how well an accuracy is known."""
WEIGHT_BYTES = {"fp32": 4.0, "amp": 4.0, "fp16": 2.0, "bf16": 2.0, "int16": 2.0, "int4": 0.5}
"""Bytes of one weight by precision; every other precision keeps them in one byte."""
BULK_CAVEAT = "steady state of a large batch: time per image, not the latency of a single image"
Floats = NDArray[np.float64]

AT_PEAK = "as fast as the unit's peak rate allows: nothing was measured that says more"
ABOVE_PEAK = "faster than the unit's nominal peak rate: saved multiplications, or a higher clock"
STREAMED = "the weights do not fit the memory on the chip and are read at every pass"
_OVER_FLOOR = 3.0
"""Highest latency by the floor: a link reaches a third of its rate or more."""
COUNTED = "counted from the network's layers"
EVERY = frozenset(Metric)
SPEEDS = (Metric.LATENCY, Metric.THROUGHPUT)
SPEED = frozenset(SPEEDS)
"""Metrics of which every candidate needs one, whatever is asked for."""
OF_POWER = frozenset({Metric.ENERGY, Metric.POWER, Metric.CHIP_POWER})
"""Metrics that follow from the latency and the device's power."""


def sampling_error(share: float, level: float) -> float:
    """Half of the interval of an accuracy that was counted on ImageNet's validation set."""
    return reach_of(level) * math.sqrt(max(share * (1 - share), 1e-6) / IMAGES)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A candidate that is going to be assessed, with what is known of its weights."""

    candidate: Candidate
    resolution: int
    weights: Accuracy | None
    """None where nobody published weights for this input size."""
    top1: Estimate | Gap | None = None
    """Predicted accuracy of a variant that needs training; replaces that of the weights."""

    implied: bool = False
    """Whether the name without an input size means this one."""
    recipe: str = ""
    """How the weights would be made, of a variant that needs training."""

    @property
    def name(self) -> str:
        """Spelling that can be typed back, with the input only where the name does not imply it."""
        return self.candidate.named(None if self.implied else self.resolution)


class LaneAssessor(Record):
    """Assesses many candidates on one lane at one level."""

    profile: DeviceProfile
    lane: Lane
    published: PublishedFigures
    latency: "LatencyModel"
    memory: "MemoryModel"
    power: "PowerModel"
    changes: PrecisionChanges
    support: OperatorSupport
    """Operators that accelerators have been seen to run."""
    level: float
    """Coverage of the intervals."""
    images: int = 1
    """Images of one pass; decides the latency where the lane holds times per image."""
    use_published: bool = True
    refuse_unseen: bool = False
    """Whether a network is a gap where nobody knows whether it runs, instead of a caveat."""
    own: OwnFigures | None = None
    """What the user measured on the device; outranks everything published."""
    sizes: SizeLadder | None = None
    """Sizes of the catalog's networks, of which no larger one takes less time."""
    conditions: Conditions = field(default_factory=Conditions)
    """Power mode and version that were stated."""

    def assess(self, subjects: Sequence[Subject], table: WorkloadTable) -> list[Assessment]:
        """Assess each subject; row i of ``table`` is the workload of subject i."""
        prepared = self.prepared(subjects, table)
        return [prepared.assessment(row) for row in range(len(subjects))]

    def prepared(
        self, subjects: Sequence[Subject], table: WorkloadTable, *, shared: bool = True
    ) -> "Prepared":
        """Compute what is computed for all subjects at once; row i of ``table`` is subject i's.

        ``shared`` tells what the errors of the latencies share.
        """
        return Prepared(assessor=self, subjects=subjects, table=table, shared=shared)

    def _peaks(self, table: WorkloadTable) -> list[Estimate]:
        """Return the peak memory of each network: the arena where activations alone are in RAM."""
        if self._in_flash:
            return ram(self.memory.arena, self.lane, table, level=self.level)
        return self.memory.predict(self.lane, table, level=self.level)

    @cached_property
    def _in_flash(self) -> bool:
        """Whether weights lie in flash and activations are planned statically."""
        return is_microcontroller(self.profile)

    def _predictions(self, table: WorkloadTable, *, shared: bool = False) -> "Prediction":
        """Predict all networks; those that may not run get a caveat, or a reason to refuse."""
        found = self._rising(self._alone(table, shared=shared), table)
        told = not_considered(self.conditions, self.lane)
        if told:
            found = replace(found, caveats=tuple((*told, *known) for known in found.caveats))
        refusals = self.support.refusals(self.lane, table)
        reasons = tuple(r or known for r, known in zip(refusals, found.reasons, strict=True))
        found = replace(found, reasons=reasons)
        doubts = self.support.reasons(self.lane, table)
        if not any(doubts):
            return found
        if self.refuse_unseen:
            reasons = tuple(r or doubt for r, doubt in zip(found.reasons, doubts, strict=True))
            return replace(found, reasons=reasons)
        caveats = tuple(
            (doubt, *known) if doubt else known
            for known, doubt in zip(found.caveats, doubts, strict=True)
        )
        return replace(found, caveats=caveats)

    def _alone(self, table: WorkloadTable, *, shared: bool = False) -> "Prediction":
        """Predict each network by itself, above its floor and in order with other batches."""
        found = _rounded(
            predicted(
                self.latency, self.lane, table, self._batches, level=self.level, shared=shared
            )
        )
        if self._timed:
            found = between_published(found, self.lane, table, self._timed)
        return self._above_floors(found, table)

    def _rising(self, found: "Prediction", table: WorkloadTable) -> "Prediction":
        """Raise what lies below the same network at a smaller input or width.

        Lower what lies above a larger input where the catalog has not counted this one.
        """
        if self.sizes is None:
            return found
        below, above = self.sizes.below(table), self.sizes.above(table)
        lesser = {key for keys in below for key in keys}
        ends = {
            key: ends_of(found, table.index[key]) for key in sorted(lesser) if key in table.index
        }
        for other in self.sizes.tables(lesser - ends.keys()):
            alone = self._alone(other)
            ends |= {key: ends_of(alone, row) for key, row in other.index.items()}
        found = risen(found, below, ends)
        for other in self.sizes.tables({key for key in above if key is not None}):
            larger = self._rising(self._alone(other), other)
            tops = {key: ends_of(larger, row) for key, row in other.index.items()}
            found = lowered(found, above, tops)
        return found

    @cached_property
    def _batches(self) -> list[int]:
        """Batches of the figures that differ from the lane in nothing else."""
        lanes = {found for found, _, _ in self.published.cells}
        return [one.batch for one in lanes if replace(one, batch=self.lane.batch) == self.lane]

    @cached_property
    def _timed(self) -> Timed:
        """What was published of other batches of the lane."""
        found: dict[tuple[str, int], list[tuple[int, float]]] = {}
        if not self.use_published or self.lane.is_bulk:
            return found
        for (lane, network, resolution), cell in self.published.cells.items():
            if lane.is_bulk or cell.latency is None or lane.batch == self.lane.batch:
                continue
            if replace(lane, batch=self.lane.batch) == self.lane:
                found.setdefault((network, resolution), []).append((lane.batch, cell.latency))
        return found

    def _above_floors(self, found: "Prediction", table: WorkloadTable) -> "Prediction":
        """Raise what lies below the time that the arithmetic or the weights need at least."""
        bound = self._floor(table)
        least = np.maximum(bound.least, self._crossing(bound))
        raised = least > found.value
        if not (bound.least > found.low).any() and not raised.any():
            return found
        return replace(
            found,
            value=np.maximum(found.value, least),
            low=np.maximum(found.low, bound.least),
            high=np.where(raised, np.maximum(found.high, _OVER_FLOOR * least), found.high),
            caveats=tuple(
                (_bounded_by(bound, row), *known) if raised[row] else known
                for row, known in enumerate(found.caveats)
            ),
        )

    def _floor(self, table: WorkloadTable) -> Floor:
        """Least seconds of a pass of the lane's batch; of one image in bulk lanes."""
        return floor(self.profile, self.lane, table, images=max(self.lane.batch, 1))

    def _possible(self, figure: Estimate, bound: Floor, row: int) -> Estimate | None:
        """Doubt a published figure above the nominal peak; None where nothing runs so fast."""
        images = max(self.lane.batch, 1)
        seconds = figure.value if figure.metric is Metric.LATENCY else images / figure.value
        if seconds < bound.least[row]:
            return None
        if seconds >= bound.nominal[row]:
            return figure
        caveats = (ABOVE_PEAK, *figure.provenance.caveats)
        return replace(figure, provenance=replace(figure.provenance, caveats=caveats))

    def _crossing(self, bound: Floor) -> Floats:
        """Seconds in which the weights cross a link at its rate, which is what to expect of it."""
        unit = self.profile.unit(self.lane.unit)
        linked = unit is not None and unit.link_bandwidth is not None
        return bound.streaming if linked else bound.least

    def latencies(self, subjects: Sequence[Subject], table: WorkloadTable) -> list[Assessment]:
        """Assess latency and throughput alone, for tables of many questions."""
        if not subjects:
            return []
        prepared = self.prepared(subjects, table, shared=False)
        return [prepared.timed(row) for row in range(len(subjects))]

    def _parts(
        self,
        subject: Subject,
        row: int,
        table: WorkloadTable,
        times: Sequence[Estimate | Gap],
        peak: Estimate,
        *,
        only: frozenset[Metric],
    ) -> list[Estimate | Gap]:
        """Every metric of one subject that is asked for, as estimate or gap."""
        network, side = table.networks[row], subject.resolution
        parts: list[Estimate | Gap] = list(times)
        parts += self._accuracy(subject, only)
        parts += self._own_figures(network, side, only, (Metric.PEAK_MEMORY, Metric.ENERGY))
        if Metric.PEAK_MEMORY in only:
            parts += self._memories(network, side, peak)
        powered = not only.isdisjoint(OF_POWER)
        if powered:
            parts += self._published_energy(network, side)
        parts += self._counted(table, row, only)
        if powered:
            latencies = [p for p in parts if isinstance(p, Estimate) and p.metric is Metric.LATENCY]
            parts += self._energy(strongest(latencies)[0] if latencies else None)
        if self._in_flash and Metric.FLASH in only:
            stored = table.weight_bytes(row, self.bytes_per_weight)
            parts.append(flash(stored, level=self.level))
        return parts

    def _counted(
        self, table: WorkloadTable, row: int, only: frozenset[Metric]
    ) -> Iterator[Estimate]:
        """What is counted from the layers."""
        if Metric.WEIGHTS in only:
            yield _counted(Metric.WEIGHTS, table.weight_bytes(row, self.bytes_per_weight))
        if Metric.PARAMETERS in only:
            yield _counted(Metric.PARAMETERS, float(table.parameters[row]))
        if Metric.MACS in only:
            yield _counted(Metric.MACS, float(table.macs[row]))

    def _memories(self, network: str, resolution: int, predicted: Estimate) -> list[Estimate]:
        """The peak memory as predicted, and as published where it is."""
        if not self.use_published:
            return [predicted]
        published = self.published.peak_memory(self.lane, network, resolution, level=self.level)
        return [predicted] if published is None else [published, predicted]

    def _published_energy(self, network: str, resolution: int) -> list[Estimate]:
        """The energy of one image as it was measured."""
        if not self.use_published:
            return []
        found = self.published.energy(self.lane, network, resolution, level=self.level)
        return [] if found is None else [found]

    def _assessment(
        self, subject: Subject, parts: Sequence[Estimate | Gap], refusal: str
    ) -> Assessment:
        """Sort estimates and gaps by metric, the strongest estimate of each first.

        A ``refusal`` of the compiler counts only where nobody has timed the network after all.
        """
        found: dict[Metric, Estimate] = {}
        several: dict[Metric, list[Estimate]] = {}
        gaps: dict[Metric, Gap] = {}
        for part in parts:
            if isinstance(part, Gap):
                gaps[part.metric] = part
            elif part.metric in found:
                several.setdefault(part.metric, [found[part.metric]]).append(part)
            else:
                found[part.metric] = part
        chosen = {metric: strongest(several[metric]) for metric in found if metric in several}
        timed = Metric.LATENCY in found or Metric.THROUGHPUT in found
        return Assessment(
            candidate=subject.candidate,
            precision=self.lane.precision,
            workload=None,
            estimates=found | {metric: best for metric, (best, _) in chosen.items()},
            alternatives={metric: others for metric, (_, others) in chosen.items()},
            gaps={metric: gap for metric, gap in gaps.items() if metric not in found},
            refused="" if timed else refusal,
        )

    def _known_times(
        self, network: str, resolution: int, bound: Floor, row: int, only: frozenset[Metric]
    ) -> list[Estimate]:
        """What the user measured and others published of a network's speed in this lane."""
        found = self._own_figures(network, resolution, only, SPEEDS)
        if not self.use_published or (network, resolution) not in self._published:
            return found
        for metric in SPEEDS:
            if metric in only:
                figure = self.published.estimate(
                    metric, self.lane, network, resolution, level=self.level
                )
                possible = figure and self._possible(figure, bound, row)
                if possible is not None:
                    found.append(self._of_batch(possible))
        return found

    @cached_property
    def _published(self) -> frozenset[tuple[str, int]]:
        """Networks and inputs with a published figure in this lane."""
        every = self.published.cells
        return frozenset((name, side) for lane, name, side in every if lane == self.lane)

    @cached_property
    def _measured(self) -> frozenset[tuple[str, int]]:
        """Networks and inputs that the user measured in this lane."""
        every = self.own.figures if self.own else ()
        return frozenset((name, side) for lane, name, side in every if lane == self.lane)

    def _own_figures(
        self, network: str, resolution: int, only: frozenset[Metric], metrics: Sequence[Metric]
    ) -> list[Estimate]:
        """What the user measured of a network in this lane."""
        measured = (network, resolution) in self._measured and self.use_published
        if self.own is None or not measured:
            return []
        found = (
            self.own.estimate(metric, self.lane, network, resolution, level=self.level)
            for metric in metrics
            if metric in only
        )
        return [estimate for estimate in found if estimate is not None]

    def _of_batch(self, estimate: Estimate) -> Estimate:
        """Turn the time per image of a bulk lane into that of the batch asked for, and say so."""
        if not self.lane.is_bulk or estimate.metric is not Metric.LATENCY:
            return estimate
        interval = estimate.interval
        provenance = estimate.provenance
        return replace(
            estimate,
            value=estimate.value * self.images,
            interval=replace(
                interval, low=interval.low * self.images, high=interval.high * self.images
            ),
            provenance=replace(provenance, caveats=(BULK_CAVEAT, *provenance.caveats)),
        )

    @cached_property
    def _pipelined(self) -> bool:
        return self.published.is_pipelined(self.lane)

    @property
    def bytes_per_weight(self) -> float:
        """Bytes that one weight takes at the lane's precision."""
        return WEIGHT_BYTES.get(self.lane.precision, 1.0)

    def _accuracy(self, subject: Subject, only: frozenset[Metric]) -> list[Estimate | Gap]:
        if only.isdisjoint((Metric.TOP1, Metric.TOP5)):
            return []
        if subject.top1 is not None:
            return [subject.top1]
        if subject.weights is None:
            name, side = subject.candidate.architecture, subject.resolution
            reason = f"no published accuracy of {name} at {side} pixels"
            return [Gap(metric=Metric.TOP1, reason=reason)]
        weights = subject.weights
        parts = [self._at_precision(Metric.TOP1, weights.top1, weights)]
        if weights.top5 is not None and Metric.TOP5 in only:
            parts.append(self._at_precision(Metric.TOP5, weights.top5, weights))
        return [part for part in parts if part is not None]

    def _at_precision(self, metric: Metric, share: float, weights: Accuracy) -> Estimate:
        """Return a float accuracy changed by what was published for the lane's precision."""
        sampling = sampling_error(share, self.level)
        change = self.changes.at(
            weights.network,
            self.lane.precision,
            runtime=self.lane.runtime,
            level=self.level,
            unit=self.lane.unit,
        )
        if change is None:
            low, value, high = -sampling, 0.0, sampling
            source, origin = weights.source_ref, Origin.PUBLISHED
            caveats: tuple[str, ...] = ()
        else:
            value = change.value
            low = value - math.hypot(sampling, value - change.low)
            high = value + math.hypot(sampling, change.high - value)
            source = f"{weights.source_ref}; change at {self.lane.precision}: {change.source}"
            caveats, origin = change.caveats, Origin.PREDICTED
        return Estimate(
            metric=metric,
            value=_share(share + value),
            interval=Interval(low=_share(share + low), high=_share(share + high), level=self.level),
            provenance=Provenance(origin=origin, source=source, caveats=caveats),
        )

    @cached_property
    def _powers(self) -> list[Estimate | Gap]:
        return self.power.powers(self.profile, self.lane, self.level, self.conditions.power_mode)

    @cached_property
    def _energy_scales(self) -> dict[bool, float]:
        """Factor of an energy's interval, by whether its latency is predicted."""
        return {known: self.power.scale(self.lane, predicted=known) for known in (False, True)}

    def _energy(self, latency: Estimate | None) -> list[Estimate | Gap]:
        """Power of board and chip, and the energy of one image by that of the board.

        A microcontroller's is that of its chip, where it is measured.
        """
        found = self._powers
        power = found[1] if self._in_flash else found[0]
        if isinstance(power, Gap):
            return [*found, Gap(metric=Metric.ENERGY, reason=power.reason)]
        if latency is None:
            return [*found, Gap(metric=Metric.ENERGY, reason="energy needs a latency")]
        return [*found, self._energy_of(latency, power)]

    def _energy_of(self, latency: Estimate, power: Estimate) -> Estimate:
        """Energy of one image: the time of a pass by the power, over its images."""
        value = latency.value * power.value / self.images
        scale = self._energy_scales[latency.provenance.origin is Origin.PREDICTED]
        low, high = (
            math.exp(scale * math.hypot(*(math.log(_ratio(e, side)) for e in (latency, power))))
            for side in ("low", "high")
        )
        return Estimate(
            metric=Metric.ENERGY,
            value=value,
            interval=Interval(low=value / low, high=value * high, level=self.level),
            provenance=replace(
                power.provenance,
                source=f"latency × {power.metric.label.lower()}; {power.provenance.source}",
            ),
            shared=latency.shared,
        )


class Prepared(Record):
    """Subjects on a lane: what is computed for all of them at once, the rest when it is asked."""

    assessor: LaneAssessor
    subjects: Sequence[Subject]
    table: WorkloadTable
    """Row i is the workload of subject i."""
    shared: bool
    """Whether to tell what the errors of the latencies share."""

    def assessment(self, row: int, only: frozenset[Metric] = EVERY) -> Assessment:
        """Assess one subject by the metrics in ``only``, and by its latency or throughput."""
        assessor, subject = self.assessor, self.subjects[row]
        times = self._times(row, only)
        parts = assessor._parts(subject, row, self.table, times, self._peaks[row], only=only)
        return assessor._assessment(subject, parts, self._refusals[row])

    def timed(self, row: int) -> Assessment:
        """Assess latency and throughput alone."""
        return self.assessor._assessment(self.subjects[row], self._times(row, EVERY), "")

    def _times(self, row: int, only: frozenset[Metric]) -> list[Estimate | Gap]:
        network, side = self.table.networks[row], self.subjects[row].resolution
        known = self.assessor._known_times(network, side, self._bound, row, only | SPEED)
        return [*known, *self._predicted(row, only)]

    def _predicted(self, row: int, only: frozenset[Metric]) -> list[Estimate | Gap]:
        """The latency as predicted, and the throughput that follows where it is asked for."""
        prediction, assessor = self._prediction, self.assessor
        reason = prediction.reasons[row]
        if reason:
            return [Gap(metric=m, reason=reason) for m in SPEEDS]
        low, value, high = self._ends[row]
        provenance = Provenance(
            origin=prediction.origins[row],
            source=prediction.sources[row],
            date=prediction.date,
            caveats=prediction.caveats[row],
        )
        shared = self._shared[row]
        found: list[Estimate | Gap] = []
        if assessor._pipelined:
            gap = "published for this lane is the throughput of a pipeline, never a latency"
            found.append(Gap(metric=Metric.LATENCY, reason=gap))
        else:
            latency = Estimate(
                metric=Metric.LATENCY,
                value=value,
                interval=Interval(low=low, high=high, level=assessor.level),
                provenance=provenance,
                shared=shared,
            )
            found.append(assessor._of_batch(latency))
        if Metric.THROUGHPUT in only or assessor._pipelined:
            images = max(assessor.lane.batch, 1)
            rate = Estimate(
                metric=Metric.THROUGHPUT,
                value=images / value,
                interval=Interval(low=images / high, high=images / low, level=assessor.level),
                provenance=provenance,
                shared=tuple(-part for part in shared),
            )
            found.append(rate)
        return found

    @cached_property
    def _prediction(self) -> "Prediction":
        return self.assessor._predictions(self.table, shared=self.shared)

    @cached_property
    def _ends(self) -> list[tuple[float, float, float]]:
        """Low, value and high of each predicted latency."""
        found = self._prediction
        return list(zip(found.low.tolist(), found.value.tolist(), found.high.tolist(), strict=True))

    @cached_property
    def _shared(self) -> list[tuple[float, ...]]:
        """How far each error follows those that the lane's networks share."""
        found = self._prediction.shared
        if found is None:
            return [()] * len(self.table)
        return [tuple(parts) for parts in found.round(3).tolist()]

    @cached_property
    def _bound(self) -> Floor:
        return self.assessor._floor(self.table)

    @cached_property
    def _peaks(self) -> list[Estimate]:
        return self.assessor._peaks(self.table)

    @cached_property
    def _refusals(self) -> Sequence[str]:
        return self.assessor.support.refusals(self.assessor.lane, self.table)


def _rounded(found: "Prediction") -> "Prediction":
    """Keep four digits, in which a prediction is the same whoever else is asked about."""
    return replace(
        found, low=_digits(found.low), value=_digits(found.value), high=_digits(found.high)
    )


def _digits(values: Floats, digits: int = 4) -> Floats:
    step = 10.0 ** (np.floor(np.log10(np.maximum(values, 1e-30))) - digits + 1)
    rounded: Floats = np.round(values / step) * step
    return rounded


def _ratio(estimate: Estimate, side: str) -> float:
    """Factor from the value to one end of its interval, 1 or more."""
    end: float = getattr(estimate.interval, side)
    return max(estimate.value / end if side == "low" else end / estimate.value, 1.0)


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _counted(metric: Metric, value: float) -> Estimate:
    return Estimate(
        metric=metric,
        value=value,
        interval=Interval.exact(value),
        provenance=Provenance(origin=Origin.ANALYTIC, source=COUNTED),
    )


def _bounded_by(bound: Floor, row: int) -> str:
    """Say what a raised latency is bounded by."""
    return STREAMED if bound.streaming[row] > bound.compute[row] else AT_PEAK
