"""Operating conditions: checks what a question states of power mode and version, and says so."""

from advisor.answering.evidence import Evidence
from advisor.core.conditions import Conditions, is_mode, is_version, mode_in
from advisor.core.lane import Lane
from advisor.errors import UsageError
from advisor.hardware.profile import DeviceProfile


def power_modes(profile: DeviceProfile, evidence: Evidence) -> list[str]:
    """List the power modes of a device: those of its profile, then others with figures."""
    known = [mode.name for mode in profile.power.modes] if profile.power else []
    published = {row.power_mode for row in evidence.published(profile).measurements}
    others = sorted(one for one in published - {""} if not any(is_mode(one, k) for k in known))
    return [*known, *others]


def versions(lane: Lane, profile: DeviceProfile, evidence: Evidence) -> list[str]:
    """List the versions of a lane's runtime that figures of the device state."""
    rows = evidence.published(profile).measurements
    found = {row.version for row in rows if row.usable and row.lane.runtime == lane.runtime}
    return sorted(found - {""})


def check(
    conditions: Conditions, lane: Lane, profile: DeviceProfile, evidence: Evidence
) -> Conditions:
    """Return the conditions; raises UsageError for a mode or a version that nothing states."""
    mode, version = conditions.power_mode, conditions.version
    if mode is not None:
        known = power_modes(profile, evidence)
        if not any(is_mode(mode, one) for one in known):
            raise _unknown("--power-mode", mode, profile.id, known)
    if version is not None:
        known = versions(lane, profile, evidence)
        if not any(is_version(version, one) for one in known):
            raise _unknown("--runtime-version", version, f"{profile.id} {lane.runtime}", known)
    return conditions


def _unknown(option: str, value: str, where: str, known: list[str]) -> UsageError:
    allowed = f"known: {', '.join(known)}" if known else "none is known; drop the option"
    return UsageError(f"{option}: {value!r} is none of {where} ({allowed})")


def not_considered(conditions: Conditions, lane: Lane) -> tuple[str, ...]:
    """Say which conditions a prediction does not tell apart."""
    mode, version = conditions.power_mode, conditions.version
    found = []
    if mode is not None and not mode_in(lane.variant, mode):
        found.append(f"predicted as the device usually runs: what power mode {mode} changes is "
                     "not known")  # fmt: skip
    if version is not None:
        found.append(f"predicted from all versions of {lane.runtime}, not for {version} alone")
    return tuple(found)
