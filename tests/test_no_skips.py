"""A skipped test is a failed one where nothing may be missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SKIPPING = """
import pytest

def test_needs_what_is_missing() -> None:
    pytest.skip("no browser")

@pytest.mark.elsewhere
def test_needs_a_graphics_card() -> None:
    pytest.skip("no card")

@pytest.mark.xfail
def test_is_known_to_fail() -> None:
    assert False
"""
WHOLE = 'import pytest\npytest.importorskip("no_such_package")\n'


@pytest.mark.parametrize(
    ("text", "options", "code", "said"),
    [
        (SKIPPING, (), 0, "2 skipped, 1 xfailed"),
        (SKIPPING, ("--no-skips",), 1, "no browser"),
        (WHOLE, ("--no-skips",), 2, "no_such_package"),
    ],
)
def test_only_what_is_marked_may_be_skipped(
    text: str, options: tuple[str, ...], code: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "test_it.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", "-p", "tests.conftest"]
    # The options of the run that this test is part of are not those of the run it makes.
    surroundings = {name: set_to for name, set_to in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(
        [*command, *options, str(tmp_path)],
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout
    assert said in done.stdout
