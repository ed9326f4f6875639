"""The demo's reset: one at a time, watched on a page, told to everybody of the demo."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import LazySettings

from jobs.clock import SetClock
from jobs.models import Job
from projects.creating import create_project, give_role
from projects.models import Project, Role
from retraining.demo.rebuilding import days_told
from retraining.demo_rebuild import REBUILD
from retraining.tour import VISITOR_AGENT
from tests.flagged import make_prediction
from tests.pages import Pages, text_of
from tests.people import Team, make_person, make_team

pytestmark = pytest.mark.django_db
PAGE = "/demo/rebuild"
TOLD = "The demo is being built again; its pages are incomplete"


@pytest.fixture
def demo(clock: SetClock, settings: LazySettings) -> Team:
    settings.DEMO = True
    team = make_team(at=clock.at)
    Project.objects.filter(pk=team.project.pk).update(is_demo=True)
    return team


@pytest.fixture
def visitor(demo: Team, clock: SetClock) -> Pages:
    person = make_person(VISITOR_AGENT)
    give_role(project=demo.project, user=person, role=Role.AGENT, at=clock.at, by=demo.olga)
    return Pages(person)


def rebuild(**changes: object) -> None:
    Job.objects.filter(kind=REBUILD).update(**changes)


def test_a_reset_leads_to_the_page_that_shows_how_far_it_is(visitor: Pages) -> None:
    answer = visitor.post("/demo/reset")
    again = visitor.post("/demo/reset")
    waiting = text_of(visitor.get(PAGE))
    rebuild(state="running", done_count=12, total_count=40, note="12 of 40 days")
    page = visitor.get(PAGE).content.decode()

    assert answer.headers["Location"] == again.headers["Location"] == PAGE
    assert Job.objects.filter(kind=REBUILD).count() == 1
    assert "Waiting for a worker" in waiting
    assert 'value="12" max="40"' in page
    assert f'hx-get="{PAGE}"' in page


def test_when_it_is_done_the_page_leads_home(visitor: Pages) -> None:
    visitor.post("/demo/reset")
    rebuild(state="done")

    assert visitor.part(PAGE).headers["HX-Redirect"] == "/"
    assert visitor.get(PAGE).headers["Location"] == "/"


def test_a_failed_one_says_why_and_can_be_tried_again(visitor: Pages, demo: Team) -> None:
    visitor.post("/demo/reset")
    rebuild(state="failed", error="The demo could not be built.")
    demo.project.memberships.all().delete()  # It fell after the old projects were dropped.

    page = visitor.part(PAGE).content.decode()
    visitor.post("/demo/reset")

    assert "The demo could not be built." in page
    assert 'action="/demo/reset"' in page
    assert "hx-get" not in page
    assert Job.objects.open().filter(kind=REBUILD).count() == 1


def test_who_set_up_a_project_in_the_demo_may_watch_while_the_demo_is_gone(
    demo: Team, clock: SetClock
) -> None:
    create_project(name="My own", task_type="text", trainer="text", owner=demo.lena, at=clock.at)
    pages = Pages(demo.lena)
    pages.post("/demo/reset")
    demo.project.memberships.all().delete()

    assert "Waiting for a worker" in text_of(pages.get(PAGE))


def test_everybody_of_the_demo_is_told_while_it_lasts(visitor: Pages, demo: Team) -> None:
    before = text_of(visitor.get("/p/intents/"))
    visitor.post("/demo/reset")
    during = text_of(visitor.get("/p/intents/answers/"))
    demo.project.memberships.all().delete()
    missing = visitor.get("/p/intents/answers/")
    rebuild(state="done")

    assert "Step 1 of 7" in before
    assert "Step 1 of 7" not in during
    assert TOLD in during
    assert missing.status_code == 404
    assert TOLD in text_of(missing)
    assert TOLD not in text_of(visitor.get("/"))


def test_who_works_in_a_real_project_may_neither_reset_nor_watch(
    demo: Team, clock: SetClock
) -> None:
    real = Pages(make_team(at=clock.at, name="Real", suffix="2").ada)

    assert real.post("/demo/reset").status_code == 404
    assert real.get(PAGE).status_code == 404


def test_where_the_demo_is_off_there_is_nothing_to_reset(clock: SetClock) -> None:
    team = make_team(at=clock.at)

    assert Pages(team.mallory).post("/demo/reset").status_code == 404
    assert Pages(team.mallory).get(PAGE).status_code == 404


def test_its_progress_is_the_days_that_the_new_stories_have_told(
    demo: Team, clock: SetClock
) -> None:
    project = demo.project
    make_prediction(demo, "hello", "billing", at=project.created_at + timedelta(days=3, hours=5))

    assert days_told(after=project.pk - 1) == 3
    assert days_told(after=project.pk) == 0  # The old story, not dropped yet.
