"""A real browser with hard time limits, for the tests of pages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.chromium import find_chromium
from tests.environment import missing

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LAUNCH_MILLISECONDS = 30_000
STEP_MILLISECONDS = 10_000
LAPTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
# Chromium tells of every answer over 399 on its console; a form with errors is a 422 and no fault.
EXPECTED = "Failed to load resource"


@dataclass
class Tabs:
    """Opens one browser context for each person, and keeps what went wrong in them."""

    browser: Browser
    base_url: str
    contexts: list[BrowserContext] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def open(self, *, phone: bool = False, dark: bool = False, script: bool = True) -> Page:
        """A page of its own person: nothing is shared with the others, cookies least of all."""
        context = self.browser.new_context(
            base_url=self.base_url,
            viewport=PHONE if phone else LAPTOP,
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        context.set_default_timeout(STEP_MILLISECONDS)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        return page

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and EXPECTED not in message.text:
            self.faults.append(message.text)

    def close(self) -> None:
        for context in self.contexts:
            context.close()


def sign_in(page: Page, name: str, password: str = "demo") -> Page:
    page.goto("/account/login/")
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", password)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Successfully signed in")).to_be_visible()
    return page


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser process for the whole run."""
    program = find_chromium()
    if not program:
        missing("a Chromium (set E2E_CHROMIUM, or install chromium, or Node for the npm one)")
    # Playwright's loop runs in this thread; Django would take its own calls for asynchronous ones.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "yes"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=FLAGS, timeout=LAUNCH_MILLISECONDS
        )
        yield browser
        browser.close()


@pytest.fixture
def tabs(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Tabs]:
    """Pages of the stack; an error on any console fails the test."""
    opened = Tabs(chromium, request.getfixturevalue("stack").base_url)
    yield opened
    opened.close()
    assert not opened.faults


@pytest.fixture
def page(tabs: Tabs) -> Page:
    """One laptop page."""
    return tabs.open()
