"""Procuring: asks the advisor for each device and each workload, and reviews the answers."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from advisor import __version__
from advisor.answering.complete import inputs_of
from advisor.answering.evidence import Evidence
from advisor.answering.recommend import recommend
from advisor.answering.write import now
from advisor.core.constraint import Constraint
from advisor.core.document import Recommendation
from advisor.core.question import Question, Stated
from advisor.core.request import Limits, PurchaseRequest, Request
from advisor.errors import AdvisorError, EvidenceError
from advisor.hardware.facts import device_facts
from advisor.hardware.library import read_mapping
from advisor.procurement.assumptions import Assumptions, Duty, assumptions
from advisor.procurement.review import ProcurementRequest, ProcurementReview
from advisor.procurement.reviewing import Answer, Stamp, review


class WorkloadLimits(Question):
    """Limits of a workload, written as on the command line."""

    COMMAND = "procure"

    limits: Limits = ()


def procure(asked: PurchaseRequest, evidence: Evidence) -> ProcurementReview:
    """Review the devices that a request names.

    Raises UsageError for an unknown device and for assumptions that cannot be read,
    EvidenceError where a price is older than the request takes; a device that the evidence says
    nothing about is part of the review, with the reason.
    """
    stated = stated_assumptions(asked)
    devices = tuple(dict.fromkeys(asked.devices))
    common = Request(
        device=devices[0],
        limits=asked.limits,
        confidence=asked.confidence,
        models=asked.models,
        exclude=asked.exclude,
    )
    wanted = {one.name: workload_limits(one) for one in stated.workloads}
    request = ProcurementRequest(
        devices=devices, request=common, assumptions_file=asked.assumptions
    )
    answers = [
        answer(evidence.profiles.resolve(name).id, request, stated, evidence, wanted)
        for name in devices
    ]
    stamp = Stamp(version=__version__, created=now(), command=asked.command())
    document = review(request, stated, answers, stamp)
    if asked.fresh:
        refuse_stale(document)
    return document


def stated_assumptions(asked: PurchaseRequest) -> Assumptions:
    """Read the file of assumptions; options go before it."""
    raw = read_mapping(Path(asked.assumptions)) if asked.assumptions else {}
    for name in ("quantity", "years", "duty_cycle", "tariff", "currency", "baseline"):
        if getattr(asked, name) is not None:
            raw[name] = getattr(asked, name)
    if asked.co2 is not None:
        raw["co2_per_kwh"] = asked.co2
    if asked.fx:
        raw["fx"] = {**(raw.get("fx") or {}), **asked.fx}
    return assumptions(raw, asked.assumptions or "command line")


def workload_limits(workload: Duty) -> tuple[Constraint, ...]:
    """Read the limits of a workload."""
    origin = f"the limits of workload {workload.name}"
    return WorkloadLimits.read(Stated(options=workload.limits, origin=origin)).limits


def answer(
    device: str,
    request: ProcurementRequest,
    stated: Assumptions,
    evidence: Evidence,
    workload_limits: Mapping[str, Sequence[Constraint]],
) -> Answer:
    """Ask for one device: the common limits, then each workload."""
    profile = evidence.profile(device)
    asked = request.request.model_copy(update={"device": device})
    document, reason = _asked(partial(recommend, asked, evidence))
    if document is not None:
        # Written down, rejections no longer hold what they were judged by, which is much.
        written = {"inputs": inputs_of(document, evidence), "rejected": tuple(document.rejected)}
        document = document.model_copy(update=written)
    workloads = {}
    for workload in stated.workloads:
        own = asked.model_copy(
            update={"limits": tuple(workload_limits[workload.name]), "models": workload.models}
        )
        found, _ = _asked(partial(recommend, own, evidence))
        if found is not None:
            workloads[workload.name] = found
    return Answer(
        device=device,
        name=profile.name,
        facts=device_facts(profile),
        document=document,
        reason=reason,
        workloads=workloads,
    )


def _asked(question: Callable[[], Recommendation]) -> tuple[Recommendation | None, str]:
    """Return (answer, ""), or (None, reason) where there is none for this device."""
    try:
        return question(), ""
    except AdvisorError as error:
        return None, str(error)


def refuse_stale(document: ProcurementReview) -> None:
    """Raise EvidenceError where a price is older than the buyer accepts, or has no date."""
    stale = [f"{d.device} ({d.price.date or 'no date'})" for d in document.devices if d.price.stale]
    if stale:
        days = document.assumptions.stale_after_days
        raise EvidenceError(
            f"prices older than {days} days: {', '.join(stale)}; state current ones in the "
            "assumptions, or leave out --no-stale"
        )
