"""The demo's strip says what its pages really do."""

from __future__ import annotations

import html
import re

import pytest
from django.conf import LazySettings

from jobs.clock import SetClock
from labeling.models import Item, Slot
from labeling.queueing import queue_input
from labeling.routing import route_new_flags
from projects.creating import give_role
from projects.models import Project, Role, User
from retraining.tour import VISITOR_AGENT, tour_strip
from tests.flagged import make_flag
from tests.history import texts_of
from tests.pages import Pages, is_whole_page, text_of
from tests.people import Team, make_person, make_team
from tests.stories import flagged, predicted

pytestmark = pytest.mark.django_db

MANY = tuple(f"language {number}" for number in range(12))


def make_demo(
    clock: SetClock, classes: tuple[str, ...] = ("billing", "refund")
) -> tuple[Team, User]:
    """A project of the demo and its visitor, who is an agent there."""
    team = make_team(at=clock.at, classes=classes)
    team.project.is_demo = True
    team.project.save()
    visitor = make_person(VISITOR_AGENT)
    give_role(project=team.project, user=visitor, role=Role.AGENT, at=clock.at, by=team.olga)
    return team, visitor


@pytest.mark.parametrize(
    ("classes", "told"),
    [
        (("billing", "refund"), "One key answers each."),
        (tuple("0123456789"), "One key answers each."),
        (MANY, "press /, type its first letters, then Enter"),
    ],
)
def test_labeling_is_told_as_the_page_has_keys(
    clock: SetClock, classes: tuple[str, ...], told: str
) -> None:
    team, visitor = make_demo(clock, classes)
    make_flag(team, "hello", classes[0], at=clock.at, agent=visitor)
    queue_input(
        project=team.project, value={"text": "hello"}, source="flag", reference=1, at=clock.at
    )

    strip = tour_strip(team.project, hidden=False)

    assert strip
    assert told in strip.text


def test_one_press_leads_on_as_the_person_whose_step_it_is(
    clock: SetClock, settings: LazySettings
) -> None:
    settings.DEMO = True
    team = make_team(at=clock.at)
    team.project.is_demo = True
    team.project.save()
    visitor = make_person(VISITOR_AGENT)
    lead = make_person("demo-lead")
    for person, role in ((visitor, Role.AGENT), (lead, Role.LEAD)):
        give_role(project=team.project, user=person, role=role, at=clock.at, by=team.olga)
    pages = Pages(lead)

    strip = pages.get("/p/intents/").content.decode().partition('class="tour"')[2]
    answer = pages.post("/demo/act-as", person=str(visitor.pk), next="/p/intents/answers/")

    assert f'value="{visitor.pk}"' in strip.partition("</form>")[0]
    assert 'name="next" value="/p/intents/answers/"' in strip
    assert answer.headers["Location"] == "/p/intents/answers/"


def test_the_strip_stands_on_the_home_of_all_projects_too(
    clock: SetClock, settings: LazySettings
) -> None:
    settings.DEMO = True
    visitor = make_person(VISITOR_AGENT)
    for number in (2, 1):  # The first by name, as the page lists them.
        team = make_team(at=clock.at, name=f"Desk {number}", suffix=str(number))
        Project.objects.filter(pk=team.project.pk).update(is_demo=True)
        give_role(project=team.project, user=visitor, role=Role.AGENT, at=clock.at, by=team.olga)

    page = Pages(visitor).get("/").content.decode()

    assert "Step 1 of 7" in page
    assert 'href="/p/desk-1/answers/"' in page


def test_who_acts_as_somebody_else_stays_in_the_project(
    clock: SetClock, settings: LazySettings
) -> None:
    settings.DEMO = True
    _, visitor = make_demo(clock)
    pages = Pages(visitor)

    page = pages.get("/p/intents/answers/").content.decode()
    switch = page.partition('id="people"')[2].partition("<hr>")[0]
    hidden = pages.post("/demo/hide-tour", next="/p/intents/answers/")

    assert switch.count('name="next" value="/p/intents/"') == switch.count("<form") > 0
    assert 'name="next" value="/p/intents/answers/"' in page.partition('class="tour"')[2]
    assert hidden.headers["Location"] == "/p/intents/answers/"


def test_the_visitor_is_led_to_a_case_that_the_next_model_learns_from(clock: SetClock) -> None:
    team = make_team(at=clock.at)
    team.project.is_demo = True
    team.project.save()
    for use in ("train", "evaluation"):
        [text] = texts_of(team.project, "billing", use=use, count=1)
        flagged(predicted(team, text, "refund", at=clock.at), team.ada, "billing", at=clock.at)
    while route_new_flags(at=clock.at):
        pass

    strip = tour_strip(team.project, hidden=False)

    assert strip
    assert strip.step == 1
    assert strip.url == "/p/intents/issues/1"  # Issue 2 is newer, and only measures.


def test_the_strip_is_sent_again_only_when_the_project_has_moved_on(
    clock: SetClock, settings: LazySettings
) -> None:
    settings.DEMO = True
    team, visitor = make_demo(clock)
    make_flag(team, "hello", "refund", at=clock.at, agent=visitor)
    queue_input(
        project=team.project, value={"text": "hello"}, source="flag", reference=1, at=clock.at
    )
    pages = Pages(visitor)

    page = pages.get("/p/intents/").content.decode()
    url = address_of_the_strip(page)
    unmoved = pages.part(url)
    Slot.objects.update(state=Slot.State.WITHDRAWN)
    moved = pages.part(url)

    assert "Step 2 of 7" in page
    assert "every 5s" not in page  # Nobody but a person ends this step.
    assert unmoved.status_code == 204
    assert "Step 3 of 7" in text_of(moved)
    assert "every 5s" in moved.content.decode()
    assert not is_whole_page(moved)
    assert pages.part(address_of_the_strip(moved.content.decode())).status_code == 204


def test_where_the_labels_of_an_item_differ_the_reviewer_is_next(clock: SetClock) -> None:
    team = make_team(at=clock.at)
    team.project.is_demo = True
    team.project.save()
    visitor = make_person(VISITOR_AGENT)
    make_flag(team, "hello", "refund", at=clock.at, agent=visitor)
    item = queue_input(
        project=team.project, value={"text": "hello"}, source="flag", reference=1, at=clock.at
    )
    Slot.objects.update(state=Slot.State.WITHDRAWN)
    Item.objects.filter(pk=item.pk).update(state=Item.State.DISPUTED)

    strip = tour_strip(team.project, hidden=False)

    assert strip
    assert (strip.who, strip.url) == ("demo-reviewer", "/p/intents/disputed/")


def address_of_the_strip(page: str) -> str:
    found = re.search(r'class="tour"[^>]* hx-get="([^"]+)"', page)
    assert found
    return html.unescape(found[1])
