"""Run a command inside this process and say what is wrong with how it ended."""

import contextlib
import io
import re
import time
from collections.abc import Collection
from dataclasses import dataclass

from advisor.cli.main import UNEXPECTED, run

CODES = (0, 1, 2, 3, 4)
INTERRUPTED = 130
LONGEST = 500
"""Characters of a line on standard error."""
SLOWEST = 60.0
"""Seconds of processor time of one small question, on a slow machine."""
_NO_NUMBER = re.compile(r"(?<![\w'\"./-])-?(?:nan|inf|infinity)(?![\w'\"])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float
    """Of processor time."""

    @property
    def error(self) -> str:
        """The last line on standard error."""
        return self.err.strip().rpartition("\n")[2]

    def faults(self, *, echoes: Collection[str] = ()) -> list[str]:
        """Name what no input may bring about; ``echoes`` are words of it that may be printed."""
        found = []
        if self.code not in CODES:
            found.append(f"exit code {self.code}")
        if UNEXPECTED in self.err or "Traceback" in self.err:
            found.append(f"unforeseen: {self.error}")
        found += [
            f"{len(line)} characters" for line in self.err.splitlines() if len(line) > LONGEST
        ]
        if self.code in (1, 2, 4) and "advisor:" not in self.err:
            found.append("an error without a line that says why")
        if not echoes and (odd := _NO_NUMBER.search(self.out)):
            found.append(f"{odd[0]!r} as a figure")
        if self.seconds > SLOWEST:
            found.append(f"{self.seconds:.0f} s")
        return [f"{one} of: advisor {' '.join(self.argv)[:300]}" for one in found]


def ended(*argv: str) -> Ended:
    """Run ``advisor`` with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    begun = time.process_time()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(list(argv))
    seconds = time.process_time() - begun
    if code == INTERRUPTED:  # by whom the run is watched, not by the input
        raise KeyboardInterrupt
    return Ended(argv, code, out.getvalue(), err.getvalue(), seconds)
