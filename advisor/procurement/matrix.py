"""Decision matrix: devices × criteria, with a baseline, break-even weights and rank stability."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.answering.sensitivity import crossing
from advisor.procurement.assumptions import CRITERIA, Assumptions
from advisor.procurement.cost import HOST
from advisor.procurement.review import (
    Amount,
    BreakEven,
    Criterion,
    DeviceReview,
    Matrix,
    MatrixCell,
    MatrixRow,
)

DRAWS = 1000
WEIGHT_SPREAD = math.log(1.5)
"""Standard deviation of a drawn weight on the logarithm: two thirds lie within a factor 1.5."""
SAME = 0.02
"""Relative difference up to which two figures count as the same."""
_LABEL = {
    "accuracy": ("Accuracy of its best model", "fraction", True, False),
    "speed": ("Images a second at equal accuracy", "1/s", True, True),
    "efficiency": ("Images per joule", "1/J", True, True),
    "cost": ("Cost of one device over its years", "", False, True),
    "supply": ("Years it can still be bought", "years", True, False),
}

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """Maps the raw values of one criterion to 0 (poor) … 1 (good), whoever is compared."""

    poor: float
    good: float
    logarithmic: bool
    higher_is_better: bool

    def __call__(self, value: float) -> float:
        """Normalise one value; beyond the ends it is worth no less and no more."""
        low, high, x = (
            math.log(max(one, 1e-30)) if self.logarithmic else one
            for one in (self.poor, self.good, value)
        )
        return min(max((x - low) / (high - low), 0.0), 1.0)


def matrix(devices: Sequence[DeviceReview], stated: Assumptions, seed: int) -> Matrix:
    """Score the devices that are not ruled out; an unknown counts as the poor end of its scale.

    A device whose cost is unknown is scored but not ranked: it cannot be recommended.
    """
    criteria = criteria_of(stated)
    scored = [d for d in devices if d.outcome in ("meets", "uncertain") and not _lacks_host(d)]
    scales = [_scale(c) for c in criteria]
    base = _baseline(scored, stated)
    cells = [[_cell(d, c, s, base) for c, s in zip(criteria, scales, strict=True)] for d in scored]
    weights = np.array([c.weight for c in criteria])
    table = np.array([[c.normalised or 0.0 for c in row] for row in cells])
    highest = np.array([[c.highest for c in row] for row in cells])
    comparable = [_comparable(d, criteria) for d in scored]
    order = sorted(
        range(len(scored)), key=lambda i: (not comparable[i], -float(table[i] @ weights), i)
    )
    first = _first_shares(scored, criteria, scales, seed)
    rows = [
        MatrixRow(
            device=scored[i].device,
            cells=tuple(cells[i]),
            score=float(table[i] @ weights),
            best_score=float(highest[i] @ weights),
            rank=place if comparable[i] else None,
            first_share=first[i],
        )
        for place, i in enumerate(order, 1)
    ]
    ranked = [i for i in order if comparable[i]]
    names = [scored[i].device for i in ranked]
    return Matrix(
        criteria=tuple(criteria),
        rows=tuple(rows),
        baseline=base.device if base else "",
        break_even=tuple(_break_evens(table[ranked], criteria, names)) if ranked else (),
        draws=DRAWS,
        excluded=tuple(d.device for d in devices if d not in scored),
    )


def _baseline(scored: Sequence[DeviceReview], stated: Assumptions) -> DeviceReview | None:
    """The device to compare with: the one stated, else the first."""
    return next((d for d in scored if d.device == stated.baseline), next(iter(scored), None))


def _comparable(device: DeviceReview, criteria: Sequence[Criterion]) -> bool:
    return device.per_unit.value is not None or all(c.key != "cost" for c in criteria)


def criteria_of(stated: Assumptions) -> list[Criterion]:
    """Return the criteria that count, with their share of the weight."""
    total = sum(stated.criteria.values())
    found = []
    for key in CRITERIA:
        weight = stated.criteria.get(key, 0.0)
        label, unit, higher, logarithmic = _LABEL[key]
        if weight > 0:
            found.append(
                Criterion(
                    key=key,
                    label=label,
                    weight=weight / total,
                    unit=unit or stated.currency,
                    higher_is_better=higher,
                    logarithmic=logarithmic,
                    poor=stated.scales[key].poor,
                    good=stated.scales[key].good,
                )
            )
    return found


def raw(device: DeviceReview, key: str) -> Amount:
    """Return the figure of a device under a criterion."""
    return {
        "accuracy": device.accuracy,
        "speed": device.speed,
        "efficiency": device.efficiency,
        "cost": device.per_unit,
        "supply": device.supply.years_left,
    }[key]


def _lacks_host(device: DeviceReview) -> bool:
    """Whether it needs a computer of which price or power is not stated."""
    return device.facts.needs_host and (
        HOST in device.missing or (device.power.value is None and device.facts.power is not None)
    )


def _scale(criterion: Criterion) -> _Scale:
    return _Scale(
        poor=criterion.poor,
        good=criterion.good,
        logarithmic=criterion.logarithmic,
        higher_is_better=criterion.higher_is_better,
    )


def _cell(
    device: DeviceReview, criterion: Criterion, scale: _Scale, base: DeviceReview | None
) -> MatrixCell:
    amount = raw(device, criterion.key)
    value = amount.value
    normalised = None if value is None else scale(value)
    reference = raw(base, criterion.key).value if base else None
    return MatrixCell(
        raw=amount,
        normalised=normalised,
        highest=_highest(amount, scale) if normalised is None else normalised,
        versus=_versus(value, reference, criterion),
    )


def _highest(amount: Amount, scale: _Scale) -> float:
    """Normalised value of an unknown amount at its best; a cost is at least its known part."""
    if amount.low is None or scale.higher_is_better:
        return 1.0
    return min(max(scale(amount.low), 0.0), 1.0)


def _versus(value: float | None, reference: float | None, criterion: Criterion) -> str:
    if value is None or reference is None:
        return "unknown"
    if abs(value - reference) <= SAME * abs(reference):
        return "same"
    return "better" if (value > reference) == criterion.higher_is_better else "worse"


def _first_shares(
    devices: Sequence[DeviceReview],
    criteria: Sequence[Criterion],
    scales: Sequence[_Scale],
    seed: int,
) -> list[float]:
    """Share of the draws of weights and figures in which each device comes first.

    A figure is drawn evenly from its range, an unknown evenly from the worst to its best.
    """
    if not devices:
        return []
    rng = np.random.default_rng(seed)
    drawn = np.empty((DRAWS, len(devices), len(criteria)))
    for i, device in enumerate(devices):
        for k, (criterion, scale) in enumerate(zip(criteria, scales, strict=True)):
            drawn[:, i, k] = _draw(raw(device, criterion.key), scale, rng)
    spread = np.exp(rng.normal(0.0, WEIGHT_SPREAD, (DRAWS, len(criteria))))
    weights = np.array([c.weight for c in criteria]) * spread
    score = np.einsum("dik,dk->di", drawn, weights / weights.sum(axis=1, keepdims=True))
    wins = np.bincount(score.argmax(axis=1), minlength=len(devices))
    return [float(count) / DRAWS for count in wins]


def _draw(amount: Amount, scale: _Scale, rng: np.random.Generator) -> Floats:
    share: Floats = rng.random(DRAWS)
    if amount.value is None or amount.low is None or amount.high is None:
        return share * _highest(amount, scale)
    low, high = scale(amount.low), scale(amount.high)
    return low + share * (high - low)


def _break_evens(
    table: Floats, criteria: Sequence[Criterion], names: Sequence[str]
) -> list[BreakEven]:
    """Find for each criterion the larger weight at which the first device loses its place."""
    weights = np.array([c.weight for c in criteria])
    found = []
    for k, criterion in enumerate(criteria):
        others = weights.copy()
        others[k] = 0.0
        rest = others / others.sum() if others.sum() else others
        at, rival = crossing(table @ rest, table[:, k], criterion.weight)
        found.append(
            BreakEven(
                criterion=criterion.key,
                weight=criterion.weight,
                break_even=at,
                first=names[rival],
            )
        )
    return found
