"""A stranger's own CSV: from an account without a project to a first flag, by pages alone."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browsing import sign_in
from tests.stack import Stack

ROWS = [
    ("T-1", "Where is my parcel?", "delivery", "de"),
    ("T-2", "I was charged twice, please help", "delivery", "fr"),
    ("T-3", "The invoice has a wrong address", "billing", "de"),
    ("T-4", "Can I send the shoes back?", "refund", "fr"),
]
PASSWORD = "A long enough word"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """As an export of a help desk looks: with its own names of the columns."""
    path = tmp_path / "tickets.csv"
    with path.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([("ticket", "message", "predicted team", "country"), *ROWS])
    return path


def make_project(page: Page) -> None:
    page.get_by_role("link", name="New project").first.click()
    page.get_by_label("Name", exact=True).fill("Ticket router")
    page.get_by_label("Classes").fill("billing\ndelivery\nrefund")
    page.get_by_label("Segments").fill("country")
    page.get_by_role("button", name="Create the project").click()
    expect(page.get_by_role("heading", name="Set-up")).to_be_visible()


def import_predictions(page: Page, table: Path) -> None:
    page.get_by_role("link", name="Imports").click()
    page.get_by_label("What it holds").select_option(label="Predictions: what the model answered")
    page.get_by_label("File", exact=True).set_input_files(table)
    page.get_by_role("button", name="Read the file").click()
    page.locator("#map-external_id").select_option("ticket")
    page.locator("#map-input").select_option("message")
    page.locator("#map-output").select_option("predicted team")
    page.get_by_role("button", name="Import", exact=True).click()
    done = page.locator("tr", has_text="tickets.csv").filter(has_text="done")
    expect(done).to_be_visible(timeout=30_000)
    expect(done.locator("[data-label=stored]")).to_have_text("4")


def flag(page: Page) -> None:
    page.get_by_role("link", name="Find", exact=True).click()
    page.get_by_role("link", name="I was charged twice, please help").click()
    page.get_by_label("What should it have been?").fill("billing")
    page.get_by_role("button", name="Flag", exact=False).last.click()
    expect(page.get_by_role("heading", name="You flagged this")).to_be_visible()


def test_from_an_empty_account_to_the_first_flag(page: Page, stack: Stack, table: Path) -> None:
    stack.environment["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    stack.manage(
        "createsuperuser", "--noinput", "--username=stranger", "--email=stranger@example.org"
    )
    sign_in(page, "stranger", PASSWORD)
    make_project(page)
    import_predictions(page, table)
    flag(page)

    page.get_by_role("link", name="My flags").click()

    case = page.locator(".cases li")
    expect(case).to_have_count(1)
    expect(case).to_contain_text("I was charged twice, please help")
    expect(case).to_contain_text("you said billing")
