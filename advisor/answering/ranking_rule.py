"""Ranking rule: what decides between candidates that keep every limit.

With a limit it is what the request says, accuracy unless told otherwise. Without any the most
accurate network would win on every device, however slow: then accuracy and speed count alike, so
that the first place is the knee of their front.
"""

from collections.abc import Iterable, Mapping

from advisor.answering.judge import Judged, speed_of
from advisor.core.quantity import Metric
from advisor.core.request import Request

MOST_ACCURATE = {Metric.TOP1: 1.0}
KNEE = (
    "no limit was given: models are ranked by accuracy and speed alike, so the first is the knee "
    "of their front; state a limit such as --max-latency, or --rank-by, for another trade"
)


def ranking(request: Request, judged: Iterable[Judged]) -> Mapping[Metric, float]:
    """Return the metrics that rank, and how much each counts."""
    if request.limits or request.weights != MOST_ACCURATE:
        return request.weights
    return {Metric.TOP1: 0.5, speed_of(judged): 0.5}
