"""Latency: seconds of one pass of any network in any lane, with a calibrated interval.

The model is that of ``unit_costs`` (non-negative sums over kinds of work) and ``covariance``
(Gaussian deviations from them), fitted by ``fitting``. This module only evaluates it, with NumPy
alone. The mean uses every published cell; the variance uses the cells closest to the lane, which
can only make it larger.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advisor.core.estimate import Origin
from advisor.core.frozen_record import Record
from advisor.core.lane import Lane
from advisor.core.workload_table import WorkloadTable
from advisor.errors import ProfileError, UsageError
from advisor.estimators.columns import COLUMNS, LEAST, WorkKind, amounts, features
from advisor.estimators.covariance import (
    FAMILY,
    SMOOTH,
    Points,
    Singles,
    basis,
    covariance,
    kinship,
    likeness,
    prior_variance,
)
from advisor.estimators.evidence_class import EvidenceClass, LaneKnown, NetworkKnown, known_of_lane
from advisor.estimators.fitted import LONG, Fitted, read_fitted
from advisor.estimators.kinship import family_of, strict_family_of
from advisor.estimators.lane_relations import LaneFacts, LaneSet, facts_of
from advisor.estimators.nearest import in_words, nearest
from advisor.estimators.own_timings import DOUBTED, OWN_SCALE, inverse_of_lower, robust_noise
from advisor.estimators.unit_costs import COMMON, shares
from advisor.hardware.library import ProfileLibrary
from advisor.hardware.profile import DeviceProfile

Floats = NDArray[np.float64]

METHOD = "estimator"
_SHARED = {WorkKind.LAUNCHES: "operator starts", WorkKind.WEIGHTS: "weight reads"}
"""Kinds of work that every operator class has, by the name that ``breakdown`` gives them."""
PRESENT = 1e-3
"""Amount of work below which a network has none of it; smaller ones only keep logarithms finite."""
LOCAL = 320
"""Published cells that the variance is conditioned on."""
LOCAL_OF_LANE = 250
"""… of one lane at most."""
LANDMARKS = 96
"""Networks among which the shared parts of a lane's errors are found."""
SHARED_PARTS = 6
"""Parts that are kept."""
MOST_SHARED = 0.99
"""Largest correlation of an error with the shared ones: no two networks err exactly alike."""
LOCAL_OF_OTHERS = 12
"""… of any other lane, where nothing was measured in the lane itself."""
MOST_OWN = 1000
"""Timings of the user that an answer takes, those of the lane first: comparing each with each
is work in their cube. Of 1,682 in two lanes all would move an answer by 0.8 % in the median, and
no interval's width by more than 6 %."""


class Prediction(Record):
    """Latencies of the networks of one table in one lane, by row."""

    value: Floats
    """Seconds of one pass of the lane's batch; of one image in bulk lanes. Median."""
    low: Floats
    high: Floats
    level: float
    """Nominal coverage of low to high."""
    evidence: tuple[EvidenceClass, ...]
    """What each value rests on."""
    origins: tuple[Origin, ...]
    sources: tuple[str, ...]
    caveats: tuple[tuple[str, ...], ...]
    reasons: tuple[str, ...]
    """Why there is no value, empty where there is one."""
    date: str
    """Year and month of the newest figure in the catalog."""
    shared: Floats | None = None
    """(networks, parts): how far each error follows the errors that the lane's networks share;
    independent parts of variance 1, so that the squares of a row sum to at most 1. None where it
    was not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """A time that the user measured."""

    lane: Lane
    network: str
    resolution: int
    seconds: float
    """Seconds of one pass of the lane's batch."""


class Asked(Record):
    """Networks in one lane as points of the covariance, with the mean of their log seconds."""

    points: Points
    mean: Floats


class Known(Record):
    """What is known of the networks asked for, whitened; squares are variance explained."""

    left: Floats
    """(local cells, networks)."""
    own: Floats | None = None
    """(own timings, networks)."""

    @property
    def told(self) -> Floats:
        """Variance of each network's log seconds that is explained."""
        told: Floats = (self.left**2).sum(axis=0)
        return told if self.own is None else told + (self.own**2).sum(axis=0)


class LongLanes(Record):
    """The fit to very long lanes, read when it is first asked."""

    root: Path

    @cached_property
    def fitted(self) -> Fitted:
        """Its parameters."""
        return read_fitted(self.root, LONG)


KEPT_LANES = 16
"""Lanes whose factorised cells are kept, those of a ladder of batches among them; each takes some
megabytes."""


class LatencyModel(Record):
    """The fitted estimator, with the user's own timings where there are some."""

    fitted: Fitted
    profiles: ProfileLibrary | None = None
    own: tuple[Timing, ...] = ()
    own_table: WorkloadTable | None = None
    """Workloads of the networks in ``own``, row by row."""
    most_own: int = MOST_OWN
    """How many of these an answer takes."""
    long: LongLanes | None = None
    """The fit that answers for very long lanes; they also teach the other one."""
    _facts: dict[Lane, LaneFacts] = field(default_factory=dict, repr=False, compare=False)
    _like: dict[Lane, str] = field(default_factory=dict, repr=False, compare=False)

    @staticmethod
    def load(root: Path, profiles: ProfileLibrary | None = None) -> "LatencyModel":
        """Read the fitted parameters from the catalog's folder ``root``."""
        return LatencyModel(fitted=read_fitted(root), profiles=profiles, long=LongLanes(root=root))

    def _for(self, lane: Lane) -> "LatencyModel":
        """Return the model that answers for a lane; timings of lanes it lacks tell it nothing."""
        return self._of_long if self.long and self.fitted.is_long(lane) else self

    @cached_property
    def _of_long(self) -> "LatencyModel":
        assert self.long is not None
        fitted = self.long.fitted
        kept = [row for row, one in enumerate(self.own) if one.lane in fitted.lanes.index]
        table = self.own_table.rows(kept) if self.own_table else None
        own = tuple(self.own[row] for row in kept)
        return replace(self, fitted=fitted, long=None, own=own, own_table=table)

    @property
    def name(self) -> str:
        """Method and version, for the provenance of a value."""
        return f"{METHOD}/{self.fitted.version}"

    def facts(self, lane: Lane) -> LaneFacts:
        """Return what is known of a lane: from the fit, else from its device's profile."""
        if lane not in self._facts:
            position = self.fitted.lanes.index.get(lane)
            known = None if position is None else self.fitted.lanes.facts[position]
            self._facts[lane] = known or facts_of(lane, self._profile(lane.device))
        return self._facts[lane]

    def _profile(self, device: str) -> DeviceProfile | None:
        try:
            return self.profiles.load(device) if self.profiles else None
        except (ProfileError, UsageError):
            return None

    def with_facts(self, facts: Mapping[Lane, LaneFacts]) -> "LatencyModel":
        """Return the model that takes the facts of some lanes as given."""
        return replace(self, _facts={**self._facts, **facts})

    def with_measurements(self, rows: Sequence[Timing], table: WorkloadTable) -> "LatencyModel":
        """Return the model that also knows the user's timings; row i of ``table`` is row i's."""
        return replace(self, own=tuple(rows), own_table=table)

    def predict(
        self, lane: Lane, table: WorkloadTable, *, level: float = 0.9, shared: bool = False
    ) -> Prediction:
        """Predict every network of ``table`` in ``lane``; ``shared`` tells what errors share."""
        model = self._for(lane)
        local = model._local(lane)
        asked = model._asked(lane, table, local)
        known = local.known(asked)
        mean, variance = local.posterior(asked, known)
        evidence = self.evidence(lane, table)
        calibration = self._for(lane).fitted.calibration
        classes = {e.network: e for e in evidence}
        factor = {known: calibration.quantile(e, level) for known, e in classes.items()}
        source = {known: f"{self.name}: {e.label}" for known, e in classes.items()}
        caveats = {known: e.caveats for known, e in classes.items()}
        origin = {known: e.origin for known, e in classes.items()}
        width = np.array([factor[e.network] for e in evidence])
        spread = width * np.sqrt(np.maximum(variance, 1e-6))
        return Prediction(
            value=np.exp(mean),
            low=np.exp(mean - spread),
            high=np.exp(mean + spread),
            level=level,
            evidence=evidence,
            origins=tuple(origin[e.network] for e in evidence),
            sources=tuple(source[e.network] for e in evidence),
            caveats=tuple(
                (*said, *table.caveats[row], *_uncounted(table.uncounted[row]))
                for row, said in enumerate(caveats[e.network] for e in evidence)
            ),
            reasons=self._reasons(lane, table),
            date=self.fitted.date,
            shared=local.shared(asked, known) if shared else None,
        )

    def log_seconds(self, lane: Lane, table: WorkloadTable) -> tuple[Floats, Floats]:
        """Return mean and variance of the log of the seconds of one pass."""
        model = self._for(lane)
        local = model._local(lane)
        return local.posterior(model._asked(lane, table, local))

    def _reasons(self, lane: Lane, table: WorkloadTable) -> tuple[str, ...]:
        """Say of each network why nothing can be said of it; empty where there is an answer."""
        kind = self.facts(lane).kind
        if kind not in self.fitted.kinds and not self.own:
            reason = f"no figure of any {kind} is known, so nothing can be inferred for one"
            return (reason,) * len(table)
        return tuple(
            "" if macs > 0 else f"the workload of {network} holds no arithmetic"
            for network, macs in zip(table.networks, table.macs.tolist(), strict=True)
        )

    def breakdown(self, lane: Lane, table: WorkloadTable) -> dict[str, Floats]:
        """Return the seconds by operator class, each an array over the networks.

        What the classes share is booked apart: ``operator starts`` is the cost of each call
        whatever it computes, ``weight reads`` that of the weights.
        """
        model = self._for(lane)
        work = _log_work(model.fitted, table)
        costs = model._costs(lane)
        share, _ = shares(np.repeat(costs[None], len(table), axis=0), work)
        share = share * (work > np.log(PRESENT))
        share /= share.sum(axis=1, keepdims=True)
        seconds = self.predict(lane, table).value
        found: dict[str, Floats] = {}
        for position, column in enumerate(COLUMNS):
            part = _SHARED.get(column.kind, column.operator)
            found[part] = found.get(part, 0) + share[:, position] * seconds
        return found

    def evidence(self, lane: Lane, table: WorkloadTable) -> tuple[EvidenceClass, ...]:
        """Say what the prediction of each network rests on."""
        mine = [row for row in self.own if row.lane.device == lane.device]
        own = len({row.network for row in mine if row.lane == lane})
        beside = len({row.network for row in mine if row.lane != lane})
        fitted = self._for(lane).fitted
        lane_known, count = known_of_lane(fitted, lane, own)
        like = self.like(lane) if lane_known in (LaneKnown.PROFILE, LaneKnown.DEVICE) else ""
        classes = {
            known: EvidenceClass(
                network=known,
                lane=lane_known,
                count=count,
                own=own,
                own_beside=beside,
                unit=lane.unit,
                like=like,
            )
            for known in NetworkKnown
        }
        return tuple(classes[known] for known in _known_networks(fitted, table))

    def like(self, lane: Lane) -> str:
        """Name the designs and runtimes that answers for a lane lean on, in words."""
        if lane not in self._like:
            self._like[lane] = in_words(nearest(self._for(lane).fitted, self.facts(lane)))
        return self._like[lane]

    def doubted(self, lane: Lane) -> tuple[Timing, ...]:
        """Return the user's timings of a lane that are not believed, because others refute them."""
        model = self._for(lane)
        mine = [row for row, one in enumerate(model.own) if one.lane == lane]
        parts = math.ceil(len(mine) / self.most_own)
        if parts > 1:  # each is judged among as many as an answer takes
            judged = [model._with_own(mine[part::parts]) for part in range(parts)]
            return tuple(one for part in judged for one in part.doubted(lane))
        own = model._local(lane).own
        if own is None:
            return ()
        pairs = zip(own.timings, own.believed.tolist(), strict=True)
        return tuple(one for one, belief in pairs if one.lane == lane and belief < DOUBTED)

    def _with_own(self, rows: Sequence[int]) -> "LatencyModel":
        """Return the model that knows some of the user's timings."""
        assert self.own_table is not None
        timings, table = [self.own[row] for row in rows], self.own_table.rows(list(rows))
        return self.with_measurements(timings, table)

    def _with_closest_own(self, lane: Lane) -> "LatencyModel":
        """Return the model with the timings of the lanes most related to ``lane``, itself first."""
        if len(self.own) <= self.most_own:
            return self
        by_lane: dict[Lane, list[int]] = {}
        for row, timing in enumerate(self.own):
            by_lane.setdefault(timing.lane, []).append(row)
        one, lanes = LaneSet(facts=(self.facts(lane),)), list(by_lane)
        others = LaneSet(facts=tuple(self.facts(other) for other in lanes))
        related = self.fitted.variances.lane_matrices(one, others, self.fitted.scale)
        nearness = sum(matrix[0] for matrix in related.values())
        nearest = np.where([other == lane for other in lanes], np.inf, np.asarray(nearness))
        kept: list[int] = []
        for number in np.argsort(-nearest, kind="stable").tolist():
            rows = by_lane[lanes[number]]
            count = min(len(rows), self.most_own - len(kept))
            spread = np.linspace(0, len(rows) - 1, count).astype(np.int64)
            kept += [rows[place] for place in spread.tolist()]
        return self._with_own(sorted(kept))

    def next_measurements(
        self, lane: Lane, table: WorkloadTable, count: int, *, limit: float | None = None
    ) -> list[int]:
        """Return the rows of ``table`` whose timing would narrow the answers most.

        Greedy: each pick takes away the most of the summed posterior variance. With a ``limit``
        in seconds, rows count by how open it is whether they keep it, so that the picks are the
        timings that settle which networks do.
        """
        model = self._for(lane)
        local = model._local(lane)
        asked = model._asked(lane, table, local)
        joint = local.joint(asked)
        mean, variance = local.posterior(asked)
        weight = np.ones(len(table))
        if limit is not None:
            weight = np.exp(-0.5 * (np.log(limit) - mean) ** 2 / variance) / variance
        picks: list[int] = []
        for _ in range(min(count, len(table))):
            noisy = np.diag(joint) + OWN_SCALE**2
            gain = (weight[:, None] * joint**2).sum(axis=0) / noisy
            gain[picks] = -1.0
            best = int(gain.argmax())
            picks.append(best)
            joint = joint - np.outer(joint[:, best], joint[best]) / noisy[best]
        return picks

    def _costs(self, lane: Lane) -> Floats:
        position = self.fitted.lanes.index.get(lane)
        if position is not None:
            costs: Floats = self.fitted.lane_costs[position]
            return costs
        only: Floats = self.fitted.costs.of(LaneSet(facts=(self.facts(lane),)))[0]
        return only

    def _points(
        self, lane: Lane, table: WorkloadTable, row: int, *, own: bool = False
    ) -> tuple[Points, Floats]:
        """Return the networks as points of lane ``row``, and their mean before any cell.

        Answers are as the lane's main publication states times; what is the user's ``own`` is of
        none, and so are answers for lanes with own timings.
        """
        own = own or any(one.lane == lane for one in self.own)
        publication = -1 if own else self.fitted.publication_of(lane)
        work = _log_work(self.fitted, table)
        costs = self._costs(lane)
        share, log_seconds = shares(np.repeat(costs[None], len(table), axis=0), work)
        mean = log_seconds + self._corrections(lane, table)
        if not self.fitted.is_of_long:
            common = self.fitted.costs.of(LaneSet(facts=(self.facts(lane),)), COMMON)[0]
            mean -= share @ (costs - common)
        points = Points(
            lane=np.full(len(table), row),
            share=share,
            features=_features(self.fitted, table),
            family=_families(self.fitted, table),
            publication=self.fitted.publication_weights(np.full(len(table), publication)),
        )
        return points, mean

    def _corrections(self, lane: Lane, table: WorkloadTable) -> Floats:
        """Return what the networks' layers add to the log seconds, where the fit knows."""
        fitted, corrections = self.fitted, self.fitted.corrections
        position = fitted.lanes.index.get(lane)
        found = np.zeros(len(table))
        if corrections is None or position is None:
            return found
        rows = _known_rows(fitted, table)
        known = rows >= 0
        found[known] = corrections.at(rows[known], np.full(known.sum(), position))
        rest = np.flatnonzero(~known).tolist()
        if rest:
            part = table.rows(rest)
            families = [family_of(name) for name in part.networks]
            found[rest] = corrections.of(part, families, position, fitted.lane_costs)
        return found

    def _asked(self, lane: Lane, table: WorkloadTable, local: "Local") -> Asked:
        points, mean = self._points(lane, table, local.position[lane])
        return Asked(points=points, mean=mean + local.global_shift(points))

    def _local(self, lane: Lane) -> "Local":
        """Return the cells around a lane; those of the lanes that were last asked for are kept."""
        known = self._locals.pop(lane, None)
        while known is None and len(self._locals) >= KEPT_LANES:
            del self._locals[next(iter(self._locals))]
        self._locals[lane] = known or Local.around(self._with_closest_own(lane), lane)
        return self._locals[lane]

    @cached_property
    def _locals(self) -> "dict[Lane, Local]":
        return {}


class Local(Record):
    """The published cells closest to a lane, and the user's own, factorised."""

    fitted: Fitted
    lanes: LaneSet
    """The lane asked for, lanes of own timings, then those of the local cells."""
    position: dict[Lane, int]
    matrices: dict[str, Singles]
    """Covariance over ``lanes`` by level."""
    to_fitted: dict[str, Singles]
    """Covariance of ``lanes`` with all fitted lanes by level."""
    points: Points
    whiten: Floats
    """Inverse of the Cholesky factor of the local cells."""
    own: "Own | None"

    @staticmethod
    def around(model: LatencyModel, lane: Lane) -> "Local":
        """Collect the cells that say most about ``lane``."""
        fitted = model.fitted
        asked = list(dict.fromkeys([lane, *(row.lane for row in model.own)]))
        first = LaneSet(facts=tuple(model.facts(one) for one in asked))
        to_fitted = fitted.variances.lane_matrices(first, fitted.lanes, fitted.scale)
        cells = _closest(fitted, to_fitted, lane)
        used, inverse = np.unique(fitted.cell_lane[cells], return_inverse=True)
        lanes = LaneSet(facts=(*first.facts, *(fitted.lanes.facts[i] for i in used)))
        matrices = fitted.variances.lane_matrices(lanes, lanes, fitted.scale)
        points = _cell_points(fitted, cells, inverse + len(first))
        prior = covariance(points, points, matrices, kind=np.float64)
        prior[np.diag_indices_from(prior)] += fitted.cell_noise[cells]
        local = Local(
            fitted=fitted,
            lanes=lanes,
            position={one: place for place, one in enumerate(asked)},
            matrices=matrices,
            to_fitted=to_fitted,
            points=points,
            whiten=inverse_of_lower(np.linalg.cholesky(prior)),
            own=None,
        )
        return replace(local, own=Own.of(model, local)) if model.own else local

    def global_shift(self, points: Points) -> Floats:
        """Return what all published cells add to the mean: (n,)."""
        rows = points.lane
        shift = np.zeros(len(points))
        for level, parts in basis(points).items():
            by_row = self.to_fitted[level] @ self.fitted.lane_weights[level]
            shift += (parts * by_row[rows]).sum(axis=1)
        for row in set(rows.tolist()):  # np.unique would import the masked arrays of NumPy
            mine = np.flatnonzero(rows == row)
            shift[mine] += self._smooth_shift(points.take(mine), int(row))
        return shift

    def _smooth_shift(self, wanted: Points, row: int) -> Floats:
        smooth, kin = (self._by_network(level, row) for level in (SMOOTH, FAMILY))
        used = np.flatnonzero(smooth)
        known = Points(
            lane=used,
            share=np.zeros((len(used), 0)),
            features=self.fitted.features[used],
            family=self.fitted.family_numbers[used],
            publication=np.zeros((len(used), 0)),
        )
        found = likeness(wanted.features, known.features, kind=np.float64) @ smooth[used]
        if kin.any():
            found += kinship(wanted, known, kind=np.float64) @ kin[used]
        return found.astype(np.float64)

    def _by_network(self, level: str, row: int) -> Singles:
        """Sum what the cells of each network say of a lane at one of the smooth levels."""
        fitted = self.fitted
        by_cell = self.to_fitted[level][row][fitted.cell_lane] * fitted.cell_weight
        summed = np.bincount(fitted.cell_network, weights=by_cell, minlength=len(fitted.networks))
        return summed.astype(np.float32)

    def known(self, asked: Asked) -> Known:
        """Return what the local cells and the user's timings tell of the networks asked for."""
        left = self.whiten @ covariance(self.points, asked.points, self.matrices, kind=np.float64)
        if self.own is None:
            return Known(left=left)
        cross = covariance(self.own.points, asked.points, self.matrices, kind=np.float64)
        return Known(left=left, own=self.own.whiten @ (cross - self.own.left.T @ left))

    def posterior(self, asked: Asked, known: Known | None = None) -> tuple[Floats, Floats]:
        """Return mean and variance of the log seconds."""
        known = known or self.known(asked)
        variance = prior_variance(asked.points, self.matrices) - known.told
        if self.own is None or known.own is None:
            return asked.mean, np.maximum(variance, 1e-6)
        return asked.mean + known.own.T @ self.own.surprise, np.maximum(variance, 1e-6)

    def joint(
        self,
        asked: Asked,
        known: Known | None = None,
        some: NDArray[np.int64] | None = None,
    ) -> Floats:
        """Return the posterior covariance of all networks asked for with ``some``, or with all."""
        known = known or self.known(asked)
        others = asked.points if some is None else asked.points.take(some)
        joint: Floats = covariance(asked.points, others, self.matrices, kind=np.float64)
        for told in (known.left, known.own):
            if told is not None:
                joint -= told.T @ (told if some is None else told[:, some])
        return joint

    def shared(self, asked: Asked, known: Known) -> Floats:
        """Return how far the error of each network follows the errors that networks share.

        The principal parts of the correlation among ``LANDMARKS`` networks, carried over to all
        (Nyström; Williams and Seeger 2001).
        """
        count = len(asked.points)
        spread = np.linspace(0, count - 1, min(count, LANDMARKS))
        some = np.array(sorted(set(spread.astype(np.int64).tolist())), np.int64)
        _, variance = self.posterior(asked, known)
        deviation = np.sqrt(variance)
        related = self.joint(asked, known, some) / np.outer(deviation, deviation[some])
        strength, parts = np.linalg.eigh((related[some] + related[some].T) / 2)
        first = np.argsort(-strength)[:SHARED_PARTS]
        loadings: Floats = related @ parts[:, first] / np.sqrt(np.maximum(strength[first], 1e-6))
        reach = np.sqrt((loadings**2).sum(axis=1, keepdims=True))
        loadings *= np.minimum(1.0, MOST_SHARED / np.maximum(reach, 1e-9))
        return loadings


class Own(Record):
    """The user's timings in the light of the local cells."""

    timings: tuple[Timing, ...]
    points: Points
    left: Floats
    """Whitened covariance of the local cells with these points."""
    whiten: Floats
    """Inverse of the Cholesky factor of what remains uncertain of them."""
    surprise: Floats
    """Whitened difference between the timings and what was expected."""
    believed: Floats
    """How far each timing is believed: 1 fully, near 0 not at all."""

    @staticmethod
    def of(model: LatencyModel, local: Local) -> "Own":
        """Compare the timings with what the published cells expect of them."""
        assert model.own_table is not None
        by_lane: dict[Lane, list[int]] = {}
        for row, timing in enumerate(model.own):
            by_lane.setdefault(timing.lane, []).append(row)
        pieces = [
            model._points(lane, model.own_table.rows(rows), local.position[lane], own=True)
            for lane, rows in by_lane.items()
        ]
        order = np.argsort([row for rows in by_lane.values() for row in rows])
        points = Points.joined([one for one, _ in pieces]).take(order)
        means = np.concatenate([mean for _, mean in pieces])[order]
        left = local.whiten @ covariance(local.points, points, local.matrices, kind=np.float64)
        prior = covariance(points, points, local.matrices, kind=np.float64) - left.T @ left
        expected = means + local.global_shift(points)
        surprise = np.log([timing.seconds for timing in model.own]) - expected
        noise, believed = robust_noise(prior.astype(np.float64), surprise, points.lane)
        whiten = inverse_of_lower(np.linalg.cholesky(prior + np.diag(noise)))
        return Own(
            timings=model.own,
            points=points,
            left=left,
            whiten=whiten,
            surprise=whiten @ surprise,
            believed=believed,
        )


def _uncounted(names: Sequence[str]) -> tuple[str, ...]:
    return (f"not counted: {', '.join(names)}",) if names else ()


def _log_work(fitted: Fitted, table: WorkloadTable) -> Floats:
    """Return the log of the amounts of work, from the fit where the network is the catalog's."""
    found = np.empty((len(table), len(COLUMNS)))
    rows = _known_rows(fitted, table)
    known = rows >= 0
    found[known] = fitted.log_work[rows[known]]
    if not known.all():
        rest = np.flatnonzero(~known)
        found[rest] = np.log(np.maximum(amounts(table.rows(rest.tolist())), LEAST))
    return found


def _features(fitted: Fitted, table: WorkloadTable) -> Floats:
    found = np.empty((len(table), fitted.features.shape[1]))
    rows = _known_rows(fitted, table)
    known = rows >= 0
    found[known] = fitted.features[rows[known]]
    if not known.all():
        rest = np.flatnonzero(~known)
        part = table.rows(rest.tolist())
        found[rest] = features(
            amounts(part),
            part.resolutions.astype(np.float64),
            part.parameters.astype(np.float64),
        )
    return found


def _families(fitted: Fitted, table: WorkloadTable) -> NDArray[np.int64]:
    """Return the number of each network's family, -1 for families that the fit does not know."""
    found = []
    for network in table.networks:
        row = fitted.by_name.get(network)
        name = family_of(network) if row is None else fitted.families[row]
        found.append(fitted.family_number.get(name, -1))
    return np.array(found, np.int64)


def _known_networks(fitted: Fitted, table: WorkloadTable) -> Iterator[NetworkKnown]:
    """Yield what the fit knows of each network."""
    measured = fitted.twins_measured.tolist()
    for network, resolution in zip(table.networks, table.resolutions.tolist(), strict=True):
        row = fitted.network_index.get((network, resolution))
        if row is not None and measured[row]:
            yield NetworkKnown.ELSEWHERE
        elif strict_family_of(network) in fitted.families_measured:
            yield NetworkKnown.ARCHITECTURE
        else:
            yield NetworkKnown.FAMILY


def _known_rows(fitted: Fitted, table: WorkloadTable) -> NDArray[np.int64]:
    """Return each network's row in the fit, -1 where its workload is not the catalog's."""
    pairs = zip(table.networks, table.resolutions.tolist(), table.parameters.tolist(), strict=True)
    rows = []
    for network, resolution, parameters in pairs:
        row = fitted.network_index.get((network, resolution), -1)
        rows.append(row if row >= 0 and fitted.parameters[row] == parameters else -1)
    return np.array(rows, np.int64)


def _closest(fitted: Fitted, to_fitted: dict[str, Singles], lane: Lane) -> NDArray[np.int64]:
    """Choose the cells of the lanes most related to the first lane, spread out inside each."""
    position = fitted.lanes.index.get(lane, -1)
    itself = np.arange(len(fitted.lanes)) == position
    alone = position < 0 or not len(fitted.cells_of_lane(position))
    most = LOCAL_OF_OTHERS if alone else LOCAL_OF_LANE
    related = sum(matrix[0] for matrix in to_fitted.values())
    # The lane itself comes first: linear relations may rate a faster chip above it.
    nearest = np.where(itself, np.inf, np.asarray(related))
    order = np.argsort(-nearest, kind="stable")
    picked: list[NDArray[np.int64]] = []
    total = 0
    for number in order:
        cells = fitted.cells_of_lane(int(number))
        if len(cells) > most:
            cells = cells[np.linspace(0, len(cells) - 1, most).astype(np.int64)]
        picked.append(cells[: LOCAL - total])
        total += len(picked[-1])
        if total >= LOCAL:
            break
    return np.concatenate(picked)


def _cell_points(fitted: Fitted, cells: NDArray[np.int64], lane: NDArray[np.int64]) -> Points:
    network = fitted.cell_network[cells]
    share, _ = shares(fitted.lane_costs[fitted.cell_lane[cells]], fitted.log_work[network])
    return Points(
        lane=lane,
        share=share,
        features=fitted.features[network],
        family=fitted.family_numbers[network],
        publication=fitted.publication_weights(fitted.cell_publication[cells]),
    )


__all__ = ["LaneKnown", "LatencyModel", "Prediction", "Timing"]
