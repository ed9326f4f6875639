"""What the reviewer is shown of a dispute, and in which order disputes come."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs.clock import SetClock
from labeling import annotating, claims
from labeling.answers import class_answer, outside_answer
from labeling.disputes import given_answers, next_disputed
from labeling.models import Item
from labeling.queueing import queue_input
from projects.models import User
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at, overlap=4)


def put(team: Team, clock: SetClock, text: str = "my drone") -> Item:
    return queue_input(
        project=team.project, value={"text": text}, source="flag", reference=1, at=clock.at
    )


def say(team: Team, person: User, name: str, clock: SetClock) -> None:
    lease = claims.lease_next_slot(queue=team.queue, annotator=person, at=clock.at)
    assert lease is not None
    known = team.project.classes.filter(name=name).exists()
    said = class_answer(team.project, name) if known else outside_answer(team.project, name)
    annotating.submit_annotation(lease=lease, answer=said, at=clock.at)


def told(item: Item) -> list[tuple[str, str, int]]:
    return [
        (given.label_class.name if given.label_class else "", given.proposed_name, given.count)
        for given in given_answers(item)
    ]


def test_what_most_people_said_stands_first(team: Team, clock: SetClock) -> None:
    item = put(team, clock)
    people = (team.bob, team.beth, team.bill, team.olga)
    for person, name in zip(people, ("billing", "refund", "refund", "delivery"), strict=True):
        say(team, person, name, clock)

    assert told(item) == [("refund", "", 2), ("billing", "", 1), ("delivery", "", 1)]


@pytest.mark.parametrize(
    "names", [("toys", "drones", "billing", ""), ("", "billing", "drones", "toys")]
)
def test_the_order_of_equal_answers_tells_nothing_about_who_came_first(
    team: Team, clock: SetClock, names: tuple[str, ...]
) -> None:
    item = put(team, clock)
    people = (team.bob, team.beth, team.bill, team.olga)
    for person, name in zip(people, names, strict=True):
        say(team, person, name, clock)

    assert told(item) == [("", "", 1), ("", "drones", 1), ("", "toys", 1), ("billing", "", 1)]


def test_the_dispute_that_waits_longest_comes_first_and_only_of_this_project(
    team: Team, clock: SetClock
) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    theirs = put(other, clock)
    clock.advance(timedelta(hours=1))
    newer, older = put(team, clock, "newer"), put(team, clock, "older")
    Item.objects.filter(pk=older.pk).update(queued_at=clock.at - timedelta(minutes=1))
    assert next_disputed(team.project) is None

    Item.objects.update(state=Item.State.DISPUTED)

    assert list(Item.objects.disputed(team.project)) == [older, newer]
    assert next_disputed(team.project) == older
    assert next_disputed(other.project) == theirs
