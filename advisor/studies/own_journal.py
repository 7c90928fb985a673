"""Own journal: where a search keeps its study when no storage is named.

A search holds its journal while it runs. The same search started beside it takes another, since
each begins its study anew.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from advisor.errors import AdvisorError, UsageError
from advisor.files.saving import make_folder


@contextmanager
def own_journal(folder: Path, name: str, *, resume: bool) -> Iterator[Path]:
    """Hold the journal of a search by its name, empty unless it is resumed.

    Raises UsageError where a search that still runs is to be resumed.
    """
    make_folder(folder)
    for number in count(1):
        path = folder / f"{name}{f'-{number}' if number > 1 else ''}.log"
        with _held(path.with_suffix(".lock")) as free:
            if free:
                if not resume:
                    path.unlink(missing_ok=True)
                yield path
                return
        if resume:
            raise UsageError(
                "--resume: this search is running in another process; wait for it, or name a "
                "--storage that both share"
            )


@contextmanager
def _held(lock: Path) -> Iterator[bool]:
    """Tell whether the lock was free; it is held meanwhile, and falls with the process."""
    try:
        stream = lock.open("w")
    except OSError as error:
        raise AdvisorError(f"cannot write {lock}: {error.strerror}") from None
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
