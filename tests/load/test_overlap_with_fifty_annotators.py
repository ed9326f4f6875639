"""Fifty people label over HTTP, a third of their claims lapse: no item gets more than it asked."""

from __future__ import annotations

import random
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from dataclasses import dataclass, field

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from jobs import clock
from labeling.models import Annotation, Item, Queue, Slot
from labeling.queueing import queue_input
from projects.creating import give_role
from projects.models import Role, User
from tests.people import make_person, make_team
from tests.stack import Stack

PEOPLE = 50
LABELS = 150
WALK_AWAY = 0.3
LEASE_SECONDS = 2  # Lapsed slots are freed every five seconds.
LONGEST_SECONDS = 120
CSRF = "a" * 32
LEASED = re.compile(r"/work/answer/([0-9a-f-]{36})")

pytestmark = pytest.mark.timeout(400)


@dataclass
class Room:
    """What all annotators of one run share."""

    work_url: str
    class_id: int
    over: threading.Event = field(default_factory=threading.Event)
    faults: list[str] = field(default_factory=list)
    walks: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)


@dataclass
class Annotator:
    """One signed-in browser, as htmx asks."""

    room: Room
    session: str
    seed: int

    def work(self) -> None:
        chance = random.Random(self.seed)
        code = self._ask(self.room.work_url)
        while not self.room.over.is_set():
            if code and chance.random() < WALK_AWAY:
                self.room.walks.append(code)
                self.room.over.wait(LEASE_SECONDS + chance.random() * 6)
                if chance.random() < 0.5:
                    self._answer(code)
                    self.room.late.append(code)
                code = self._ask(self.room.work_url)
            elif code:
                answered, code = code, self._answer(code)
                self.room.answers.append(answered)
            else:
                self.room.over.wait(1)
                code = self._ask(self.room.work_url)

    def _answer(self, code: str) -> str:
        fields = urllib.parse.urlencode({"answer": self.room.class_id}).encode()
        return self._ask(f"{self.room.work_url.rsplit('/', 2)[0]}/answer/{code}", fields)

    def _ask(self, url: str, content: bytes | None = None) -> str:
        """The lease that the answer offers next, if any."""
        cookies = f"{settings.SESSION_COOKIE_NAME}={self.session}; csrftoken={CSRF}"
        headers = {"Cookie": cookies, "X-CSRFToken": CSRF, "HX-Request": "true"}
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, content, headers), timeout=60
            ) as answer:
                offered = LEASED.search(answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                self.room.faults.append(f"{error.code} {url} {error.read()[:200]!r}")
            return ""
        except OSError as error:
            self.room.faults.append(f"{url} {error}")
            return ""
        return offered[1] if offered else ""


def sign_in(person: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    assert session.session_key is not None
    return session.session_key


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
        )
        people = []
        for number in range(PEOPLE):
            person = make_person(f"annotator-{overlap}-{number}")
            give_role(project=team.project, user=person, role=Role.ANNOTATOR, at=at, by=team.olga)
            people.append(Annotator(room, sign_in(person), number))
        return room, team.queue, people


def wait_until_labelled(stack: Stack, queue: Queue) -> None:
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

    wait_until_labelled(stack, queue)
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
