"""Names proposed for what is none of the classes, and what a lead makes of them."""

from __future__ import annotations

import pytest

from events.models import Event
from jobs.clock import SetClock
from labeling import annotating, class_proposals
from labeling.answers import outside_answer
from labeling.class_proposals import accept_class, decline_class, propose_class
from labeling.models import ClassProposal, GroundTruth, Item
from labeling.queueing import queue_input
from labeling.settlement import accept_answer
from projects.classes import accepted_classes
from projects.errors import Conflict, Invalid
from projects.models import LabelClass
from tests.people import Team, make_team
from tests.stories import answered_next

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def put(team: Team, clock: SetClock, text: str) -> Item:
    return queue_input(
        project=team.project, value={"text": text}, source="flag", reference=1, at=clock.at
    )


def settle_outside(team: Team, clock: SetClock, text: str, name: str = "") -> Item:
    """An item whose accepted answer is none of these, by this name."""
    item = put(team, clock, text)
    accept_answer(
        item=item,
        answer=outside_answer(team.project, name),
        method=GroundTruth.Method.REVIEWER,
        confidence=1.0,
        at=clock.at,
    )
    return item


def propose(team: Team, clock: SetClock, name: str = "drones") -> ClassProposal:
    return propose_class(project=team.project, name=name, by=team.bob, at=clock.at)


def round_of(item: Item) -> int:
    return Item.objects.get(pk=item.pk).round


@pytest.mark.parametrize("other", ["Drones", "  drones ", "\uff44rones", "DRONES"])
def test_a_name_is_proposed_once_however_it_is_written(
    team: Team, clock: SetClock, other: str
) -> None:
    first = propose(team, clock)

    assert propose(team, clock, other) == first

    assert ClassProposal.objects.get().name == "drones"
    assert Event.objects.filter(name="class.proposed").count() == 1


@pytest.mark.parametrize("name", ["", " \n ", "a\x00b", "x" * 121])
def test_what_no_class_can_be_called_is_not_proposed(
    team: Team, clock: SetClock, name: str
) -> None:
    with pytest.raises(Invalid):
        propose(team, clock, name)


def test_two_projects_propose_the_same_name_each_for_itself(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")

    assert propose(other, clock) != propose(team, clock)


def test_an_accepted_class_asks_again_for_the_items_of_its_name_and_for_no_others(
    team: Team, clock: SetClock
) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    asked = [settle_outside(team, clock, "a", "Drones"), settle_outside(team, clock, "b", "drones")]
    left = [
        settle_outside(team, clock, "c", "toys"),
        settle_outside(team, clock, "d"),
        settle_outside(other, clock, "e", "drones"),
    ]

    accept_class(proposal=propose(team, clock), by=team.lena, at=clock.at)

    assert [round_of(item) for item in asked] == [2, 2]
    assert [round_of(item) for item in left] == [1, 1, 1]


def test_a_retired_class_that_is_proposed_again_comes_back(team: Team, clock: SetClock) -> None:
    retired = LabelClass.objects.get(project=team.project, name="refund")
    LabelClass.objects.filter(pk=retired.pk).update(retired_at=clock.at)
    proposal = propose_class(project=team.project, name="refund", by=team.bob, at=clock.at)

    accept_class(proposal=proposal, by=team.lena, at=clock.at)

    assert retired in accepted_classes(team.project)


def test_a_class_accepted_twice_is_one_class_and_asks_once(team: Team, clock: SetClock) -> None:
    item = settle_outside(team, clock, "a", "drones")
    proposal = propose(team, clock)
    first = accept_class(proposal=proposal, by=team.lena, at=clock.at)
    proposal.refresh_from_db()

    assert accept_class(proposal=proposal, by=team.lena, at=clock.at) == first

    assert round_of(item) == 2
    assert team.project.classes.filter(name="drones").count() == 1


def test_a_class_that_was_accepted_tells_who_decided_and_when(team: Team, clock: SetClock) -> None:
    proposal = propose(team, clock)

    made = accept_class(proposal=proposal, by=team.lena, at=clock.at, description="Flying things")

    proposal.refresh_from_db()
    assert (proposal.state, proposal.label_class, proposal.by, proposal.decided_at) == (
        ClassProposal.State.ACCEPTED,
        made,
        team.lena,
        clock.at,
    )
    assert made.description == "Flying things"


def test_a_declined_name_is_not_accepted_any_more_and_nothing_is_left_behind(
    team: Team, clock: SetClock
) -> None:
    item = settle_outside(team, clock, "a", "drones")
    proposal = propose(team, clock)
    decline_class(proposal=proposal, by=team.lena, at=clock.at)

    with pytest.raises(Conflict, match="decided already"):
        accept_class(proposal=proposal, by=team.lena, at=clock.at)

    assert not team.project.classes.filter(name="drones").exists()
    assert round_of(item) == 1


def test_a_name_is_declined_once(team: Team, clock: SetClock) -> None:
    proposal = propose(team, clock)
    decline_class(proposal=proposal, by=team.lena, at=clock.at)

    with pytest.raises(Conflict, match="decided already"):
        decline_class(proposal=proposal, by=team.lena, at=clock.at)

    assert Event.objects.filter(name="class.declined").count() == 1


def test_a_declined_name_that_somebody_gives_again_stays_declined(
    team: Team, clock: SetClock
) -> None:
    decline_class(proposal=propose(team, clock), by=team.lena, at=clock.at)

    assert propose(team, clock).state == ClassProposal.State.DECLINED


def test_the_name_that_stands_for_most_items_waits_first(team: Team, clock: SetClock) -> None:
    few, many, declined = (propose(team, clock, name) for name in ("toys", "drones", "pets"))
    decline_class(proposal=declined, by=team.lena, at=clock.at)
    settle_outside(team, clock, "a", "toys")
    settle_outside(team, clock, "b", "drones")
    settle_outside(team, clock, "c", "drones")

    waiting = class_proposals.waiting_proposals(team.project)
    assert [(w.proposal, w.item_count) for w in waiting] == [(many, 2), (few, 1)]


def test_people_are_counted_once_for_a_name_and_not_for_what_they_took_back(
    team: Team, clock: SetClock
) -> None:
    for text in ("a", "b", "c", "d"):
        put(team, clock, text)
    answered_next(team, team.bob, "Drones", at=clock.at)
    answered_next(team, team.bob, "drones", at=clock.at)
    answered_next(team, team.beth, "drones", at=clock.at)
    taken_back = answered_next(team, team.bill, "toys", at=clock.at)
    annotating.undo_annotation(annotation=taken_back, at=clock.at)

    assert class_proposals.people_who_said(team.project) == {"drones": 2}


def test_another_projects_people_are_not_counted(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    put(other, clock, "a")
    answered_next(other, other.bob, "drones", at=clock.at)

    assert class_proposals.people_who_said(team.project) == {}
