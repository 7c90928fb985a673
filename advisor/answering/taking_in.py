"""Taking in: what was measured elsewhere is kept, and teaches the estimator of a device."""

from collections.abc import Callable, Sequence
from pathlib import Path

from advisor.answering.asking import PRINTED, evidence_for, request_file, request_from
from advisor.answering.evidence import Evidence
from advisor.answering.next_measurements import Narrowing, narrowing, settling
from advisor.answering.own_table import read_own
from advisor.answering.plausibility import of_another_device, plausible, uncompared
from advisor.core.filed import field_names
from advisor.core.lane import Lane
from advisor.core.measuring_request import CalibrateRequest, ImportRequest, TableRequest
from advisor.core.question import Stated, options_of
from advisor.core.request import LaneRequest, Request
from advisor.errors import MeasurementError, ProfileError, UsageError
from advisor.files.plain_text import content_of
from advisor.files.saving import save
from advisor.hardware.library import advisor_home, read_profile
from advisor.hardware.stated import families, keep_stated, stated_profile
from advisor.measuring.reading import Settled, device_of
from advisor.measuring.store import MeasurementStore
from advisor.measuring.table import store_rows

Say = Callable[[str], None]
"""Takes one line for the one who waits."""
MOST_LINES = 10
"""Refused rows that are told one by one."""


def calibrate(request: CalibrateRequest, *, note: Say, warn: Say) -> Narrowing:
    """Take in a profile and measurements; tell how wide the answers are and what narrows them.

    Raises ProfileError for a profile of another device, MeasurementError for a table without a
    usable figure, EvidenceError for a lane that nothing can be predicted in.
    """
    if request.profile:
        note(f"kept {keep_profile(Path(request.profile), request.device)}")
    evidence = evidence_for(request.profiles_dir)
    if request.measurements and _is_new(request, evidence):
        note(f"kept {_stated(request, evidence)}: a profile of what the options say")
        evidence = evidence_for(request.profiles_dir)
    question = _question(request, evidence, note)
    if request.measurements:
        fields = {name: getattr(request, name) for name in field_names(TableRequest)}
        table = ImportRequest(table=request.measurements, device=request.device, **fields)
        take_in(table, evidence, note=note, warn=warn)
        evidence = evidence_for(request.profiles_dir)  # whose estimator knows them
    answer = settling if request.asked else narrowing
    found = answer(question, evidence, request.count)
    return found.model_copy(update={"command": request.command()})


def take_in(request: ImportRequest, evidence: Evidence, *, note: Say, warn: Say) -> tuple[str, ...]:
    """Keep what a table of measurements holds; return why rows were left out, one line each.

    ``warn`` is told of the first ones. Raises MeasurementError for a table without a usable
    figure, and for one that is far from what is expected unless the request forces it.
    """
    table = Path(request.table)
    profile = evidence.profile(request.device or device_of(table))
    settled = Settled(
        model=request.model,
        time_unit=request.latency_unit,
        decimal=request.decimal,
        columns=request.columns,
    )
    one = request.single("a figure has one precision")
    reading = read_own(table, profile, one, settled, evidence, every=request.force)
    note(reading.understood)
    for name in sorted(reading.devices):
        if not evidence.profiles.meaning(name).devices:
            note(f"device {name!r} is unknown and taken for {profile.id}")
    another = of_another_device(reading.rows, profile, evidence.profiles)
    if bare := uncompared(reading.rows, profile):
        note(bare)
    found = plausible(reading.rows, profile, evidence)
    doubts = [doubt for doubt in (another, found.surprise) if doubt]
    refused = (*reading.refused, *(f"{table}, {line}" for line in found.refused))
    for line in (*reading.warnings, *refused[:MOST_LINES]):
        warn(line)
    if len(refused) > MOST_LINES:
        warn(f"and {len(refused) - MOST_LINES} more like these")
    if not found.rows:
        raise MeasurementError(f"{table} holds no figure that can be used")
    if doubts and not request.force:
        raise MeasurementError(f"{table}: {'; '.join(doubts)} (--force keeps it all the same)")
    origin = f"import {table.name}" + (f", kept by force: {'; '.join(doubts)}" if doubts else "")
    with MeasurementStore() as store:
        kept = store_rows(store, found.rows, origin=origin)
    lanes = sorted({row.lane.name for row in found.rows})
    known = f"; {kept.known} were known already" if kept.known else ""
    note(
        f"kept {kept.new} figures of {profile.id} ({'; '.join(lanes)}), left out {len(refused)}"
        f"{known}"
    )
    sizes = dict.fromkeys((row.network, row.resolution) for row in found.rows)
    if untaught := [one for one in sizes if not evidence.teaches(*one)]:
        note(_untaught(untaught))
    model = evidence_for(request.profiles_dir).latency
    for lane in dict.fromkeys(row.lane for row in found.rows):
        doubted = [f"{one.network}@{one.resolution}" for one in model.doubted(lane)]
        if doubted:
            note(f"not believed in {lane.name}: {', '.join(doubted)}; your other timings refute it")
    return refused


def _untaught(sizes: Sequence[tuple[str, int]]) -> str:
    """Say which figures are answers of themselves alone."""
    names = ", ".join(f"{network}@{side}" for network, side in sizes[:MOST_LINES])
    more = f" and {len(sizes) - MOST_LINES} more" if len(sizes) > MOST_LINES else ""
    return (
        f"{names}{more}: kept as they are, but they tell nothing of other networks, since the "
        "catalog has not counted these inputs"
    )


def keep_profile(profile: Path, device: str) -> Path:
    """Copy a profile among the user's own once it is known to be valid."""
    found = read_profile(profile)
    if found.id != device:
        raise ProfileError(f"{profile} is the profile of {found.id!r}, not of {device!r}")
    target = advisor_home() / "profiles" / f"{device}.yaml"
    if profile.resolve() != target.resolve():
        save(target, content_of(profile, ProfileError), fresh_folder=True)
    return target


def _is_new(request: CalibrateRequest, evidence: Evidence) -> bool:
    """Whether the device has no profile and the options say enough of it to make one."""
    try:
        evidence.profiles.resolve(request.device)
    except UsageError as error:
        if request.unit and request.runtime and request.precision:
            return True
        raise UsageError(
            f"{error}; or say what it is: --unit npu --runtime qnn --precision int8 "
            "--ip-family Hexagon"
        ) from error
    return False


def _stated(request: CalibrateRequest, evidence: Evidence) -> Path:
    """Keep a profile of a device that nobody has one of, made of what the options say."""
    lane = Lane(
        device=request.device,
        unit=request.unit or "",
        runtime=request.runtime or "",
        precision=request.precision or "",
        threads=request.threads,
        batch=request.batch or 1,
    )
    text = stated_profile(lane, request.ip_family, families(evidence.profiles))
    return keep_stated(text, request.device)


def _question(request: CalibrateRequest, evidence: Evidence, note: Say) -> Request:
    """Return the request whose answer is to be settled, or the lane that is to be narrowed."""
    if not request.asked:
        return Request(device=request.device, **request.lane_fields())
    path = Path(request.asked)
    file = request_file(path, beside=PRINTED)
    device = dict(file.given()).get("device")
    known = evidence.profile(request.device).id
    if device is not None and evidence.profiles.resolve(str(device)).id != known:
        raise UsageError(
            f"{path}: device {str(device)!r} is not {request.device!r}; drop the key, or "
            f"calibrate {device}"
        )
    lane = {key: value for key, value in request.stated().items() if key in options_of(LaneRequest)}
    found = request_from(Request, file, Stated(options=lane | {"device": known}, typed=True))
    if found.search:
        note("--search: variants are left out, the catalog's networks are what is measured")
    return found.model_copy(update={"search": 0, "measure": 0})
