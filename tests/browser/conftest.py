"""A real browser: Debian's chromium, driven by its own driver, without any download."""

from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest

from tests.browser.page import Page

HERE = Path(__file__).parent
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One browser for all tests."""
    browser, driver = which("chromium"), which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("chromium is missing: apt-get install -y chromium chromium-driver")
    selenium = pytest.importorskip("selenium.webdriver", reason="pip install selenium")
    from selenium.webdriver.chrome.service import Service

    options = selenium.ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = Service(driver)
    started = selenium.Chrome(service=service, options=options)
    yield Page(started, tmp_path_factory.mktemp("pages"))
    started.quit()


@pytest.fixture(scope="session")
def axe() -> str:
    """Source of the accessibility checker."""
    if not AXE.is_file():
        pytest.skip(f"axe-core is missing: npm ci --prefix {HERE.relative_to(HERE.parents[1])}")
    return AXE.read_text(encoding="utf-8")
