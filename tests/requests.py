"""Requests of every kind, as hypothesis draws them: options as people may state them."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from advisor.answering.asking import PRESET
from advisor.core.candidate import Candidate
from advisor.core.measuring_request import (
    CalibrateRequest,
    CompressRequest,
    ImportRequest,
    KitRequest,
    MeasureRequest,
    TeachRequest,
)
from advisor.core.option import (
    CANDIDATES,
    ITEMS,
    Choice,
    ExchangeRates,
    Factors,
    Flag,
    Form,
    InputSizes,
    LimitForm,
    Metrics,
    MetricWeights,
    NamedFiles,
    Needs,
    OneMetric,
    Positive,
    Probability,
    Quantity,
    ScopedLimit,
    Whole,
    Words,
)
from advisor.core.quantity import Metric, Unit, spell
from advisor.core.question import Question, options_of
from advisor.core.request import (
    CompareRequest,
    EstimateRequest,
    ExplainRequest,
    PurchaseRequest,
    QuestionsRequest,
    Request,
    SearchRequest,
)

KINDS: tuple[type[Question], ...] = (
    Request, CompareRequest, EstimateRequest, QuestionsRequest, ExplainRequest, SearchRequest,
    PurchaseRequest, CalibrateRequest, KitRequest, ImportRequest, MeasureRequest, TeachRequest,
    CompressRequest,
)  # fmt: skip
plain_words = st.from_regex(
    r"[A-Za-z0-9_.*?\[\]/'\" $&;äß-]*[A-Za-z0-9_*?]", fullmatch=True
).filter(lambda word: word == word.strip() and not word.startswith("-"))
plain_names = st.from_regex(r"[a-z0-9_./-]*[a-z]", fullmatch=True).filter(
    lambda name: not name.startswith("-")
)
numbers = st.just(0.0) | st.floats(min_value=1e-18, max_value=1e18)
candidates = st.builds(
    Candidate,
    architecture=st.from_regex(r"[a-z][a-z0-9_]*", fullmatch=True),
    tag=st.none() | st.from_regex(r"[a-z][a-z0-9_]*", fullmatch=True),
    resolution=st.none() | st.integers(8, 2048),
    axes=st.dictionaries(
        st.sampled_from(["width", "depth", "phi", "stage_1"]),
        st.integers(1, 400).map(lambda n: n / 100),
    ).map(lambda axes: tuple(sorted(axes.items()))),
).map(lambda candidate: candidate.name)


def quantities(unit: Unit) -> st.SearchStrategy[str]:
    """Quantities of a unit, of any size that it may have."""
    most = 1.0 if unit is Unit.FRACTION else 1e18
    return numbers.filter(lambda value: value <= most).map(lambda value: spell(value, unit))


def statements(form: Form) -> st.SearchStrategy[Any]:
    """What may be stated of an option: text as typed, lists as in files, numbers as in Python."""
    known = STATEMENTS.get(type(form))
    return known(form) if known is not None else plain_words


def _whole(form: Any) -> st.SearchStrategy[Any]:
    whole = st.integers(form.least or 0, form.most or 10**9)
    return whole | whole.map(str)


def _words(form: Any) -> st.SearchStrategy[Any]:
    lists = st.lists(candidates if form is CANDIDATES else plain_words, min_size=1, max_size=4)
    return lists if form is ITEMS else lists | lists.map(",".join)


METRICS = st.sampled_from([str(metric) for metric in Metric])
STATEMENTS: dict[type[Form], Callable[[Any], st.SearchStrategy[Any]]] = {
    Flag: lambda _: st.booleans(),
    Whole: _whole,
    Positive: lambda _: st.floats(1e-9, 1e9),
    Probability: lambda _: st.integers(1, 99).map("{}%".format) | st.floats(0.001, 0.999),
    LimitForm: lambda form: quantities(form.metric.unit),
    ScopedLimit: lambda _: quantities(Unit.WATT),
    Quantity: lambda form: quantities(form.unit),
    OneMetric: lambda _: METRICS,
    MetricWeights: lambda _: st.dictionaries(METRICS, st.floats(0.01, 100), min_size=1),
    Needs: lambda _: st.dictionaries(
        st.sampled_from(["latency", "energy"]), st.integers(1, 900).map("{}m".format), min_size=1
    ).map(lambda needs: {m: f"{x}{'s' if m == 'latency' else 'J'}" for m, x in needs.items()}),
    ExchangeRates: lambda _: st.dictionaries(
        st.sampled_from(["EUR", "GBP"]), st.floats(0.1, 10), min_size=1
    ),
    Metrics: lambda _: st.lists(METRICS, min_size=1, unique=True),
    Choice: lambda form: st.sampled_from(form.names),
    Factors: lambda _: st.lists(st.floats(0.01, 100), min_size=1),
    InputSizes: lambda _: st.dictionaries(
        plain_names, st.lists(st.integers(1, 300), min_size=1, max_size=3), min_size=1
    ),
    NamedFiles: lambda _: st.dictionaries(plain_names, plain_names, min_size=1),
    Words: _words,
}


@st.composite
def stated_options(draw: st.DrawFn, kind: type[Question]) -> dict[str, Any]:
    """Options of a kind of request: the required ones and some others, never two that exclude."""
    found: dict[str, Any] = {}
    for key, place in options_of(kind).items():
        barred = key == PRESET or set(place.option.excludes) & set(found)
        if not barred and (place.required or draw(st.booleans())):
            found[key] = draw(statements(place.option.form))
    return found
