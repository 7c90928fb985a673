"""What a request for a search asks: a search alone, or one that trains on the user's images."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from advisor.answering.evidence import Evidence
from advisor.answering.search import (
    OnProgress,
    SearchAnswer,
    SearchTask,
    lane_of,
    search_and_recommend,
    task_of,
)
from advisor.core.lane import Lane
from advisor.core.request import SearchRequest
from advisor.errors import UsageError
from advisor.hardware.library import advisor_home
from advisor.studies.own_journal import own_journal

if TYPE_CHECKING:
    from advisor.trials.trial_session import Tell


def search_for(
    request: SearchRequest,
    evidence: Evidence,
    *,
    progress: OnProgress | None = None,
    importances: bool = True,
    tell: "Tell" = lambda progress: None,  # noqa: ARG005
) -> SearchAnswer:
    """Search what a request asks for; the study is kept where it says, else among the user's.

    ``importances``: whether the record tells what each parameter explains, which takes a second.
    With images, variants are trained and ``tell`` is told how far. Raises UsageError as
    ``search_and_recommend`` does.
    """
    if request.data:
        from advisor.answering.search_training import search_and_train

        return search_and_train(request, evidence, progress=progress, tell=tell)
    alone = [name for name in ("budget", "epochs", "folder") if getattr(request, name)]
    if alone:
        raise UsageError(f"--{alone[0]} is of the training on your images; it needs --data")
    if request.worker and "://" not in request.storage:
        raise UsageError("--worker needs a --storage that others reach, such as postgresql://…")
    with _stored(task_of(request), evidence) as task:
        found = search_and_recommend(task, evidence, progress=progress, importances=importances)
    document = found.document.model_copy(update={"command": request.command()})
    return replace(found, document=document)


@contextmanager
def _stored(task: SearchTask, evidence: Evidence) -> Iterator[SearchTask]:
    """Keep the study in the user's own folder where no storage is named."""
    if task.search.storage:
        yield task
        return
    profile = evidence.profile(task.request.device)
    name = default_study(task, lane_of(task.request, profile))
    with own_journal(advisor_home() / "studies", name, resume=task.search.resume) as path:
        yield replace(task, search=replace(task.search, storage=str(path)))


def default_study(task: SearchTask, lane: Lane) -> str:
    """Return a name that the same search on the same lane has again."""
    search_part = replace(task.search, storage="", study="", resume=False, trials=1, start=())
    text = f"{search_part!r} {task.recipe} {lane!r}"
    return f"{lane.device}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
