"""What all tests share: examples that are drawn alike in every run, and skips that fail.

On a machine that lacks nothing, a test that is skipped has failed.
"""

from collections.abc import Generator

import pytest
from hypothesis import settings

ELSEWHERE = "elsewhere"
settings.register_profile("advisor", deadline=None, derandomize=True)
settings.load_profile("advisor")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--no-skips``, which ``.ci/run`` states."""
    parser.addoption(
        "--no-skips",
        action="store_true",
        help=f"Fail tests that are skipped, but for those marked {ELSEWHERE}.",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one where nothing may be missing."""
    report = yield
    wanted = item.config.getoption("--no-skips") and not item.get_closest_marker(ELSEWHERE)
    if wanted and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: {_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself as a whole."""
    report = yield
    if collector.config.getoption("--no-skips") and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped: {_reason(report)}"
    return report


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    place = report.longrepr
    return str(place[2]) if isinstance(place, tuple) else str(place)
