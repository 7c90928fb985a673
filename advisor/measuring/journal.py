"""Journal: one line per event of a measuring process, written before the next pass begins.

Lines go straight to a file, so that killing every process at any moment loses at most the pass in
flight; what a dead process left behind is taken into the store at the next run.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Event = dict[str, Any]


class Writer:
    """Appends events to a journal, unbuffered."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, **event: Any) -> None:
        """Append one event; OSError where the disk is full."""
        os.write(self._descriptor, json.dumps(event, separators=(",", ":")).encode() + b"\n")


class Reader:
    """Reads the events that were added since the last time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def new(self) -> list[Event]:
        """Return complete new events; a line still being written is left for the next time."""
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                data = stream.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [event for line in whole.splitlines() if (event := _event(line)) is not None]


def _event(line: bytes) -> Event | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None  # torn by a full disk
    return found if isinstance(found, dict) else None


class JobClaim:
    """A lock on a journal that ends with the process that holds it."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)

    def take(self, *, wait: bool = False, shared: bool = False) -> bool:
        """Lock it; False where another process holds it and ``wait`` is off.

        Several processes may hold it ``shared`` at once.
        """
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self._descriptor, kind | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Give the lock back."""
        os.close(self._descriptor)


def abandoned(folder: Path) -> Iterator[Path]:
    """Journals whose process is gone."""
    for path in sorted(folder.glob("*.jsonl")):
        claim = JobClaim(path)
        free = claim.take()
        claim.release()
        if free:
            yield path
