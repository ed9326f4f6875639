"""From a flag to its receipt, and back after a rollback: in the browser, with real processes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from feedback.models import Flag
from labeling.models import Item
from projects.models import Project
from projects.versions import find_champion
from retraining.open_models import open_version
from tests.accessibility import faults_of_page
from tests.browsing import Tabs, sign_in
from tests.presses import at_most
from tests.stack import Stack

TRAINING_MILLISECONDS = 240_000
DESK = "/p/language-desk"
AGENT = "demo-agent"
# The demo's version 2 is always trained on the same rows. It answers some of these right.
ISSUES = ["Vietnamese goes to Italian", "Indonesian goes to Danish", "Portuguese goes to Swedish"]

pytestmark = [pytest.mark.timeout(900), pytest.mark.parametrize("stack", ["demo"], indirect=True)]


def join(page: Page, title: str) -> None:
    """Flag, too, every answer that the newest issue of that title is about."""
    page.goto(f"{DESK}/issues/?sort=-created_at")
    page.locator("tbody a").filter(has_text=title).first.click()
    page.wait_for_url("**/issues/*")
    links = page.locator("main a[href*='/answers/']").all()
    for address in {link.get_attribute("href") for link in links}:
        page.goto(str(address))
        with at_most(page, clicks=1):
            page.get_by_role("button", name="Me too").click()
        expect(page.get_by_role("button", name="Me too")).to_have_count(0)


def text_that_divides(stack: Stack) -> str:
    """Of an open item whose two answers differ: a third answer makes it the reviewer's."""
    with stack.database():
        items = Item.objects.filter(project__slug="language-desk", state=Item.State.OPEN)
        said = {item: set(item.annotations.values_list("answer", flat=True)) for item in items}
        texts = [str(item.input["text"]) for item, answers in said.items() if len(answers) > 1]
        return texts[0]


def label_what_is_left(page: Page, *, mistaken: str) -> int:
    """Answer with the class that is true for all of them, but for one; returns how many."""
    page.goto(f"{DESK}/work/")
    answered = 0
    while page.locator("#work[data-item]").count():
        item = page.locator("#work").get_attribute("data-item")
        is_mistake = page.locator("#work .item").inner_text().strip() == mistaken
        answer = "German" if is_mistake else "Vietnamese"
        page.locator(".choices button").filter(has_text=answer).click()
        page.wait_for_function(
            "item => document.querySelector('#work')?.dataset.item !== item", arg=item
        )
        answered += 1
    return answered


def settle_what_divides(page: Page, text: str) -> None:
    page.goto(f"{DESK}/disputed/")
    expect(page.locator(".item")).to_have_text(text)
    expect(page.get_by_text("1 to settle")).to_be_visible()
    assert faults_of_page(page) == []
    page.get_by_role("button", name="Vietnamese 1 of them").click()
    expect(page.get_by_text("Settled")).to_be_visible()
    expect(page.locator(".choices")).to_have_count(0)


def approve_the_batch(page: Page) -> None:
    waiting = page.get_by_role("link", name="Batch 2 waits")
    for _ in range(30):
        page.goto("/")
        if waiting.count():
            break
        page.wait_for_timeout(1_000)
    with at_most(page, clicks=6):
        waiting.click()
        page.get_by_role("button", name=re.compile("^Approve")).click()
        expect(page.get_by_role("button", name=re.compile("^Approve"))).to_have_count(0)


def promote_the_candidate(page: Page) -> None:
    for _ in range(TRAINING_MILLISECONDS // 2_000):
        page.goto(f"{DESK}/batches/2/gates")
        if page.get_by_role("button", name=re.compile("^Promote")).count():
            break
        page.wait_for_timeout(2_000)
    assert faults_of_page(page) == []
    with at_most(page, clicks=3):
        page.get_by_role("button", name=re.compile("^Promote")).click()
        page.locator("#promote input[type=checkbox]").check()
        page.get_by_role("button", name="Make it live").click()
        expect(page.get_by_role("button", name="Make it live")).to_have_count(0)


def roll_back(page: Page) -> None:
    page.goto(f"{DESK}/models/")
    with at_most(page, clicks=2):
        page.get_by_role("button", name="Roll back to it").click()
        page.keyboard.insert_text("Agents report more wrong answers")
        page.get_by_role("button", name="Roll back", exact=True).click()
        expect(page.get_by_text("v1 is live again")).to_be_visible()


def wait_for_open_flags(page: Page, count: int) -> None:
    for _ in range(60):
        page.goto(f"{DESK}/flags/?state=open")
        if page.locator("a.case").count() >= count:
            break
        page.wait_for_timeout(1_000)
    expect(page.locator("a.case")).to_have_count(count)


def wait_for_receipts(page: Page, count: int) -> None:
    for _ in range(60):
        page.goto(f"{DESK}/flags/?state=fixed")
        if page.locator(".receipt").count() >= count:
            break
        page.wait_for_timeout(1_000)
    expect(page.locator(".receipt")).to_have_count(count)


def rightness(stack: Stack) -> dict[int, bool]:
    """Of each prediction the agent flagged: does the live version answer it right?

    Asked of the model itself, past everything that decides about receipts.
    """
    with stack.database():
        champion = find_champion(Project.objects.get(slug="language-desk"))
        assert champion is not None
        flagged = Flag.objects.filter(agent__username=AGENT).values("prediction", "identity")
        items = [Item.objects.get(identity=flag["identity"]) for flag in flagged]
        truths = [str(item.truth and item.truth.answer) for item in items]
        answers = open_version(champion).answer([item.input for item in items])
        return {
            flag["prediction"]: answer.label == truth
            for flag, answer, truth in zip(flagged, answers, truths, strict=True)
        }


def test_a_flag_becomes_a_receipt_only_where_the_new_model_is_right(
    tabs: Tabs, stack: Stack
) -> None:
    agent = sign_in(tabs.open(), AGENT)
    for title in ISSUES:
        join(agent, title)

    divides = text_that_divides(stack)
    assert label_what_is_left(sign_in(tabs.open(), "demo-annotator-3"), mistaken=divides) == 6
    lead = sign_in(tabs.open(), "demo-lead")
    lead.goto(f"{DESK}/batches/2")
    expect(lead.get_by_role("button", name=re.compile("^Approve"))).to_have_count(0)
    settle_what_divides(sign_in(tabs.open(), "demo-reviewer"), divides)
    approve_the_batch(lead)
    promote_the_candidate(lead)

    right = rightness(stack)
    assert set(right.values()) == {True, False}
    wait_for_receipts(agent, sum(right.values()))
    receipt = agent.locator(".receipt").filter(has_text="v1 answered").filter(has_text="v2 answers")
    expect(receipt.first).to_be_visible()
    assert faults_of_page(agent) == []
    agent.goto(f"{DESK}/flags/?state=open")
    for prediction, is_right in right.items():
        case = agent.locator(f"a.case[href$='/answers/{prediction}']")
        expect(case).to_have_count(0 if is_right else 1)

    roll_back(lead)
    wait_for_open_flags(agent, len(right))
