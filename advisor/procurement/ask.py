"""Procuring: asks the advisor for each device and each workload, and reviews the answers."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from advisor.answering.commands import quantity
from advisor.answering.evidence import Evidence
from advisor.answering.recommend import recommend
from advisor.answering.write import now, version
from advisor.core.document import Limit, Recommendation, Request
from advisor.errors import AdvisorError, EvidenceError
from advisor.hardware.facts import device_facts
from advisor.procurement.assumptions import Assumptions
from advisor.procurement.review import ProcurementRequest, ProcurementReview
from advisor.procurement.reviewing import Answer, Stamp, review


def procure(
    request: ProcurementRequest,
    stated: Assumptions,
    evidence: Evidence,
    workload_limits: Mapping[str, Sequence[Limit]],
) -> ProcurementReview:
    """Review the devices; ``workload_limits`` holds the limits of each workload by its name.

    Raises UsageError for an unknown device; a device that the evidence says nothing about is
    part of the review, with the reason.
    """
    answers = [
        answer(evidence.profiles.resolve(name).id, request, stated, evidence, workload_limits)
        for name in request.devices
    ]
    stamp = Stamp(version=version(), created=now(), command=procure_command(request, stated))
    return review(request, stated, answers, stamp)


def answer(
    device: str,
    request: ProcurementRequest,
    stated: Assumptions,
    evidence: Evidence,
    workload_limits: Mapping[str, Sequence[Limit]],
) -> Answer:
    """Ask for one device: the common limits, then each workload."""
    profile = evidence.profiles.load(device)
    asked = request.request.model_copy(update={"device": device})
    document, reason = _asked(partial(recommend, asked, evidence))
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


def procure_command(request: ProcurementRequest, stated: Assumptions) -> str:
    """Write the command that gives the same review."""
    common = request.request
    words = [f"advisor procure --devices {','.join(request.devices)}"]
    words += map(quantity, common.limits)
    words += _common_options(common)
    words += [f"--quantity {stated.quantity}", f"--years {stated.years:g}"]
    words.append(f"--duty-cycle {100 * stated.duty_cycle:g}%")
    if stated.tariff is not None:
        words.append(f"--tariff {stated.tariff.amount:g}{stated.tariff.currency}/kWh")
    words += [f"--fx {name}={value:g}" for name, value in stated.fx.items()]
    if stated.currency != "USD":
        words.append(f"--currency {stated.currency}")
    if request.assumptions_file:
        words.append(f"--assumptions {shlex.quote(request.assumptions_file)}")
    return " ".join(words)


def _common_options(common: Request) -> list[str]:
    words = []
    if common.confidence != 0.9:
        words.append(f"--confidence {100 * common.confidence:g}%")
    if common.models:
        words.append(f"--models {shlex.quote(','.join(common.models))}")
    if common.exclude:
        words.append(f"--exclude {shlex.quote(','.join(common.exclude))}")
    return words
