"""Commands in processes of their own, forked after the slow imports, to be killed at any moment.

Moments are drawn in processor time, which other work on the machine does not stretch.
"""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import ClassVar

IMPORTED = ["advisor.answering.search", "advisor.answering.taking_in", "optuna", "sqlalchemy"]
"""What the process that others are forked from has imported; nothing is computed in it."""
TRAINING = [
    "advisor.answering.measure", "advisor.answering.trial", "advisor.cli.trial",
    "sklearn.linear_model", "timm", "torch", "torchmetrics",
]  # fmt: skip
LONGEST = 300.0
"""Seconds of wall time after which a command hangs."""
_context = get_context("forkserver")
_context.set_forkserver_preload([*IMPORTED, *TRAINING])


@dataclass
class Command:
    """``advisor`` with these arguments, at work in a folder that is its home."""

    argv: Sequence[str]
    home: Path
    seconds: float = 0.0
    """Processor time it had taken when it was last looked at."""
    worked: ClassVar[float] = 0.0
    """Processor time of all commands."""
    _process: BaseProcess = field(init=False)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        number = len(list(self.home.glob("out-*")))
        self._place = self.home / f"out-{number}"
        self._place.touch()
        self._process = _context.Process(
            target=_work, args=(list(self.argv), str(self.home), str(self._place)), daemon=False
        )
        self._process.start()

    def __str__(self) -> str:
        return f"advisor {' '.join(self.argv)[:300]}"

    @property
    def pid(self) -> int:
        """Number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.is_alive()

    def works_for(self, seconds: float) -> bool:
        """Wait for so much processor time; False where it ended before."""
        end = time.monotonic() + LONGEST
        while self._process.is_alive() and time.monotonic() < end:
            used = max(self.seconds, sum(map(_used, _family(self.pid))))
            Command.worked += used - self.seconds
            self.seconds = used
            if self.seconds > seconds:
                return True
            time.sleep(0.005)
        return False

    def kill(self) -> None:
        """End it as the kernel would, without a chance to write anything down."""
        os.kill(self.pid, signal.SIGKILL)
        self._process.join()

    def ended(self) -> int:
        """Wait for its end and return its exit code."""
        self.works_for(float("inf"))
        if self._process.is_alive():
            self.kill()
            raise TimeoutError(f"hangs: {self}")
        self._process.join()
        return int(self._process.exitcode or 0)

    @property
    def out(self) -> str:
        """What it printed."""
        return self._place.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        """What it wrote to standard error."""
        return self._place.with_suffix(".err").read_text(encoding="utf-8")


@contextmanager
def at_once(commands: Sequence[Sequence[str]], home: Path) -> Iterator[list[Command]]:
    """Start commands beside each other, each with outputs of its own, and leave none behind."""
    started = [Command(argv, home) for argv in commands]
    try:
        yield started
    finally:
        for one in started:
            if one.running:
                one.kill()


def _work(argv: list[str], home: str, place: str) -> None:
    os.environ["ADVISOR_HOME"] = home
    os.environ["OMP_NUM_THREADS"] = "1"
    tempfile.tempdir = None  # the one that the environment names, not the first process's
    with Path(place).open("w") as out, Path(place).with_suffix(".err").open("w") as error:
        os.dup2(out.fileno(), 1)
        os.dup2(error.fileno(), 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    from advisor.cli.main import run

    code = run(argv)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _used(pid: int) -> float:
    """Processor time of a process and of those it waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _family(pid: int) -> list[int]:
    """A process and those it started, as they are now."""
    found = [pid]
    for parent in found:
        with suppress(OSError):  # it may have ended by now
            for place in Path(f"/proc/{parent}/task").glob("*/children"):
                found += map(int, place.read_text().split())
    return found
