"""Count a user's own network, ``module:factory``, in a process of its own.

Code of the user may print, leave, or never end: none of it reaches the answer. The process starts
in the current folder, so that modules there are found.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from advisor.core.extras import COUNTING, require
from advisor.core.workload import Workload
from advisor.core.workload_table import read
from advisor.errors import NetworkError
from advisor.networks import NO_INPUTS, InputSizes

LIMIT = 120.0
"""Seconds in which a factory has to be built and counted."""
_PACKAGES = Path(__file__).resolve().parents[2]


def describe_factory(
    spelling: str,
    resolution: int,
    *,
    width: int | None = None,
    inputs: InputSizes = NO_INPUTS,
    limit: float = LIMIT,
) -> Workload:
    """Count the network that ``module:factory`` returns.

    Its input is an image of ``resolution`` pixels, ``width`` of them wide where that differs, or
    what ``inputs`` says: sizes without the batch, by name.

    Raises NetworkError in one line where it cannot be built or run, leaves, or takes longer than
    ``limit`` seconds.
    """
    require(f"counting {spelling}", *COUNTING, kind=NetworkError)
    with tempfile.TemporaryDirectory(prefix="advisor-factory-") as folder:
        command = [sys.executable, "-m", "advisor.networks.factory_child",
                   spelling, str(resolution), str(width or resolution), json.dumps(dict(inputs)),
                   folder]  # fmt: skip
        path = os.pathsep.join(filter(None, (*sys.path, str(_PACKAGES))))
        try:
            done = subprocess.run(
                command,
                env={**os.environ, "PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NetworkError(f"{spelling} was not built and counted in {limit:g} s") from None
        refused, counted = Path(folder) / "error", Path(folder) / "workload"
        if refused.is_file():
            raise NetworkError(refused.read_text(encoding="utf-8"))
        if not counted.is_dir():
            said = done.stderr.strip().splitlines()
            raise NetworkError(
                f"{spelling} ended the process with status {done.returncode}"
                + (f": {said[-1][:200]}" if said else "")
            )
        return read(counted).workload(0)
