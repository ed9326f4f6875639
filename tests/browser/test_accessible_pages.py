"""axe finds nothing on any page of any role."""

from __future__ import annotations

import pytest

from tests.accessibility import faults_of_page
from tests.browsing import Tabs, sign_in
from tests.crawl import follow_links
from tests.stack import Stack

# Fewest pages that each finds by following links.
PEOPLE = {"agent": 6, "annotator-3": 4, "reviewer": 6, "lead": 15, "engineer": 15, "viewer": 3}

pytestmark = [pytest.mark.timeout(900), pytest.mark.parametrize("stack", ["demo"], indirect=True)]


@pytest.mark.parametrize("person", PEOPLE)
def test_no_page_has_a_fault_that_axe_can_see(tabs: Tabs, stack: Stack, person: str) -> None:
    page = sign_in(tabs.open(), f"demo-{person}")
    found: dict[str, list[str]] = {}
    for kind in follow_links(page, stack.base_url):
        found[kind] = faults_of_page(page)

    assert {kind: faults for kind, faults in found.items() if faults} == {}
    assert len(found) >= PEOPLE[person], list(found)
