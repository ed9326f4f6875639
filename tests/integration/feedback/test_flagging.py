"""Flags: who may say what, how often, and which moves are left afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest

from events.models import Event
from feedback import flagging
from feedback.flagging import (
    Report,
    attach_overdue_flags,
    attach_waiting_flags,
    decide_flag,
    decline_open_flags,
    find_others,
    flag_prediction,
    flag_together,
    flag_unseen_id,
    say_me_too,
    withdraw_flag,
)
from feedback.models import Flag, FlagDecision, Issue, Prediction, Sighting
from jobs.clock import SetClock
from projects.errors import Conflict, Invalid
from projects.models import User
from tests.people import Team, make_team
from tests.stories import flagged, predicted

pytestmark = pytest.mark.django_db

WRONG = Report(reason=Flag.Reason.WRONG_CLASS)
STATE = Flag.State


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


@pytest.fixture
def prediction(team: Team, clock: SetClock) -> Prediction:
    return predicted(team, "where is my parcel", "billing", at=clock.at)


def wait_for(
    team: Team, clock: SetClock, external_id: str = "later", agent: User | None = None
) -> Flag:
    return flag_unseen_id(
        project=team.project,
        external_id=external_id,
        agent=agent or team.ada,
        report=WRONG,
        at=clock.at,
    )


def state_of(flag: Flag) -> str:
    return Flag.objects.get(pk=flag.pk).state


@pytest.mark.parametrize(
    ("state", "targets"),
    [
        (STATE.OPEN, {STATE.FIXED, STATE.DECLINED, STATE.WITHDRAWN}),
        (STATE.STILL_WRONG, {STATE.FIXED, STATE.DECLINED, STATE.WITHDRAWN}),
        (STATE.FIXED, {STATE.STILL_WRONG, STATE.OPEN}),
        (STATE.DECLINED, {STATE.OPEN}),
        (STATE.WITHDRAWN, set()),
    ],
)
def test_a_flag_moves_only_where_its_state_lets_it(
    team: Team, prediction: Prediction, clock: SetClock, state: str, targets: set[str]
) -> None:
    flag = flagged(prediction, team.ada, at=clock.at)

    reached = set()
    for target in STATE.values:
        Flag.objects.update(state=state)
        if decide_flag(flag=flag, state=target, at=clock.at):
            reached.add(target)
            assert state_of(flag) == target

    assert reached == targets
    assert FlagDecision.objects.count() == len(targets)


def test_a_decision_keeps_who_why_and_by_which_version(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flag = flagged(prediction, team.ada, at=clock.at)

    decide_flag(
        flag=flag,
        state=STATE.FIXED,
        at=clock.at,
        by=team.lena,
        version=team.version,
        reason="it is right now",
    )

    kept = FlagDecision.objects.get()
    assert (kept.state, kept.by, kept.version, kept.reason, kept.at) == (
        STATE.FIXED,
        team.lena,
        team.version,
        "it is right now",
        clock.at,
    )
    event = Event.objects.get(name="flag.decided")
    assert (event.actor_id, event.data) == (team.lena.pk, {"state": "fixed"})


@pytest.mark.parametrize("state", [STATE.FIXED, STATE.DECLINED, STATE.WITHDRAWN])
def test_a_flag_that_has_been_decided_cannot_be_taken_back(
    team: Team, prediction: Prediction, clock: SetClock, state: str
) -> None:
    flag = flagged(prediction, team.ada, at=clock.at)
    Flag.objects.update(state=state)

    with pytest.raises(Conflict, match="decided already"):
        withdraw_flag(flag=flag, at=clock.at)

    assert state_of(flag) == state


def test_who_flags_counts_as_having_seen_the_answer(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flagged(prediction, team.ada, at=clock.at)

    seen = Sighting.objects.get()
    assert (seen.user, seen.identity, seen.project) == (
        team.ada,
        prediction.identity,
        team.project,
    )


def test_a_second_flag_of_one_agent_changes_nothing_about_the_first(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    first = flagged(prediction, team.ada, "delivery", at=clock.at)

    second = flagged(prediction, team.ada, "refund", at=clock.at, severity=3)

    assert second == first
    stored = Flag.objects.get()
    assert stored.suggested is not None
    assert (stored.suggested.name, stored.severity) == ("delivery", 1)
    assert Event.objects.filter(name="flag.created").count() == 1


def test_a_flag_made_anew_says_what_is_said_now_and_is_routed_again(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flag = flagged(prediction, team.ada, "delivery", at=clock.at)
    Flag.objects.update(routed_at=clock.at)
    withdraw_flag(flag=flag, at=clock.at)

    flagged(prediction, team.ada, "refund", at=clock.at, severity=3)

    again = Flag.objects.get()
    assert again.suggested is not None
    assert (again.state, again.suggested.name, again.severity, again.routed_at) == (
        STATE.OPEN,
        "refund",
        3,
        None,
    )
    assert Issue.objects.get().state == Issue.State.REOPENED


@pytest.mark.parametrize("external_id", ["", "  \n"])
def test_a_flag_on_no_id_at_all_is_refused(team: Team, clock: SetClock, external_id: str) -> None:
    with pytest.raises(Invalid, match="Give the id"):
        wait_for(team, clock, external_id)


def test_a_waiting_flag_is_one_for_each_agent_and_id(team: Team, clock: SetClock) -> None:
    first = wait_for(team, clock)

    assert wait_for(team, clock) == first
    assert wait_for(team, clock, "another") != first
    assert wait_for(team, clock, agent=team.alan) != first

    assert Event.objects.filter(name="flag.created").count() == 3


def test_a_waiting_flag_that_was_taken_back_stands_again_when_it_is_told_again(
    team: Team, clock: SetClock
) -> None:
    flag = wait_for(team, clock)
    withdraw_flag(flag=flag, at=clock.at)

    again = flag_unseen_id(
        project=team.project,
        external_id="later",
        agent=team.ada,
        report=Report(reason=Flag.Reason.HARMFUL, severity=3),
        at=clock.at,
    )

    assert (again.pk, again.state, again.reason, again.severity) == (
        flag.pk,
        STATE.OPEN,
        Flag.Reason.HARMFUL,
        3,
    )
    prediction = predicted(team, "a", "billing", at=clock.at, external_id="later")
    assert attach_waiting_flags(predictions=[prediction], at=clock.at) == 1


def test_two_projects_wait_for_the_same_id_each_for_its_own(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    mine, theirs = wait_for(team, clock), wait_for(other, clock)

    answers = [
        predicted(one, "a", "billing", at=clock.at, external_id="later") for one in (team, other)
    ]
    attach_waiting_flags(predictions=answers, at=clock.at)

    attached = [Flag.objects.get(pk=flag.pk).prediction for flag in (mine, theirs)]
    assert attached == answers


def test_an_attached_flag_knows_the_answer_and_stands_in_the_inputs_issue(
    team: Team, clock: SetClock
) -> None:
    flag = wait_for(team, clock)
    prediction = predicted(team, "a", "billing", at=clock.at, external_id="later")
    others = flagged(prediction, team.alan, at=clock.at)

    attach_waiting_flags(predictions=[prediction], at=clock.at)

    flag.refresh_from_db()
    assert (flag.identity, flag.output, flag.issue) == (
        prediction.identity,
        "billing",
        others.issue,
    )


def test_what_is_overdue_is_attached_to_the_newest_answer_and_only_once(
    team: Team, clock: SetClock
) -> None:
    flag = wait_for(team, clock)
    new = predicted(team, "b", "refund", at=clock.at, external_id="later")
    other_version = team.project.versions.create(name="v0", kind="external", created_at=clock.at)
    predicted(
        team,
        "a",
        "billing",
        at=clock.at - timedelta(days=1),
        external_id="later",
        version=other_version,
    )

    assert attach_overdue_flags(at=clock.at) == 1
    assert attach_overdue_flags(at=clock.at) == 0

    assert Flag.objects.get(pk=flag.pk).prediction == new


def test_one_report_on_several_answers_flags_all_of_them_or_none(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    second = predicted(team, "money back", "refund", at=clock.at)
    report = Report(
        reason=Flag.Reason.WRONG_CLASS, suggested=team.project.classes.get(name="refund")
    )

    with pytest.raises(Invalid, match="already answered 'refund'"):
        flag_together(predictions=[prediction, second], agent=team.ada, report=report, at=clock.at)

    assert not Flag.objects.exists()


def test_me_too_repeats_what_the_newest_of_the_others_said_and_not_their_note(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flagged(prediction, team.alan, "refund", at=clock.at)
    report = Report(
        reason=Flag.Reason.OUT_OF_DATE, proposed_name="parcels", severity=3, note="theirs"
    )
    flag_prediction(prediction=prediction, agent=team.olga, report=report, at=clock.at)

    mine = say_me_too(prediction=prediction, agent=team.ada, at=clock.at)

    assert (mine.agent, mine.reason, mine.suggested, mine.proposed_name) == (
        team.ada,
        Flag.Reason.OUT_OF_DATE,
        None,
        "parcels",
    )
    assert (mine.severity, mine.note) == (3, "")


def test_me_too_does_not_suggest_what_this_answer_already_says(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flagged(prediction, team.alan, "delivery", at=clock.at)
    later = predicted(team, "Where is my parcel", "delivery", at=clock.at, external_id="p2")

    mine = say_me_too(prediction=later, agent=team.ada, at=clock.at)

    assert (mine.prediction, mine.suggested) == (later, None)


def test_me_too_needs_somebody_elses_flag_that_stands(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flagged(prediction, team.ada, at=clock.at)
    withdraw_flag(flag=flagged(prediction, team.alan, at=clock.at), at=clock.at)

    with pytest.raises(Conflict, match="Nobody has flagged this yet"):
        say_me_too(prediction=prediction, agent=team.ada, at=clock.at)


def test_flags_of_others_are_those_on_the_same_input_of_the_same_project(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    same = predicted(team, "Where is  my parcel", "billing", at=clock.at, external_id="p2")
    wanted = flagged(same, team.alan, at=clock.at)
    flagged(prediction, team.ada, at=clock.at)
    flagged(predicted(team, "else", "billing", at=clock.at), team.alan, at=clock.at)
    flagged(predicted(other, prediction.external_id, "x", at=clock.at), other.alan, at=clock.at)

    assert list(find_others(prediction=prediction, agent=team.ada)) == [wanted]


def test_declining_an_issue_declines_its_open_flags_with_the_reason_and_no_decided_one(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    ada, alan, olga = (
        flagged(prediction, person, at=clock.at) for person in (team.ada, team.alan, team.olga)
    )
    decide_flag(flag=alan, state=STATE.FIXED, at=clock.at)
    Flag.objects.filter(pk=olga.pk).update(state=STATE.STILL_WRONG)
    assert ada.issue is not None

    declined = decline_open_flags(
        issue=ada.issue, by=team.lena, at=clock.at, reason=" as designed\n"
    )

    assert declined == 2
    assert [state_of(flag) for flag in (ada, alan, olga)] == ["declined", "fixed", "declined"]
    reasons = FlagDecision.objects.filter(state=STATE.DECLINED).values_list("reason", flat=True)
    assert set(reasons) == {"as designed"}


def test_an_issue_is_declined_once_and_never_without_a_reason(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flag = flagged(prediction, team.ada, at=clock.at)
    assert flag.issue is not None

    with pytest.raises(Invalid, match="Say why"):
        decline_open_flags(issue=flag.issue, by=team.lena, at=clock.at, reason=" \n")
    assert state_of(flag) == STATE.OPEN

    decline_open_flags(issue=flag.issue, by=team.lena, at=clock.at, reason="as designed")
    with pytest.raises(Conflict, match="No flag in this issue is open"):
        decline_open_flags(issue=flag.issue, by=team.lena, at=clock.at, reason="again")


def test_a_person_is_noted_once_for_an_input_however_often_it_is_shown(
    team: Team, clock: SetClock
) -> None:
    for _ in range(2):
        flagging.note_sightings(
            project=team.project, user=team.ada, identities=["a", "b", "a"], at=clock.at
        )
    flagging.note_sighting(project=team.project, user=team.alan, identity="a", at=clock.at)

    told = Sighting.objects.order_by("pk").values_list("user", "identity")
    assert sorted(told) == sorted([(team.ada.pk, "a"), (team.ada.pk, "b"), (team.alan.pk, "a")])
