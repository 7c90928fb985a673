"""Start a measuring process, follow its journal and end it when the user interrupts."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from advisor.measuring.jobs import Job
from advisor.measuring.journal import Event, Reader

POLL = 0.2
"""Seconds between looks at the journal; seldom, so that following disturbs no timing."""
GRACE = 5.0
"""Seconds that an interrupted process has to end by itself."""
LONGEST = 3600.0
"""Seconds after which a process that still runs is ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a measuring process ended."""

    code: int
    """Exit status; negative for a signal."""
    message: str
    """Last line it wrote to standard error; empty where it wrote none."""

    @property
    def reason(self) -> str:
        """One line about a failure."""
        if self.code < 0:
            return f"the process was ended by signal {-self.code}" + self._tail
        return self.message or f"the process ended with status {self.code}"

    @property
    def _tail(self) -> str:
        return f" ({self.message})" if self.message else ""


Follow = Callable[[Event], None]
Runner = Callable[[Job, Follow, float], Ending]
"""Does a job and hands every event on; a test puts its own in the place of ``run_child``."""


def run_child(job: Job, follow: Follow, longest: float = LONGEST) -> Ending:
    """Do a job in a process of its own.

    KeyboardInterrupt ends the process, hands on what it had written, and is raised again.
    """
    with tempfile.TemporaryDirectory(prefix="advisor-job-") as folder:
        path, errors = Path(folder) / "job.json", Path(folder) / "stderr"
        job.write(path)
        reader = Reader(Path(job.journal))
        with errors.open("wb") as stream:
            process = _start(path, stream.fileno())
        try:
            _wait(process, reader, follow, longest)
        finally:
            _stop(process)
            for event in reader.new():
                follow(event)
        return Ending(code=process.returncode, message=_last_line(errors))


def _start(job: Path, errors: int) -> subprocess.Popen[bytes]:
    """Start the worker in a group of its own, so that Ctrl-C reaches the advisor alone."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(
        [sys.executable, "-m", "advisor.measuring.worker", str(job)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        env=environment,
        start_new_session=True,
    )


def _wait(process: subprocess.Popen[bytes], reader: Reader, follow: Follow, longest: float) -> None:
    end = time.monotonic() + longest
    while process.poll() is None and time.monotonic() < end:
        time.sleep(POLL)
        for event in reader.new():
            follow(event)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else ""
