"""Recommendations of every kind: from the catalog, with searched variants, after timings here."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from advisor.answering.evidence import Evidence
from advisor.answering.recommend import recommend
from advisor.core.document import Entry, Recommendation
from advisor.core.request import Request
from advisor.errors import UsageError
from advisor.hardware.lanes import lanes_for

if TYPE_CHECKING:
    from advisor.measuring.order import Order
    from advisor.measuring.session import MeasuredOutcome

CarryOut = Callable[["Order"], "MeasuredOutcome"]
"""Carries out an order of measurements."""


def answer_request(request: Request, evidence: Evidence, carry_out: CarryOut) -> Recommendation:
    """Answer a request, with variants searched and networks timed here where it asks for them.

    Raises UsageError where timings are asked for another device than this machine.
    """
    if not request.measure:
        return _answered(request, evidence)
    from advisor.answering.contest import settled
    from advisor.hardware.library import THIS_MACHINE
    from advisor.measuring.host import detected

    if request.device != THIS_MACHINE:
        raise UsageError(
            f"--measure times networks here and needs --device {THIS_MACHINE}; for "
            f"{request.device} write 'advisor kit --device {request.device}'"
        )
    detected()

    def measure(entries: Sequence[Entry]) -> None:
        if any(carry_out(order).interrupted for order in orders_of(entries, request, evidence)):
            raise KeyboardInterrupt

    def anew() -> Recommendation:
        return _answered(request, Evidence(root=evidence.root, profiles=evidence.profiles))

    return settled(anew, measure, request.measure)


def _answered(request: Request, evidence: Evidence) -> Recommendation:
    if not request.search:
        return recommend(request, evidence)
    from advisor.answering.search import recommend_with_variants

    return recommend_with_variants(request, evidence)


def orders_of(entries: Sequence[Entry], request: Request, evidence: Evidence) -> "list[Order]":
    """Order the lanes that competed, each with its own networks."""
    from advisor.answering.measure import ways, wishes
    from advisor.measuring.order import Order

    orders = []
    for lane in lanes_for(evidence.profile(request.device), request):
        mine = [e for e in entries if e.lane == lane.name]
        spelled = [f"{e.architecture}@{e.resolution}" for e in mine if not e.axes]
        if not spelled:
            continue
        way = ways([lane.runtime], [lane.precision], unit=lane.unit, threads=lane.threads or 1,
                   batch=max(lane.batch, 1))  # fmt: skip
        orders.append(
            Order(device=lane.device, wishes=wishes(spelled, evidence), ways=way, sessions=2)
        )
    return orders
