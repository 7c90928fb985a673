"""Difference: what changed between an earlier answer and a new one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from advisor.core.document import Entry, Figure, Recommendation, Rejection
from advisor.core.quantity import Metric
from advisor.core.request import Request
from advisor.reports.decision import decide, figure_text

NOTABLE = 0.005
"""Relative change of a value below which a figure counts as the same."""
LISTED = 20
"""Candidates, best first, whose figures are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Everything that differs between two answers."""

    since: str
    """Date of the earlier answer."""
    decision: Change | None
    request: tuple[Change, ...]
    ranks: tuple[Change, ...]
    """Moves among the best candidates of either answer."""
    figures: tuple[Change, ...]
    inputs: tuple[Change, ...]
    """Versions and files that the answers rest on."""

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        parts = (self.request, self.ranks, self.figures, self.inputs)
        return self.decision is None and not any(parts)


def difference(before: Recommendation, after: Recommendation) -> Difference:
    """Compare an earlier answer with a new one."""
    old, new = decide(before).headline, decide(after).headline
    changed = Change(what="Decision", before=old, after=new) if old != new else None
    return Difference(
        since=before.created[:10],
        decision=changed,
        request=tuple(_request(before.request, after.request)),
        ranks=tuple(_ranks(before, after)),
        figures=tuple(_figures(before, after)),
        inputs=tuple(_inputs(before, after)),
    )


def _request(before: Request, after: Request) -> Iterator[Change]:
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    for name in new:
        if old.get(name) != new[name]:
            yield Change(what=name, before=_plain(old.get(name)), after=_plain(new[name]))


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_plain(v)}" for k, v in value.items() if v is not None)
    if isinstance(value, list | tuple):
        return "; ".join(map(_plain, value)) or "–"
    return "–" if value in (None, "") else str(value)


def _key(item: Entry | Rejection) -> tuple[str, str]:
    return item.candidate, item.precision


def _standing(document: Recommendation) -> dict[tuple[str, str], str]:
    """Place of every candidate in words: its rank, or the verdict that keeps it from one."""
    found = {_key(item): "rejected" for item in document.rejected}
    found |= {_key(entry): str(entry.verdict) for entry in document.uncertain}
    return found | {_key(entry): f"#{entry.rank}" for entry in document.ranked}


def _ranks(before: Recommendation, after: Recommendation) -> Iterator[Change]:
    old, new = _standing(before), _standing(after)
    best = [_key(entry) for entry in (*after.ranked[:LISTED], *before.ranked[:LISTED])]
    for key in dict.fromkeys(best):
        was, now = old.get(key, "not considered"), new.get(key, "not considered")
        if was != now:
            yield Change(what=" ".join(key), before=was, after=now)


def _figures(before: Recommendation, after: Recommendation) -> Iterator[Change]:
    everything: Iterable[Entry | Rejection] = (*before.ranked, *before.uncertain, *before.rejected)
    old = {_key(item): item.metrics for item in everything}
    for entry in (*after.ranked[:LISTED], *after.uncertain[:LISTED]):
        earlier = old.get(_key(entry), {})
        for metric, figure in entry.metrics.items():
            was = earlier.get(metric)
            if was is not None and _differs(was, figure):
                yield _figure_change(entry.candidate, metric, was, figure)


def _differs(was: Figure, now: Figure) -> bool:
    if was.origin != now.origin:
        return True
    return abs(now.value - was.value) > NOTABLE * max(abs(was.value), 1e-30)


def _figure_change(candidate: str, metric: Metric, was: Figure, now: Figure) -> Change:
    return Change(
        what=f"{candidate}: {metric.label}",
        before=f"{figure_text(was)}, {was.origin}",
        after=f"{figure_text(now)}, {now.origin}",
    )


def _inputs(before: Recommendation, after: Recommendation) -> Iterator[Change]:
    if before.advisor_version != after.advisor_version:
        yield Change(
            what="Advisor version", before=before.advisor_version, after=after.advisor_version
        )
    old = {item.name: item.sha256 for item in before.inputs}
    new = {item.name: item.sha256 for item in after.inputs}
    for name in dict.fromkeys([*new, *old]):
        was, now = old.get(name, ""), new.get(name, "")
        if was != now:
            yield Change(what=name, before=was[:12] or "not used", after=now[:12] or "not used")
