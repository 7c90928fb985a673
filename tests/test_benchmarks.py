"""What the documents claim is recomputed by ``benchmarks/``; each of its commands starts."""

import subprocess
import sys
from pathlib import Path

import pytest

from advisor.answering.evidence import Evidence

ROOT = Path(__file__).parents[1]
BENCHMARKS = sorted(
    path.stem
    for path in (ROOT / "benchmarks").glob("*.py")
    if "__main__" in path.read_text(encoding="utf-8")
)


@pytest.mark.slow
@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_starts(name: str) -> None:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_a_hidden_figure_is_not_among_the_published_ones() -> None:
    evidence = Evidence()
    profile = evidence.profiles.load("jetson-nano")
    key = next(iter(evidence.published(profile).cells))
    blind = Evidence(root=evidence.root, profiles=evidence.profiles, hidden=frozenset({key}))
    assert key not in blind.published(profile).cells
    assert len(blind.published(profile).cells) == len(evidence.published(profile).cells) - 1
