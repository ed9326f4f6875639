"""axe finds nothing on any page of any role.

Each person follows every link from home on, so a new page is looked at as soon as it is linked.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve

from tests.accessibility import faults_of_page
from tests.browsing import Tabs, sign_in
from tests.stack import Stack

NO_PAGES = ("file", "file-show", "logout", "docs", "schema")
# Fewest pages that each finds by following links.
PEOPLE = {"agent": 6, "annotator-3": 4, "reviewer": 6, "lead": 15, "engineer": 15, "viewer": 3}
LINKS = "[...document.querySelectorAll('a[href]')].map(a => a.href)"

pytestmark = [pytest.mark.timeout(900), pytest.mark.parametrize("stack", ["demo"], indirect=True)]


def kind_of(url: str, base_url: str) -> str | None:
    """Which page this is, and of which project where they differ; None for what is not ours."""
    address = urlsplit(url)
    if f"{address.scheme}://{address.netloc}" != base_url:
        return None
    try:
        match = resolve(address.path)
    except Resolver404:
        return None
    if match.view_name.endswith(NO_PAGES):
        return None
    shows_inputs = match.app_name in {"feedback", "labeling"}
    return f"{match.view_name} {match.kwargs['slug']}" if shows_inputs else match.view_name


@pytest.mark.parametrize("person", PEOPLE)
def test_no_page_has_a_fault_that_axe_can_see(tabs: Tabs, stack: Stack, person: str) -> None:
    page = sign_in(tabs.open(), f"demo-{person}")
    found: list[str] = []
    seen: set[str] = set()
    waiting = [f"{stack.base_url}/"]
    while waiting:
        url = waiting.pop(0)
        kind = kind_of(url, stack.base_url)
        if kind is not None and kind not in seen:
            seen.add(kind)
            page.goto(url)
            found += faults_of_page(page, kind)
            waiting += page.evaluate(LINKS)

    assert found == []
    assert len(seen) >= PEOPLE[person], seen
