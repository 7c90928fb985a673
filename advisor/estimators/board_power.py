"""Board power: what a board draws while a network runs, learned from boards measured at the wall.

The energy of an image is latency times power, so only the power is learned. Its logarithm in a lane
is that of the profile's figure, shifted by what figures of its kind, the device, its unit, the
runtime and the lane share: independent Gaussian shifts whose spreads are the most likely ones.
What was measured of some lanes moves the lanes that share something with them, and the less
a lane shares, the more it is left to its profile (a Gaussian process; Rasmussen & Williams 2006,
chapter 2). Microcontrollers are measured at the supply of the chip and answered from there.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, field, replace
from functools import cached_property
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from advisor.core.estimate import Estimate, Gap, Interval, Origin, Provenance
from advisor.core.frozen_record import Record
from advisor.core.lane import Lane
from advisor.core.quantity import Metric
from advisor.errors import CatalogError
from advisor.estimators.power import kind_of, powers
from advisor.hardware.profile import DeviceProfile
from advisor.hardware.room import is_microcontroller

Floats = NDArray[np.float64]

FILE = "estimator.energy.json"
METHOD = "power/1"
RAIL = "rail of the chip"
"""Kind of the figures of microcontrollers, which no profile has a figure for."""
SHARED = ("kind", "device", "unit", "runtime", "lane", "network")
"""What the power of lanes shares, from wide to narrow."""
STARTING: Mapping[str, float] = {
    "kind": 0.4, "device": 0.4, "unit": 0.2, "runtime": 0.2, "lane": 0.2, "network": 0.1,
}  # fmt: skip
"""Standard deviations of the logarithm that the fit sets out from."""
SAME_BOARD, OTHER_BOARD = "board measured", "board not measured"


class LanePower(Record):
    """What networks were seen to draw in one lane."""

    device: str
    unit: str
    runtime: str
    lane: str
    """Name of the lane, without its device."""
    kind: str
    """What the profile's figure is of, with which figures of its kind err."""
    prior: float
    """Log of the watts that the profile gives the board under load."""
    log_watts: float
    """Mean over networks."""
    networks: int


class LaneDraw(Record):
    """Log of the watts of a network in a lane, and its standard deviation."""

    mean: float
    spread: float
    seen: bool
    """Whether the lane itself was measured."""
    measured: bool
    """Whether its device was."""


class PowerModel(Record):
    """Lanes whose power was measured, and how far lanes differ in it."""

    lanes: tuple[LanePower, ...]
    spreads: Mapping[str, float]
    """Standard deviation of the logarithm by what is shared."""
    scales: Mapping[str, float] = field(default_factory=dict)
    """Factor of the interval of an energy, by whether the board was measured; learned from what
    was left out."""

    @staticmethod
    def load(root: Path) -> "PowerModel":
        """Read the model from the catalog's folder ``root``; one without lanes if there is none."""
        path = root / FILE
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            lanes = tuple(LanePower(**one) for one in document["lanes"])
            return PowerModel(lanes=lanes, spreads=document["spreads"], scales=document["scales"])
        except FileNotFoundError:
            return PowerModel(lanes=(), spreads=STARTING)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise CatalogError(
                f"cannot read {path}: {error}; 'advisor catalog fit' writes it again"
            ) from error

    def write(self, root: Path) -> None:
        """Write the model into the folder ``root``."""
        document = {
            "spreads": {name: round(value, 4) for name, value in self.spreads.items()},
            "scales": {name: round(value, 4) for name, value in self.scales.items()},
            "lanes": [
                asdict(one) | {"prior": round(one.prior, 4), "log_watts": round(one.log_watts, 4)}
                for one in self.lanes
            ],
        }
        (root / FILE).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")

    def without(self, device: str) -> "PowerModel":
        """Return the model that has not seen a device."""
        return replace(self, lanes=tuple(one for one in self.lanes if one.device != device))

    def draw(self, asked: LanePower) -> LaneDraw | None:
        """Return what a network draws in a lane; None where no figure of its kind was measured.

        ``asked`` says what the lane shares with others; its own watts are not read.
        """
        measured = any(one.device == asked.device for one in self.lanes)
        if not measured and all(one.kind != asked.kind for one in self.lanes):
            return None
        near = _shared([asked], self.lanes, self.spreads)[0]
        weights = np.linalg.solve(self._covariance, np.stack([self._shifts, near], axis=1))
        own = _shared([asked], [asked], self.spreads)[0, 0] + self.spreads["network"] ** 2
        variance = max(own - near @ weights[:, 1], self.spreads["network"] ** 2)
        return LaneDraw(
            mean=asked.prior + float(near @ weights[:, 0]),
            spread=float(np.sqrt(variance)),
            seen=any(_is_same(one, asked) for one in self.lanes),
            measured=measured,
        )

    @cached_property
    def _covariance(self) -> Floats:
        noise = [self.spreads["network"] ** 2 / one.networks for one in self.lanes]
        return _shared(self.lanes, self.lanes, self.spreads) + np.diag(noise)

    @cached_property
    def _shifts(self) -> Floats:
        return np.array([one.log_watts - one.prior for one in self.lanes])

    def powers(
        self, profile: DeviceProfile, lane: Lane, level: float, mode: str | None = None
    ) -> list[Estimate | Gap]:
        """Return the power of the board and of the chip while a network runs in a lane.

        As the profile has them where no board like it was measured, and in a power ``mode`` that
        the lane does not name. A microcontroller has a power of the chip alone.
        """
        by_profile = powers(profile, lane.unit, level, mode)
        asked = lane_power(profile, lane)
        if asked is None or (mode is not None and lane.variant == ""):
            return by_profile
        draw = self.draw(asked)
        if draw is None:
            return by_profile
        if is_microcontroller(profile):
            reason = f"only the chip of {profile.id} was measured, at its supply"
            chip = self._estimate(Metric.CHIP_POWER, draw, level)
            return [Gap(metric=Metric.POWER, reason=reason), chip]
        return [self._estimate(Metric.POWER, draw, level), *by_profile[1:]]

    def _estimate(self, metric: Metric, draw: LaneDraw, level: float) -> Estimate:
        """Write what is drawn as an estimate."""
        factor = float(np.exp(NormalDist().inv_cdf((1 + level) / 2) * draw.spread))
        value = float(np.exp(draw.mean))
        where = "this lane" if draw.seen else "other lanes of the board"
        if not draw.measured:
            where = "other boards, and the profile"
        scope = "at the supply of the chip" if metric is Metric.CHIP_POWER else "at the wall"
        return Estimate(
            metric=metric,
            value=value,
            interval=Interval(low=value / factor, high=value * factor, level=level),
            provenance=Provenance(
                origin=Origin.PREDICTED,
                source=f"{METHOD}: from what {where} drew {scope}",
                caveats=() if draw.measured else ("this board's power was never measured",),
            ),
        )

    def scale(self, lane: Lane, *, predicted: bool) -> float:
        """Return the factor of the interval of an energy in a lane.

        Below 1 only for what it was learned of: latencies that are ``predicted`` in a lane whose
        power was measured. Elsewhere an energy is never surer than its latency.
        """
        on_board = [one for one in self.lanes if one.device == lane.device]
        found = self.scales.get(SAME_BOARD if on_board else OTHER_BOARD, 1.0)
        seen = any(one.lane == lane.name for one in on_board)
        return found if seen and predicted else max(found, 1.0)


def lane_power(profile: DeviceProfile, lane: Lane) -> LanePower | None:
    """Return what a lane shares with others; None where its profile says nothing of its power."""
    if is_microcontroller(profile):
        prior, kind = 0.0, f"{RAIL} of {profile.id}"
    else:
        board = powers(profile, lane.unit, 0.9)[0]
        if isinstance(board, Gap) or profile.form == "card":
            return None
        prior, kind = float(np.log(board.value)), kind_of(profile, lane.unit)
    return LanePower(
        device=profile.id, unit=lane.unit, runtime=lane.runtime, lane=lane.name, kind=kind,
        prior=prior, log_watts=0.0, networks=0,
    )  # fmt: skip


def _shared(
    one: Sequence[LanePower], other: Sequence[LanePower], spreads: Mapping[str, float]
) -> Floats:
    """Return the covariance of the shifts of two sets of lanes, without that of networks."""
    total = np.zeros((len(one), len(other)))
    for name in SHARED[:-1]:
        keys = [[_key(lane, name) for lane in lanes] for lanes in (one, other)]
        same = np.array(keys[0], object)[:, None] == np.array(keys[1], object)[None, :]
        total += spreads[name] ** 2 * same
    rail = [np.array([lane.kind.startswith(RAIL) for lane in lanes]) for lanes in (one, other)]
    devices = [np.array([lane.device for lane in lanes], object) for lanes in (one, other)]
    alike = (devices[0][:, None] == devices[1][None, :]) & rail[0][:, None] & rail[1][None, :]
    found: Floats = total + _UNKNOWN**2 * alike
    return found


_UNKNOWN = 10.0
"""Spread of a device of whose power no profile says anything."""


def _key(one: LanePower, name: str) -> str:
    return {
        "kind": one.kind,
        "device": one.device,
        "unit": f"{one.device} {one.unit}",
        "runtime": f"{one.runtime} {one.unit}",
        "lane": f"{one.device} {one.lane}",
    }[name]


def _is_same(one: LanePower, other: LanePower) -> bool:
    return (one.device, one.lane) == (other.device, other.lane)
