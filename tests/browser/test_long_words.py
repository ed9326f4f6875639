"""No page is wider than its screen, whatever words stand on it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings

from jobs import clock
from labeling.queueing import queue_input
from tests.annotators import sign_in
from tests.browsing import LAPTOP, PHONE, Tabs
from tests.crawl import follow_links
from tests.people import make_team
from tests.stack import Stack
from tests.stories import answered_next, flagged, predicted

WORD = "Donaudampfschifffahrtselektrizit\u00e4tenhauptbetriebswerkbauunterbeamtengesellschaft"
RIGHT_TO_LEFT = "\u05de\u05e9\u05dc\u05d5\u05d7\u05d9\u05dd"  # Deliveries, in Hebrew.
TEXTS = [WORD * 3, f"{RIGHT_TO_LEFT} ABC-123", "where is my parcel " * 60, "<b>bold</b>\n\n\tlast"]
SCREENS = {"laptop": LAPTOP, "phone": PHONE}
FEWEST_PAGES = 20


@pytest.fixture
def session(stack: Stack) -> str:
    """Of somebody who may see every page of a project whose every name is long."""
    with stack.database():
        at = clock.now()
        team = make_team(at=at, name=f"{WORD} {RIGHT_TO_LEFT}", classes=(WORD, RIGHT_TO_LEFT, "x"))
        for number, text in enumerate(TEXTS):
            said = predicted(team, text, WORD, at=at, external_id=f"{WORD}-{number}")
            flagged(said, team.olga, RIGHT_TO_LEFT if number % 2 else WORD[::-1], at=at)
        for number, text in enumerate(TEXTS):
            value = {"text": f"{text} again"}
            queue_input(project=team.project, value=value, source="flag", reference=number, at=at)
        answered_next(team, team.bob, WORD, at=at + timedelta(minutes=1))
        return sign_in(team.olga)


@pytest.mark.timeout(300)
def test_no_page_is_wider_than_its_screen(tabs: Tabs, stack: Stack, session: str) -> None:
    page = tabs.open()
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": stack.base_url}]
    )
    seen, too_wide = [], []
    for kind in follow_links(page, stack.base_url):
        seen.append(kind)
        for name, screen in SCREENS.items():
            page.set_viewport_size(screen)
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > screen["width"]:
                too_wide.append(f"{kind} on a {name}: {wide}")

    assert too_wide == []
    assert len(seen) >= FEWEST_PAGES, seen
