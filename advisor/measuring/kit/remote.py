"""Measure over ssh: send a kit, run its script, bring the table back."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from advisor.errors import MeasurementError, UsageError
from advisor.measuring.kit.packing import SCRIPT, TABLE, pack
from advisor.measuring.order import Order
from advisor.measuring.reading import Reading, filling, read_table
from advisor.measuring.store import MeasurementStore
from advisor.measuring.table import store_rows

PLACE = ".cache/advisor-kit"
"""Folder on the board, below the user's home."""
SSH = "ADVISOR_SSH"
"""Environment variable with the ssh command, such as ``ssh -F my_config``."""
SETUP = 120.0
"""Seconds allowed for sending and fetching."""


def measure_over_ssh(
    order: Order,
    host: str,
    store: MeasurementStore,
    *,
    say: Callable[[str], None] = lambda _: None,
    python: str = "python3",
) -> Reading:
    """Time an order's networks on another machine and store the figures.

    Raises MeasurementError where the machine cannot be reached or the script gives nothing.
    """
    if order.device == "host":
        raise UsageError("--on needs --device: the id under which the board's figures are kept")
    (way,) = order.ways if len(order.ways) == 1 else (None,)
    if way is None:
        raise UsageError("--on measures one lane; state one --runtime and one --precision")
    lane = way.lane(order.device)
    with tempfile.TemporaryDirectory(prefix="advisor-kit-") as folder:
        packed = pack(order, lane, Path(folder) / "kit.tar.gz", say=say)
        for line in packed.failures:
            say(line)
        say(f"sending {len(packed.networks)} networks to {host}")
        _send(host, packed.path)
        say(f"timing on {host}")
        problem = _run(host, order, python, say)
        table = Path(folder) / TABLE
        table.write_bytes(_fetch(host, problem))
        if len(table.read_bytes().splitlines()) < 2:
            raise MeasurementError(f"{host} measured nothing: {problem or 'its table is empty'}")
        reading = read_table(table, filling(lane), {wish.network for wish in order.wishes})
    if not reading.rows:
        reason = problem or next(iter(reading.refused), "its table is empty")
        raise MeasurementError(f"{host} measured nothing: {reason}")
    store_rows(store, reading.rows, origin=f"ssh {host}", machine=host)
    return reading


def _command(host: str) -> list[str]:
    """The ssh command for ``user@host`` or ``user@host:port``; it never asks for a password."""
    if host.startswith("-"):
        raise UsageError(f"--on {host!r} is no host; write USER@HOST or USER@HOST:PORT")
    name, _, port = host.partition(":")
    words = shlex.split(os.environ.get(SSH, "ssh"))
    options = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=15"]
    return [*words, *options, *(["-p", port] if port else []), name]


def _send(host: str, kit: Path) -> None:
    there = f"rm -rf {PLACE} && mkdir -p {PLACE} && tar xz -C {PLACE}"
    with kit.open("rb") as stream:
        done = _ssh(host, there, stdin=stream.fileno(), longest=SETUP * 10)
    if done.returncode != 0:
        raise MeasurementError(f"cannot send the kit to {host}: {_last(done.stderr)}")


def _run(host: str, order: Order, python: str, say: Callable[[str], None]) -> str:
    """Run the script; return what went wrong, empty where nothing did."""
    there = f"cd {PLACE}/kit && {shlex.quote(python)} {SCRIPT} -o {TABLE}"
    passes = order.sessions * len(order.wishes)
    longest = SETUP + passes * (order.budget * 4 + 60) + order.sessions * order.pause
    done = _ssh(host, there, longest=longest)
    lines = done.stderr.decode(errors="replace").splitlines()
    for line in lines:
        say(f"{host}: {line}")
    return "" if done.returncode == 0 else _last(done.stderr) or f"status {done.returncode}"


def _fetch(host: str, problem: str) -> bytes:
    done = _ssh(host, f"cat {PLACE}/kit/{TABLE}", longest=SETUP)
    if done.returncode != 0:
        raise MeasurementError(f"{host} wrote no table: {problem or _last(done.stderr)}")
    return done.stdout


def _ssh(
    host: str, there: str, *, longest: float, stdin: int = subprocess.DEVNULL
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            [*_command(host), there],
            stdin=stdin,
            capture_output=True,
            timeout=longest,
            check=False,
        )
    except FileNotFoundError as error:
        raise MeasurementError(f"ssh is missing: apt install openssh-client ({error})") from error
    except subprocess.TimeoutExpired as error:
        raise MeasurementError(f"{host} did not answer within {longest:.0f} s") from error


def _last(text: bytes) -> str:
    lines = text.decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else ""
