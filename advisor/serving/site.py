"""Site: a form that asks, and the report that answers; every verdict is the advisor's own.

Links are relative, so that the site works below any path of a reverse proxy. Nothing is kept
between requests, and no page loads anything from elsewhere.
"""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from advisor.answering.asking import request_from
from advisor.answering.complete import completed
from advisor.answering.evidence import Evidence
from advisor.answering.recommend import recommend
from advisor.answering.use_cases import names as use_cases
from advisor.core.document import Recommendation
from advisor.core.question import Stated
from advisor.core.request import LIMITS, Request
from advisor.errors import AdvisorError, BusyError, UsageError
from advisor.reports import PLAIN, writer

OPTIONS = (
    "device",
    "use_case",
    *(limit.name.replace("-", "_") for limit in LIMITS),
    "confidence",
    "rank_by",
    "weights",
    "needs",
    "unit",
    "runtime",
    "precision",
    "batch",
    "threads",
    "models",
    "exclude",
    "license",
    "no_published",
    "all_weights",
)
"""What may be asked here: nothing that reads files of the server, trains, times or searches."""
FLAGS = ("no_published", "all_weights")
DOWNLOADS = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "markdown": "text/markdown; charset=utf-8",
}
"""Formats of the report and their media types."""
MOST_BYTES = 8_192
"""Longest query."""
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'"
)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much one request, and all together, may take."""

    at_once: int = 4
    seconds: float = 60.0


def site(evidence: Evidence, bounds: Bounds | None = None) -> Flask:
    """Return the site as a WSGI application."""
    limits = bounds or Bounds()
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.add_template_filter(_spelled, "spelled")
    workers = ThreadPoolExecutor(limits.at_once)
    _ = evidence.table, evidence.weights, evidence.latency, evidence.memory  # read once, for all

    @app.get("/")
    def ask() -> str:
        return _form(evidence, request.args)

    @app.get("/report")
    def report() -> str:
        asked = asked_by(request.args)
        document = _bounded(workers, limits, asked, evidence)
        return render_template(
            "answer.html",
            title=document.lane.device_name,
            query=request.query_string.decode(),
            formats=DOWNLOADS,
        )

    @app.get("/report.<form>")
    def download(form: str) -> Response:
        if form not in DOWNLOADS:
            return Response(f"no format {form}; there are {', '.join(DOWNLOADS)}\n", 404)
        document = _bounded(workers, limits, asked_by(request.args), evidence)
        found = Response(writer(form).render(document, PLAIN), content_type=DOWNLOADS[form])
        if "save" in request.args:
            name = f"advisor-{document.lane.device}.{'md' if form == 'markdown' else form}"
            found.headers["Content-Disposition"] = f"attachment; filename={name}"
        return found

    @app.errorhandler(AdvisorError)
    def refused(error: AdvisorError) -> tuple[str, int]:
        status = 503 if isinstance(error, BusyError) else 400
        return _form(evidence, request.args, str(error)), status

    @app.before_request
    def short_enough() -> Response | None:
        long = len(request.query_string) > MOST_BYTES
        return Response("the request is too long\n", 414) if long else None

    @app.after_request
    def closed(response: Response) -> Response:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
        if not request.path.startswith("/report."):  # a report brings its own policy
            response.headers.setdefault("Content-Security-Policy", _POLICY)
        return response

    @app.errorhandler(HTTPException)
    def unknown(error: HTTPException) -> tuple[str, int]:
        return _form(evidence, {}, error.description or error.name), error.code or 500

    return app


def asked_by(stated: Mapping[str, str]) -> Request:
    """Read a request from the fields of the form; UsageError says what is wrong."""
    fields = {name.replace("-", "_"): value.strip() for name, value in stated.items()}
    options: dict[str, object] = {
        name: value if name not in FLAGS else True
        for name, value in fields.items()
        if value and name not in ("save",)
    }
    refused = sorted(set(options) - set(OPTIONS))
    if refused:
        raise UsageError(f"{', '.join(refused)}: not asked here; use the command line for it")
    return request_from(Request, Stated(options=options))


def answered(asked: Request, evidence: Evidence) -> Recommendation:
    """Answer as ``recommend --format json`` does."""
    return completed(recommend(asked, evidence), evidence)


def _bounded(
    workers: ThreadPoolExecutor, limits: Bounds, asked: Request, evidence: Evidence
) -> Recommendation:
    future: Future[Recommendation] = workers.submit(answered, asked, evidence)
    try:
        return future.result(limits.seconds)
    except TookTooLong:
        future.cancel()
        seconds = f"{limits.seconds:g}"
        raise BusyError(f"no answer within {seconds} s; others are asking: try again") from None


def _spelled(option: str) -> str:
    """Name an option as the form's label does: ``Max latency``."""
    return option.replace("-", " ").replace("_", " ").capitalize()


def _told(problem: str) -> str:
    """Name the option of a mistake as its label does."""
    option, colon, rest = problem.partition(": ")
    return f"{_spelled(option)}: {rest}" if colon and option in OPTIONS else problem


def _form(evidence: Evidence, stated: Mapping[str, str], problem: str = "") -> str:
    return render_template(
        "ask.html",
        devices=[(id_, entry.name) for id_, entry in evidence.profiles.entries.items()],
        limits=[(limit.name, limit.help) for limit in LIMITS],
        cases=use_cases(),
        stated=stated,
        problem=_told(problem),
    )
