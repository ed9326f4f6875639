"""A question before a button acts, also where the page renews that button meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

SCRIPTS = Path(__file__).resolve().parents[2] / "static" / "js"
FORM = (
    '<form method="post" action="https://setright.test/cancel">'
    '<button data-confirm="Cancel this?">Cancel the training</button></form>'
)
PAGE = """<!doctype html><html lang="en"><head><title>Training</title></head><body>
<div id="training">{form}</div><div id="toasts"></div>
<script type="module">{confirm}</script><script type="module">{toast}</script></body></html>"""


@pytest.fixture
def sent() -> list[str]:
    """What was sent, in order."""
    return []


@pytest.fixture
def page(chromium: Browser, sent: list[str]) -> Iterator[Page]:
    """A question about a training stands on the screen."""
    page = chromium.new_page()
    page.set_default_timeout(5_000)
    page.on("request", lambda request: _note(request, sent))
    page.route("**/cancel", lambda route: route.fulfill(status=204))
    scripts = {name: (SCRIPTS / f"{name}.js").read_text() for name in ("confirm", "toast")}
    page.set_content(PAGE.format(form=FORM, **scripts))
    page.get_by_role("button", name="Cancel the training").click()
    expect(page.get_by_text("Cancel this?")).to_be_visible()
    yield page
    page.close()


def _note(request: Request, sent: list[str]) -> None:
    sent.append(f"{request.method} {request.url}")


def renew(page: Page, content: str) -> None:
    page.evaluate("html => { document.getElementById('training').innerHTML = html }", content)


def test_a_button_that_was_renewed_meanwhile_acts_once(page: Page, sent: list[str]) -> None:
    renew(page, FORM)

    with page.expect_request("**/cancel"):
        page.get_by_role("button", name="Go ahead").click()

    page.wait_for_timeout(200)
    assert sent == ["POST https://setright.test/cancel"]


def test_no_means_no(page: Page, sent: list[str]) -> None:
    page.get_by_role("button", name="Cancel", exact=True).click()

    page.wait_for_timeout(200)
    assert sent == []


def test_a_button_that_is_gone_says_so(page: Page, sent: list[str]) -> None:
    renew(page, "<p>Trained.</p>")

    page.get_by_role("button", name="Go ahead").click()

    expect(page.get_by_text("no longer on the page")).to_be_visible()
    assert sent == []
