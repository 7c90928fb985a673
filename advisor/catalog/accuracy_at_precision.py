"""What a numeric precision costs in accuracy, from published changes, for any level."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import field, replace
from functools import lru_cache
from statistics import NormalDist

from advisor.catalog.accuracy import (
    LEAST,
    LEVEL,
    RUNTIME_SOURCES,
    AccuracyChange,
    PrecisionChange,
    change_of_gated,
    precision_change,
)
from advisor.catalog.family_names import family_of, is_gated
from advisor.core.frozen_record import Record

FLOAT = frozenset({"fp32"})
"""Precisions in which the published accuracies were taken."""
CLOSE_TO_FLOAT = frozenset({"amp", "bf16"})
"""Precisions whose change stays within sampling noise and that nobody publishes separately."""
INTEGER_UNITS = frozenset({"npu", "tpu", "dla"})
"""Units that may have nothing but integers to compute with."""
EXACT = FLOAT | CLOSE_TO_FLOAT


class ExpectedChange(Record):
    """Change of top-1 to be expected at a precision; fractions, negative is a loss."""

    value: float
    low: float
    high: float
    source: str
    caveats: tuple[str, ...] = ()


class PrecisionChanges(Record):
    """Published changes, summarised once per network or family that has enough of them."""

    changes: Sequence[AccuracyChange]
    _known: dict[tuple[str, str, str], PrecisionChange | None] = field(default_factory=dict)
    _counts: dict[str, Counter[str]] = field(default_factory=dict)

    def at(
        self, network: str, precision: str, *, runtime: str, level: float, unit: str = "cpu"
    ) -> ExpectedChange | None:
        """Return the change to be expected; None where the float accuracy holds.

        On units that have nothing but integers, networks with squeeze-excitation and swish get the
        interval of all of their kind where it is wider, unless their family was published with the
        runtime's own tools.

        A precision about which nothing is published gets the widest published interval, that of
        int8, and says so.
        """
        if precision in EXACT:
            return None
        summary = self._summary(network, precision, runtime)
        if summary is not None:
            found = _expected(summary, precision, level)
            gated = unit in INTEGER_UNITS and precision == "int8" and is_gated(network)
            known = summary.scope != "all" and summary.sources == (RUNTIME_SOURCES.get(runtime),)
            return self._widened(found, level) if gated and not known else found
        stand_in = self._summary(network, "int8", runtime)
        if stand_in is None:
            return None
        caveat = f"no published change at {precision}; the interval of int8 is used"
        expected = _expected(stand_in, "int8", level)
        return ExpectedChange(
            value=expected.value,
            low=expected.low,
            high=expected.high,
            source=expected.source,
            caveats=(caveat, *expected.caveats),
        )

    def _widened(self, found: ExpectedChange, level: float) -> ExpectedChange:
        """Widen to what networks with squeeze-excitation and swish lose in integers."""
        key = ("gated", "int8", "")
        if key not in self._known:
            self._known[key] = change_of_gated(self.changes, "int8")
        summary = self._known[key]
        if summary is None:
            return found
        kind = _expected(summary, "int8", level)
        if kind.low >= found.low:
            return found
        caveat = "squeeze-excitation and swish in int8 may lose many points on this unit"
        return replace(
            found, low=kind.low, high=max(found.high, kind.value), caveats=(caveat, *found.caveats)
        )

    def _summary(self, network: str, precision: str, runtime: str) -> PrecisionChange | None:
        """Summarise by network where it has enough figures, else by family, else all together."""
        if precision not in self._counts:
            mine = [c for c in self.changes if c.precision == precision]
            names = [name for c in mine for name in {c.network.partition(":")[0], c.family}]
            self._counts[precision] = Counter(names)
        counts = self._counts[precision]
        plain = network.partition(":")[0]
        scopes = (plain, family_of(network))
        scope = next((s for s in scopes if counts[s] >= LEAST), "")
        key = (scope, precision, runtime)
        if key not in self._known:
            self._known[key] = precision_change(
                self.changes, plain if scope else "", precision, runtime=runtime
            )
        return self._known[key]


@lru_cache(maxsize=256)
def _expected(summary: PrecisionChange, precision: str, level: float) -> ExpectedChange:
    """Scale the published 90 % interval to another level as a normal distribution would."""
    ratio = NormalDist().inv_cdf((1 + level) / 2) / NormalDist().inv_cdf((1 + LEVEL) / 2)
    scope = {"network": "this network", "family": "its family", "all": "all networks"}
    scope["gated"] = "networks with squeeze-excitation and swish"
    return ExpectedChange(
        value=summary.median,
        low=summary.median - ratio * (summary.median - summary.low),
        high=summary.median + ratio * (summary.high - summary.median),
        source=(
            f"median of {summary.count} published changes at {precision} of "
            f"{scope[summary.scope]} ({', '.join(summary.sources[:3])}"
            f"{' …' if len(summary.sources) > 3 else ''})"
        ),
        caveats=()
        if summary.scope == "network"
        else (f"accuracy at {precision}: change published for {scope[summary.scope]}",),
    )
