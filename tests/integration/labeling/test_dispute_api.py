"""Settling by API: answers without names, nothing settled twice, in one project only."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from jobs.clock import SetClock
from labeling import annotating, claims
from labeling.answers import Answer, class_answer, outside_answer
from labeling.models import ClassProposal, GroundTruth, Item
from labeling.queueing import queue_input
from labeling.settlement import send_back
from projects.inviting import set_roles
from projects.models import ApiKey, Role
from tests.api import Api, ask, make_key
from tests.pages import Pages
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db
LIST = "disputed-items"


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at, overlap=2)


@pytest.fixture
def rita(team: Team, clock: SetClock) -> Api:
    scopes = [ApiKey.Scope.DECIDE]
    return Api(team.project, make_key(team.project, team.rita, at=clock.at, scopes=scopes))


@pytest.fixture
def item(team: Team, clock: SetClock) -> Item:
    return dispute(team, clock, "where is my parcel")


def dispute(team: Team, clock: SetClock, text: str, reference: int = 1) -> Item:
    """Bob says delivery, Beth says that it is none of the classes."""
    clock.advance(timedelta(minutes=1))
    made = queue_input(
        project=team.project, value={"text": text}, source="flag", reference=reference, at=clock.at
    )
    give(team, clock, class_answer(team.project, "delivery"), bob=True)
    give(team, clock, outside_answer(team.project, "parcels"), bob=False)
    made.refresh_from_db()
    return made


def give(team: Team, clock: SetClock, answer: Answer, *, bob: bool) -> None:
    person = team.bob if bob else team.beth
    lease = claims.lease_next_slot(queue=team.queue, annotator=person, at=clock.at)
    assert lease is not None
    annotating.submit_annotation(lease=lease, answer=answer, at=clock.at)


def test_disputed_items_come_with_what_was_said_and_not_by_whom(item: Item, rita: Api) -> None:
    told = rita.get(LIST)

    assert told.status_code == 200
    assert told.json()["results"] == [
        {
            "code": str(item.code),
            "queue": "everyday",
            "input": {"text": "where is my parcel"},
            "answers": [
                {"answer": "", "none_of_these": True, "proposed_name": "parcels", "count": 1},
                {"answer": "delivery", "none_of_these": False, "proposed_name": "", "count": 1},
            ],
        }
    ]
    assert not [name for name in ("bob", "beth") if name in told.content.decode()]


def test_the_list_costs_as_much_for_many_items_as_for_one(
    team: Team,
    item: Item,
    rita: Api,
    clock: SetClock,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(4):
        dispute(team, clock, f"and number {number}", number + 2)

    rita.get(LIST)
    with django_assert_num_queries(5):
        assert len(rita.get(LIST).json()["results"]) == 5


def test_one_item_comes_with_classes_and_guideline(item: Item, rita: Api) -> None:
    told = rita.get(f"{LIST}/{item.code}").json()

    assert told["classes"] == ["billing", "delivery", "refund"]
    assert told["guideline"]["text"] == "Judge the message."
    assert len(told["answers"]) == 2


def test_a_reviewer_settles_once(item: Item, rita: Api, team: Team) -> None:
    settle = f"{LIST}/{item.code}/settle"

    told = rita.post(settle, {"answer": "refund"})
    again = rita.post(settle, {"answer": "billing"})

    assert (told.status_code, again.status_code) == (200, 409)
    assert told.json() == {"answer": "refund", "none_of_these": False, "proposed_name": ""}
    truth = GroundTruth.objects.get()
    assert (truth.by, truth.method) == (team.rita, GroundTruth.Method.REVIEWER)
    assert rita.get(LIST).json()["results"] == []
    assert rita.get(f"{LIST}/{item.code}").status_code == 404


def test_a_reviewer_settles_on_none_of_these(item: Item, rita: Api) -> None:
    told = rita.post(f"{LIST}/{item.code}/settle", {"none_of_these": True, "proposed_name": "post"})

    assert told.json() == {"answer": "", "none_of_these": True, "proposed_name": "post"}
    assert ClassProposal.objects.filter(name="post").exists()


def test_an_unknown_class_settles_nothing(item: Item, rita: Api) -> None:
    told = rita.post(f"{LIST}/{item.code}/settle", {"answer": "parcels"})

    assert told.status_code == 422
    assert not GroundTruth.objects.exists()


def test_an_item_that_is_sent_back_is_asked_again(item: Item, rita: Api) -> None:
    told = rita.post(f"{LIST}/{item.code}/send-back", {})
    again = rita.post(f"{LIST}/{item.code}/send-back", {})

    assert (told.status_code, again.status_code) == (204, 409)
    item.refresh_from_db()
    assert (item.state, item.round) == (Item.State.OPEN, 2)


def test_a_field_that_would_be_lost_is_refused(item: Item, rita: Api) -> None:
    told = rita.post(f"{LIST}/{item.code}/send-back", {"reason": "Look again."})

    assert told.status_code == 400
    item.refresh_from_db()
    assert item.state == Item.State.DISPUTED


def test_an_item_of_another_project_is_not_there(team: Team, item: Item, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    api = Api(other.project, make_key(other.project, other.olga, at=clock.at))

    asked = [
        api.get(f"{LIST}/{item.code}"),
        api.post(f"{LIST}/{item.code}/settle", {"answer": "refund"}),
        api.post(f"{LIST}/{item.code}/send-back", {}),
    ]

    assert [told.status_code for told in asked] == [404] * 3
    assert api.get(LIST).json()["results"] == []


@pytest.mark.parametrize("name", ["ada", "bob", "lena", "ed", "vera"])
def test_only_reviewers_see_what_others_said(
    team: Team, item: Item, clock: SetClock, name: str
) -> None:
    person = getattr(team, name)
    by_key = Api(team.project, make_key(team.project, person, at=clock.at))

    assert ask(person, "get", f"/{LIST}").status_code == 403
    assert by_key.get(LIST).status_code == 403
    assert by_key.post(f"{LIST}/{item.code}/settle", {"answer": "refund"}).status_code == 403


@pytest.mark.parametrize("shown_by", ["page", "list", "detail"])
def test_who_was_shown_the_answers_is_not_asked_blindly_when_the_item_is_sent_back(
    team: Team, item: Item, clock: SetClock, shown_by: str
) -> None:
    for person in (team.rita, team.bill):
        roles = [Role.REVIEWER, Role.ANNOTATOR]
        set_roles(project=team.project, user=person, roles=roles, by=team.ed, at=clock.at)
    if shown_by == "page":
        Pages(team.rita).get(f"/p/intents/disputed/{item.code}")
    else:
        ask(team.rita, "get", f"/{LIST}" if shown_by == "list" else f"/{LIST}/{item.code}")
    send_back(item=item, reviewer=team.olga, at=clock.at)

    taken = {
        person: claims.lease_next_slot(queue=team.queue, annotator=person, at=clock.at)
        for person in (team.rita, team.bill)
    }

    assert taken[team.rita] is None
    assert taken[team.bill] is not None
