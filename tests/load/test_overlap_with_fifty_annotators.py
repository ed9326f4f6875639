"""Fifty people label over HTTP, a third of their claims lapse: no item gets more than it asked."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest

from jobs import clock
from labeling.models import Annotation, Item, Queue, Slot
from labeling.queueing import queue_input
from projects.creating import give_role
from projects.models import Role
from tests.annotators import Annotator, Room, sign_in
from tests.people import make_person, make_team
from tests.stack import Stack

PEOPLE = 50
LABELS = 120
WALK_AWAY = 0.3
LEASE_SECONDS = 2  # Lapsed slots are freed every five seconds.
LONGEST_SECONDS = 120

pytestmark = pytest.mark.timeout(400)


def open_room(stack: Stack, overlap: int) -> tuple[Room, Queue, list[Annotator]]:
    with stack.database():
        at = clock.now()
        team = make_team(at=at, name=f"Load {overlap}", overlap=overlap, suffix=f"-{overlap}")
        Queue.objects.filter(pk=team.queue.pk).update(lease_seconds=LEASE_SECONDS)
        for number in range(LABELS // overlap):
            queue_input(
                project=team.project,
                value={"text": f"message {number}"},
                source="flag",
                reference=number,
                at=at,
            )
        room = Room(
            f"{stack.base_url}/p/{team.project.slug}/work/{team.queue.slug}/",
            team.project.classes.get(name="billing").pk,
            walk_away=WALK_AWAY,
            lease_seconds=LEASE_SECONDS,
        )
        people = []
        for number in range(PEOPLE):
            person = make_person(f"annotator-{overlap}-{number}")
            give_role(project=team.project, user=person, role=Role.ANNOTATOR, at=at, by=team.olga)
            people.append(Annotator(room, sign_in(person), number))
        return room, team.queue, people


def wait_until_labeled(stack: Stack, queue: Queue) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        with stack.database():
            if not Slot.objects.filter(queue=queue).exclude(state=Slot.State.FILLED).exists():
                return
        time.sleep(1)


@pytest.mark.parametrize("overlap", [1, 3])
def test_every_item_gets_exactly_the_answers_it_asked_for(stack: Stack, overlap: int) -> None:
    room, queue, people = open_room(stack, overlap)
    threads = [threading.Thread(target=person.work) for person in people]
    for thread in threads:
        thread.start()

    wait_until_labeled(stack, queue)
    room.over.set()
    for thread in threads:
        thread.join()

    with stack.database():
        given = Annotation.objects.answers().filter(item__queue=queue)
        counting = list(given.exclude(slot=None).values_list("item_id", "annotator_id"))
        codes = {str(code) for code in given.values_list("lease__code", flat=True)}
        items = list(Item.objects.filter(queue=queue).values_list("pk", "state"))
    assert room.faults == []
    assert Counter(item for item, _ in counting) == {item: overlap for item, _ in items}
    assert len(counting) == len(set(counting))
    assert {state for _, state in items} == {Item.State.RESOLVED}
    assert {*room.answers, *room.late} <= codes
    assert room.walks
