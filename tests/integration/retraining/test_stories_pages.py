"""The pages of an answer, a person's flags and an issue: what they refuse and whom they note."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from feedback.flagging import decide_flag
from feedback.models import Flag, Issue, Prediction, Sighting
from jobs.clock import SetClock
from projects.models import User
from tests.pages import Pages, text_of
from tests.people import Team, make_team
from tests.stories import flagged, predicted

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


@pytest.fixture
def prediction(team: Team, clock: SetClock) -> Prediction:
    return predicted(team, "where is my parcel", "billing", at=clock.at)


def url(name: str, **named: object) -> str:
    return reverse(f"feedback:{name}", kwargs={"slug": "intents", **named})


def seen_by(person: User) -> set[str]:
    return set(Sighting.objects.filter(user=person).values_list("identity", flat=True))


def test_a_flag_that_is_not_fixed_cannot_be_called_still_wrong(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flag = flagged(prediction, team.ada, at=clock.at)

    refused = Pages(team.ada).post(url("flag-reopen", code=flag.code))

    assert refused.status_code == 409
    assert "not marked as fixed any more" in text_of(refused)
    flag.refresh_from_db()
    assert flag.state == Flag.State.OPEN


@pytest.mark.parametrize("name", ["flag-reopen", "flag-withdraw"])
def test_what_another_agent_flagged_is_not_ones_own_to_change(
    team: Team, prediction: Prediction, clock: SetClock, name: str
) -> None:
    flag = flagged(prediction, team.ada, at=clock.at)

    assert Pages(team.alan).post(url(name, code=flag.code)).status_code == 404
    assert Pages(team.ada).post(url(name, code=uuid.uuid4())).status_code == 404


def test_a_flag_that_was_decided_says_that_it_cannot_be_taken_back(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flag = flagged(prediction, team.ada, at=clock.at)
    decide_flag(flag=flag, state=Flag.State.DECLINED, at=clock.at, by=team.lena, reason="no")

    refused = Pages(team.ada).post(url("flag-withdraw", code=flag.code))

    assert refused.status_code == 409
    assert "can no longer be withdrawn" in text_of(refused)


def test_everybody_who_is_shown_the_answer_on_an_issues_page_is_noted(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flagged(prediction, team.ada, at=clock.at)
    unrelated = predicted(team, "another", "billing", at=clock.at)

    Pages(team.rita).get(url("issue-show", number=1))

    assert seen_by(team.rita) == {prediction.identity}
    assert unrelated.identity not in seen_by(team.rita)


def test_ones_own_flags_are_noted_as_seen_and_waiting_ones_are_no_answer(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flagged(prediction, team.ada, at=clock.at)
    pages = Pages(team.ada)
    pages.post(url("flag-create"), external_id="later", reason="wrong class")
    Sighting.objects.all().delete()

    pages.get(url("flag-mine"))

    assert seen_by(team.ada) == {prediction.identity}


def test_an_issue_of_another_project_is_not_found(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    flagged(predicted(other, "theirs", "billing", at=clock.at), other.ada, at=clock.at)

    assert Pages(team.rita).get(url("issue-show", number=1)).status_code == 404


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("issue-merge", {}, "This field is required"),
        ("issue-merge", {"into": "0"}, "greater than or equal to 1"),
        ("issue-merge", {"into": "9"}, "no issue 9"),
        ("issue-merge", {"into": "1"}, "another issue of the same project"),
        ("issue-decline", {"reason": " "}, "Say why"),
        ("issue-rename", {"title": " "}, "This field is required"),
    ],
)
def test_a_decision_on_an_issue_that_makes_no_sense_is_refused_in_words(
    team: Team,
    prediction: Prediction,
    clock: SetClock,
    name: str,
    fields: dict[str, str],
    words: str,
) -> None:
    flagged(prediction, team.ada, at=clock.at)

    refused = Pages(team.lena).post(url(name, number=1), **fields)

    assert refused.status_code in {404, 422}
    assert words in text_of(refused)
    assert Issue.objects.get().state == Issue.State.NEW


def test_a_title_and_a_reason_reach_the_issue(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flagged(prediction, team.ada, at=clock.at)
    pages = Pages(team.lena)

    pages.post(url("issue-rename", number=1), title="  lost   parcels ")
    pages.post(url("issue-decline", number=1), reason="as designed")

    issue = Issue.objects.get()
    assert (issue.title, issue.state) == ("lost parcels", Issue.State.DECLINED)
    assert "as designed" in text_of(Pages(team.ada).get(url("flag-mine"), state="all"))
