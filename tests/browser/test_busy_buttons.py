"""A button says that its form is on its way, and no longer than that."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

SCRIPT = Path(__file__).resolve().parents[2] / "static" / "js" / "busy.js"
PAGE = """<!doctype html><html lang="en"><head><title>Models</title></head><body>
<form method="post" action="https://setright.test/back"><button>Roll back</button></form>
<form method="post" onsubmit="event.preventDefault()"><button>Stay</button></form>
<dialog open><form method="dialog"><button>Cancel</button></form></dialog>
<script type="module">{script}</script></body></html>"""


def test_a_button_is_busy_while_its_form_is_on_its_way(chromium: Browser) -> None:
    page = chromium.new_page()
    page.set_default_timeout(5_000)
    page.route("**/back", lambda route: route.fulfill(status=204))  # Leaves the page as it is.
    page.set_content(PAGE.format(script=SCRIPT.read_text()))
    back = page.get_by_role("button", name="Roll back")

    for name in ("Stay", "Cancel"):
        page.get_by_role("button", name=name).click()
    expect(page.locator("[aria-busy]")).to_have_count(0)
    with page.expect_request("**/back"):
        back.click()
    expect(back).to_have_attribute("aria-busy", "true")

    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect(page.locator("[aria-busy]")).to_have_count(0)
    page.close()
