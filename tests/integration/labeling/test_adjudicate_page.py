"""The reviewer's page: answers without names, one click to settle, nothing settled twice."""

from __future__ import annotations

import pytest
from django.urls import reverse

from jobs.clock import SetClock
from labeling import annotating, claims
from labeling.answers import class_answer, outside_answer
from labeling.models import GroundTruth, Item
from labeling.queueing import queue_input
from tests.pages import Pages, text_of
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db

NEXT = reverse("labeling:item-next_disputed", kwargs={"slug": "intents"})


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at, overlap=2)


@pytest.fixture
def item(team: Team, clock: SetClock) -> Item:
    """Bob says delivery, Beth says that it is none of the classes."""
    made = queue_input(
        project=team.project,
        value={"text": "<b>where</b> is my parcel"},
        source="flag",
        reference=1,
        at=clock.at,
    )
    given = [
        (team.bob, class_answer(team.project, "delivery")),
        (team.beth, outside_answer(team.project, "parcels")),
    ]
    for person, answer in given:
        lease = claims.lease_next_slot(queue=team.queue, annotator=person, at=clock.at)
        assert lease is not None
        annotating.submit_annotation(lease=lease, answer=answer, at=clock.at)
    return made


def page_of(item: Item, name: str = "adjudicate") -> str:
    return reverse(f"labeling:item-{name}", kwargs={"slug": "intents", "code": item.code})


def delivery(team: Team) -> int:
    return team.project.classes.get(name="delivery").pk


def test_the_next_item_shows_what_was_said_and_not_by_whom(team: Team, item: Item) -> None:
    pages = Pages(team.rita)

    there = pages.get(NEXT).headers["Location"]
    shown = pages.get(there)

    told = text_of(shown)
    assert there == page_of(item)
    assert "delivery 1 of them" in told
    assert "None of these proposed: parcels 1 of them" in told
    assert ("Bob" in told, "Beth" in told) == (False, False)
    assert "&lt;b&gt;where&lt;/b&gt; is my parcel" in shown.content.decode()


def test_a_click_settles_it_for_good(team: Team, item: Item) -> None:
    pages = Pages(team.rita)

    settled = pages.post(page_of(item), answer=delivery(team))
    again = pages.post(page_of(item), answer=team.project.classes.get(name="refund").pk)

    item.refresh_from_db()
    truth = GroundTruth.objects.get()
    assert (settled.headers["Location"], again.headers["Location"]) == (NEXT, NEXT)
    assert item.state == Item.State.RESOLVED
    assert truth.answer is not None
    assert (truth.answer.name, truth.method, truth.by) == ("delivery", "reviewer", team.rita)
    assert "Nothing" in text_of(pages.get(NEXT))


def test_another_answer_than_those_given_may_be_right(team: Team, item: Item) -> None:
    refund = team.project.classes.get(name="refund")

    Pages(team.rita).post(page_of(item), answer=refund.pk)

    assert GroundTruth.objects.get().answer == refund


def test_an_answer_that_is_none_is_refused_and_the_item_stays(team: Team, item: Item) -> None:
    refused = Pages(team.rita).post(page_of(item), answer="perhaps")

    item.refresh_from_db()
    assert refused.status_code == 422
    assert item.state == Item.State.DISPUTED


def test_an_item_sent_back_is_asked_anew(team: Team, item: Item) -> None:
    Pages(team.rita).post(page_of(item, "requeue"))

    item.refresh_from_db()
    assert (item.state, item.round) == (Item.State.OPEN, 2)
    assert not GroundTruth.objects.exists()


def test_the_page_of_a_settled_item_says_so(team: Team, item: Item) -> None:
    pages = Pages(team.rita)
    pages.post(page_of(item), answer=delivery(team))

    late = pages.get(page_of(item))

    assert late.status_code == 409
    assert "This item is settled" in text_of(late)
