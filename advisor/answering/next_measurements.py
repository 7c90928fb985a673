"""How wide the answers for a device still are, and which networks to measure next.

Without a question, the networks are those that narrow the answers most; with a request, those
whose time decides who comes first in its answer, or who keeps its limits.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Literal

from advisor.answering.calibrate import (
    LaneCalibration,
    calibration,
    once_measured,
    still_open,
    width,
)
from advisor.answering.commands import calibrate_command, measuring_command
from advisor.answering.contest import Contest, contest, is_open, time_allowed
from advisor.answering.evidence import Evidence
from advisor.answering.recommend import TEST_NETWORKS, recommend
from advisor.core.candidate import Candidate
from advisor.core.document import Entry, Recommendation
from advisor.core.filed import Document
from advisor.core.lane import Lane
from advisor.core.quantity import Metric, human
from advisor.core.request import Request
from advisor.errors import EvidenceError
from advisor.estimators.latency import Timing
from advisor.hardware.lanes import lanes_for
from advisor.hardware.profile import DeviceProfile, UnitKind

MOST = 250
"""Networks among which those to measure next are chosen; more take longer and tell the same."""
SMALLEST_SIDE = 96
"""Pixels of the input below which a network is no candidate."""
MOST_MACS = 5e9
"""MACs beyond which one network takes longer than all others together."""
MOST_PARAMETERS = 100e6
"""Parameters beyond which a kit becomes too large to carry."""
BY_HAND = (
    "no kit drives this runtime: time them with your own tool and write a CSV with the columns "
    "timm_name,input_h,latency_ms"
)
BULK_NOTE = (
    "this lane holds figures of large batches that differ; a timing of yours has one batch and "
    "never joins it"
)


class LaneNarrowing(Document):
    """One lane: how wide its answers are, and what would narrow them."""

    lane: str
    measured: int
    """Networks that the user measured in it."""
    networks: int
    """Networks over which the widths are medians; none of them is measured."""
    width_before: float
    """Median factor from the value to the end of its 90 % interval, without own measurements."""
    width: float
    """The same with them."""
    width_expected: float | None = None
    """The same once ``next`` is measured, too; None where nothing is left to measure."""
    error_before: float | None = None
    """Median error without own measurements; None with fewer than three networks."""
    error: float | None = None
    """Median error of networks left out one by one, predicted from the others."""
    inside: float | None = None
    """Share of them inside their 90 % intervals."""
    open: int | None = None
    """Networks whose time decides the answer to the request; None without a request."""
    open_expected: float | None = None
    """Networks of them that are expected to stay undecided once ``next`` is measured."""
    next: tuple[str, ...] = ()
    """Networks to measure next, the most telling first."""
    command: str = ""
    """Command that measures them; empty where ``note`` says why there is none."""
    take_in: str = ""
    """Command that takes the figures in and tells the widths again."""
    note: str = ""
    """What to do instead of the command."""
    like: str = ""
    """Published designs and runtimes that the answers lean on where nothing is of the lane."""
    doubted: tuple[str, ...] = ()
    """Own timings that are not believed, because the others refute them."""


class Narrowing(Document):
    """All lanes of one device that were asked for, or that were measured."""

    schema_version: Literal[1] = 1
    device: str
    device_name: str
    summary: str = ""
    """What is open in the answer to the request."""
    lanes: tuple[LaneNarrowing, ...]
    command: str = ""
    """Command line that gives this answer again."""


def narrowing(request: Request, evidence: Evidence, count: int) -> Narrowing:
    """Say how wide the device's answers are and which ``count`` networks narrow them most."""
    profile = evidence.profile(request.device)
    lanes = _lanes(profile, request, evidence)
    errors = _errors(profile, evidence)
    found = []
    for lane in lanes:
        rows = measurable(lane, evidence)
        picks = _pick(evidence, lane, [] if lane.is_bulk else rows, count, None)
        found.append(_narrowed(lane, rows, picks, evidence, errors.get(lane)))
    return Narrowing(device=profile.id, device_name=profile.name, lanes=tuple(found))


def settling(request: Request, evidence: Evidence, count: int) -> Narrowing:
    """Say which ``count`` networks of each lane settle the answer to a request."""
    document = recommend(request, evidence)
    matter = contest(document)
    profile = evidence.profile(request.device)
    errors = _errors(profile, evidence)
    found = []
    for record in document.lanes:
        lane = record.lane
        rows = _rows([one for one in matter.open if one.lane == lane.name], evidence)
        limit = _limit(document, matter, lane)
        pool = [] if lane.is_bulk else _taken(rows, lane, evidence)
        picks = _pick(evidence, lane, pool, count, limit)
        told = _narrowed(lane, measurable(lane, evidence), picks, evidence, errors.get(lane))
        left = _left_open(evidence, lane, rows, picks, request=request, limit=limit)
        found.append(told.model_copy(update={"open": len(rows), "open_expected": left}))
    return Narrowing(
        device=profile.id, device_name=profile.name, summary=_summary(matter), lanes=tuple(found)
    )


def measurable(lane: Lane, evidence: Evidence) -> list[int]:
    """Return the rows of networks that can be measured in a lane, the most measured ones first.

    Stock networks at the input that their name means, neither huge nor tiny, that the runtime is
    likely to take and that were not measured yet.
    """
    table, fitted = evidence.table, evidence.latency.fitted
    cells = Counter(fitted.cell_network.tolist())
    times: Counter[str] = Counter()
    for row, number in cells.items():
        times[fitted.networks[row][0]] += number
    done = {own.network for own in evidence.latency.own if own.lane == lane}
    rows = [
        row
        for name in evidence.architectures - done
        if not fnmatchcase(name, TEST_NETWORKS)
        and (row := table.index.get((name, _side(name, evidence)))) is not None
        and table.resolutions[row] >= SMALLEST_SIDE
        and 0 < table.macs[row] <= MOST_MACS
        and table.parameters[row] <= MOST_PARAMETERS
    ]
    rows = _taken(rows, lane, evidence)
    return sorted(rows, key=lambda row: (-times[table.networks[row]], table.networks[row]))[:MOST]


def _taken(rows: Sequence[int], lane: Lane, evidence: Evidence) -> list[int]:
    """Leave out networks that the lane's runtime is likely to refuse."""
    taken = evidence.operator_support.measurable(lane, evidence.table.rows(rows))
    return [row for row, takes in zip(rows, taken, strict=True) if takes]


def _lanes(profile: DeviceProfile, request: Request, evidence: Evidence) -> list[Lane]:
    """Lanes that were measured and fit the request; else those that it leads to."""
    if request.batch is None and profile.default_lane.is_bulk:
        request = request.model_copy(update={"batch": 1})  # what the device can be measured at
    measured = dict.fromkeys(own.lane for own in _own(profile, evidence))
    mine = [lane for lane in measured if request.fits(lane)]
    known = {lane.precision for lane in mine}
    wanted = lanes_for(profile, request) if request.precisions or not mine else []
    others = [lane for lane in wanted if lane.precision not in known]
    return [*mine, *(_timed(lane, profile) for lane in others)]


def _timed(lane: Lane, profile: DeviceProfile) -> Lane:
    """The lane that a timing would belong to: one on a CPU always knows its threads."""
    if lane.unit != UnitKind.CPU or lane.threads is not None or profile.evidence(lane):
        return lane
    return replace(lane, threads=profile.default_lane.threads or 1)


def _own(profile: DeviceProfile, evidence: Evidence) -> list[Timing]:
    return [timing for timing in evidence.latency.own if timing.lane.device == profile.id]


def _errors(profile: DeviceProfile, evidence: Evidence) -> dict[Lane, LaneCalibration]:
    timings = _own(profile, evidence)
    index = evidence.table.index
    table = evidence.table.rows([index[own.network, own.resolution] for own in timings])
    return {one.lane: one for one in calibration(evidence.latency, timings, table)}


def _narrowed(
    lane: Lane,
    rows: Sequence[int],
    picks: Sequence[int],
    evidence: Evidence,
    errors: LaneCalibration | None,
) -> LaneNarrowing:
    """Tell the widths over the networks that neither are measured nor will be."""
    model, table = evidence.latency, evidence.table
    rest = table.rows([row for row in rows if row not in picks])
    reasons = model.predict(lane, rest).reasons
    if not len(rest) or all(reasons):
        reason = next(iter(reasons), "no network of the catalog is likely to run there")
        raise EvidenceError(f"{lane.device}, {lane.name}: {reason}; name another lane")
    bare = model.with_measurements((), table.rows([]))
    taught = once_measured(model, lane, table, picks) if picks else None
    names = [_spelling(evidence, row) for row in picks]
    command = measuring_command(names, lane) if names else ""
    return LaneNarrowing(
        lane=lane.name,
        measured=len({own.network for own in model.own if own.lane == lane}),
        networks=len(rest),
        width_before=width(bare, lane, rest),
        width=width(model, lane, rest),
        width_expected=width(taught, lane, rest) if taught else None,
        error_before=errors.before if errors else None,
        error=errors.after if errors else None,
        inside=errors.inside if errors else None,
        next=tuple(names),
        command=command,
        take_in=calibrate_command(lane) if names else "",
        note=BULK_NOTE if lane.is_bulk else BY_HAND if names and not command else "",
        like=model.like(lane),
        doubted=tuple(_doubt(one, evidence) for one in model.doubted(lane)),
    )


def _doubt(timing: Timing, evidence: Evidence) -> str:
    """Name a timing that is not believed."""
    row = evidence.table.index[timing.network, timing.resolution]
    return f"{_spelling(evidence, row)} ({human(timing.seconds, Metric.LATENCY.unit)})"


def _pick(
    evidence: Evidence, lane: Lane, rows: Sequence[int], count: int, limit: float | None
) -> list[int]:
    if not rows:
        return []
    part = evidence.table.rows(rows)
    return [rows[i] for i in evidence.latency.next_measurements(lane, part, count, limit=limit)]


def _rows(entries: Sequence[Entry], evidence: Evidence) -> list[int]:
    """Rows of some entries, several weights of one network once."""
    places = dict.fromkeys((entry.architecture, entry.resolution) for entry in entries)
    index = evidence.table.index
    return [index[place] for place in places if place in index]


def _limit(document: Recommendation, matter: Contest, lane: Lane) -> float | None:
    """Seconds on which the answer turns: a limit on the time, else the time of the first."""
    mine = [entry for entry in matter.open if entry.lane == lane.name and is_open(entry)]
    allowed = [time_allowed(document, entry) for entry in mine]
    known = [seconds for seconds in allowed if seconds is not None]
    if known:
        return min(known)
    latency = matter.first.metrics.get(Metric.LATENCY) if matter.first else None
    return latency.value if latency else None


def _left_open(
    evidence: Evidence,
    lane: Lane,
    rows: Sequence[int],
    picks: Sequence[int],
    *,
    request: Request,
    limit: float | None,
) -> float | None:
    """Networks that stay open once the picks are measured; None where not time alone decides."""
    powered = any(one.metric is Metric.ENERGY for one in request.limits)
    if limit is None or not picks or powered:
        return None
    rest = [row for row in rows if row not in picks]
    if not rest:
        return 0.0
    taught = once_measured(evidence.latency, lane, evidence.table, picks)
    asked = evidence.table.rows(rest)
    level = request.confidence
    return still_open(evidence.latency, taught, lane, asked, limit=limit, level=level)


def _summary(matter: Contest) -> str:
    """Say in one sentence what is open."""
    rivals, hopeful = len(matter.rivals), len(matter.hopeful)
    if matter.first is None:
        may = f"{hopeful} may, depending on their time" if hopeful else "no timing changes that"
        return f"no network is certain to keep the limits; {may}"
    name = matter.first.candidate
    if rivals:
        return f"{name} comes first; {rivals} more may come before it, depending on their time"
    if hopeful:
        return f"{name} stays first; {hopeful} more may keep the limits, depending on their time"
    return f"{name} stays first, and no timing changes who keeps the limits"


def _side(architecture: str, evidence: Evidence) -> int:
    return evidence.default_resolution(Candidate(architecture=architecture))


def _spelling(evidence: Evidence, row: int) -> str:
    """Name of a network, with its input where the name does not mean it."""
    name, side = evidence.table.networks[row], int(evidence.table.resolutions[row])
    return name if _side(name, evidence) == side else f"{name}@{side}"
