"""Page: what the browser tests do with a report."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.common.exceptions import TimeoutException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from advisor.core.filed import Document
from advisor.reports import PLAIN, Layout, write_file


class Page:
    """A browser that shows reports."""

    def __init__(self, driver: Chrome, folder: Path) -> None:
        self.driver = driver
        self.folder = folder

    def show(
        self,
        document: Document,
        *,
        width: int = 1280,
        dark: bool = False,
        layout: Layout = PLAIN,
    ) -> None:
        """Write a document as HTML and open it at a width."""
        path = self.folder / "report.html"
        write_file(document, path, layout)
        self.open(path.as_uri(), width=width, dark=dark)

    def open(self, address: str, *, width: int = 1280, dark: bool = False) -> None:
        """Open an address at a width."""
        self._log("browser")
        self._log("performance")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._command("Emulation.setEmulatedMedia", {"features": [scheme]})
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self._command("Emulation.setDeviceMetricsOverride", size)
        self.driver.get(address)

    @contextmanager
    def inside(self, selector: str) -> Iterator[None]:
        """Look into a frame."""
        self.driver.switch_to.frame(self.find(selector))
        yield
        self.driver.switch_to.default_content()

    def _command(self, name: str, arguments: dict[str, Any]) -> Any:
        return self.driver.execute_cdp_cmd(name, arguments)

    def _log(self, kind: str) -> Any:
        return self.driver.get_log(kind)  # type: ignore[no-untyped-call]

    def run(self, script: str, *arguments: Any) -> Any:
        """Run script in the page and return its value."""
        return self.driver.execute_script(script, *arguments)

    def waits_for(self, script: str, *, seconds: float = 5.0) -> bool:
        """Whether script returns true within some seconds: the page answers when it can."""
        try:
            WebDriverWait(self.driver, seconds).until(lambda _: self.run(script) is True)
        except TimeoutException:
            return False
        return True

    def errors(self) -> list[str]:
        """Messages of the console that are no mere information."""
        log = self._log("browser")
        return [entry["message"] for entry in log if entry["level"] not in ("INFO", "DEBUG")]

    def requests(self) -> set[str]:
        """Addresses that the page asked for."""
        log = self._log("performance")
        messages = [json.loads(entry["message"])["message"] for entry in log]
        return {
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        }

    def find(self, selector: str) -> WebElement:
        """The first element of a selector."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        """Texts of all elements of a selector."""
        script = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText.trim())"
        found: list[str] = self.run(script, selector)
        return found

    def slide(self, selector: str, value: int) -> None:
        """Move a slider as a user does."""
        self.run(
            "const s = document.querySelector(arguments[0]); s.value = arguments[1];"
            "s.dispatchEvent(new Event('input', {bubbles: true}))",
            selector,
            value,
        )

    def printed(self) -> bytes:
        """The page as the browser prints it."""
        found = self._command("Page.printToPDF", {"printBackground": True})
        return base64.b64decode(found["data"])

    def violations(self, axe: str) -> list[str]:
        """Serious findings of the accessibility checker."""
        self.run(axe)
        self.driver.set_script_timeout(120)  # however busy the machine is
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run().then(r => done(r.violations))"
        )
        return [
            f"{one['id']}: {one['help']}: {[n['html'][:150] for n in one['nodes'][:3]]}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
