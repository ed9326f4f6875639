"""Flags and issues that several people, and the rules, change at the same time."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from feedback import issues
from feedback.flagging import (
    Report,
    attach_waiting_flags,
    decide_flag,
    flag_prediction,
    flag_unseen_id,
    say_me_too,
    withdraw_flag,
)
from feedback.models import Flag, Issue
from jobs.clock import SetClock
from labeling import annotating, claims, routing
from labeling.answers import class_answer
from labeling.models import Annotation
from projects.errors import Conflict, Invalid
from projects.models import User
from tests.flagged import make_flag, make_prediction
from tests.people import Team, make_team
from tests.threads import at_once

WRONG = Report(reason=Flag.Reason.WRONG_CLASS)


@pytest.fixture
def team(db: None, clock: SetClock) -> Team:
    return make_team(at=clock.at, overlap=1)


def answer(team: Team, person: User, name: str, clock: SetClock) -> Annotation:
    lease = claims.lease_next_slot(queue=team.queue, annotator=person, at=clock.at)
    assert lease is not None
    return annotating.submit_annotation(
        lease=lease, answer=class_answer(team.project, name), at=clock.at
    )


def state_of(flag: Flag) -> tuple[str, str]:
    fresh = Flag.objects.select_related("issue").get(pk=flag.pk)
    return fresh.state, fresh.issue.state if fresh.issue else ""


def test_the_answer_itself_is_no_suggestion_by_whatever_name_it_comes(
    team: Team, clock: SetClock
) -> None:
    prediction = make_prediction(team, "where is my parcel", "parcels", at=clock.at)
    same = Report(reason=Flag.Reason.MISSING_CLASS, proposed_name="parcels")

    with pytest.raises(Invalid, match="already answered 'parcels'"):
        flag_prediction(prediction=prediction, agent=team.ada, report=same, at=clock.at)


def test_me_too_repeats_no_suggestion_that_is_this_predictions_answer(
    team: Team, clock: SetClock
) -> None:
    theirs = Report(reason=Flag.Reason.MISSING_CLASS, proposed_name="parcels")
    first = make_prediction(team, "where is my parcel", "delivery", at=clock.at)
    again = make_prediction(team, "where is my parcel", "parcels", at=clock.at)
    flag_prediction(prediction=first, agent=team.ada, report=theirs, at=clock.at)

    flag = say_me_too(prediction=again, agent=team.alan, at=clock.at)

    assert (flag.reason, flag.proposed_name) == (Flag.Reason.MISSING_CLASS, "")


def test_an_undone_answer_opens_the_flag_it_declined(team: Team, clock: SetClock) -> None:
    flag = make_flag(team, "where is my parcel", "delivery", at=clock.at)
    routing.route_new_flags(at=clock.at)
    given = answer(team, team.bob, "delivery", clock)
    assert state_of(flag) == (Flag.State.DECLINED, Issue.State.DECLINED)

    annotating.undo_annotation(annotation=given, at=clock.at)

    assert state_of(flag) == (Flag.State.OPEN, Issue.State.LABELING)


def test_after_an_undo_another_answer_judges_the_flag_anew(team: Team, clock: SetClock) -> None:
    flag = make_flag(team, "where is my parcel", "delivery", at=clock.at)
    routing.route_new_flags(at=clock.at)
    annotating.undo_annotation(annotation=answer(team, team.bob, "delivery", clock), at=clock.at)

    answer(team, team.bob, "refund", clock)

    assert state_of(flag) == (Flag.State.OPEN, Issue.State.AWAITING_RETRAIN)


def test_an_undone_answer_sends_an_issue_that_waited_for_a_retrain_back_to_labeling(
    team: Team, clock: SetClock
) -> None:
    flag = make_flag(team, "where is my parcel", "delivery", at=clock.at)
    routing.route_new_flags(at=clock.at)
    given = answer(team, team.bob, "refund", clock)
    assert state_of(flag) == (Flag.State.OPEN, Issue.State.AWAITING_RETRAIN)

    annotating.undo_annotation(annotation=given, at=clock.at)

    assert state_of(flag) == (Flag.State.OPEN, Issue.State.LABELING)


def test_a_flag_that_a_lead_declined_stays_declined_when_an_answer_is_undone(
    team: Team, clock: SetClock
) -> None:
    flag = make_flag(team, "where is my parcel", "delivery", at=clock.at)
    routing.route_new_flags(at=clock.at)
    given = answer(team, team.bob, "refund", clock)
    decide_flag(
        flag=flag, state=Flag.State.DECLINED, at=clock.at, by=team.lena, reason="Out of scope."
    )

    annotating.undo_annotation(annotation=given, at=clock.at)

    assert state_of(flag) == (Flag.State.DECLINED, Issue.State.DECLINED)


def test_a_flag_decided_after_a_merge_settles_the_issue_it_is_in_now(
    team: Team, clock: SetClock
) -> None:
    read_before = make_flag(team, "one", "delivery", at=clock.at)
    other = make_flag(team, "two", "delivery", at=clock.at)
    assert read_before.issue
    assert other.issue
    issues.merge_issues(issue=read_before.issue, into=other.issue, at=clock.at, by=team.lena)
    withdraw_flag(flag=other, at=clock.at)

    withdraw_flag(flag=read_before, at=clock.at)

    assert state_of(other) == (Flag.State.WITHDRAWN, Issue.State.DECLINED)


def test_an_issue_is_not_merged_into_one_that_has_ended(team: Team, clock: SetClock) -> None:
    flag = make_flag(team, "one", "delivery", at=clock.at)
    ended = make_flag(team, "two", "delivery", at=clock.at)
    withdraw_flag(flag=ended, at=clock.at)
    assert flag.issue
    assert ended.issue

    with pytest.raises(Conflict, match="is declined already"):
        issues.merge_issues(issue=flag.issue, into=ended.issue, at=clock.at, by=team.lena)


def test_an_issue_is_not_merged_into_one_merged_since_it_was_read(
    team: Team, clock: SetClock
) -> None:
    one, two, three = (
        make_flag(team, text, "delivery", at=clock.at).issue for text in ("one", "two", "three")
    )
    assert one
    assert two
    assert three
    read_before = Issue.objects.get(pk=two.pk)
    issues.merge_issues(issue=two, into=three, at=clock.at, by=team.lena)

    with pytest.raises(Conflict, match="merged itself"):
        issues.merge_issues(issue=one, into=read_before, at=clock.at, by=team.lena)


def test_a_waiting_flag_gives_way_to_the_same_agents_flag_on_the_prediction_itself(
    team: Team, clock: SetClock
) -> None:
    waiting = flag_unseen_id(
        project=team.project, external_id="p-late", agent=team.ada, report=WRONG, at=clock.at
    )
    prediction = make_prediction(team, "one", "delivery", at=clock.at, external_id="p-late")
    direct = flag_prediction(prediction=prediction, agent=team.ada, report=WRONG, at=clock.at)

    attached = attach_waiting_flags(predictions=[prediction], at=clock.at)

    assert attached == 0
    assert state_of(waiting)[0] == Flag.State.WITHDRAWN
    assert state_of(direct)[0] == Flag.State.OPEN


def test_a_waiting_flag_that_was_taken_back_is_not_attached(team: Team, clock: SetClock) -> None:
    waiting = flag_unseen_id(
        project=team.project, external_id="p-late", agent=team.ada, report=WRONG, at=clock.at
    )
    withdraw_flag(flag=waiting, at=clock.at)
    prediction = make_prediction(team, "one", "delivery", at=clock.at, external_id="p-late")

    assert attach_waiting_flags(predictions=[prediction], at=clock.at) == 0


@pytest.mark.django_db(transaction=True)
def test_flags_of_an_issue_that_is_being_merged_all_end_in_the_other(clock: SetClock) -> None:
    team = make_team(at=clock.at)
    at = clock.at
    for number in range(6):
        source = make_flag(team, f"source {number}", "delivery", at=at)
        make_flag(team, f"source {number}", "billing", at=at, agent=team.olga)  # Keeps it open.
        target = make_flag(team, f"target {number}", "delivery", at=at)
        assert source.issue
        assert target.issue
        again = make_prediction(team, f"source {number}", "refund", at=at + timedelta(minutes=1))
        merge = partial(
            issues.merge_issues, issue=source.issue, into=target.issue, at=at, by=team.lena
        )
        flag = partial(flag_prediction, prediction=again, agent=team.alan, report=WRONG, at=at)
        withdraw = partial(withdraw_flag, flag=source, at=at)

        at_once(merge, flag, withdraw)

        where = Flag.objects.filter(identity=source.identity).values_list("issue_id", flat=True)
        assert set(where) == {target.issue.pk}
