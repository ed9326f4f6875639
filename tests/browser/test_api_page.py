"""The page of the API runs under the content policy and shows what can be called."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

# A console error, as of a blocked script or style, fails the test: see `tabs`.


@pytest.mark.usefixtures("stack")
def test_the_page_lists_the_endpoints_and_opens_one(page: Page) -> None:
    page.goto("/api/v1/docs")

    sending = page.locator(".opblock", has_text="Send predictions").first
    expect(sending).to_be_visible(timeout=20_000)
    sending.locator(".opblock-summary-control").click()
    expect(sending).to_contain_text("a bad line never costs a good one")
