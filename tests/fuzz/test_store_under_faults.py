"""The store of measurements, and results, on a full disk, under a kill, with many at once."""

import contextlib
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from advisor.measuring.store import MeasurementStore
from tests.fuzz.commands import ended

pytestmark = pytest.mark.slow
AT_ONCE = 8


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def table(folder: Path, number: int, rows: int = 1) -> Path:
    path = folder / f"figures-{number}.csv"
    lines = [f"resnet18,{11.5 + 0.1 * number + 0.0001 * row:.4f}" for row in range(rows)]
    path.write_text("\n".join(["timm_name,latency_ms", *lines, ""]))
    return path


def taking_in(path: Path) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-m", "advisor", "import", str(path), "--device", "jetson-nano"]
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def test_eight_processes_keep_their_figures_in_one_store(tmp_path: Path) -> None:
    running = [taking_in(table(tmp_path, number)) for number in range(AT_ONCE)]
    for process in running:
        error = process.communicate(timeout=240)[1]
        assert process.returncode == 0, error
    assert len(MeasurementStore().figures()) == AT_ONCE


def test_a_killed_import_leaves_all_of_a_table_or_nothing(tmp_path: Path, home: Path) -> None:
    for number, delay in enumerate((0.3, 0.8, 1.5, 2.5)):
        process = taking_in(table(tmp_path, number, rows=200))
        time.sleep(delay)
        process.kill()
        process.communicate()
        store = home / "measurements.sqlite"
        if store.is_file():
            with sqlite3.connect(store) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert len(MeasurementStore().figures()) % 200 == 0
    assert ended("import", str(table(tmp_path, 9)), "--device", "jetson-nano").code == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kilobytes, where the user may mount one."""
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip("mounting is not allowed here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.elsewhere
def test_a_full_disk_is_one_line_and_leaves_the_earlier_file(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = small_disk / "result.json"
    result.write_text("earlier")
    asked = ("recommend", "--device", "jetson-nano", "--max-latency", "10ms")
    answer = ended(*asked, "-o", str(result))
    assert (answer.code, answer.faults()) == (1, [])
    assert "No space left on device" in answer.error
    assert result.read_text() == "earlier"
    assert [path.name for path in small_disk.iterdir()] == ["result.json"]
    monkeypatch.setenv("ADVISOR_HOME", str(small_disk / "home"))
    stored = ended("import", str(table(tmp_path, 0)), "--device", "jetson-nano")
    assert (stored.code, stored.faults()) == (1, [])
    search = ("search", "--family", "mobilenetv2", "--device", "jetson-nano", "--trials", "300")
    searched = ended(*search)
    assert (searched.code, searched.faults()) == (1, [])
    assert "No space left on device" in searched.error
    assert _held(small_disk) == []


def _held(place: Path) -> list[str]:
    """Files below a folder that this process has open; a disk with one cannot be taken off."""
    found = []
    for handle in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # closed since it was listed
            found.append(str(handle.readlink()))
    return [name for name in found if name.startswith(f"{place}/")]
