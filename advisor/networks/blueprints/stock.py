"""Stock networks: every network that has axes, and the blueprint of each of its variants."""

from collections.abc import Mapping
from functools import lru_cache

from advisor.core.candidate import Candidate
from advisor.errors import unknown_name
from advisor.networks.blueprints.axes import Axis, Base
from advisor.networks.blueprints.mobile import BASES as MOBILE
from advisor.networks.blueprints.mobile import MobilePlan
from advisor.networks.blueprints.residual import (
    CIFAR_RESNETS,
    REGNETS,
    RESNETS,
    CifarPlan,
    RegNetPlan,
    ResNetPlan,
)
from advisor.networks.blueprints.shuffled import GHOSTNETS, SHUFFLENETS, GhostPlan, ShufflePlan

__all__ = [
    "BASES",
    "Axis",
    "Base",
    "Blueprint",
    "CifarPlan",
    "GhostPlan",
    "MobilePlan",
    "RegNetPlan",
    "ResNetPlan",
    "ShufflePlan",
    "base_of",
    "blueprint",
    "resolution_of",
]

Blueprint = MobilePlan | ResNetPlan | CifarPlan | RegNetPlan | GhostPlan | ShufflePlan

BASES: Mapping[str, Base[Blueprint]] = {
    **MOBILE,
    **RESNETS,
    **CIFAR_RESNETS,
    **REGNETS,
    **GHOSTNETS,
    **SHUFFLENETS,
}
"""Every network that has axes, by name."""


def base_of(candidate: Candidate) -> Base[Blueprint]:
    """Return the stock network of a candidate; raises UsageError where it has no axes."""
    base = BASES.get(candidate.architecture)
    if base is None:
        listing = "advisor search --list"
        raise unknown_name("network with axes", candidate.architecture, BASES, listing)
    return base


def has_blueprint(architecture: str) -> bool:
    """Tell whether a network's workload follows by arithmetic at any size of its input."""
    return architecture in BASES


def blueprint(candidate: Candidate) -> Blueprint:
    """Return the blueprint of a candidate.

    Raises NetworkError for an axis that the network lacks or a value that it cannot have.
    """
    return _blueprint(candidate.architecture, candidate.axes)


@lru_cache(maxsize=1 << 14)
def _blueprint(architecture: str, axes: tuple[tuple[str, float], ...]) -> Blueprint:
    candidate = Candidate(architecture=architecture, axes=axes)
    base = base_of(candidate)
    return base.make(base.settings(candidate))


def resolution_of(candidate: Candidate) -> int:
    """Return the side of the candidate's input in pixels."""
    base = base_of(candidate)
    if candidate.resolution is not None:
        return candidate.resolution
    if base.resolution_of is not None:
        return base.resolution_of(base.settings(candidate))
    return base.resolution
