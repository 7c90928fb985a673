"""Nearest lanes: which published ones an answer leans on, in words.

A lane without figures of its own is inferred from lanes that are like it. How much each of them
says is its covariance with the lane over its own standard deviation; the lanes of one design under
one runtime are named together, such as ``Hexagon v73 and v79 under qnn``.
"""

import numpy as np

from advisor.estimators.fitted import Fitted
from advisor.estimators.lane_relations import LaneFacts, LaneSet

MOST = 3
"""Designs that are named."""
LEAST = 0.5
"""Share of what the nearest one says below which a design is not worth naming."""


def nearest(fitted: Fitted, facts: LaneFacts) -> tuple[str, ...]:
    """Name the designs, each with its runtime, that an answer for a lane leans on most."""
    wanted = LaneSet(facts=(facts,))
    cells = np.bincount(fitted.cell_lane, minlength=len(fitted.lanes))
    known = [
        row
        for row, one in enumerate(fitted.lanes.facts)
        if cells[row] and one.lane.unit == facts.lane.unit and one.lane != facts.lane
    ]
    if not known:
        return ()
    lanes = fitted.lanes.take(known)
    variances, scale = fitted.variances, fitted.scale
    shared = variances.lane_matrices(wanted, lanes, scale)["common"][0]
    own = variances.of_lanes(lanes, scale, "common")
    says = np.where(own > 0, shared / np.sqrt(np.where(own > 0, own, 1.0)), 0.0)
    by_name: dict[str, float] = {}
    for one, weight in zip(lanes.facts, says.tolist(), strict=True):
        by_name[_name(one)] = max(weight, by_name.get(_name(one), 0.0))
    order = sorted(by_name, key=lambda name: -by_name[name])
    best = by_name[order[0]]
    return tuple(name for name in order[:MOST] if by_name[name] >= LEAST * best > 0)


def _name(one: LaneFacts) -> str:
    return f"{one.design or one.lane.device} under {one.lane.runtime}"


def in_words(names: tuple[str, ...]) -> str:
    """Write names as one phrase: designs under one runtime together."""
    by_runtime: dict[str, list[str]] = {}
    for name in names:
        design, _, runtime = name.rpartition(" under ")
        by_runtime.setdefault(runtime, []).append(design)
    return "; ".join(
        f"{_listed(designs)} under {runtime}" for runtime, designs in by_runtime.items()
    )


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
