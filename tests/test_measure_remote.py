"""Measuring over ssh, against a server that the test starts on loopback."""

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from advisor.errors import MeasurementError, UsageError
from advisor.measuring.converting import converted
from advisor.measuring.kit import packing, remote
from advisor.measuring.order import Order, Way
from advisor.measuring.runtimes import Settings
from advisor.measuring.store import MeasurementStore
from tests.measuring_stand_in import Stage, order

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin:/usr/bin")
FAKE_RUNTIME = """
import time
__version__ = "1.0"
class SessionOptions: pass
class InferenceSession:
    def __init__(self, *args, **options): pass
    def get_inputs(self): return [type("Input", (), {"name": "input"})]
    def run(self, names, feed): time.sleep(0.001)
"""
FAKE_NUMPY = """
class random:
    class RandomState:
        def __init__(self, seed): pass
        def standard_normal(self, shape): return self
        def astype(self, kind): return self
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An ssh server on loopback whose board has a runtime that returns at once."""
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("needs an ssh server: apt install openssh-server openssh-client")
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / name)], check=True
        )
    shutil.copy(keys / "user.pub", keys / "authorized_keys")
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "onnxruntime.py").write_text(FAKE_RUNTIME)
    (packages / "numpy.py").write_text(FAKE_NUMPY)
    port = free_port()
    config = keys / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {keys}/host\nStrictModes no\n"
        f"AuthorizedKeysFile {keys}/authorized_keys\nPasswordAuthentication no\n"
        f"UsePAM no\nPidFile {keys}/pid\nSetEnv PYTHONPATH={packages}\n"
    )
    monkeypatch.setenv(
        remote.SSH,
        f"ssh -i {keys}/user -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "
        "-o LogLevel=ERROR",
    )
    monkeypatch.setattr(remote, "PLACE", str(tmp_path / "board"))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=subprocess.DEVNULL)
    _wait_for(port, server)
    yield f"{getpass.getuser()}@127.0.0.1:{port}"
    server.terminate()
    server.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if server.poll() is not None:
            pytest.skip(f"this sshd does not start for a test (status {server.returncode})")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    server.kill()
    pytest.skip("this sshd does not answer on loopback")


def remote_order() -> Order:
    way = Way(
        name="onnxruntime",
        runtime="onnxruntime",
        unit="cpu",
        packages=(),
        settings=Settings(precision="fp32", threads=2),
    )
    made = order("resnet18", "resnet34", sessions=2, budget=0.05)
    return replace(made, device="raspberry-pi-4", ways=(way,))


@pytest.fixture(autouse=True)
def _staged(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()

    def play(*args: object, **options: object) -> object:
        return converted(*args, **{**options, "run_job": stage})  # type: ignore[arg-type]

    monkeypatch.setattr(packing, "converted", play)


def test_a_board_is_measured_over_ssh_and_its_figures_are_kept(board: str) -> None:
    store = MeasurementStore()
    said: list[str] = []
    reading = remote.measure_over_ssh(
        remote_order(), board, store, say=said.append, python=sys.executable
    )
    assert len(reading.rows) == 4
    assert {f.network for f in store.figures()} == {"resnet18", "resnet34"}
    assert {s.origin for s in store.sessions()} == {f"ssh {board}"}
    assert {s.device for s in store.sessions()} == {"raspberry-pi-4"}
    assert any("resnet34@224, session 2" in line for line in said)


def test_a_board_without_the_runtime_is_one_line(board: str) -> None:
    wanted = remote_order()
    (way,) = wanted.ways
    lacking = replace(wanted, ways=(replace(way, runtime="tensorrt", unit="gpu"),))
    with pytest.raises(MeasurementError, match="trtexec is not on the PATH") as error:
        remote.measure_over_ssh(lacking, board, MeasurementStore(), python=sys.executable)
    assert "\n" not in str(error.value)


def test_a_host_that_does_not_answer_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path))
    with pytest.raises(MeasurementError, match="cannot send the kit") as error:
        remote.measure_over_ssh(remote_order(), f"127.0.0.1:{free_port()}", MeasurementStore())
    assert "\n" not in str(error.value)


def test_a_host_needs_a_device_to_keep_its_figures_under(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="--on needs --device"):
        remote.measure_over_ssh(order("resnet18"), "board", MeasurementStore())


def test_a_host_that_looks_like_an_option_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="is no host"):
        remote.measure_over_ssh(remote_order(), "-oProxyCommand=true", MeasurementStore())
