"""From an agent's flag to the agent's receipt, in the browser, with real processes behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django import DjangoDbBlocker

from tests.browsing import Tabs
from tests.stack import Stack, running_stack

LOAD_SECONDS = 400
TRAINING_MILLISECONDS = 240_000
DESK = "/p/language-desk"


@pytest.fixture(scope="module")
def stack(collected_static: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Stack]:
    """The product as `make run` starts it, demo included, on SQLite."""
    with running_stack(
        database_url="", static=collected_static, blocker=django_db_blocker, DEMO="yes"
    ) as running:
        running.manage("load_demo", seconds=LOAD_SECONDS)
        yield running


def sign_in(tabs: Tabs, name: str) -> Page:
    page = tabs.open()
    page.goto("/account/login/")
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", "demo")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Successfully signed in")).to_be_visible()
    return page


def flag_as_agent(page: Page) -> None:
    """The newest issue is of one of the new classes, so the live model is wrong; join it."""
    page.goto(f"{DESK}/issues/?sort=-created_at")
    page.locator("tbody a").first.click()
    page.locator("main a[href*='/answers/']").last.click()
    page.get_by_role("button", name="Me too").click()
    expect(page.get_by_role("button", name="Me too")).to_have_count(0)


def label_what_is_left(page: Page) -> int:
    """Answer with the class that is true for all of them; returns how many there were."""
    page.goto(f"{DESK}/work/")
    answered = 0
    while page.locator("#work[data-item]").count():
        item = page.locator("#work").get_attribute("data-item")
        page.locator(".choices button").filter(has_text="Vietnamese").click()
        page.wait_for_function(
            "item => document.querySelector('#work')?.dataset.item !== item", arg=item
        )
        answered += 1
    return answered


def approve_the_batch(page: Page) -> None:
    page.goto(f"{DESK}/batches/2")
    for _ in range(30):
        if page.get_by_role("button", name=re.compile("^Approve")).count():
            break
        page.wait_for_timeout(1_000)
        page.goto(f"{DESK}/batches/2")
    page.get_by_role("button", name=re.compile("^Approve")).click()


def promote_the_candidate(page: Page) -> None:
    for _ in range(TRAINING_MILLISECONDS // 2_000):
        page.goto(f"{DESK}/batches/2/gates")
        if page.get_by_role("button", name=re.compile("^Promote")).count():
            break
        page.wait_for_timeout(2_000)
    page.get_by_role("button", name=re.compile("^Promote")).click()
    page.locator("#promote input[type=checkbox]").check()
    page.get_by_role("button", name="Make it live").click()
    expect(page.get_by_role("button", name="Make it live")).to_have_count(0)


@pytest.mark.timeout(900)
def test_a_flag_becomes_a_receipt_when_the_new_model_is_right(tabs: Tabs) -> None:
    agent = sign_in(tabs, "demo-agent")
    flag_as_agent(agent)

    assert label_what_is_left(sign_in(tabs, "demo-annotator-3")) == 6
    lead = sign_in(tabs, "demo-lead")
    approve_the_batch(lead)
    promote_the_candidate(lead)

    agent.goto(f"{DESK}/flags/?state=fixed")
    receipt = agent.locator(".receipt").filter(has_text="v1 answered").filter(has_text="v2 answers")
    for _ in range(30):
        if receipt.count():
            break
        agent.wait_for_timeout(1_000)
        agent.reload()
    expect(receipt).to_be_visible()
