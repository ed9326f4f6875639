"""Proposed classes by API: read, accepted with guideline and quota, declined."""

from __future__ import annotations

import pytest

from jobs.clock import SetClock
from labeling.models import ClassProposal, Guideline, Item
from labeling.queueing import queue_input
from projects.models import ApiKey, LabelClass, User
from retraining.models import CoverageQuota
from tests.api import Api, ask, make_key
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db
LIST = "class-proposals"
ACCEPTED = {"wanted": 60, "description": "Anything about a parcel."}


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


@pytest.fixture
def lena(team: Team, clock: SetClock) -> Api:
    return key_of(team, team.lena, clock, ApiKey.Scope.DECIDE)


@pytest.fixture
def item(team: Team, clock: SetClock) -> Item:
    """Bob said by API that it is none of these, and what he would call it."""
    made = queue_input(
        project=team.project,
        value={"text": "where is my parcel"},
        source="flag",
        reference=1,
        at=clock.at,
    )
    bob = key_of(team, team.bob, clock, ApiKey.Scope.LABEL)
    lease = bob.post("queues/everyday/take", {}).json()["item"]["lease"]
    bob.post(f"leases/{lease}/answer", {"none_of_these": True, "proposed_name": "parcels"})
    return made


def key_of(team: Team, person: User, clock: SetClock, *scopes: str) -> Api:
    return Api(team.project, make_key(team.project, person, at=clock.at, scopes=scopes))


def accept_path() -> str:
    return f"{LIST}/{ClassProposal.objects.get().pk}/accept"


def test_waiting_names_come_with_what_they_stand_for(item: Item, lena: Api) -> None:
    told = lena.get(LIST)

    assert told.status_code == 200
    [proposal] = told.json()
    assert proposal["name"] == "parcels"
    assert (proposal["item_count"], proposal["people_count"]) == (1, 1)
    assert proposal["examples"] == [{"input": {"text": "where is my parcel"}}]
    assert "bob" not in told.content.decode()


def test_an_accepted_class_has_guideline_and_quota_and_its_items_are_asked_again(
    team: Team, item: Item, lena: Api, clock: SetClock
) -> None:
    told = lena.post(accept_path(), ACCEPTED)

    assert (told.status_code, told.json()) == (200, {"name": "parcels"})
    assert CoverageQuota.objects.get(label_class__name="parcels").wanted == 60
    assert lena.get(LIST).json() == []
    beth = key_of(team, team.beth, clock, ApiKey.Scope.LABEL)
    asked = beth.post("queues/everyday/take", {}).json()["item"]
    assert asked["input"] == {"text": "where is my parcel"}
    assert asked["classes"][-1] == "parcels"
    assert asked["guideline"]["text"].endswith("parcels: Anything about a parcel.")


def test_the_same_acceptance_twice_is_one(item: Item, lena: Api) -> None:
    first, again = lena.post(accept_path(), ACCEPTED), lena.post(accept_path(), ACCEPTED)

    assert (first.status_code, again.status_code) == (200, 200)
    assert Guideline.objects.count() == 2
    item.refresh_from_db()
    assert item.round == 2


def test_a_name_is_declined_once(item: Item, lena: Api) -> None:
    decline = accept_path().replace("accept", "decline")

    told, again = lena.post(decline, {}), lena.post(decline, {})

    assert (told.status_code, again.status_code) == (204, 409)
    assert lena.post(accept_path(), ACCEPTED).status_code == 409
    assert not LabelClass.objects.filter(name="parcels").exists()
    assert lena.get(LIST).json() == []


@pytest.mark.parametrize(
    "body", [{}, {"wanted": 0}, {"wanted": 100_001}, {"wanted": 5, "key": "p"}, {"wanted": "many"}]
)
def test_what_the_form_would_refuse_is_refused(
    item: Item, lena: Api, body: dict[str, object]
) -> None:
    assert lena.post(accept_path(), body).status_code == 400
    assert ClassProposal.objects.get().state == ClassProposal.State.PROPOSED


@pytest.mark.parametrize("name", ["rita", "ed"])
def test_reviewers_and_engineers_read_and_do_not_decide(
    team: Team, item: Item, clock: SetClock, name: str
) -> None:
    person = getattr(team, name)
    by_key = key_of(team, person, clock, ApiKey.Scope.DECIDE)

    assert ask(person, "get", f"/{LIST}").status_code == 200
    assert by_key.get(LIST).status_code == 200
    assert ask(person, "post", f"/{accept_path()}", **ACCEPTED).status_code == 403
    assert by_key.post(accept_path(), ACCEPTED).status_code == 403


def test_annotators_see_no_names_that_others_gave(team: Team, item: Item, clock: SetClock) -> None:
    """By content and count: it would be what others answered."""
    by_key = key_of(team, team.beth, clock, ApiKey.Scope.LABEL, ApiKey.Scope.DECIDE)

    assert by_key.get(LIST).status_code == 403
    assert ask(team.beth, "get", f"/{LIST}").status_code == 403


def test_a_proposal_of_another_project_is_not_there(
    team: Team, item: Item, clock: SetClock
) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    api = key_of(other, other.lena, clock, ApiKey.Scope.DECIDE)

    assert api.post(accept_path(), ACCEPTED).status_code == 404
    assert api.post(accept_path().replace("accept", "decline"), {}).status_code == 404
    assert api.get(LIST).json() == []
