"""A sheet stays on the screen, however much stands in it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

STYLES = Path(__file__).resolve().parents[2] / "static" / "css"
FIELD = '<div class="field"><label>A class<input type="number"></label></div>'
PAGE = """<!doctype html><html lang="en"><head><style>{styles}</style></head><body>
<button popovertarget="quotas">Change quotas</button>
<form id="quotas" class="form sheet" popover onsubmit="document.title = 'sent'; return false">
{fields}<button>Save</button></form></body></html>"""


def test_the_last_button_of_a_long_sheet_can_be_pressed(chromium: Browser) -> None:
    styles = "".join(
        (STYLES / f"{name}.css").read_text() for name in ("tokens", "elements", "components")
    )
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(5_000)
    page.set_content(PAGE.format(styles=styles, fields=60 * FIELD))

    page.get_by_role("button", name="Change quotas").click()
    page.get_by_role("button", name="Save").click()

    expect(page).to_have_title("sent")
    page.close()
