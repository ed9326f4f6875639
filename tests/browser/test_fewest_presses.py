"""What people do all day takes few clicks, or few keys and no click."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browsing import Tabs, sign_in
from tests.presses import at_most
from tests.stack import Stack

DESK = "/p/postcode-desk"
ITEMS = 3

pytestmark = [pytest.mark.timeout(900), pytest.mark.parametrize("stack", ["demo"], indirect=True)]


@pytest.fixture
def agent(tabs: Tabs, stack: Stack) -> Page:
    """At an answer that nobody has flagged."""
    page = sign_in(tabs.open(), "demo-agent")
    page.goto(f"{DESK}/answers/")
    for address in [link.get_attribute("href") for link in page.locator("tbody td a").all()]:
        page.goto(str(address))
        if page.get_by_role("heading", name="Flag this answer", exact=True).count():
            return page
    raise AssertionError("every answer is flagged")


def test_an_agent_flags_with_three_clicks(agent: Page) -> None:
    with at_most(agent, clicks=3):
        agent.get_by_text("Wrong class").click()
        agent.get_by_label("What should it have been?").click()
        agent.keyboard.insert_text("8")
        agent.get_by_role("button", name="Flag", exact=False).last.click()
        expect(agent.get_by_role("heading", name="You flagged this")).to_be_visible()


def test_an_agent_flags_with_four_keys(agent: Page) -> None:
    with at_most(agent, keys=4):
        agent.keyboard.press("1")
        agent.keyboard.press("w")
        agent.keyboard.insert_text("8")
        agent.keyboard.press("Enter")
        expect(agent.get_by_role("heading", name="You flagged this")).to_be_visible()
    expect(agent.get_by_text("it should be 8")).to_be_visible()


def test_an_annotator_answers_each_item_with_one_key(tabs: Tabs, stack: Stack) -> None:
    page = sign_in(tabs.open(), "demo-annotator-3")
    page.goto(f"{DESK}/work/")
    for _ in range(ITEMS):
        item = page.locator("#work").get_attribute("data-item")
        with at_most(page, keys=1):
            page.keyboard.press("8")
            page.wait_for_function(
                "item => document.querySelector('#work')?.dataset.item !== item", arg=item
            )
