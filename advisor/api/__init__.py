"""The Python API: one function for each command, its keywords are the command's options.

A keyword is an option with ``_`` for ``-`` (and ``for_`` for the one that Python reserves), given
as it is typed (``max_latency="10ms"``), as a list where the command line takes commas, or as a
number or path where it is one. ``config`` is a request file; keywords go before it. Each function
raises UsageError for what cannot be read, EvidenceError where the evidence does not allow an
answer, and the other errors of ``advisor.errors``.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from advisor.answering.asking import PRINTED, evidence_for, request_file, request_from
from advisor.answering.evidence import Evidence
from advisor.api.answers import (
    DevicesAnswer,
    EstimatesAnswer,
    ExplanationAnswer,
    ModelsAnswer,
    NarrowingAnswer,
    RecommendationAnswer,
    ReviewAnswer,
    shown,
)
from advisor.api.signature import asks
from advisor.core.measuring_request import CalibrateRequest, MeasureRequest
from advisor.core.question import Question, Stated
from advisor.core.request import (
    CompareRequest,
    EstimateRequest,
    ExplainRequest,
    PurchaseRequest,
    Request,
    SearchRequest,
)

logger = logging.getLogger("advisor")
Names = str | Sequence[str]
Kind = TypeVar("Kind", bound=Question)


@asks(Request)
def recommend(device: str, **options: Any) -> RecommendationAnswer:
    """Rank the networks that keep the limits on a device."""
    from advisor.answering.complete import completed
    from advisor.answering.measure import carried_out
    from advisor.answering.measured import answer_request

    request = _asked(Request, options, device=device)
    evidence = evidence_for(request.profiles_dir)
    document = answer_request(request, evidence, carried_out)
    return shown(RecommendationAnswer, completed(document, evidence))


@asks(EstimateRequest)
def estimate(candidates: Names, device: Names, **options: Any) -> EstimatesAnswer:
    """Estimate every metric of candidates, with interval, origin and source."""
    from advisor.answering.estimates import estimate as answer

    request = _asked(EstimateRequest, options, candidates=candidates, device=device)
    return shown(EstimatesAnswer, answer(request, evidence_for(request.profiles_dir)))


@asks(CompareRequest)
def compare(candidates: Names, device: Names, **options: Any) -> EstimatesAnswer:
    """Put candidates side by side on one or several devices."""
    from advisor.answering.estimates import compare as answer

    request = _asked(CompareRequest, options, candidates=candidates, device=device)
    return shown(EstimatesAnswer, answer(request, evidence_for(request.profiles_dir)))


@asks(ExplainRequest)
def explain(candidate: str, device: str, **options: Any) -> ExplanationAnswer:
    """Tell where a network's time goes, and the evidence behind its latency."""
    from advisor.answering.explain import explain as answer

    request = _asked(ExplainRequest, options, candidate=candidate, device=device)
    return shown(ExplanationAnswer, answer(request, evidence_for(request.profiles_dir)))


@asks(SearchRequest)
def search(family: Names, device: str, **options: Any) -> RecommendationAnswer:
    """Search variants of a family that keep the limits on a device; they need training."""
    from advisor.answering.asked_search import search_for

    request = _asked(SearchRequest, options, family=family, device=device)
    found = search_for(request, evidence_for(request.profiles_dir))
    return shown(RecommendationAnswer, found.document)


@asks(PurchaseRequest)
def procure(devices: Names, **options: Any) -> ReviewAnswer:
    """Review devices for a purchase: best models, cost over the years, supply, a ranking."""
    from advisor.procurement.ask import procure as answer

    request = _asked(PurchaseRequest, options, devices=devices)
    return shown(ReviewAnswer, answer(request, evidence_for(request.profiles_dir)))


@asks(CalibrateRequest)
def calibrate(device: str, **options: Any) -> NarrowingAnswer:
    """Teach the estimator what was measured on a device; tell how wide its answers are.

    Warnings about rows that are left out go to the logger ``advisor``.
    """
    from advisor.answering.taking_in import calibrate as answer

    request = _asked(CalibrateRequest, options, device=device)
    return shown(NarrowingAnswer, answer(request, note=logger.info, warn=logger.warning))


@asks(MeasureRequest)
def measure(candidates: Names, **options: Any) -> EstimatesAnswer:
    """Time candidates here, on real runtimes, and keep the samples.

    What fails goes to the logger ``advisor``; MeasurementError where nothing could be measured.
    """
    from advisor.answering.measure import measure as answer

    request = _asked(MeasureRequest, options, candidates=candidates)
    found = answer(request, Evidence(), note=logger.info, warn=logger.warning)
    return shown(EstimatesAnswer, found.document)


def devices(pattern: str = "", *, profiles_dir: str | Path = "") -> DevicesAnswer:
    """List the devices whose id, name or vendor contains a text."""
    from advisor.answering.listings import device_list

    library = evidence_for(str(profiles_dir)).profiles
    return shown(DevicesAnswer, device_list(library, pattern))


def models(pattern: str = "*") -> ModelsAnswer:
    """List the trained weights whose name fits a wildcard, the most accurate first."""
    from advisor.answering.listings import model_list

    return shown(ModelsAnswer, model_list(Evidence(), pattern))


def _asked(kind: type[Kind], options: Mapping[str, Any], **named: Any) -> Kind:
    """Build a request from keywords, on top of a request file where one is named."""
    stated = {**options, **named}
    config = stated.pop("config", None)
    file = [request_file(Path(config), beside=PRINTED)] if config is not None else []
    return request_from(kind, *file, Stated(options=stated))
