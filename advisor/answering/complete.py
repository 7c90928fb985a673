"""Completing: adds to a recommendation what only its readers need, not its ranking.

Price and supply of the device, the preset it started from, where the time goes in the best models,
the files it rests on, and how firm the first place is. A terminal table does without.
"""

from collections.abc import Sequence

from advisor.answering.evidence import Evidence
from advisor.answering.recommend import operator_seconds
from advisor.answering.sensitivity import sensitivity
from advisor.answering.use_cases import use_case
from advisor.core.candidate import Candidate
from advisor.core.document import Entry, Input, LaneRecord, Recommendation
from advisor.hardware.facts import device_facts

BEST = 3
"""Models whose time is split by kind of operation."""


def completed(document: Recommendation, evidence: Evidence) -> Recommendation:
    """Return the recommendation with everything that a report shows."""
    preset = document.request.use_case
    profile = evidence.profile(document.lane.device)
    return document.model_copy(
        update={
            "ranked": _timed(document.ranked, document.lanes, evidence),
            "uncertain": document.uncertain
            if document.ranked
            else _timed(document.uncertain, document.lanes, evidence),
            "device": device_facts(profile),
            "use_case": use_case(preset) if preset else None,
            "sensitivity": sensitivity(document),
            "inputs": (*inputs_of(document, evidence), *document.inputs),
        }
    )


def inputs_of(document: Recommendation, evidence: Evidence) -> tuple[Input, ...]:
    """Return the files that a recommendation rests on, so that a reader can tell what changed."""
    hashes = evidence.inputs(document.request.device)
    return tuple(Input(name=name, sha256=sha256) for name, sha256 in hashes.items())


def _timed(
    entries: Sequence[Entry], lanes: Sequence[LaneRecord], evidence: Evidence
) -> tuple[Entry, ...]:
    """Split the time of the best entries by kind of operation."""
    by_name = {lane.name: lane for lane in lanes}
    best = [
        entry.model_copy(update={"time_by_operator": _shares(entry, by_name[entry.lane], evidence)})
        for entry in entries[:BEST]
    ]
    return (*best, *entries[BEST:])


def _shares(entry: Entry, record: LaneRecord, evidence: Evidence) -> dict[str, float]:
    """Shares of the predicted time by operator class; empty where it cannot be predicted."""
    axes = tuple(sorted(entry.axes.items()))
    candidate = Candidate(architecture=entry.architecture, resolution=entry.resolution, axes=axes)
    seconds = operator_seconds(candidate, record.lane, evidence)
    total = sum(seconds.values())
    return {name: value / total for name, value in seconds.items()}
