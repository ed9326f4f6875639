"""Accepted flags become regression cases, and stop counting when the facts change."""

from __future__ import annotations

import pytest

from events.models import Event
from feedback.flagging import withdraw_flag
from feedback.models import Flag
from jobs.clock import SetClock
from labeling.queueing import requeue_item
from projects.identity import EVALUATION, TRAIN
from retraining.regression_cases import cases_for, keep_accepted_flags
from tests.flagged import make_flag, settle_input, text_of_use
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def test_a_flag_whose_truth_differs_is_kept_as_a_case(team: Team, clock: SetClock) -> None:
    flag = make_flag(team, "where is my parcel", "billing", at=clock.at)
    item = settle_input(team, "where is my parcel", "delivery", at=clock.at)

    kept = keep_accepted_flags(at=clock.at)

    assert kept == 1
    [case] = cases_for(team.project)
    assert (case.flag, case.item, case.right_answer) == (flag, item, "delivery")


def test_a_flag_is_kept_once(team: Team, clock: SetClock) -> None:
    make_flag(team, "where is my parcel", "billing", at=clock.at)
    settle_input(team, "where is my parcel", "delivery", at=clock.at)
    keep_accepted_flags(at=clock.at)

    assert keep_accepted_flags(at=clock.at) == 0

    assert Event.objects.filter(name="regression_case.kept").count() == 1


def test_a_flag_on_a_right_answer_is_not_kept(team: Team, clock: SetClock) -> None:
    make_flag(team, "where is my parcel", "delivery", at=clock.at)
    settle_input(team, "where is my parcel", "delivery", at=clock.at)

    assert keep_accepted_flags(at=clock.at) == 0


def test_a_flag_is_not_kept_before_its_truth_is_there(team: Team, clock: SetClock) -> None:
    make_flag(team, "where is my parcel", "billing", at=clock.at)

    assert keep_accepted_flags(at=clock.at) == 0


def test_none_of_these_is_no_case(team: Team, clock: SetClock) -> None:
    make_flag(team, "what is a fidget spinner", "billing", at=clock.at)
    settle_input(team, "what is a fidget spinner", "toys", at=clock.at)

    assert keep_accepted_flags(at=clock.at) == 0


def test_another_projects_flags_are_left_alone(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    make_flag(other, "where is my parcel", "billing", at=clock.at)
    settle_input(team, "where is my parcel", "delivery", at=clock.at)

    assert keep_accepted_flags(at=clock.at) == 0


def test_two_agents_flags_on_one_input_are_two_cases(team: Team, clock: SetClock) -> None:
    make_flag(team, "where is my parcel", "billing", at=clock.at)
    make_flag(team, "where is my parcel", "refund", at=clock.at, agent=team.alan)
    settle_input(team, "where is my parcel", "delivery", at=clock.at)

    assert keep_accepted_flags(at=clock.at) == 2


@pytest.mark.parametrize(("use", "is_held_out"), [(TRAIN, False), (EVALUATION, True)])
def test_a_case_is_held_out_when_its_item_is_for_evaluation(
    team: Team, clock: SetClock, use: str, is_held_out: bool
) -> None:
    text = text_of_use(team.project, use)
    make_flag(team, text, "billing", at=clock.at)
    settle_input(team, text, "delivery", at=clock.at)
    keep_accepted_flags(at=clock.at)

    [case] = cases_for(team.project)

    assert case.is_held_out is is_held_out


def test_a_case_does_not_stand_while_its_input_is_asked_again(team: Team, clock: SetClock) -> None:
    make_flag(team, "where is my parcel", "billing", at=clock.at)
    item = settle_input(team, "where is my parcel", "delivery", at=clock.at)
    keep_accepted_flags(at=clock.at)

    requeue_item(item=item, at=clock.at, by=team.rita, reason="the world changed")

    assert cases_for(team.project) == []


def test_a_case_falls_when_the_flagged_answer_turns_out_right(team: Team, clock: SetClock) -> None:
    make_flag(team, "where is my parcel", "billing", at=clock.at)
    item = settle_input(team, "where is my parcel", "delivery", at=clock.at)
    keep_accepted_flags(at=clock.at)
    requeue_item(item=item, at=clock.at, by=team.rita, reason="the world changed")

    settle_input(team, "where is my parcel", "billing", at=clock.at)

    assert cases_for(team.project) == []
    assert Flag.objects.get().state == Flag.State.DECLINED


def test_a_withdrawn_flags_case_does_not_stand(team: Team, clock: SetClock) -> None:
    flag = make_flag(team, "where is my parcel", "billing", at=clock.at)
    settle_input(team, "where is my parcel", "delivery", at=clock.at)
    keep_accepted_flags(at=clock.at)

    withdraw_flag(flag=flag, at=clock.at)

    assert cases_for(team.project) == []
