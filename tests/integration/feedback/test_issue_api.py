"""Issues are merged, renamed and declined by API, by those who may on their page."""

from __future__ import annotations

from typing import Any

import pytest

from feedback.models import Flag, FlagDecision, Issue
from jobs.clock import SetClock
from projects.models import ApiKey, User
from tests.api import Api, ask, make_key
from tests.flagged import make_flag
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db
BODIES: dict[str, dict[str, Any]] = {
    "merge": {"into": 2},
    "rename": {"title": "Parcels"},
    "decline": {"reason": "It is right."},
}


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


@pytest.fixture
def flags(team: Team, clock: SetClock) -> list[Flag]:
    """Two issues of one flag each."""
    return [
        make_flag(team, text, "billing", at=clock.at) for text in ("where is it", "and the parcel")
    ]


@pytest.fixture
def lena(team: Team, clock: SetClock) -> Api:
    return key_of(team, team.lena, clock)


def key_of(team: Team, person: User, clock: SetClock) -> Api:
    scopes = [ApiKey.Scope.DECIDE]
    return Api(team.project, make_key(team.project, person, at=clock.at, scopes=scopes))


def states() -> list[str]:
    return list(Issue.objects.order_by("number").values_list("state", flat=True))


def test_a_merge_moves_the_flags_and_happens_once(team: Team, flags: list[Flag], lena: Api) -> None:
    told = lena.post("issues/1/merge", {"into": 2})
    again = lena.post("issues/1/merge", {"into": 2})

    assert (told.status_code, again.status_code) == (204, 409)
    assert set(Flag.objects.values_list("issue__number", flat=True)) == {2}
    assert Issue.objects.get(number=1).state == Issue.State.MERGED


@pytest.mark.parametrize(
    ("into", "status"), [(1, 422), (3, 404), (10**30, 404), (0, 400), ("two", 400)]
)
def test_an_issue_that_cannot_take_the_flags_is_refused(
    flags: list[Flag], lena: Api, into: object, status: int
) -> None:
    assert lena.post("issues/1/merge", {"into": into}).status_code == status
    assert Issue.State.MERGED not in states()


def test_an_issue_gets_a_title(flags: list[Flag], lena: Api) -> None:
    told = lena.post("issues/1/rename", {"title": "  Parcels   go to billing "})

    assert told.status_code == 204
    assert Issue.objects.get(number=1).title == "Parcels go to billing"


def test_a_declined_issue_tells_how_many_flags_and_each_agent_why(
    flags: list[Flag], lena: Api, team: Team
) -> None:
    told = lena.post("issues/1/decline", {"reason": "It is right."})
    again = lena.post("issues/1/decline", {"reason": "It is right."})
    wordless = lena.post("issues/2/decline", {})

    assert told.json() == {"declined_flags": 1}
    assert (again.status_code, wordless.status_code) == (409, 400)
    decision = FlagDecision.objects.get()
    assert (decision.reason, decision.by) == ("It is right.", team.lena)


@pytest.mark.parametrize("name", ["rita", "lena"])
@pytest.mark.parametrize("move", BODIES)
def test_reviewers_and_leads_decide_also_without_a_key(
    team: Team, flags: list[Flag], name: str, move: str
) -> None:
    told = ask(getattr(team, name), "post", f"/issues/1/{move}", **BODIES[move])

    assert told.status_code in {200, 204}


@pytest.mark.parametrize("name", ["ada", "bob", "ed", "vera"])
@pytest.mark.parametrize("move", BODIES)
def test_nobody_else_decides_by_key_or_without(
    team: Team, flags: list[Flag], clock: SetClock, name: str, move: str
) -> None:
    person = getattr(team, name)

    assert ask(person, "post", f"/issues/1/{move}", **BODIES[move]).status_code == 403
    assert key_of(team, person, clock).post(f"issues/1/{move}", BODIES[move]).status_code == 403
    assert states() == [Issue.State.NEW, Issue.State.NEW]


@pytest.mark.parametrize("move", BODIES)
def test_an_issue_of_another_project_is_not_there(
    team: Team, flags: list[Flag], clock: SetClock, move: str
) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    make_flag(other, "one of theirs", "billing", at=clock.at)

    told = key_of(other, other.lena, clock).post(f"issues/2/{move}", BODIES[move])

    assert told.status_code == 404
    assert Issue.objects.get(project=team.project, number=2).state == Issue.State.NEW


def test_nothing_is_merged_into_another_projects_issue(
    team: Team, flags: list[Flag], clock: SetClock
) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    make_flag(other, "one of theirs", "billing", at=clock.at)

    told = key_of(other, other.lena, clock).post("issues/1/merge", {"into": 2})

    assert told.status_code == 404
